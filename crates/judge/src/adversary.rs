//! What liars do, as data: fifteen strategies against a settlement.
//!
//! A strategy decides which *content* a liar claims, the honest vector or a numbered lie; what the bits of a lie are is
//! the caller's matter. Everything is a function of (seed, step, worker, partition), so that a run can go on
//! anywhere.

/// What a vector or a digest is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// The honest vector.
    Honest,
    /// The vector of a worker that is right and computes other bits, as in another order of sums.
    Drifted,
    /// A wrong one. The same number is the same story: liars that tell it support each other.
    Lie(usize),
}

/// What a worker sends for a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The content of its digest; none where it is silent.
    pub digest: Option<Content>,
    /// A second digest for the same slot.
    pub second: Option<Content>,
}

impl Said {
    /// The digest of a content, once.
    #[must_use]
    pub fn once(content: Content) -> Self {
        Self { digest: Some(content), second: None }
    }
}

/// What liars see of a step before they answer.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The seed of everything that looks random.
    pub seed: u64,
    /// The step, from 0.
    pub step: u64,
    /// Each partition's holders, the primary first.
    pub holders: &'a [Vec<usize>],
    /// The liars that were not named, in order.
    pub liars: &'a [usize],
}

impl View<'_> {
    /// A number that looks random, below `of`.
    fn below(&self, of: u64, salt: u64, worker: usize, partition: usize) -> u64 {
        let mut x = self.seed;
        for part in [self.step, salt, worker as u64, partition as u64] {
            // SplitMix64 (Steele, Lea and Flood, 2014).
            x = (x ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^= x >> 31;
        }
        x % of.max(1)
    }

    /// The partitions that a worker holds.
    fn held(&self, worker: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.holders.len()).filter(move |&i| self.holders[i].contains(&worker))
    }

    /// Whether the liars can outvote the honest holders of a partition: all of them sit there, or all holders but one
    /// are liars.
    fn outnumbered(&self, partition: usize) -> bool {
        let holders = &self.holders[partition];
        let liars = holders.iter().filter(|worker| self.liars.contains(worker)).count();
        liars >= self.liars.len().min(holders.len().saturating_sub(1)).max(1)
    }
}

macro_rules! adversaries {
    ($( $(#[$about:meta])+ $variant:ident = $name:literal, )+) => {
        /// A strategy of all liars of a run.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum Adversary { $( $(#[$about])+ #[serde(rename = $name)] $variant, )+ }

        impl Adversary {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Their names, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// Its name in files and on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $name, )+ }
            }
        }
    };
}

adversaries! {
    /// Lies always, all liars with one story.
    #[default]
    Always = "always",
    /// Lies always, each liar with a story of its own.
    Different = "different",
    /// Lies once in fifty where a liar is the primary, all liars that are asked with one story.
    Rare = "rare",
    /// Lies only where it is the primary.
    Primary = "primary",
    /// Wrong digests, right vectors.
    DigestOnly = "digest-only",
    /// Right digests, wrong vectors.
    VectorOnly = "vector-only",
    /// Sends two digests for one slot now and then.
    Equivocate = "equivocate",
    /// Never answers.
    Silent = "silent",
    /// Sends digests and withholds vectors.
    Withhold = "withhold",
    /// Is silent in every second step, at random.
    Flap = "flap",
    /// Lies only where liars outnumber the honest holders, all with one story, helpers too.
    Frame = "frame",
    /// One liar begins a dispute in step 5, the others lie only as helpers.
    Helpers = "helpers",
    /// One liar after the other, every twentieth step, on all that it holds.
    Drip = "drip",
    /// One story that is told once, in step 50, on everything.
    Once = "once",
    /// Does not lie.
    Honest = "honest",
}

impl Adversary {
    /// What a liar sends for a partition, as a holder or as a helper.
    #[must_use]
    pub fn digests(self, view: &View<'_>, worker: usize, partition: usize) -> Said {
        let lies = Said::once(Content::Lie(0));
        match self {
            Self::Silent => Said::default(),
            Self::Flap if view.below(2, 1, 0, 0) == 0 => Said::default(),
            Self::Equivocate if view.below(10, 2, worker, partition) == 0 => {
                Said { digest: Some(Content::Honest), second: Some(Content::Lie(0)) }
            }
            Self::VectorOnly => Said::once(Content::Honest),
            Self::DigestOnly => lies,
            _ => Said::once(self.content(view, worker, partition)),
        }
    }

    /// The vector that a liar sends when it is the primary, or is asked for it; none where it withholds it.
    #[must_use]
    pub fn vector(self, view: &View<'_>, worker: usize, partition: usize) -> Option<Content> {
        match self {
            Self::Silent | Self::Withhold => None,
            Self::Flap if view.below(2, 1, 0, 0) == 0 => None,
            Self::VectorOnly => Some(Content::Lie(0)),
            Self::DigestOnly => Some(Content::Honest),
            _ => Some(self.content(view, worker, partition)),
        }
    }

    /// What a liar claims consistently.
    fn content(self, view: &View<'_>, worker: usize, partition: usize) -> Content {
        let helper = !view.holders[partition].contains(&worker);
        let first = view.liars.first() == Some(&worker);
        let lies = match self {
            Self::Always => true,
            Self::Different => return Content::Lie(1 + worker),
            Self::Rare => {
                let primary = view.holders[partition].first();
                primary.is_some_and(|primary| view.liars.contains(primary))
                    && view.below(50, 3, 0, partition) == 0
            }
            Self::Primary => view.holders[partition].first() == Some(&worker),
            Self::Frame => view.outnumbered(partition),
            Self::Helpers => {
                helper || (view.step >= 5 && first && view.held(worker).next() == Some(partition))
            }
            Self::Drip => view.step % 20 == 19 && first && view.held(worker).any(|held| held == partition),
            Self::Once => view.step == 50 && !helper,
            _ => false,
        };
        if lies { Content::Lie(0) } else { Content::Honest }
    }
}
