//! Promise: pictures and pages are complete in themselves, say what the analysis says, and hold nothing that
//! a file's name could smuggle in.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ecode::analysis::{Analysis, Options};
use ecode::code::Outcome;
use ecode::code::{Message, TieRule};
use ecode::construct::{algorithm1, full};
use ecode::report::{
    Compared, analysis_page, compare_csv, compare_page, compare_table, matrix_page, matrix_svg, standalone,
};
use ecode::verify::{Control, Method, verify};
use sha2::{Digest as _, Sha256};

/// Every tag that opens is closed, in order; what stands in angle brackets is a tag.
fn well_formed(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('!') || tag.starts_with('?') || tag.starts_with("meta") || tag.starts_with("input")
        {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else {
            open.push(tag.split(' ').next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

/// Of a page that plays: its one script, which its policy names by its digest; and the page without it.
fn script(page: &str) -> (String, String) {
    let (before, rest) = page.split_once("<script>").unwrap();
    let (script, after) = rest.split_once("</script>").unwrap();
    let digest = BASE64_STANDARD.encode(Sha256::digest(script));
    assert!(page.contains(&format!("script-src 'sha256-{digest}'\"")), "{digest}");
    (script.to_owned(), format!("{before}{after}"))
}

fn complete(page: &str) {
    well_formed(page);
    for outside in ["http:", "https:", "<script", "src=", "url(", "@import", "<link"] {
        let found = page.matches(outside).count();
        let allowed =
            if outside == "http:" { page.matches("\"http://www.w3.org/2000/svg\"").count() } else { 0 };
        assert_eq!(found, allowed, "{outside}");
    }
}

fn analysis() -> Analysis {
    let options = Options { curves: vec![0.1, 0.2, 0.3], ..Options::default() };
    Analysis::of(&algorithm1(9, 2).unwrap(), &options, &Control::default()).unwrap()
}

#[test]
fn an_analysis_page_is_complete() {
    let page = analysis_page("<code> & \"more\"", &analysis(), Some(1000));
    complete(&page);
    assert!(page.contains("&lt;code&gt; &amp; "));
    // The counts of the margins, and an error of the table.
    for figure in [">98<", ">286<", ">128<", ">0.0112<", "b = 0 to 2", "{3, 4, 5}"] {
        assert!(page.contains(figure), "{figure}");
    }
    assert!(page.contains("default-src 'none'") && page.contains("prefers-color-scheme:dark"));
}

/// The picture has a cell for each one, a mark for each one of the message, a band for each wrong worker.
#[test]
fn a_picture_shows_the_matrix_and_the_worst_message() {
    let g = algorithm1(9, 2).unwrap();
    let worst = Outcome::of(&g, TieRule::Adversarial, &Message::from_indices(9, [0, 1, 2, 3]));
    let svg = matrix_svg(&g, Some(&worst));
    let cells = svg.split("class=\"f-one\" fill=\"#24507A\" fill-opacity=\"1.000\" d=\"").nth(1).unwrap();
    assert_eq!(cells.split('"').next().unwrap().matches('M').count(), g.ones());
    // A triangle for each one of the message, two strokes for each wrong worker.
    assert_eq!(svg.matches("class=\"f-bad\" fill=\"#B3261E\" fill-opacity=\"1\" d=").count(), 4);
    assert_eq!(svg.matches("class=\"s-bad\"").count(), 2 * worst.wrong.count());
    let band = svg.split("class=\"f-band\"").nth(1).unwrap().split("d=\"").nth(1).unwrap();
    assert_eq!(band.split('"').next().unwrap().matches('M').count(), worst.wrong.count());
    assert_eq!(matrix_svg(&g, None).matches("-bad").count(), 0);
    well_formed(&standalone(&svg));
}

/// The page with a vote to play with has one script, which names nothing outside, and the policy allows no other. A matrix
/// too large to be looked at has none.
#[test]
fn a_matrix_page_plays_the_vote() {
    let g = algorithm1(9, 2).unwrap();
    let verdict = verify(&g, Some(2), TieRule::Zero, Method::Auto, &Control::default()).unwrap();
    let (script, page) = script(&matrix_page("<b>", &g, Some(&verdict)));
    complete(&page);
    for outside in
        ["http", "fetch(", "XMLHttp", "import", "eval", "innerHTML", "cookie", "localStorage", "</"]
    {
        assert!(!script.contains(outside), "{outside}");
    }
    for part in
        ["data-rule=\"zero\"", "data-radius=\"2\"", "data-rows=\"001 ", "id=\"worst-message\"", "&lt;b&gt;"]
    {
        assert!(page.contains(part), "{part}");
    }
    // What is not known is not offered.
    let unknown = matrix_page("g", &g, None);
    assert!(!unknown.contains("data-radius") && !unknown.contains("id=\"worst-message\""));
    complete(&matrix_page("g", &full(129, 129).unwrap(), None));
}

/// A large matrix is drawn by runs or densities: the picture stays small.
#[test]
fn large_pictures_stay_small() {
    for n in [201, 1025, 4095] {
        let svg = matrix_svg(&algorithm1(n, 5).unwrap(), None);
        well_formed(&svg);
        assert!(svg.len() < 300_000, "n = {n}: {} bytes", svg.len());
    }
}

#[test]
fn a_comparison_names_every_code() {
    let options = Options { qs: vec![0.1], ..Options::default() };
    let compared: Vec<Compared> = [("a.json", algorithm1(9, 2).unwrap()), ("b,c.json", full(9, 9).unwrap())]
        .into_iter()
        .map(|(name, g)| Compared {
            name: name.to_owned(),
            analysis: Analysis::of(&g, &options, &Control::default()).unwrap(),
            coordinates: 1001,
            b: 3,
        })
        .collect();
    complete(&compare_page(&compared, 0.1));
    let csv = compare_csv(&compared, 0.1);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    let field = |row: usize, name: &str| {
        rows[row][header.iter().position(|column| column == name).unwrap()].to_owned()
    };
    let number = |row: usize, name: &str| field(row, name).parse::<f64>().unwrap();
    assert_eq!(
        (field(0, "code"), field(0, "radius"), field(0, "b")),
        ("a.json".into(), "2".into(), "3".into())
    );
    // 61 of 9 partitions; the heaviest worker holds all nine, an uncoded one holds one.
    assert!((number(0, "passes over the data") - 61.0 / 9.0).abs() < 1e-15);
    assert_eq!(number(0, "heaviest worker (uncoded = 1)"), 9.0);
    assert_eq!(field(0, "worst fixed set"), "3 4 5");
    assert_eq!(field(0, "bytes each way, one worker"), "126");
    assert_eq!(field(0, "bytes each way, all workers"), "1134");
    // Every digit, and for an exact figure an interval of no length.
    let exact = compared[0].analysis.at[0].decode[3].adaptive.value();
    for end in ["", ", low", ", high"] {
        let column = format!("wrong decode, adaptive (q = 0.1){end}");
        assert_eq!(number(0, &column), exact);
        assert_eq!(field(1, &column), "0");
    }
    assert_eq!((field(1, "code"), field(1, "radius")), ("b,c.json".into(), "4".into()));
}

/// Where messages are drawn the file has the ends of the interval, and no field for people.
#[test]
fn a_comparison_of_samples_holds_numbers_only() {
    let options = Options { qs: vec![0.2], sample: true, draws: 900, ..Options::default() };
    let analysis = Analysis::of(&algorithm1(15, 1).unwrap(), &options, &Control::default()).unwrap();
    let compared = [Compared { name: "a|b.json".into(), analysis, coordinates: 8, b: 3 }];
    let csv = compare_csv(&compared, 0.2);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let row = reader.records().next().unwrap().unwrap();
    for (name, field) in header.iter().zip(&row) {
        assert!(!field.contains(['~', '—']) && !field.contains(" to "), "{name}: {field}");
        if name.starts_with("wrong") && !name.contains("fixed") {
            assert!(field.parse::<f64>().unwrap() <= 1.0, "{name}");
        }
    }
    let table = compare_table(&compared, 0.2);
    let pipes: Vec<usize> = table.lines().map(|line| line.replace("\\|", "").matches('|').count()).collect();
    assert!(pipes.windows(2).all(|two| two[0] == two[1]), "{table}");
}

/// The table says work in the units that its header names.
#[test]
fn the_catalogue_is_a_page_like_the_others() {
    let entries = ecode::search::catalogue(&[5], None, None).unwrap();
    let page = ecode::report::codes_html(&entries);
    complete(&page);
    for part in
        ["name=\"viewport\"", "prefers-color-scheme:dark", "class=\"scroll\" tabindex=\"0\"", "Algorithm 1"]
    {
        assert!(page.contains(part), "{part}");
    }
}

/// The commands write the files, whole, and say nothing else on standard output.
#[test]
fn the_commands_write_pages() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let run = |arguments: &[&str]| {
        let output = Command::cargo_bin("ecode").unwrap().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let matrix = path("matrix.json");
    run(&["design", "--n", "5", "--b", "1", "-o", &matrix]);
    assert_eq!(run(&["show", &matrix, "--svg", &path("g.svg"), "--html", &path("g.html")]), "");
    complete(&script(&std::fs::read_to_string(path("g.html")).unwrap()).1);
    well_formed(&std::fs::read_to_string(path("g.svg")).unwrap());
    complete(&run(&["analyze", &matrix, "--html", "-"]));
    complete(&run(&["compare", &matrix, &matrix, "--html", "-"]));
    let json: serde_json::Value =
        serde_json::from_str(&run(&["compare", &matrix, &matrix, "--json"])).unwrap();
    assert_eq!((json["b"].as_u64(), json["codes"].as_array().map(Vec::len)), (Some(2), Some(2)));
}
