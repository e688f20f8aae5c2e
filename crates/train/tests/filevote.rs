//! Promise: a majority for each file keeps what liars cannot overturn, bit for bit; what they overturn is theirs, and is joined
//! as the scheme says.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode_core::AllocationMatrix;
use ecode_design::construct::{groups, mols, uncoded};
use ecode_train::data::DataSource;
use ecode_train::{Aggregator, Attack, ByzantineSet, Config, Scheme, Trainer, TrainingCode};
use ecode_verify::{Assignment, Control, Method};

fn code(g: &AllocationMatrix, liars: usize) -> TrainingCode {
    let worst = Assignment::new(g).unwrap().worst(liars, 0, Method::Auto, &Control::default()).unwrap();
    TrainingCode::files(g.clone(), worst, "files")
}

fn config(scheme: Scheme, liars: usize) -> Config {
    Config { scheme, byzantine: Some(liars), steps: Some(12), batch: 4, ..Config::default() }
}

fn trained(config: Config, code: TrainingCode) -> Trainer {
    let data = DataSource::Synthetic.load().unwrap();
    let mut trainer = Trainer::new(config, code, data).unwrap();
    while !trainer.finished() {
        trainer.advance().unwrap();
    }
    trainer
}

fn digest(config: Config, code: TrainingCode) -> String {
    trained(config, code).parameters_digest().unwrap()
}

/// Where every worker has a file of its own, a majority of one is what its holder says: the scheme is the aggregator alone,
/// under every attack.
#[test]
fn a_majority_of_one_is_the_aggregator_alone() {
    let g = uncoded(7).unwrap();
    for &attack in Attack::ALL {
        for aggregator in [Aggregator::Median, Aggregator::MultiKrum] {
            let files = Config { aggregator, attack, ..config(Scheme::FileVote, 2) };
            let alone = Config { scheme: Scheme::Vote, ..files.clone() };
            let unverified = TrainingCode::unverified(g.clone(), Some(2), "alone");
            assert_eq!(digest(files, code(&g, 2)), digest(alone, unverified), "{attack:?} {aggregator:?}");
        }
    }
}

/// DRACO with 2b + 1 copies: the parameters are those without liars, bit for bit, whatever they do, and the run says that it
/// is verified. With one liar more two hold two of the three copies of a file, and it says so.
#[test]
fn draco_is_exact_up_to_its_b() {
    let g = groups(9, 3).unwrap();
    let honest = digest(Config { attack: Attack::None, ..config(Scheme::Draco, 1) }, code(&g, 1));
    for &attack in Attack::ALL {
        let mut run = trained(Config { attack, ..config(Scheme::Draco, 1) }, code(&g, 1));
        assert_eq!(run.parameters_digest().unwrap(), honest, "{attack:?}");
        assert!(run.excess().is_none() && run.code().tolerates() == Some(1));
    }
    let worst = Config { byzantine_set: ByzantineSet::Worst, ..config(Scheme::Draco, 2) };
    let mut run = trained(worst, code(&g, 2));
    assert_ne!(run.parameters_digest().unwrap(), honest);
    let why = run.excess().unwrap().why.clone();
    assert_eq!(why, "2 liars overturn up to 1 of 3 files, and nothing is proved of the aggregator mean");
    assert_eq!(run.code().tolerates(), None);
}

/// `worst` is the set that was proved to be the worst; others overturn less here, and change less.
#[test]
fn liars_stand_where_they_were_proved_to_hurt_most() {
    let g = mols(5, 3).unwrap();
    let distortion = code(&g, 3).distortion().unwrap().clone();
    assert_eq!((distortion.files, distortion.is_exact()), (3, true));
    let byzantine_set = ByzantineSet::List(distortion.worst.indices().collect());
    let list = digest(Config { byzantine_set, ..config(Scheme::ByzShield, 3) }, code(&g, 3));
    let worst = Config { byzantine_set: ByzantineSet::Worst, ..config(Scheme::ByzShield, 3) };
    assert_eq!(digest(worst, code(&g, 3)), list);
    // Three workers of one Latin square share no file: nothing is overturned.
    let square = Config { byzantine_set: ByzantineSet::First, ..config(Scheme::ByzShield, 3) };
    let honest = Config { attack: Attack::None, ..square.clone() };
    assert_eq!(digest(square, code(&g, 3)), digest(honest, code(&g, 3)));
}

/// Bytes are gradients of 32 bits a coordinate for each file that a worker holds; rules that ask are told how many files
/// may be wrong.
#[test]
fn bytes_and_numbers_are_those_of_files() {
    let g = mols(5, 3).unwrap();
    let told = Config { aggregator: Aggregator::TrimmedMean, ..config(Scheme::FileVote, 4) };
    let run = trained(told, code(&g, 4));
    let d = run.dimension() as u64;
    assert_eq!(run.bytes_per_step(3), (4 * d * 5, 4 * d));
    assert_eq!(run.config().declared_byzantine, Some(5));
    // A vote of the files' signs.
    let run = trained(config(Scheme::FileVote, 4), code(&g, 4));
    assert_eq!((run.config().rule().name(), run.bytes_per_step(3).0), ("vote".to_owned(), 20 * d));
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |config: Config, code: TrainingCode| {
        let data = DataSource::Synthetic.load().unwrap();
        Trainer::new(config, code, data).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let g = mols(5, 3).unwrap();
    let cases = [
        (
            Config { aggregator: Aggregator::Krum, ..config(Scheme::ByzShield, 3) },
            "joins files by median; filevote takes any",
        ),
        (config(Scheme::Detox, 3), "groups of workers with one file each"),
        (config(Scheme::Vote, 3), "the code is one of files; scheme is vote"),
        (config(Scheme::FileVote, 2), "byzantine is 2; what liars overturn was determined for 3"),
        (Config { audit: true, ..config(Scheme::FileVote, 3) }, "audit compares votes"),
        (
            Config { k: Some(3), ..config(Scheme::FileVote, 3) },
            "k belongs to the schemes that detect lies; scheme is filevote",
        ),
    ];
    for (config, reason) in cases {
        let why = refused(config, code(&g, 3));
        assert!(why.contains(reason), "{reason}: {why}");
    }
    let votes = TrainingCode::unverified(g, Some(3), "votes");
    assert!(refused(config(Scheme::FileVote, 3), votes).contains("is not one of files"));
}
