//! Promise: how many failure domains a matrix tolerates is what the definition says, on all small cases and on random ones;
//! what is refuted has a counterexample that replays and names the domains.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::ops::ControlFlow;

use ecode_core::{
    AllocationMatrix, DomainSet, Domains, Message, Outcome, TieRule, Workers, decode, honest_vote, majority,
    overturned,
};
use ecode_verify::{
    Assignment, Control, DomainConclusion, DomainEvidence, DomainRequest, Exchanges, Method, Radius, Rest,
    Tried, overturned_by_domains, verify,
};
use itertools::Itertools as _;

fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 11) % below as u64) as usize
    }
}

fn named(of: &[usize]) -> Domains {
    let names: Vec<String> = of.iter().map(|domain| format!("host-{domain}")).collect();
    Domains::of_workers(&names).unwrap()
}

/// All ways to put n workers into domains, each once: a worker joins a domain that there is, or founds the next.
fn partitions(n: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for _ in 0..n {
        let more = |of: Vec<usize>| {
            let next = of.iter().max().map_or(0, |most| most + 1);
            (0..=next).map(move |domain| [of.clone(), vec![domain]].concat())
        };
        all = all.into_iter().flat_map(more).collect();
    }
    all
}

fn messages(k: usize) -> impl Iterator<Item = Message> {
    (0..1_usize << k).map(move |bits| Message::from_indices(k, (0..k).filter(|i| bits >> i & 1 == 1)))
}

/// The most domains that are tolerated, by the definition alone.
fn by_definition(g: &AllocationMatrix, ties: TieRule, domains: &Domains) -> Radius {
    let tried = |b| overturned_by_domains(g, ties, domains, b, &Control::default()).unwrap();
    match (0..=domains.len()).find(|&b| matches!(tried(b), Tried::Overturned(_))) {
        Some(0) => Radius::FailsWithoutLiars,
        Some(b) => Radius::Exactly(b - 1),
        None => panic!("all workers together overturn everything"),
    }
}

/// Compares radius and every claim with the definition; how many claims were proved set by set, and how many by size.
fn agree(g: &AllocationMatrix, ties: TieRule, domains: &Domains, method: Method) -> [usize; 2] {
    let expected = by_definition(g, ties, domains);
    let request = DomainRequest::new(g, domains).ties(ties).method(method);
    let context = || format!("{g:?}{:?} {ties} {method}", domains.of());
    let found = request.decide(&Control::default()).unwrap();
    assert_eq!(found.radius(), expected, "{}", context());
    let mut proved = [0; 2];
    for b in 0..=domains.len() {
        let verdict = request.b(b).decide(&Control::default()).unwrap();
        let tolerant = expected.exactly().is_some_and(|radius| b <= radius);
        match verdict.conclusion() {
            DomainConclusion::Tolerant => assert!(tolerant, "b = {b} {}", context()),
            DomainConclusion::Refuted(attack) => {
                assert!(!tolerant, "b = {b} {}", context());
                assert!(attack.replays(g, ties, domains, b), "b = {b} {}", context());
                assert!(attack.domains.count() <= b);
                assert_eq!(attack.attack.byzantine, domains.members_of(&attack.domains));
            }
            DomainConclusion::Undecided => panic!("b = {b} {}", context()),
        }
        match verdict.evidence() {
            Some(DomainEvidence::EachSet(_)) => proved[0] += 1,
            Some(DomainEvidence::BySize(_)) => proved[1] += 1,
            _ => {}
        }
    }
    proved
}

/// Every matrix of these sizes, every way to put its workers into domains, every rule; how many claims were proved.
fn all_of(sizes: &[(usize, usize)]) -> usize {
    let mut proved = 0;
    for &(n, k) in sizes {
        for of in partitions(n) {
            let domains = named(&of);
            for bits in 0..1_usize << (n * k) {
                let g = AllocationMatrix::from_fn(n, k, |j, i| bits >> (j * k + i) & 1 == 1).unwrap();
                for ties in TieRule::ALL {
                    proved += agree(&g, ties, &domains, Method::Auto).iter().sum::<usize>();
                }
            }
        }
    }
    proved
}

#[test]
fn all_matrices_of_up_to_three_workers_and_partitions_and_their_domains() {
    let sizes: Vec<_> = (1..=3).cartesian_product(1..=3).collect();
    let proved = all_of(&sizes);
    assert!(proved > 1000, "{proved}");
}

fn random_case(seed: u64, most: usize) -> (AllocationMatrix, Domains, TieRule) {
    let mut random = random(seed);
    let (n, k) = (2 + random(most - 1), 1 + random(7));
    let tenths = 3 + random(7);
    let g = match random(4) {
        // Codes that tolerate somebody, in any order of rows, with an entry changed now and then.
        0 | 1 => {
            let odd = if n % 2 == 0 { n + 1 } else { n };
            let code = ecode_design::construct::algorithm1(odd, random(odd.div_ceil(2))).unwrap();
            let rows: Vec<usize> = (0..odd).map(|j| (j * (1 + random(odd))) % odd).collect();
            let (row, column) = (random(3 * odd), random(odd));
            AllocationMatrix::from_fn(odd, odd, |j, i| code.holds(rows[j], i) != (j == row && i == column))
        }
        // Rows that come several times.
        2 => {
            let few = 1 + random(n);
            let rows = AllocationMatrix::from_fn(few, k, |_, _| random(10) < tenths).unwrap();
            let which: Vec<usize> = (0..n).map(|_| random(few)).collect();
            AllocationMatrix::from_fn(n, k, |j, i| rows.holds(which[j], i))
        }
        _ => AllocationMatrix::from_fn(n, k, |_, _| random(10) < tenths),
    };
    let g = g.unwrap();
    let n = g.n();
    let hosts = 1 + random(n);
    let of: Vec<usize> = (0..n).map(|_| random(hosts)).collect();
    (g, named(&of), TieRule::ALL[random(4)])
}

/// Of both kinds of evidence some, or the cases would show little.
fn random_cases(seeds: std::ops::Range<u64>, most: usize) {
    let mut proved = [0; 2];
    for seed in seeds {
        let (g, domains, ties) = random_case(seed, most);
        let method = if seed % 8 == 0 { Method::All } else { Method::Auto };
        let here = agree(&g, ties, &domains, method);
        proved = [proved[0] + here[0], proved[1] + here[1]];
    }
    assert!(proved[0] > 100 && proved[1] > 0, "{proved:?}");
}

#[test]
fn random_matrices_and_domains() {
    random_cases(0..400, 7);
}

/// `cargo test -p election-coding-verify --test domains -- --ignored`.
#[test]
#[ignore = "minutes"]
fn tens_of_thousands_of_random_matrices_and_domains() {
    random_cases(1000..31_000, 8);
}

#[test]
#[ignore = "minutes"]
fn all_matrices_of_four_workers_and_their_domains() {
    let proved = all_of(&[(4, 1), (4, 2), (4, 3)]);
    assert!(proved > 10_000, "{proved}");
}

/// Theorem 41: the claim about the others holds exactly where these liars overturn no message.
#[test]
fn the_claim_about_the_rest_is_that_these_liars_overturn_nothing() {
    let (mut even, mut odd) = (0, 0);
    for seed in 0..400 {
        let (g, domains, ties) = random_case(7000 + seed, 7);
        for lying in 0..1_usize << domains.len() {
            let lying =
                DomainSet::from_indices(domains.len(), (0..domains.len()).filter(|d| lying >> d & 1 == 1));
            let liars = domains.members_of(&lying);
            let harmless = messages(g.k()).all(|message| {
                let correct = majority(&message);
                let sent = |j| {
                    if liars.contains(j) { Some(!correct) } else { honest_vote(&g, ties, j, &message) }
                };
                decode(&(0..g.n()).map(sent).collect::<Vec<_>>()) == correct
            });
            let tolerant = match Rest::of(&g, &liars).unwrap() {
                None => false,
                Some(rest) => verify(&rest.matrix, Some(rest.b), ties, Method::Auto, &Control::default())
                    .unwrap()
                    .is_tolerant(),
            };
            assert_eq!(tolerant, harmless, "{g:?} {liars} {ties}");
            *(if liars.count() % 2 == 0 { &mut even } else { &mut odd }) += usize::from(tolerant);
        }
    }
    assert!(even > 100 && odd > 20, "{even}, {odd}");
}

/// Theorem 42: of all sets of b domains some set that is visited survives least, on every message.
#[test]
fn the_sets_that_are_visited_are_the_worst_on_every_message() {
    let mut left_out = 0;
    for seed in 0..300 {
        let (g, domains, ties) = random_case(9000 + seed, 8);
        let exchanges = Exchanges::of(&g, &domains);
        for b in 0..=domains.len() {
            let mut visited: Vec<Vec<usize>> = Vec::new();
            let _ = exchanges.visit(b, &mut |set| {
                visited.push(set.indices().collect());
                ControlFlow::<()>::Continue(())
            });
            let all: Vec<Vec<usize>> = (0..domains.len()).combinations(b).collect();
            left_out += all.len() - visited.len();
            for message in messages(g.k()) {
                let outcome = Outcome::of(&g, ties, &message);
                let cost = |set: &Vec<usize>| -> usize {
                    let members = set.iter().flat_map(|&d| domains.members(d).indices().collect::<Vec<_>>());
                    members
                        .map(|j| match (outcome.wrong.contains(j), outcome.silent.contains(j)) {
                            (true, _) => 0,
                            (_, true) => 1,
                            _ => 2,
                        })
                        .sum()
                };
                let most = |sets: &[Vec<usize>]| sets.iter().map(cost).max();
                assert_eq!(most(&visited), most(&all), "{g:?} {:?} b = {b}", domains.of());
            }
        }
    }
    assert!(left_out > 100, "{left_out}");
}

/// A host of three right workers is more than one worker, and less than three anywhere.
#[test]
fn hosts_are_tolerated_where_as_many_workers_are_not() {
    let g = ecode_design::construct::algorithm1(9, 2).unwrap();
    let radius = |of: &[usize]| {
        let domains = named(of);
        DomainRequest::new(&g, &domains).ties(TieRule::Abstain).decide(&Control::default()).unwrap().radius()
    };
    assert_eq!(radius(&[0, 1, 2, 3, 4, 5, 6, 7, 8]), Radius::Exactly(2));
    // Two workers with one partition each, and one that holds everything, stand in the first host.
    assert_eq!(radius(&[0, 1, 2, 3, 4, 5, 5, 6, 7]), Radius::Exactly(1));
    assert_eq!(radius(&[0, 0, 0, 1, 1, 1, 2, 2, 2]), Radius::Exactly(0));
}

/// c_max of domains, over all sets of them, from the definition of an overturned file.
#[test]
fn domains_overturn_as_many_files_as_the_worst_set_does() {
    let mut left_out = 0;
    for seed in 0..300 {
        let (g, domains, _) = random_case(20_000 + seed, 8);
        let Ok(assignment) = Assignment::new(&g) else { continue };
        for q in 0..=domains.len() {
            let sets = (0..domains.len()).combinations(q);
            let files = |set: &Vec<usize>| {
                let set = DomainSet::from_indices(domains.len(), set.iter().copied());
                overturned(&g, &domains.members_of(&set), &Workers::empty(g.n())).count()
            };
            let all: Vec<usize> = sets.map(|set| files(&set)).collect();
            let found = assignment.worst_of_domains(&domains, q, &Control::default());
            assert!(found.is_exact());
            assert_eq!(Some(found.files), all.iter().copied().max(), "{g:?} {:?} q = {q}", domains.of());
            assert_eq!(found.files, files(&found.worst.indices().collect()));
            left_out += all.len() - usize::try_from(found.sets).unwrap();
        }
    }
    assert!(left_out > 100, "{left_out}");
}

/// Theorem 44: what tolerates b of d domains tolerates about as many workers as half of theirs.
#[test]
fn domains_that_are_tolerated_say_how_many_workers_are() {
    let mut met = 0;
    for seed in 0..400 {
        let (g, domains, ties) = random_case(30_000 + seed, 8);
        let control = Control::default();
        let Some(workers) = verify(&g, None, ties, Method::Auto, &control).unwrap().radius().exactly() else {
            continue;
        };
        let request = DomainRequest::new(&g, &domains).ties(ties);
        let b = request.decide(&control).unwrap().radius().exactly().unwrap();
        let least = (b * g.n()).div_ceil(domains.len() - b) / 2;
        assert!(workers >= least && workers >= b, "{g:?} {:?} {ties}", domains.of());
        assert!(workers < domains.largest(b + 1), "one domain more is not tolerated");
        met += usize::from(b > 0);
    }
    assert!(met > 10, "{met}");
}
