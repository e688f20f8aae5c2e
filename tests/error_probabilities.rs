//! Promise: every probability that `analyze` gives equals a direct enumeration over messages, Byzantine sets
//! and what these may send, by the definitions alone.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ecode::analysis::{
    Adversary, Analysis, Estimate, Fixed, Kind, Options, Profile, Sample, Sets, enumerate,
};
use ecode::code::{AllocationMatrix, Message, TieRule, decode, honest_vote, majority};
use ecode::construct::{algorithm1, full};
use ecode::verify::{Control, Radius};
use itertools::Itertools as _;
use proptest::prelude::*;

/// What an honest worker sends when the answer asked about is `answer`: under `adversarial` a tied worker
/// speaks against it.
fn vote(g: &AllocationMatrix, ties: TieRule, j: usize, m: &Message, answer: bool) -> Option<bool> {
    if ties == TieRule::Adversarial && 2 * g.ones_seen(j, m) == g.worker_load(j) {
        return Some(!answer);
    }
    honest_vote(g, ties, j, m)
}

/// Whether these liars can make the server decode something else than `answer`: every reply is tried.
fn beats(g: &AllocationMatrix, ties: TieRule, m: &Message, liars: &[usize], answer: bool) -> bool {
    let silence = if ties == TieRule::Abstain { 3 } else { 2 };
    (0..silence_pow(silence, liars.len())).any(|mut reply| {
        let mut sent: Vec<Option<bool>> = (0..g.n()).map(|j| vote(g, ties, j, m, answer)).collect();
        for &liar in liars {
            sent[liar] = [Some(false), Some(true), None][reply % silence];
            reply /= silence;
        }
        decode(&sent) != answer
    })
}

fn silence_pow(base: usize, exponent: usize) -> usize {
    base.pow(exponent as u32)
}

/// Everything about one matrix, rule and b: by true sign the probabilities of an error for each adversary.
struct Direct {
    adaptive: [f64; 2],
    random: [f64; 2],
    /// For each set of b workers.
    sets: Vec<([f64; 2], bool)>,
}

fn direct(g: &AllocationMatrix, ties: TieRule, kind: Kind, b: usize, q: f64) -> Direct {
    let (n, k) = (g.n(), g.k());
    let sets: Vec<Vec<usize>> = (0..n).combinations(b).collect();
    let mut direct =
        Direct { adaptive: [0.0; 2], random: [0.0; 2], sets: vec![([0.0; 2], false); sets.len()] };
    for bits in 0_u32..1 << k {
        let m = Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1));
        for sign in [false, true] {
            let wrong = if sign { k - m.count() } else { m.count() };
            let likely = q.powi(wrong as i32) * (1.0 - q).powi((k - wrong) as i32);
            let answer = if kind == Kind::Decode { majority(&m) } else { sign };
            let beaten: Vec<bool> = sets.iter().map(|set| beats(g, ties, &m, set, answer)).collect();
            let tau = usize::from(sign);
            direct.adaptive[tau] += if beaten.contains(&true) { likely } else { 0.0 };
            for (set, &beaten) in direct.sets.iter_mut().zip(&beaten) {
                if beaten {
                    set.0[tau] += likely;
                    set.1 = true;
                    direct.random[tau] += likely / sets.len() as f64;
                }
            }
        }
    }
    direct
}

fn matrices(most_n: usize, most_k: usize) -> impl Strategy<Value = AllocationMatrix> {
    (1..=most_n, 1..=most_k, 0..=10_u32).prop_flat_map(|(n, k, tenths)| {
        prop::collection::vec((prop::collection::vec(0..10_u32, k), 0..3_u32), n).prop_map(move |draws| {
            let mut rows: Vec<Vec<bool>> = Vec::new();
            for (row, copy) in draws {
                let row = row.iter().map(|&draw| draw < tenths).collect();
                rows.push(match rows.last() {
                    Some(last) if copy == 0 => last.clone(),
                    _ => row,
                });
            }
            AllocationMatrix::from_rows(&rows).unwrap()
        })
    })
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-12 + 1e-10 * b
}

fn check(g: &AllocationMatrix, ties: TieRule, q: f64, bs: impl Iterator<Item = usize>) {
    let control = Control::default();
    let profile = Profile::exact(&enumerate(g, &control).unwrap(), ties);
    let sets = Sets::new(g, ties, &control).unwrap();
    for b in bs {
        let of_sets = sets.at(b, &[q], &control).unwrap();
        for kind in [Kind::Decode, Kind::Sign] {
            let direct = direct(g, ties, kind, b, q);
            for (adversary, expected) in
                [(Adversary::Adaptive, direct.adaptive), (Adversary::Random, direct.random)]
            {
                let errors = profile.errors(kind, adversary, &[q], &control).unwrap().remove(0);
                for tau in [0, 1] {
                    let found = errors.by_sign[tau][b];
                    assert!(matches!(found, Estimate::Exact(_)));
                    assert!(
                        near(found.value(), expected[tau]),
                        "{kind:?} {adversary:?} {ties} b={b} q={q}: {found:?} {expected:?}\n{g:?}"
                    );
                }
            }
            let worst = direct.sets.iter().map(|(errors, _)| errors[0].max(errors[1])).fold(0.0, f64::max);
            let found = match kind {
                Kind::Decode => &of_sets.decode[0],
                Kind::Sign => &of_sets.sign[0],
            };
            assert!(near(found.error, worst), "{kind:?} {ties} b={b} q={q}: {found:?} {worst}\n{g:?}");
            // The set that is named does what is said of it.
            let named: Vec<usize> = found.workers.indices().collect();
            let place = (0..g.n()).combinations(b).position(|set| set == named).unwrap();
            let errors = direct.sets[place].0;
            assert!(near(errors[0].max(errors[1]), worst));
            if kind == Kind::Decode && q > 0.0 && q < 1.0 {
                assert_eq!(of_sets.sets, direct.sets.len() as u128);
                let harmful = direct.sets.iter().filter(|(_, harmful)| *harmful).count();
                assert_eq!(of_sets.harmful, harmful as u128);
                assert_eq!(of_sets.worst.is_some(), harmful > 0);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn they_equal_a_direct_enumeration(
        g in matrices(5, 6),
        ties in prop::sample::select(TieRule::ALL.to_vec()),
        q in prop::sample::select(vec![0.0, 0.03, 0.3, 0.5, 0.9, 1.0]),
    ) {
        check(&g, ties, q, 0..=g.n());
    }

    #[test]
    fn they_do_so_for_nine_partitions(
        g in matrices(4, 9),
        ties in prop::sample::select(TieRule::ALL.to_vec()),
        b in 0..=2_usize,
    ) {
        check(&g, ties, 0.2, std::iter::once(b.min(g.n())));
    }
}

#[test]
fn the_papers_smallest_code_by_hand() {
    check(&algorithm1(5, 1).unwrap(), TieRule::Adversarial, 0.1, 0..=5);
    // Three workers that vote alike: the sign is wrong when two of three partitions are.
    let g = full(3, 3).unwrap();
    let q: f64 = 0.1;
    let options = Options { qs: vec![q], ..Options::default() };
    let analysis = Analysis::of(&g, &options, &Control::default()).unwrap();
    let at = &analysis.at[0];
    let two_of_three = 3.0 * q * q * (1.0 - q) + q.powi(3);
    assert!(near(at.sign[0].adaptive.value(), two_of_three));
    assert!(near(at.sign[1].adaptive.value(), two_of_three));
    assert_eq!(analysis.radius.radius(), Radius::Exactly(1));
    for b in [0, 1] {
        assert!(near(at.decode[b].adaptive.value(), 0.0));
        assert_eq!(at.decode[b].fixed, Fixed::Exact { error: 0.0, workers: None });
    }
    for b in [2, 3] {
        assert!(near(at.decode[b].adaptive.value(), 1.0));
        assert!(near(at.decode[b].fixed.at_most(), 1.0));
    }
}

/// A sample's intervals hold the exact figure, for every adversary and b at once.
#[test]
fn a_samples_intervals_hold_the_exact_figures() {
    let g = algorithm1(15, 3).unwrap();
    let control = Control::default();
    let enumerator = enumerate(&g, &control).unwrap();
    for seed in 0..5 {
        let sample = Sample::draw(&g, 20_000, seed, &control);
        assert_eq!(sample, Sample::draw(&g, 20_000, seed, &control));
        // 2500 of each weight up to 7: all of the weights up to 4, with 1365 messages and fewer.
        assert_eq!((0..=7).filter(|&v| sample.is_complete(v)).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!([4, 5, 11].map(|v| sample.drawn(v)), [1365, 2500, 1365]);
        for kind in [Kind::Decode, Kind::Sign] {
            for adversary in [Adversary::Adaptive, Adversary::Random] {
                let ties = TieRule::Adversarial;
                let of =
                    |profile: Profile| profile.errors(kind, adversary, &[0.3], &control).unwrap().remove(0);
                let exact = of(Profile::exact(&enumerator, ties));
                let sampled = of(Profile::sampled(&sample, ties));
                for (exact, sampled) in exact.by_sign[0].iter().zip(&sampled.by_sign[0]) {
                    let Estimate::Sampled { frequency, low, high } = *sampled else { panic!("a sample") };
                    let exact = exact.value();
                    assert!(low <= exact + 1e-12 && exact <= high + 1e-12, "{kind:?}: {exact} {sampled:?}");
                    assert!(low <= frequency && frequency <= high && high - low < 0.2);
                }
            }
        }
    }
}
