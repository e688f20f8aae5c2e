//! Promise: whatever is done to a part or a certificate, nothing false is accepted, and nothing ends in a panic.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command as Process;
use std::sync::Mutex;
use std::time::Duration;

use assert_cmd::Command;
use ecode::certificate::{
    Certificate, DistortionCertificate, Options, Refused, check, check_distortion, is_distortion,
};
use ecode::code::{AllocationMatrix, Outcome, TieRule, Workers, overturned};
use ecode::verify::part::{Part, PartError, Question, merge};
use ecode::verify::{Control, Enumeration, Method, Radius, verify};
use itertools::Itertools as _;
use proptest::prelude::*;
use rayon::prelude::*;

fn files(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// Every beginning of a file that is not all of it, but for white space at the end.
fn cut(bytes: &[u8]) -> impl ParallelIterator<Item = &[u8]> {
    (0..bytes.trim_ascii_end().len()).into_par_iter().map(|len| &bytes[..len])
}

/// The file with one byte changed, each in one of two ways.
fn changed(bytes: &[u8]) -> impl ParallelIterator<Item = Vec<u8>> {
    (0..bytes.len()).into_par_iter().flat_map_iter(move |place| {
        let byte = bytes[place];
        let others = [byte ^ 1, b"09- \"]"[place % 6]];
        others.into_iter().filter(move |&other| other != byte).map(move |other| {
            let mut changed = bytes.to_vec();
            changed[place] = other;
            changed
        })
    })
}

#[test]
fn a_part_that_is_cut_off_anywhere_is_none() {
    for (path, bytes) in files("fixtures/parts/valid") {
        Part::parse(&bytes).unwrap();
        cut(&bytes).for_each(|beginning| {
            let error = Part::parse(beginning).unwrap_err();
            assert!(matches!(error, PartError::Malformed(_)), "{} bytes: {error}", beginning.len());
            assert_eq!(error.to_string().lines().count(), 1);
        });
        let folder = tempfile::tempdir().unwrap();
        let (torn, record) = (folder.path().join("torn.json"), folder.path().join("record.json"));
        for len in (0..bytes.len() - 1).step_by(97) {
            std::fs::write(&torn, &bytes[..len]).unwrap();
            let mut command = Command::cargo_bin("ecode").unwrap();
            let output = command.arg("merge").arg(&torn).arg("--certificate").arg(&record).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{len}: {said}");
            assert!(said.starts_with("error: ") && said.contains("torn.json"), "{said}");
            assert_eq!(said.trim_end().lines().count(), 1, "{}: {said}", path.display());
            assert!(!record.exists());
        }
    }
}

#[test]
fn a_part_with_any_byte_changed_is_refused_or_the_same() {
    for (_, bytes) in files("fixtures/parts/valid") {
        let part = Part::parse(&bytes).unwrap();
        let same = changed(&bytes).filter(|bytes| Part::parse(bytes).is_ok_and(|read| read == part)).count();
        let accepted = changed(&bytes).filter(|bytes| Part::parse(bytes).is_ok()).count();
        // Line ends and spaces between the fields.
        assert_eq!((same, accepted > 0), (accepted, true));
    }
}

/// The smallest margin and the radius.
type Truth = (i64, Radius);

/// The smallest margin and the radius, by the definition itself where that is short. Most changes leave the matrix as it is.
fn truth(g: &AllocationMatrix, ties: TieRule) -> Truth {
    static KNOWN: Mutex<BTreeMap<(String, &str), Truth>> = Mutex::new(BTreeMap::new());
    let name = (g.digest(), ties.name());
    if let Some(&known) = KNOWN.lock().unwrap().get(&name) {
        return known;
    }
    let method = if g.k() <= 16 { Method::Definition } else { Method::Auto };
    let verdict = verify(g, None, ties, method, &Control::default()).unwrap();
    let known = (verdict.floor().unwrap(), verdict.radius());
    KNOWN.lock().unwrap().insert(name, known);
    known
}

/// What an accepted certificate says is so, by the definition.
fn holds(bytes: &[u8]) -> Option<bool> {
    let certificate = Certificate::parse(bytes).ok()?;
    let accepted = check(&certificate).ok()?;
    let claim = &certificate.claim;
    let (floor, exact) = truth(&claim.matrix, claim.ties);
    let tolerant = floor >= claim.b as i64;
    let radius = accepted.radius.is_none_or(|radius| exact == Radius::Exactly(radius));
    Some(accepted.tolerant == tolerant && radius)
}

/// Whether no set of so many workers overturns more files than a certificate says, by the definition.
fn distortion_holds(said: &DistortionCertificate) -> bool {
    let (g, nobody) = (&said.matrix, Workers::empty(said.matrix.n()));
    (0..g.n())
        .combinations(said.liars)
        .all(|liars| overturned(g, &Workers::from_indices(g.n(), liars), &nobody).count() <= said.files)
}

/// What the checker says of a file, in one word.
fn word(bytes: &[u8]) -> &'static str {
    if is_distortion(bytes) {
        let read = DistortionCertificate::parse(bytes).ok();
        let accepted = read.filter(|read| check_distortion(read, Options::default()).is_ok());
        return accepted.map_or("INVALID", |read| {
            assert!(distortion_holds(&read), "{}", read.sentence());
            "valid"
        });
    }
    match Certificate::parse(bytes).map(|certificate| check(&certificate)) {
        Ok(Ok(_)) => "valid",
        Ok(Err(Refused::Unproved(_))) => "consistent",
        _ => "INVALID",
    }
}

/// What docs/check.py says of files.
fn script_words(paths: &[PathBuf]) -> Vec<String> {
    let output = Process::new("python3").args(["-B", "docs/check.py"]).args(paths).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let words: Vec<String> = said
        .lines()
        .map(|line| line.rsplit_once(".json: ").unwrap().1)
        .map(|said| said.split([' ', ',', ':']).next().unwrap().to_owned())
        .collect();
    assert_eq!(words.len(), paths.len(), "{}", String::from_utf8_lossy(&output.stderr));
    words
}

/// Changes that a stranger might make: single bytes, numbers, words and lines of proofs, fields.
fn mutant(bytes: &[u8], random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).unwrap();
    let digit = |c: char| c.is_ascii_digit();
    match random(6) {
        // One byte.
        0 => {
            let mut changed = bytes.to_vec();
            changed[random(bytes.len())] = b"019-+ ,x~;\"[]{}ed"[random(17)];
            changed
        }
        // A number for another one that stands there.
        1 => {
            let numbers: Vec<(usize, &str)> =
                text.match_indices(digit).filter(|&(at, _)| !text[..at].ends_with(digit)).collect();
            if numbers.is_empty() {
                return bytes.to_vec();
            }
            let long = |at: usize| text[at..].find(|c| !digit(c)).unwrap_or(1);
            let (at, from) = (numbers[random(numbers.len())].0, numbers[random(numbers.len())].0);
            [&text[..at], &text[from..from + long(from)], &text[at + long(at)..]].concat().into_bytes()
        }
        // A number one more or less, or with another spelling.
        2 => {
            let numbers: Vec<(usize, &str)> =
                text.match_indices(digit).filter(|&(at, _)| !text[..at].ends_with(digit)).collect();
            if numbers.is_empty() {
                return bytes.to_vec();
            }
            let at = numbers[random(numbers.len())].0;
            let long = text[at..].find(|c| !digit(c)).unwrap_or(1);
            let value: u128 = text[at..at + long].parse().unwrap_or(7);
            let new = [
                (value + 1).to_string(),
                value.saturating_sub(1).to_string(),
                format!("-{value}"),
                format!("0{value}"),
                format!("{value}.0"),
                format!("{value}e0"),
                "null".to_owned(),
                "true".to_owned(),
            ];
            [&text[..at], &new[random(new.len())], &text[at + long..]].concat().into_bytes()
        }
        // A line of a proof gone, twice, or exchanged with another.
        3 | 4 => {
            let mut lines: Vec<&str> = text.split("\\n").collect();
            let (at, other) = (random(lines.len()), random(lines.len()));
            match random(3) {
                0 if lines.len() > 1 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[at]),
                _ => lines.swap(at, other),
            }
            lines.join("\\n").into_bytes()
        }
        // A field gone, twice, or null.
        _ => {
            let mut fields: Vec<String> = text.split(",\n \"").map(str::to_owned).collect();
            let at = random(fields.len());
            match random(4) {
                0 if fields.len() > 1 => drop(fields.remove(at)),
                1 => fields.insert(at, fields[at].clone()),
                2 => fields[at] = format!("{}\":null", fields[at].split("\":").next().unwrap()),
                _ => fields[at].push_str(",\n \"note\":1"),
            }
            fields.join(",\n \"").into_bytes()
        }
    }
}

/// Two checkers that share no line, in two languages, say the same: of every file of the corpus, and of thousands of
/// others beside them.
#[test]
fn both_checkers_say_the_same() {
    let mut state = 17_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 32) as usize * below) >> 32
    };
    let folder = tempfile::tempdir().unwrap();
    let mut cases: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    let distortion = || files("fixtures/distortion/certificates");
    for (path, bytes) in files("fixtures/certificates/valid").into_iter().chain(distortion()) {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // The script takes seconds for a dozen of the longer ones.
        for number in 0..if bytes.len() < 1500 { 400 } else { 40 } {
            let mut changed = mutant(&bytes, &mut random);
            if random(4) == 0 {
                changed = std::str::from_utf8(&changed)
                    .map(str::as_bytes)
                    .map_or(changed.clone(), |text| mutant(text, &mut random));
            }
            let path = folder.path().join(format!("{name}-{number}.json"));
            std::fs::write(&path, &changed).unwrap();
            cases.push((path, changed));
        }
    }
    cases.extend(
        ["valid", "invalid", "unproved"]
            .iter()
            .flat_map(|kind| files(&format!("fixtures/certificates/{kind}"))),
    );
    cases.extend(distortion());
    let paths: Vec<PathBuf> = cases.iter().map(|(path, _)| path.clone()).collect();
    let script: Vec<String> = paths.par_chunks(paths.len() / 2 + 1).flat_map_iter(script_words).collect();
    let ours: Vec<&str> = cases.par_iter().map(|(_, bytes)| word(bytes)).collect();
    for (((path, bytes), ours), script) in cases.iter().zip(&ours).zip(&script) {
        // The script does not look for a message that a count has overlooked.
        let overlooked = path.ends_with("invalid/record-forged.json");
        let same = ours == script || (overlooked && (*ours, script.as_str()) == ("INVALID", "consistent"));
        assert!(same, "{}: {ours}, the script {script}\n{}", path.display(), String::from_utf8_lossy(bytes));
    }
    let accepted = ours.iter().filter(|&&word| word == "valid").count();
    assert!(cases.len() > 3000 && accepted > 100, "{accepted} of {}", cases.len());
}

#[test]
fn a_certificate_that_is_cut_off_anywhere_is_none() {
    for (_, bytes) in files("fixtures/certificates/valid") {
        assert_eq!(holds(&bytes), Some(true));
        cut(&bytes).for_each(|beginning| assert!(Certificate::parse(beginning).is_err()));
    }
}

#[test]
fn a_certificate_with_any_byte_changed_is_refused_or_true() {
    for (path, bytes) in files("fixtures/certificates/valid") {
        let held: Vec<bool> = changed(&bytes).filter_map(|bytes| holds(&bytes)).collect();
        assert!(!held.is_empty() && held.iter().all(|&held| held), "{}", path.display());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Parts whose counts were moved and signed again: as long as the wrong votes do not add up, there is no verdict.
    #[test]
    fn moved_counts_are_found_out(
        entries in prop::collection::vec(any::<bool>(), 49), rule in 0..3_usize,
        of in 1..5_u64, tampered in 0..5_u64, up in any::<bool>(), by in 1..3_i64,
    ) {
        let ties = TieRule::ALL.into_iter().filter(|&ties| ties != TieRule::Abstain).nth(rule).unwrap();
        let g = AllocationMatrix::from_fn(7, 7, |j, i| entries[7 * j + i]).unwrap();
        let all = Enumeration::new(&g, ties).unwrap();
        let parts = (0..of).map(|index| {
            let range = all.shard(index, of);
            let mut save = |_, _: &_| Ok(());
            let counted =
                all.count(range.clone(), all.nothing(), &Control::default(), Duration::MAX, &mut save);
            let mut count = counted.unwrap().1;
            let side = count.margins.iter_mut().find(|margins| !margins.is_empty());
            if index == tampered % of && let Some(margins) = side {
                let entry = if up { margins.last_key_value() } else { margins.first_key_value() };
                let margin = *entry.unwrap().0;
                let messages = margins.remove(&margin).unwrap();
                *margins.entry(margin + if up { by } else { -by }).or_default() += messages;
            }
            let question = Question::tolerance(g.clone(), None, ties);
            (index.to_string(), Part::new(question, &all, (index, of), range, count))
        });
        let parts: Vec<(String, Part)> = parts.collect();
        let touched = parts.iter().any(|(_, part)| !part.range.is_empty());
        prop_assert!(touched);
        match merge(parts) {
            Err(PartError::Invalid(_)) => {}
            // The part that was to be changed is empty.
            Ok(whole) => {
                let exact = verify(&g, None, ties, Method::Auto, &Control::default()).unwrap();
                prop_assert_eq!(whole.verdict(Duration::ZERO).unwrap().floor(), exact.floor());
                prop_assert!(all.shard(tampered % of, of).is_empty());
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}

/// The worst message can be left out of a part only by giving up its range: a milder one in its place is found out.
#[test]
fn a_part_that_hides_its_worst_message_is_refused() {
    let g = ecode::construct::algorithm1(9, 2).unwrap();
    let all = Enumeration::new(&g, TieRule::Adversarial).unwrap();
    let mut save = |_, _: &_| Ok(());
    let (_, mut count) =
        all.count(0..all.total(), all.nothing(), &Control::default(), Duration::MAX, &mut save).unwrap();
    let question = Question::tolerance(g.clone(), Some(3), TieRule::Adversarial);
    let honest = Part::new(question.clone(), &all, (0, 1), 0..all.total(), count.clone());
    let verdict = merge(vec![("a".into(), honest)]).unwrap().verdict(Duration::ZERO).unwrap();
    assert!(verdict.is_refuted());
    // All messages with margin 2 are said to have margin 3 or 4, so that b = 3 would be tolerated.
    let margins = count.margins.remove(0);
    let (smallest, next) = (*margins.keys().next().unwrap(), *margins.keys().nth(1).unwrap());
    let mut moved = margins.clone();
    let hidden = moved.remove(&smallest).unwrap();
    *moved.entry(next).or_default() += hidden;
    count.margins.push(moved);
    let milder = all.sides().len();
    assert_eq!(milder, 1);
    // A message that has the margin that is now said to be the smallest.
    let message = (0_u32..1 << 9)
        .filter(|set| set.count_ones() == 4)
        .map(|set| ecode::code::Message::from_indices(9, (0..9).filter(|i| set >> i & 1 == 1)))
        .find(|message| Outcome::of(&g, TieRule::Adversarial, message).margin == next)
        .unwrap();
    count.worst = Some(Outcome::of(&g, TieRule::Adversarial, &message));
    let forged = Part::new(question, &all, (0, 1), 0..all.total(), count);
    // The part alone is in order: only the sum over all messages tells.
    forged.check().unwrap();
    let error = merge(vec![("a".into(), forged)]).unwrap_err();
    assert!(
        matches!(&error, PartError::Invalid(why) if why.starts_with("some part counts wrong")),
        "{error}"
    );
}
