//! Promise: pictures and pages are complete in themselves, say what the analysis says, and hold nothing that
//! a file's name could smuggle in.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use ecode::analysis::{Analysis, Options};
use ecode::code::Outcome;
use ecode::code::{Message, TieRule};
use ecode::construct::{algorithm1, full};
use ecode::report::{
    Compared, analysis_page, compare_csv, compare_page, matrix_page, matrix_svg, standalone,
};
use ecode::verify::Control;

/// Every tag that opens is closed, in order; what stands in angle brackets is a tag.
fn well_formed(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('!') || tag.starts_with('?') || tag.starts_with("meta") {
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
    Analysis::of(&algorithm1(9, 2).unwrap(), &Options::default(), &Control::default()).unwrap()
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
    let cells = svg.split("class=\"one\" fill-opacity=\"1.000\" d=\"").nth(1).unwrap();
    assert_eq!(cells.split('"').next().unwrap().matches('M').count(), g.ones());
    assert_eq!(svg.matches("class=\"bad\" d=").count(), 4);
    assert_eq!(svg.matches("class=\"band\"").count(), worst.wrong.count());
    assert!(matrix_svg(&g, None).matches("class=\"bad\"").count() == 0);
    well_formed(&standalone(&svg));
    complete(&matrix_page("g", &g, Some(&worst)));
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
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[0].iter().take(8).collect::<Vec<_>>(),
        ["a.json", "9", "9", "61", "6.778", "2", "1.328", "3"]
    );
    assert_eq!((&rows[0][8], &rows[0][10], &rows[0][12]), ("{3, 4, 5}", "0.0112", "1134"));
    assert_eq!((&rows[1][0], &rows[1][5], &rows[1][10]), ("b,c.json", "4", "0"));
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
    complete(&std::fs::read_to_string(path("g.html")).unwrap());
    well_formed(&std::fs::read_to_string(path("g.svg")).unwrap());
    complete(&run(&["analyze", &matrix, "--html", "-"]));
    complete(&run(&["compare", &matrix, &matrix, "--html", "-"]));
    let json: serde_json::Value =
        serde_json::from_str(&run(&["compare", &matrix, &matrix, "--json"])).unwrap();
    assert_eq!((json["b"].as_u64(), json["codes"].as_array().map(Vec::len)), (Some(2), Some(2)));
}
