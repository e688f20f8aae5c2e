//! Promise: what users of neighbouring projects reported does not happen here. One line a report, for those that no
//! other file speaks of.
//!
//! A line is a script of bash, in a folder of its own with the code `a.json` of five workers; it is right where it
//! exits with 0.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::process::Command;

/// What the lines share: `refuses TEXT COMMAND…` is right where the command exits with 2 and says the text;
/// `grid REST` writes g.toml.
const PRELUDE: &str = r#"
set -o pipefail
ecode() { "$ECODE" "$@"; }
refuses() { local text=$1; shift; "$@" >out 2>err; [ $? = 2 ] && grep -qF -- "$text" err; }
grid() { printf 'settings = [{ n = 5, b = 1 }]\nschemes = ["best", "uncoded"]\n%b' "$1" > g.toml; }
axes='attacks = ["reverse"]\nseeds = [0]\n[base]\nsteps = 5\nbatch = 8\n'
train() { ecode train --code a.json --batch 8 -q "$@"; }
"#;

fn all_right(lines: &[(&str, &str)]) {
    for (what, line) in lines {
        let folder = tempfile::tempdir().unwrap();
        let matrix = "[[1,0,0,0,0],[0,1,1,1,0],[1,1,1,1,1],[1,1,1,1,1],[1,1,1,1,1]]";
        fs::write(folder.path().join("a.json"), format!("{{\"G\":{matrix},\"b\":1}}")).unwrap();
        let output = Command::new("bash")
            .args(["-c", &format!("{PRELUDE}\n{line}")])
            .env("ECODE", assert_cmd::cargo::cargo_bin!("ecode"))
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{what}: {line}\n{output:?}");
    }
}

#[test]
fn a_grid_says_nothing_in_vain() {
    all_right(&[
        ("liars are of the axes", r#"grid "${axes}byzantine = 2\n"; refuses byzantine ecode sweep g.toml"#),
        ("so is the attack", r#"grid "${axes}attack = \"none\"\n"; refuses attack ecode sweep g.toml"#),
        ("so is the code", r#"grid "${axes}code = \"full:n=5\"\n"; refuses code ecode sweep g.toml"#),
        (
            "a scheme has no seed of its own",
            r#"grid "${axes}[overrides.uncoded]\nseed = 9\n"; refuses seed ecode sweep g.toml"#,
        ),
        (
            "nor a code",
            r#"grid "${axes}[overrides.uncoded]\ncode = \"full:n=5\"\n"; refuses code ecode sweep g.toml"#,
        ),
        ("an axis that is empty", r#"grid "${axes/\[0\]/[]}"; refuses seeds ecode sweep g.toml"#),
        ("a seed twice", r#"grid "${axes/\[0\]/[0, 0, 1]}"; refuses "seeds" ecode sweep g.toml"#),
        (
            "a scheme twice",
            r#"grid "$axes"; sed -i 's/"uncoded"/"best"/' g.toml; refuses best ecode sweep g.toml"#,
        ),
        ("a byte order mark", r#"grid "$axes"; sed -i '1s/^/\xef\xbb\xbf/' g.toml; ecode sweep g.toml -q"#),
    ]);
}

#[test]
fn numbers_are_written_as_people_write_them() {
    all_right(&[
        ("a small probability", r#"ecode analyze a.json --q 1e-300 -q > o; ! grep -q "0\{40\}" o"#),
        (
            "on a page",
            r#"ecode analyze a.json --html p.html --q 1e-300 -q >/dev/null; ! grep -q "0\{40\}" p.html"#,
        ),
        (
            "a large ratio",
            r#"ecode bounds --n 9 --b 2 --theory --signal-to-noise 1e100 > o; ! grep -q "0\{40\}" o"#,
        ),
        ("a float32 that was said in decimals", r#"refuses "-0.1;" train --momentum=-0.1 --steps 1 --run r"#),
        ("what does not fit", r"refuses 1e300 train --lr=1e300 --steps 1 --run r"),
        ("what is too small", r"refuses 1e-300 train --lr=1e-300 --steps 1 --run r"),
        (
            "a small density",
            r#"ecode ensemble --n 5 --p 1e-5 --draws 1 -q > o; ! grep -q "p = 0\.0000[: ]" o"#,
        ),
        (
            "a mean of figures",
            r#"grid "${axes/\[0\]/[0, 1, 2, 3]}"; ecode sweep g.toml -q --json > o; ! grep -qE "[0-9]\.[0-9]*(99999|00000)[0-9]" o"#,
        ),
        (
            "a loss that is not finite",
            r#"ecode train --code uncoded:n=5 --byzantine 1 --aggregator mean --lr 1e38 --steps 9 --batch 8 --run r -q 2>e >o; ! grep -q "0\{30\}" e o"#,
        ),
    ]);
}

#[test]
fn runs_of_every_kind_are_drawn() {
    all_right(&[
        (
            "a stray name among many",
            "mkdir d; train --steps 3 --run d/r >o; touch d/notes.txt; mkdir d/empty; ecode plot d/* -o p.svg 2>e && \
             grep -q notes.txt e && [ -s p.svg ]",
        ),
        (
            "a living run, and no advice to resume it",
            "train --steps 100000000 --evaluate-every 50 --run r >o 2>&1 & p=$!; \
             until [ \"$(wc -l <r/metrics.jsonl)\" -ge 2 ]; do sleep 0.05; done 2>s; \
             ecode plot r -o p.svg 2>e; c=$?; kill $p; wait $p; [ $c = 0 ] && [ -s p.svg ] && ! grep -q resume e",
        ),
        (
            "a killed run",
            "train --steps 100000000 --evaluate-every 50 --run r >o 2>&1 & p=$!; \
             until [ \"$(wc -l <r/metrics.jsonl)\" -ge 2 ]; do sleep 0.05; done 2>s; \
             kill -9 $p; wait $p; ecode plot r -o p.svg 2>e && [ -s p.svg ] && grep -q killed e",
        ),
        (
            "a single point can be seen",
            "train --steps 1 --run r >o; ecode plot r -o p.svg >o && grep -q '<circle' p.svg",
        ),
        (
            "runs that differ in one setting have names that do",
            "for l in 1e-4 1e-3; do train --steps 5 --lr $l --run r$l >o; done; \
             ecode plot r1e-4 r1e-3 -o p.svg >o; grep -q 'r1e-4\\|0.0001' p.svg && grep -q 'r1e-3\\|0.001' p.svg",
        ),
        (
            "a name that is not UTF-8",
            "n=$(printf 'r\\xff'); train --steps 5 --run \"$n\" >o && train --steps 5 --run \"$n\" 2>e; [ $? = 2 ] && \
             ecode train --run \"$n\" --resume -q >o && ecode plot \"$n\" -o p.svg >o",
        ),
        (
            "which program made it",
            "train --steps 2 --run r >o; v=$(ecode --version | cut -d' ' -f2); grep -qF \"$v\" r/config.toml && \
             grep -qF \"$v\" r/summary.json",
        ),
    ]);
}

#[test]
fn tables_and_shells_get_what_they_can_read() {
    all_right(&[
        (
            "a pipe in a name is no column",
            "cp a.json 'x|y.json'; ecode compare 'x|y.json' a.json > o; \
             [ $(grep '^|' o | sed 's/\\\\|//g' | awk -F'|' '{print NF}' | sort -u | wc -l) = 1 ]",
        ),
        (
            "completions know values",
            "ecode completions bash > c; for w in abstain dimacs table-a1 cutting-planes; do grep -qw -- $w c || exit 1; done",
        ),
        (
            "the manual names pages that there are",
            "ecode man > m; grep -o 'ecode\\\\*-[a-z]*(1)' m | sed 's/\\\\//; s/ecode-//; s/(1)//' > names; \
             while read n; do [ $n = help ] || ecode man $n > page || exit 1; done < names",
        ),
        (
            "no literal twice in a clause",
            "printf '1100\\n0110\\n0011\\n1111\\n1000\\n' > x.txt; for t in adversarial zero one abstain; do for s in 0 1; do \
             ecode export x.txt --to dimacs --b 1 --ties $t --side $s | \
             awk '!/^[cp]/{split(\"\", s); for(i=1;i<NF;i++) if ($i in s) n++; else s[$i]} END{exit n>0}' || exit 1; done; done",
        ),
        (
            "a log that nobody reads ends no training",
            "ecode train --code a.json --batch 8 --steps 400 --evaluate-every 1 --run r 2>&1 | head -2 >o; \
             [ ${PIPESTATUS[0]} = 0 ] && grep -q finished r/summary.json",
        ),
        (
            "more messages than 2^64",
            "for i in $(seq 69); do printf '1%.0s' $(seq 69); echo; done > f.txt; \
             ecode verify f.txt --json | grep -q '\"tolerant\"' && \
             ecode verify f.txt --b 3 --proof enumeration --certificate c.json --json | grep -q '\"tolerant\"' && \
             ecode check c.json -q >o; [ $? = 0 ] && ecode verify f.txt --b 3 --shard 0/1 -o part -q >o && \
             ecode merge part --json --certificate d.json | grep -q '\"tolerant\"' && ecode check d.json >o",
        ),
        (
            "no verdict is waited for where a message has settled it",
            "p=''; for x in 0 1 2 3 4 5 6; do for y in 0 1 2 3 4 5 6; do p=\"$p 1:$x:$y\"; done; p=\"$p 0:1:$x\"; done; \
             p=\"$p 0:0:1\"; for l in $p; do IFS=: read a b c <<<\"$l\"; for q in $p; do IFS=: read x y z <<<\"$q\"; \
             printf $(( (a*x + b*y + c*z) % 7 == 0 )); done; echo; done > pg.txt; \
             ecode verify pg.txt -q >o; [ $? = 1 ] && grep -q 'even when nobody lies' o",
        ),
    ]);
}
