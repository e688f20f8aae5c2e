//! Promise: the pages open in a real browser without errors, are readable on a phone and on a desk, in light and
//! dark, can be walked with the keyboard, and print. Needs Chromium: `scripts/test-pages` installs and runs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

use ecode::analysis::{Analysis, Options};
use ecode::code::AllocationMatrix;
use ecode::construct::{algorithm1, full};
use ecode::report::{Compared, Curve, analysis_page, codes_html, compare_page, curves_html, matrix_page};
use ecode::train::{Config, Metrics};
use ecode::verify::Control;

fn browser() -> String {
    std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned())
}

fn chromium(folder: &Path, arguments: &[&str]) -> (String, String) {
    let output = Command::new(browser())
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--allow-file-access-from-files",
        ])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (text(output.stdout), text(output.stderr))
}

/// Measures a page from outside, in frames as wide as a phone and as a desk.
const MEASURE: &str = r#"<!doctype html><meta charset="utf-8"><pre id="out">waiting</pre>
<iframe id="w360" src="PAGE" style="width:360px;height:800px"></iframe>
<iframe id="w1280" src="PAGE" style="width:1280px;height:800px"></iframe>
<script>
function channel(c){c/=255;return c<=0.03928?c/12.92:((c+0.055)/1.055)**2.4}
function bright(text){const [r,g,b]=text.match(/[\d.]+/g).map(Number);return .2126*channel(r)+.7152*channel(g)+.0722*channel(b)}
function contrast(a,b){const x=bright(a),y=bright(b);return (Math.max(x,y)+.05)/(Math.min(x,y)+.05)}
addEventListener('load',()=>{const out=[];
for(const width of [360,1280]){
 const frame=document.getElementById('w'+width),doc=frame.contentDocument,view=frame.contentWindow;
 const body=view.getComputedStyle(doc.body);
 doc.querySelectorAll('details').forEach(e=>e.open=true);
 const reach=[...doc.querySelectorAll('a,summary,[tabindex="0"]')];
 let focused=0;for(const e of reach){e.focus();if(doc.activeElement===e)focused++}
 const wide=[...doc.querySelectorAll('.scroll')].filter(e=>e.scrollWidth>e.clientWidth+1&&e.tabIndex!==0).length;
 let least=99;for(const t of doc.querySelectorAll('svg text,p,td,th,figcaption,h1,h2')){
  const style=view.getComputedStyle(t);const ink=t.namespaceURI.endsWith('svg')?style.fill:style.color;
  least=Math.min(least,contrast(ink,body.backgroundColor))}
 let small=99,outside=[],over=[];for(const svg of doc.querySelectorAll('svg[role]')){const whole=svg.getBoundingClientRect();const boxes=[];
  for(const t of svg.querySelectorAll('text')){const b=t.getBoundingClientRect();if(!b.height)continue;small=Math.min(small,b.height);
   if(b.left<whole.left-1||b.right>whole.right+1||b.top<whole.top-1||b.bottom>whole.bottom+1)outside.push(t.textContent);
   // Lines of letters may touch: a box is higher than its letters.
   const high=b.height*.3;const box={l:b.left,r:b.right,t:b.top+high,b:b.bottom-high,s:t.textContent};
   for(const o of boxes)if(box.l<o.r-.5&&o.l<box.r-.5&&box.t<o.b&&o.t<box.b)over.push(o.s+'/'+box.s);
   boxes.push(box)}}
 out.push(`width=${width} overflow=${doc.documentElement.scrollWidth-frame.clientWidth} focus=${focused}/${reach.length} unreachable=${wide} contrast=${least.toFixed(2)} text=${small.toFixed(1)} outside=${outside.length?JSON.stringify(outside).replace(/ /g,'_'):0} over=${over.length?JSON.stringify(over.slice(0,5)).replace(/ /g,'_'):0} svgs=${doc.querySelectorAll('svg[aria-label]:not([aria-label=""])').length} dark=${view.matchMedia('(prefers-color-scheme: dark)').matches}`)}
document.getElementById('out').textContent=out.join('\n')})
</script>"#;

fn figure(line: &str, name: &str) -> String {
    let rest = line.split(&format!("{name}=")).nth(1).unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Runs of two schemes over two seeds, one run that has only begun, and one that diverged.
fn training() -> Vec<Curve> {
    let line = |step: u64, accuracy: f64, loss: f64| Metrics {
        step,
        epoch: step as f64 / 10.0,
        train_loss: (step > 0).then_some(loss),
        test_loss: loss,
        test_accuracy: accuracy,
        test_auc: None,
        validation_accuracy: None,
        validation_auc: None,
        wrong_coordinates: Some(0),
        bytes_up: step * 123_456,
        bytes_down: step * 123_456,
        wall_s: step as f64,
        deployed_s: step as f64 * 3e-6,
        gradients: step * 9,
        gradient_s: None,
        verified: true,
        unverified: None,
        lost: Vec::new(),
    };
    let run = |name: &str, code: &str, seed: u64, lines: u64, loss: f64| {
        let config = Config { seed, byzantine: Some(2), ..Config::default() };
        let log = (0..lines)
            .map(|i| line(i * 1000, 0.1 + 0.08 * i as f64 + 0.01 * seed as f64, loss / (1.0 + i as f64)));
        Curve::unfinished(name, code, &config, log.collect())
    };
    vec![
        run("n9-best-s0", "best (n 9, b 2, r 2.78)", 0, 9, 2.3),
        run("n9-best-s1", "best (n 9, b 2, r 2.78)", 1, 9, 2.4),
        run("n9-uncoded-s0", "uncoded (n 9, b 0, r 1)", 0, 9, 2.0),
        run("n9-uncoded-s1", "uncoded (n 9, b 0, r 1)", 1, 9, 2.2),
        run("begun", "uncoded + a-rather-long-aggregator (n 9, r 1, UNVERIFIED)", 0, 1, 1.0),
        run("diverged", "uncoded + mean (n 9, r 1)", 0, 9, f64::NAN),
    ]
}

#[test]
#[ignore = "needs Chromium; scripts/test-pages runs it"]
fn the_pages_are_good_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let curves = (0..=100).map(|step| f64::from(step) / 200.0).collect();
    let options = Options { curves, ..Options::default() };
    let of = |g: &AllocationMatrix| Analysis::of(g, &options, &Control::default()).unwrap();
    let (small, wide) = (algorithm1(15, 3).unwrap(), algorithm1(51, 2).unwrap());
    let compared = |name: &str, g: &AllocationMatrix| Compared {
        name: name.to_owned(),
        analysis: of(g),
        coordinates: 1_000_000,
        b: 4,
    };
    let codes = [compared("a-rather-long-name.json", &small), compared("full.json", &full(15, 15).unwrap())];
    // Pictures of every size at which labels are drawn in another way.
    let sizes = [(19, 4), (25, 5), (31, 7), (43, 3), (61, 2), (101, 4)];
    let many = sizes.map(|(n, b)| compared(&format!("n{n}.json"), &algorithm1(n, b).unwrap()));
    let entries = ecode::search::catalogue(&[5, 7], None, None).unwrap();
    let pages = [
        ("sizes", compare_page(&many, 0.1), 8),
        ("curves", curves_html(&training()).unwrap(), 6),
        ("table", codes_html(&entries), 0),
        ("analysis", analysis_page("matrix.json", &of(&small), Some(1_000_000)), 4),
        ("large", analysis_page("matrix.json", &of(&wide), None), 4),
        ("matrix", matrix_page("matrix.json", &small, of(&small).worst.as_ref()), 1),
        ("compare", compare_page(&codes, 0.1), 4),
    ];
    for (name, page, pictures) in &pages {
        let file = folder.path().join(format!("{name}.html"));
        std::fs::write(&file, page).unwrap();
        let harness = folder.path().join("measure.html");
        std::fs::write(&harness, MEASURE.replace("PAGE", &format!("{name}.html"))).unwrap();
        for dark in [false, true] {
            let mut arguments = vec!["--virtual-time-budget=4000", "--window-size=1700,1000", "--dump-dom"];
            if dark {
                arguments.push("--force-dark-mode");
            }
            let url = format!("file://{}", harness.display());
            arguments.push(&url);
            let (dom, log) = chromium(folder.path(), &arguments);
            assert!(!log.contains("CONSOLE"), "{name}: {log}");
            let measured = dom.split("<pre id=\"out\">").nth(1).unwrap().split("</pre>").next().unwrap();
            let lines: Vec<&str> = measured.lines().collect();
            assert_eq!(lines.len(), 2, "{name}: {measured}");
            for line in lines {
                assert_eq!(figure(line, "dark"), dark.to_string(), "{name}: {line}");
                assert!(figure(line, "overflow").parse::<i64>().unwrap() <= 0, "{name}: {line}");
                assert_eq!(figure(line, "unreachable"), "0", "{name}: {line}");
                let focus = figure(line, "focus");
                let (focused, all) = focus.split_once('/').unwrap();
                assert!(focused == all && all != "0", "{name}: {line}");
                assert!(figure(line, "contrast").parse::<f64>().unwrap() >= 4.5, "{name}: {line}");
                assert!(figure(line, "text").parse::<f64>().unwrap() >= 8.0, "{name}: {line}");
                assert_eq!(figure(line, "outside"), "0", "{name}: {line}");
                assert_eq!(figure(line, "over"), "0", "{name}: {line}");
                assert_eq!(figure(line, "svgs"), pictures.to_string(), "{name}: {line}");
            }
        }
        let pdf = folder.path().join("page.pdf");
        let url = format!("file://{}", file.display());
        chromium(folder.path(), &[&format!("--print-to-pdf={}", pdf.display()), &url]);
        let printed = std::fs::read(&pdf).unwrap();
        assert!(printed.starts_with(b"%PDF") && printed.len() > 5_000, "{name}");
        std::fs::remove_file(&pdf).unwrap();
    }
}
