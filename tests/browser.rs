//! Promise: the pages open in a real browser without errors, are readable on a phone and on a desk, in light and
//! dark, can be walked with the keyboard, and print. Needs Chromium: `scripts/test-pages` installs and runs.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

use ecode::analysis::{Analysis, Options};
use ecode::code::{AllocationMatrix, Message, TieRule, decode, honest_vote, majority};
use ecode::construct::{algorithm1, full};
use ecode::report::{
    Compared, Curve, SiteCode, VOTE_SCRIPT, analysis_page, codes_html, compare_page, curves_html,
    matrix_page, site_index, site_page,
};
use ecode::train::{Config, Metrics};
use ecode::verify::{Control, Method, verify};

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
 const reach=[...doc.querySelectorAll('a,summary,select,input,button:not([tabindex="-1"]),[tabindex="0"]')];
 let focused=0;for(const e of reach){e.focus();if(doc.activeElement===e)focused++}
 const wide=[...doc.querySelectorAll('.scroll')].filter(e=>e.scrollWidth>e.clientWidth+1&&e.tabIndex!==0).length;
 let least=99;for(const t of doc.querySelectorAll('svg text,p,td,th,figcaption,h1,h2,button,select,#bar span')){
  const style=view.getComputedStyle(t);const ink=t.namespaceURI.endsWith('svg')?style.fill:style.color;
  let behind=t;while(behind.parentElement&&/, 0\)$/.test(view.getComputedStyle(behind).backgroundColor))behind=behind.parentElement;
  const paper=view.getComputedStyle(behind).backgroundColor;least=Math.min(least,contrast(ink,/, 0\)$/.test(paper)?body.backgroundColor:paper))}
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
    let verdict =
        |g: &AllocationMatrix| verify(g, None, TieRule::Zero, Method::Auto, &Control::default()).unwrap();
    let codes = [compared("a-rather-long-name.json", &small), compared("full.json", &full(15, 15).unwrap())];
    // Pictures of every size at which labels are drawn in another way.
    let sizes = [(19, 4), (25, 5), (31, 7), (43, 3), (61, 2), (101, 4)];
    let many = sizes.map(|(n, b)| compared(&format!("n{n}.json"), &algorithm1(n, b).unwrap()));
    let entries = ecode::search::catalogue(&[5, 7], None, None).unwrap();
    let site: Vec<SiteCode> = ecode::search::catalogue(&[5, 7, 31], None, None)
        .unwrap()
        .into_iter()
        .map(|entry| SiteCode { verdict: verdict(&entry.code.matrix), certified: true, entry })
        .collect();
    let pages = [
        ("sizes", compare_page(&many, 0.1), 8),
        ("curves", curves_html(&training()).unwrap(), 6),
        ("table", codes_html(&entries), 0),
        ("site", site_index(&site), 0),
        ("code", site_page(&site, 3), 1),
        ("analysis", analysis_page("matrix.json", &of(&small), Some(1_000_000)), 4),
        ("large", analysis_page("matrix.json", &of(&wide), None), 4),
        ("matrix", matrix_page("matrix.json", &small, Some(&verdict(&small))), 1),
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

/// What a page's script writes into its element `out`.
fn written(folder: &Path, page: &str) -> String {
    let file = folder.join("script.html");
    std::fs::write(&file, page).unwrap();
    let url = format!("file://{}", file.display());
    let (dom, log) = chromium(folder, &["--virtual-time-budget=20000", "--dump-dom", &url]);
    assert!(!log.contains("CONSOLE"), "{log}");
    dom.split("<pre id=\"out\">").nth(1).unwrap().split("</pre>").next().unwrap().to_owned()
}

/// Random matrices, messages, liars and missing workers under every tie rule: what the page computes is what the
/// definitions say.
#[test]
#[ignore = "needs Chromium; scripts/test-pages runs it"]
fn the_played_vote_is_the_defined_one() {
    let mut random = 1_u64;
    let mut draw = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let (mut asked, mut expected) = (Vec::new(), Vec::new());
    for case in 0..4000 {
        let (n, k) = (1 + draw(7) as usize, 1 + draw(7) as usize);
        let g = AllocationMatrix::from_fn(n, k, |_, _| draw(2) == 1).unwrap();
        let ties = TieRule::ALL[case % 4];
        let message = Message::from_indices(k, (0..k).filter(|_| draw(2) == 1));
        let roles: Vec<&str> = (0..n).map(|_| ["honest", "lies", "missing"][draw(3) as usize]).collect();
        let correct = majority(&message);
        let sent: Vec<Option<bool>> = (0..n)
            .map(|j| match roles[j] {
                "honest" => honest_vote(&g, ties, j, &message),
                "lies" => Some(!correct),
                _ => None,
            })
            .collect();
        let count = |bit| sent.iter().filter(|&&each| each == Some(bit)).count();
        let honest: Vec<Option<bool>> = (0..n).map(|j| honest_vote(&g, ties, j, &message)).collect();
        let votes = |bit| honest.iter().filter(|&&each| each == Some(bit)).count() as i64;
        let allowance = votes(correct) - votes(!correct) - i64::from(correct);
        expected.push(format!(
            "{} {} {} {} {allowance}",
            u8::from(correct),
            count(true),
            count(false),
            u8::from(decode(&sent))
        ));
        let bits: Vec<u8> = (0..k).map(|i| u8::from(message.contains(i))).collect();
        let rows: Vec<Vec<usize>> = (0..n).map(|j| g.support(j).collect()).collect();
        asked.push(
            serde_json::json!({"k": k, "ties": ties.name(), "rows": rows, "message": bits, "roles": roles}),
        );
    }
    let page = format!(
        "<!doctype html><meta charset=utf-8><pre id=\"out\"></pre><script>{VOTE_SCRIPT}\n\
         out.textContent={}.map(c=>{{const r=vote(c,c.message,c.roles);\
         return [r.correct,r.ones,r.zeros,r.decoded,r.allowance].join(' ')}}).join('\\n')</script>",
        serde_json::Value::from(asked)
    );
    let folder = tempfile::tempdir().unwrap();
    let written = written(folder.path(), &page);
    assert_eq!(written.lines().count(), expected.len());
    for (case, (page, library)) in written.lines().zip(&expected).enumerate() {
        assert_eq!(page, library, "case {case}");
    }
}

/// The workers that the page calls the worst leave no other choice of so many a decode that is more wrong.
#[test]
#[ignore = "needs Chromium; scripts/test-pages runs it"]
fn the_worst_workers_are_the_worst() {
    let page = format!(
        "<!doctype html><meta charset=utf-8><pre id=\"out\"></pre><script>{VOTE_SCRIPT}\n{}</script>",
        r"
let seed=7;const draw=below=>{seed=(seed*48271)%2147483647;return seed%below};
let worse=0,cases=0;
for(let t=0;t<300;t++){const n=1+draw(5),k=1+draw(5),ties=['adversarial','zero','one','abstain'][t%4];
 const rows=Array.from({length:n},()=>Array.from({length:k},(_,i)=>i).filter(()=>draw(2)));
 const code={k,ties,rows},message=Array.from({length:k},()=>draw(2));
 // The lead of the correct answer after all choices of roles.
 const lead=roles=>{const r=vote(code,message,roles);return r.correct?r.ones-r.zeros:r.zeros-r.ones};
 const best={};
 for(let c=0;c<3**n;c++){let x=c;const roles=rows.map(()=>{const r=['honest','lies','missing'][x%3];x=Math.floor(x/3);return r});
  const key=['lies','missing'].map(r=>roles.filter(e=>e===r).length).join();best[key]=Math.min(best[key]??99,lead(roles))}
 for(const [key,least] of Object.entries(best)){const [l,s]=key.split(',').map(Number);cases++;
  const roles=worstRoles(code,message,l,s);
  if(lead(roles)!==least||roles.filter(e=>e==='lies').length!==l||roles.filter(e=>e==='missing').length!==s)worse++}}
out.textContent=`${worse} of ${cases>1000}`;"
    );
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(written(folder.path(), &page), "0 of true");
}

/// What a reader does: flips bits by pointer and by keyboard, chooses workers, presses the buttons, follows a link.
#[test]
#[ignore = "needs Chromium; scripts/test-pages runs it"]
fn a_reader_can_play() {
    let folder = tempfile::tempdir().unwrap();
    let g = algorithm1(9, 2).unwrap();
    let verdict = verify(&g, Some(2), TieRule::Adversarial, Method::Auto, &Control::default()).unwrap();
    std::fs::write(folder.path().join("matrix.html"), matrix_page("g", &g, Some(&verdict))).unwrap();
    let page = r#"<!doctype html><meta charset="utf-8"><pre id="out"></pre>
<iframe id="f" src="matrix.html" style="width:900px;height:900px"></iframe><script>
addEventListener('load',()=>{const said=[];const view=f.contentWindow,doc=f.contentDocument;
const get=id=>doc.getElementById(id),tell=name=>said.push(`${name}: ${get('answer').textContent} | ${get('bound').textContent.split('. ')[1]}`);
const bits=()=>[...doc.querySelectorAll('#votes button')].map(b=>b.textContent).join('');
const press=key=>doc.activeElement.dispatchEvent(new view.KeyboardEvent('keydown',{key,bubbles:true,cancelable:true}));
tell('at first');said.push(bits());
get('worst-workers').click();tell('three liars');
get('liars').value='2';get('worst-workers').click();tell('two liars');
get('missing').value='1';get('worst-workers').click();tell('two and one');
get('all-honest').click();tell('honest');
const before=bits();const first=doc.querySelector('#votes button');first.focus();press('ArrowRight');press('End');press('Home');press('ArrowRight');
doc.activeElement.click();said.push([...bits()].map((b,i)=>b===before[i]?'=':'x').join(''));
said.push(doc.querySelectorAll('#votes button[tabindex="0"]').length+' stop, pressed '+doc.querySelectorAll('#votes button[aria-pressed=true]').length);
get('flip').click();said.push([...bits()].filter(b=>b==='1').length+' ones after a flip');
const role=doc.querySelector('#votes select');role.value='lies';role.dispatchEvent(new view.Event('change'));said.push(view.location.hash);
view.addEventListener('hashchange',()=>{tell('by a link');said.push(bits());out.textContent=said.join('\n')});
view.location.hash='#m=111100000&lies=4,5,6&missing=7,99,x';
});</script>"#;
    let told = written(folder.path(), page);
    let worst: String =
        (0..9).map(|i| if verdict.worst().unwrap().message.contains(i) { '1' } else { '0' }).collect();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 12, "{told}");
    assert_eq!(lines[0], "at first: decoded right: 0 | This message withstands up to 5");
    assert_eq!(lines[1], worst);
    assert_eq!(lines[2], "three liars: decoded wrong: 1 instead of 0 | This message withstands up to 5");
    assert!(lines[3].starts_with("two liars: decoded right: 0"), "{told}");
    assert!(lines[4].starts_with("two and one: decoded right: 0"), "{told}");
    assert!(lines[5].starts_with("honest: decoded right: 0"), "{told}");
    assert_eq!(lines[6], "=x=======", "{told}");
    assert!(lines[7].starts_with("1 stop, pressed "), "{told}");
    assert!(lines[8].ends_with(" ones after a flip"), "{told}");
    assert!(lines[9].starts_with("#m=") && lines[9].ends_with("&amp;lies=0"), "{told}");
    assert!(lines[10].starts_with("by a link: decoded wrong: 1 instead of 0"), "{told}");
    assert_eq!(lines[11], "111100000");
}
