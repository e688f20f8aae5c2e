//! Colours and dashes.
//!
//! Each mark carries its colour for light surroundings in itself, so that every program shows it. Where style sheets
//! are understood, [`sheet`] replaces these by the page's colours, light, dark or printed.

/// What a mark is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Text and titles.
    Text,
    /// Labels of axes.
    Soft,
    /// Frames and lines of a grid.
    Line,
    /// What is shown.
    One,
    /// What is wrong.
    Bad,
    /// Behind what is wrong.
    Band,
    /// The curve of this number.
    Curve(usize),
}

/// Curves have so many colours; with the dashes 32 curves are told apart.
pub(crate) const COLOURS: usize = 8;

/// A colour for light and for dark surroundings.
type Pair = (&'static str, &'static str);

/// In light surroundings the first is the blue of Okabe and Ito; all have a contrast of at least 3 : 1.
const CURVES: [Pair; COLOURS] = [
    ("#0072B2", "#79B8FF"),
    ("#C2410C", "#FF9E64"),
    ("#007A5A", "#56D364"),
    ("#8250DF", "#D2A8FF"),
    ("#8A6A00", "#E3B341"),
    ("#A3356F", "#F778BA"),
    ("#0B7285", "#56D4DD"),
    ("#57606A", "#9AA4AE"),
];

/// The page's own.
const PAPER: Pair = ("#FFFFFF", "#0D1117");

impl Ink {
    fn pair(self) -> Pair {
        match self {
            Self::Text => ("#1B1F24", "#E6EDF3"),
            Self::Soft => ("#57606A", "#9AA4AE"),
            Self::Line => ("#D0D7DE", "#3D444D"),
            Self::One => ("#24507A", "#79B8FF"),
            Self::Bad => ("#B3261E", "#FF8A80"),
            Self::Band => ("#FBE3E1", "#4A1F1D"),
            Self::Curve(place) => CURVES[place % COLOURS],
        }
    }

    /// The colour in light surroundings.
    pub(crate) fn light(self) -> &'static str {
        self.pair().0
    }

    /// The name in style sheets.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Text => "ink".into(),
            Self::Soft => "soft".into(),
            Self::Line => "line".into(),
            Self::One => "one".into(),
            Self::Bad => "bad".into(),
            Self::Band => "band".into(),
            Self::Curve(place) => format!("c{}", place % COLOURS),
        }
    }
}

/// How a curve looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    colour: usize,
    dash: usize,
}

impl Look {
    /// The look of the curve of this number. Neighbours differ in both, for readers who do not see all colours.
    pub(crate) fn of(place: usize) -> Self {
        Self { colour: place, dash: place + place / COLOURS }
    }

    /// The look of a scheme of this number in a situation of that one: a colour a scheme, also where the situations have
    /// other dashes.
    pub(crate) fn of_scheme(scheme: usize, situation: usize) -> Self {
        Self { colour: scheme, dash: scheme / COLOURS + situation }
    }

    pub(crate) fn ink(self) -> Ink {
        Ink::Curve(self.colour)
    }

    pub(crate) fn dash(self) -> &'static [f64] {
        const DASHES: [&[f64]; 4] = [&[], &[7.0, 3.0], &[2.0, 3.0], &[9.0, 3.0, 2.0, 3.0]];
        DASHES[self.dash % DASHES.len()]
    }
}

/// The style sheet of pictures and pages.
pub(crate) fn sheet() -> String {
    let inks: Vec<Ink> = [Ink::Text, Ink::Soft, Ink::Line, Ink::One, Ink::Bad, Ink::Band]
        .into_iter()
        .chain((0..COLOURS).map(Ink::Curve))
        .collect();
    let variables = |dark: bool| -> String {
        let of = |(light, night): Pair| if dark { night } else { light };
        let colours: String =
            inks.iter().map(|ink| format!("--{}:{};", ink.name(), of(ink.pair()))).collect();
        format!("{colours}--paper:{}", of(PAPER))
    };
    let rules: String = inks
        .iter()
        .map(|ink| format!("svg .f-{0}{{fill:var(--{0})}}svg .s-{0}{{stroke:var(--{0})}}", ink.name()))
        .collect();
    format!(
        ":root{{color-scheme:light dark;{}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root{{{}}}}}\n\
         {rules}\nsvg text{{font-family:system-ui,sans-serif}}",
        variables(false),
        variables(true)
    )
}

/// A picture as a file of its own.
#[must_use]
pub fn standalone(svg: &str) -> String {
    let style = format!("><style>{}\nsvg{{background:var(--paper)}}</style>", sheet());
    // The first tag is the picture's own.
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", svg.replacen('>', &style, 1))
}
