//! Every rule by hand, on three and on five workers; what each can defend; and what spoils no rule.

use super::*;

const THREE: [&[f32]; 3] = [&[1.0, -1.0], &[2.0, -2.0], &[6.0, 0.0]];
const FIVE: [&[f32]; 5] = [&[1.0, -1.0], &[2.0, -2.0], &[3.0, 0.0], &[4.0, 0.0], &[100.0, 5.0]];

fn join(rule: Aggregator, b: usize, vectors: &[&[f32]]) -> Vec<f32> {
    Rule::new(rule, b).join(vectors, &Moment::default())
}

fn near(joined: &[f32], expected: [f32; 2]) {
    let close = joined.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4);
    assert!(close && joined.len() == 2, "{joined:?}, not {expected:?}");
}

#[test]
fn five_workers_are_joined_as_each_rule_says() {
    let join = |rule, b| join(rule, b, &FIVE);
    assert_eq!(join(Aggregator::Mean, 0), [22.0, 0.4]);
    assert_eq!(join(Aggregator::Median, 0), [3.0, 0.0]);
    assert_eq!(Rule::new(Aggregator::Median, 0).join(&FIVE[..4], &Moment::default()), [2.5, -0.5]);
    assert_eq!(join(Aggregator::TrimmedMean, 1), [3.0, -1.0 / 3.0]);
    assert_eq!(join(Aggregator::Vote, 0), [1.0, -1.0]);
    // The two nearest others of gradient 2 are at squared distances 1 and 5; no other is as near.
    assert_eq!(join(Aggregator::Krum, 1), [3.0, 0.0]);
    // Scores 7, 7, 6, 9, and that of the last.
    assert_eq!(join(Aggregator::MultiKrum, 1), [2.5, -0.75]);
    assert_eq!(join(Aggregator::Mda, 1), [2.5, -0.75]);
    // Squared diameters of the sets of three: 5 for the first three, 8 and 10 for the others of the first four.
    assert_eq!(join(Aggregator::Mda, 2), [2.0, -1.0]);
    assert_eq!(join(Aggregator::Meamed, 1), [2.5, -0.75]);
    // Of 1 to 4 around 3, the 1 is farthest; of −2, −1, 0, 0 around 0, the −2.
    near(&join(Aggregator::Meamed, 2), [3.0, -1.0 / 3.0]);
    assert_eq!(join(Aggregator::Dnc, 1), [2.5, -0.75]);
    // The direction is all but that of the first coordinate, in which 1 lies farther from the mean 22 than 2, 3 and 4.
    near(&join(Aggregator::Dnc, 2), [3.0, -2.0 / 3.0]);
}

#[test]
fn three_workers_are_joined_as_each_rule_says() {
    let join = |rule, b| join(rule, b, &THREE);
    assert_eq!(join(Aggregator::Mean, 0), [3.0, -1.0]);
    assert_eq!(join(Aggregator::Median, 0), [2.0, -1.0]);
    assert_eq!(join(Aggregator::TrimmedMean, 1), [2.0, -1.0]);
    assert_eq!(join(Aggregator::TrimmedMean, 0), [3.0, -1.0]);
    assert_eq!(join(Aggregator::Vote, 0), [1.0, -1.0]);
    // Squared distances 2, 26 and 20: the first of the two that are near each other.
    assert_eq!(join(Aggregator::Krum, 0), [1.0, -1.0]);
    assert_eq!(join(Aggregator::MultiKrum, 0), [3.0, -1.0]);
    assert_eq!(join(Aggregator::Mda, 1), [1.5, -1.5]);
    // −2 and 0 are equally far from −1: the smaller one stays.
    assert_eq!(join(Aggregator::Meamed, 1), [1.5, -1.5]);
    // From the mean (3, −1) they differ by (−2, 0), (−1, −1), (3, 1): most along (3.3, 1), where the last is farthest.
    assert_eq!(join(Aggregator::Dnc, 1), [1.5, -1.5]);
    // The largest eigenvalue of Σxxᵀ = (14 4; 4 2) is 8 + √52, its eigenvector (4, √52 − 6): the squares along it leave the
    // weights 0.63332 and 0.84444 and none, and the mean of these two is the best.
    near(&join(Aggregator::Caf, 1), [1.571_43, -1.571_43]);
}

/// On a line the geometric median is the median, in an equilateral triangle the centre, and with a majority in one place
/// that place.
#[test]
fn the_geometric_median_is_where_geometry_says() {
    let line: [&[f32]; 5] = [&[0.0, 0.0], &[1.0, 1.0], &[2.0, 2.0], &[50.0, 50.0], &[1e6, 1e6]];
    near(&join(Aggregator::GeometricMedian, 0, &line), [2.0, 2.0]);
    let top = 12.0_f32.sqrt();
    let triangle: [&[f32]; 3] = [&[0.0, 0.0], &[4.0, 0.0], &[2.0, top]];
    near(&join(Aggregator::GeometricMedian, 0, &triangle), [2.0, top / 3.0]);
    let mass: [&[f32]; 3] = [&[1.0, 7.0], &[1.0, 7.0], &[-9.0, 0.0]];
    near(&join(Aggregator::GeometricMedian, 0, &mass), [1.0, 7.0]);
}

/// From (1, 1), with the radius 5: differences (0, 0), (3, 4), and (6, 8) cut to (3, 4).
#[test]
fn clipping_cuts_differences_from_the_last_step() {
    let vectors: [&[f32]; 3] = [&[1.0, 1.0], &[4.0, 5.0], &[7.0, 9.0]];
    let rule = Rule { clip_radius: 5.0, ..Rule::new(Aggregator::CenteredClipping, 0) };
    let last = Moment { last: &[1.0, 1.0], ..Moment::default() };
    near(&rule.join(&vectors, &last), [3.0, 11.0 / 3.0]);
    let far = Rule { clip_radius: 1e9, ..rule };
    near(&far.join(&vectors, &Moment::default()), [4.0, 5.0]);
}

#[test]
fn mixing_comes_before_the_rule() {
    // Nearest pairs: (0, 1), (1, 0), (2, 1), with the means (1.5, −1.5) twice and (4, −1).
    let nnm = Rule { pre: PreAggregation::Nnm, ..Rule::new(Aggregator::Median, 1) };
    assert_eq!(nnm.join(&THREE, &Moment::default()), [1.5, -1.5]);
    let mean = Rule { aggregator: Aggregator::Mean, ..nnm };
    near(&mean.join(&THREE, &Moment::default()), [7.0 / 3.0, -4.0 / 3.0]);
    assert_eq!((nnm.name(), nnm.takes_declared()), ("nnm+median".to_owned(), true));
    // Whatever the buckets are, one of two holds the 8.
    let vectors: [&[f32]; 4] = [&[0.0], &[8.0], &[0.0], &[0.0]];
    let pairs = Rule { pre: PreAggregation::Bucketing(2), ..Rule::new(Aggregator::Median, 0) };
    assert_eq!(pairs.join(&vectors, &Moment::default()), [2.0]);
    // Buckets are drawn anew in every step, from the seed and the step alone.
    let five = |seed, step| pairs.join(&FIVE, &Moment { seed, step, last: &[] });
    assert_eq!(five(3, 1), five(3, 1));
    let different: std::collections::HashSet<String> =
        (0..20).map(|step| format!("{:?}", five(3, step))).collect();
    assert!(different.len() > 3, "{different:?}");
    assert_eq!(pairs.name(), "bucketing:2+median");
}

/// Krum needs n > 2b + 2, the others that are told b n > 2b; buckets count for the aggregator, workers for mixing.
#[test]
fn rules_know_what_they_can_defend() {
    let fits = |rule: Aggregator, n, b| Rule::new(rule, b).unfit(n).is_none();
    for rule in [Aggregator::Krum, Aggregator::MultiKrum] {
        assert!(fits(rule, 9, 3) && !fits(rule, 8, 3) && !fits(rule, 9, 6), "{rule:?}");
    }
    for rule in
        [Aggregator::TrimmedMean, Aggregator::Mda, Aggregator::Meamed, Aggregator::Dnc, Aggregator::Caf]
    {
        assert!(fits(rule, 5, 2) && !fits(rule, 4, 2), "{rule:?}");
    }
    for rule in
        [Aggregator::Mean, Aggregator::Median, Aggregator::GeometricMedian, Aggregator::CenteredClipping]
    {
        assert!(fits(rule, 1, 9), "{rule:?}");
    }
    // 15 over 7 is 6435; 31 over 15 is 300,540,195.
    assert!(fits(Aggregator::Mda, 15, 7) && !fits(Aggregator::Mda, 31, 15));
    let mixed = |pre, aggregator, n, b| Rule { pre, ..Rule::new(aggregator, b) }.unfit(n);
    assert_eq!(
        mixed(PreAggregation::Nnm, Aggregator::Mean, 4, 2).as_deref(),
        Some("nnm needs n > 2b, but n = 4, b = 2")
    );
    assert_eq!(mixed(PreAggregation::Nnm, Aggregator::Krum, 9, 3), None);
    assert_eq!(
        mixed(PreAggregation::Bucketing(2), Aggregator::Krum, 9, 2).as_deref(),
        Some("krum needs n > 2b + 2, but n = 5, b = 2 (9 workers make 5 buckets of 2)")
    );
    assert_eq!(mixed(PreAggregation::Bucketing(2), Aggregator::TrimmedMean, 9, 2), None);
    assert!(mixed(PreAggregation::Bucketing(10), Aggregator::Median, 9, 0).is_some());
    assert!(mixed(PreAggregation::Nnm, Aggregator::Vote, 9, 2).is_some());
}

/// A vector of infinities, of NaN, or of the largest numbers spoils no rule that defends against one.
#[test]
fn what_is_not_finite_has_no_part() {
    let honest: [&[f32]; 6] = [&[1.0, 2.0], &[1.5, 2.0], &[1.0, 2.5], &[1.5, 2.5], &[1.2, 2.2], &[1.3, 2.1]];
    for bad in [[f32::NAN, 0.0], [f32::INFINITY, f32::NEG_INFINITY], [3e38, -3e38]] {
        let vectors: Vec<&[f32]> = honest.iter().copied().chain([&bad[..]]).collect();
        for aggregator in Aggregator::ALL.iter().copied() {
            for pre in [PreAggregation::None, PreAggregation::Nnm] {
                if matches!(aggregator, Aggregator::Vote | Aggregator::Mean) {
                    continue;
                }
                let joined = Rule { pre, ..Rule::new(aggregator, 1) }.join(&vectors, &Moment::default());
                // Clipping starts at 0, and lets one of seven move it by 10/7 at most.
                let range = |low: f32, high: f32, x: f32| (low..=high).contains(&x);
                let inside = match aggregator {
                    Aggregator::CenteredClipping => range(-1.0, 3.0, joined[0]) && range(0.0, 4.0, joined[1]),
                    _ => range(1.0, 1.5, joined[0]) && range(2.0, 2.5, joined[1]),
                };
                assert!(inside, "{aggregator:?} after {pre}: {joined:?} with {bad:?}");
            }
        }
    }
}

/// The bits are those of any number of threads, on vectors longer than what one task takes.
#[test]
fn any_number_of_threads_gives_the_same_bits() -> Result<(), rayon::ThreadPoolBuildError> {
    use rand_chacha::rand_core::Rng as _;
    let mut random = crate::random::stream(5, crate::random::Purpose::Noise, 0, 0);
    let mut number = || (random.next_u32() >> 8) as f32 / 8_388_608.0 - 1.0;
    let vectors: Vec<Vec<f32>> = (0..9).map(|_| (0..12_345).map(|_| number()).collect()).collect();
    let vectors: Vec<&[f32]> = vectors.iter().map(Vec::as_slice).collect();
    for aggregator in Aggregator::ALL.iter().copied() {
        for pre in [PreAggregation::None, PreAggregation::Nnm, PreAggregation::Bucketing(2)] {
            let rule = Rule { pre, ..Rule::new(aggregator, 1) };
            if rule.unfit(9).is_some() {
                continue;
            }
            let of = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
                let joined = pool.install(|| rule.join(&vectors, &Moment::default()));
                Ok(joined.into_iter().map(f32::to_bits).collect::<Vec<_>>())
            };
            assert_eq!(of(1)?, of(3)?, "{}", rule.name());
        }
    }
    Ok(())
}

#[test]
fn pre_aggregations_are_read_and_written() {
    for text in ["none", "nnm", "bucketing:2", "bucketing:3"] {
        let pre = PreAggregation::try_from(text.to_owned());
        assert_eq!(pre.map(|pre| pre.to_string()).as_deref(), Ok(text));
    }
    assert_eq!(PreAggregation::try_from("bucketing".to_owned()), Ok(PreAggregation::Bucketing(2)));
    for text in ["bucketing:0", "bucketing:x", "mixing", ""] {
        assert!(PreAggregation::try_from(text.to_owned()).is_err(), "{text}");
    }
}
