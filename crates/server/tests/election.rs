//! Promise: whatever workers do and whenever, every block is closed once, in order, with votes that its rows really
//! sent for it, and it is called verified only within 2·liars + missing ≤ 2·radius. Time is virtual.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use ecode_server::{Action, Cut, Election, Event, OnExcess, Place, Rules, Seats, Wait};

const MS: Duration = Duration::from_millis(1);

fn rules(n: usize, radius: usize, liars: usize) -> Rules {
    Rules::new(n, radius, liars).unwrap()
}

/// An election that all have joined: row j by connection j.
fn joined(rules: Rules) -> Election<u64> {
    let mut election = Election::new(rules, 0);
    for row in 0..rules.n {
        election.handle(Duration::ZERO, Event::Joined { row, connection: row as u64 });
    }
    election
}

fn vote(row: usize, step: u64) -> Event<u64> {
    Event::Voted { row, connection: row as u64, step, block: 0, vote: step }
}

fn closed(actions: &[Action<u64>]) -> Vec<(u64, usize, bool)> {
    let close = |action: &Action<u64>| match action {
        Action::Close { step, votes, verified, .. } => {
            Some((*step, votes.iter().flatten().count(), *verified))
        }
        _ => None,
    };
    actions.iter().filter_map(close).collect()
}

/// What a random run is checked against: written from the promises, not from the code.
#[derive(Default)]
struct Witness {
    /// Each vote that was sent: its row, step, block and connection.
    sent: HashMap<u64, (usize, u64, usize, u64)>,
    /// Blocks of the step that are closed.
    done: HashSet<usize>,
    step: u64,
    /// The connection of each row.
    speaks: HashMap<usize, u64>,
    named: HashSet<usize>,
    /// With fixed seats: the rows that are out for good.
    out: HashSet<usize>,
    ended: bool,
    closed: u64,
    verified: u64,
}

impl Witness {
    fn look(&mut self, rules: &Rules, actions: &[Action<u64>]) {
        for action in actions {
            assert!(!self.ended, "something came after the end: {action:?}");
            match action {
                Action::Welcome { row, connection, step } => {
                    assert_eq!(*step, self.step);
                    assert!(!self.out.contains(row), "nobody comes back to a fixed seat");
                    self.speaks.insert(*row, *connection);
                }
                Action::Cut { row, connection, why } if self.speaks.get(row) == Some(connection) => {
                    self.speaks.remove(row);
                    if rules.seats == Seats::Fixed {
                        assert_ne!(*why, Cut::Rubbish, "a fixed seat is not cut for what is said on it");
                        if *why != Cut::Replaced {
                            self.out.insert(*row);
                        }
                    }
                }
                Action::Close { step, block, votes, verified } => {
                    assert_eq!(*step, self.step, "steps come in order");
                    assert!(*block < rules.blocks && self.done.insert(*block), "a block is closed once");
                    assert_eq!(votes.len(), rules.n);
                    for (row, vote) in votes.iter().enumerate() {
                        let Some(id) = vote else { continue };
                        let (from, of, on, _) = self.sent[id];
                        assert_eq!(
                            (from, of, on),
                            (row, *step, *block),
                            "a vote counts for its own row and block"
                        );
                        assert!(!(rules.quarantine && self.named.contains(&row)), "left out");
                    }
                    let missing = votes.iter().filter(|vote| vote.is_none()).count();
                    // Those left out are missing, and lie no more.
                    let left_out = if rules.quarantine { self.named.len() } else { 0 };
                    let lying = rules.liars.max(self.named.len()) - left_out;
                    let proved = 2 * lying + missing <= 2 * rules.radius && missing < rules.n;
                    assert_eq!(*verified, proved, "{missing} of {} missing", rules.n);
                    assert!(proved || rules.on_excess == OnExcess::Warn);
                    self.closed += 1;
                    self.verified += u64::from(*verified);
                    if self.done.len() == rules.blocks {
                        self.done.clear();
                        self.step += 1;
                    }
                }
                Action::Stop { missing, may_miss, .. } => {
                    assert!(missing > may_miss || *missing == rules.n || self.named.len() > rules.radius);
                    self.ended = true;
                }
                _ => {}
            }
        }
    }
}

/// So many random events to an election of random rules, fewer where it ends; returns how many blocks were closed, and
/// verified, and how many events there were.
fn storm(seed: u64, events: usize) -> (u64, u64, u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let n = random.usize(1..8);
    let radius = random.usize(0..=(n - 1) / 2);
    let rules = Rules {
        blocks: random.usize(1..5),
        window: random.usize(1..4),
        wait: [Wait::All, Wait::Quorum, Wait::Soft(20 * MS), Wait::Adaptive][random.usize(0..4)],
        patience: 100 * MS,
        on_excess: if random.bool() { OnExcess::Warn } else { OnExcess::Stop },
        quarantine: random.bool(),
        seats: if random.u32(0..4) == 0 { Seats::Fixed } else { Seats::Open },
        ..Rules::new(n, radius, random.usize(0..=radius)).unwrap()
    };
    let mut election = Election::new(rules, 0);
    let (mut now, mut id) = (Duration::ZERO, 0);
    let mut witness = Witness::default();
    let mut handled = 0;
    for _ in 0..events {
        now += MS * random.u32(0..6) / 2;
        let row = random.usize(0..n);
        let connection = witness.speaks.get(&row).copied();
        // Mostly what an honest worker would do next, sometimes anything.
        let event = match (random.u32(0..100), connection) {
            // Who leaves a fixed seat is gone: that it is seldom keeps the storm going.
            (0..3, Some(connection)) if rules.seats == Seats::Open || random.u32(0..20) == 0 => {
                Event::Left { row, connection }
            }
            (3..5, Some(connection)) => Event::Rubbish { row, connection },
            (5, _) if random.u32(0..20) == 0 => Event::Named { row },
            (6..12, _) => Event::Tick,
            (12..16, _) | (_, None) => {
                id += 1;
                Event::Joined { row: if random.u32(0..50) == 0 { n } else { row }, connection: id }
            }
            (kind, Some(connection)) => {
                let off = kind < 22;
                let step = if off { random.u64(0..=witness.step + 1) } else { witness.step };
                let block = random.usize(0..rules.blocks + usize::from(off));
                let connection = if kind < 18 { random.u64(0..=id) } else { connection };
                if !off && election.place(row, connection, step, block) != Place::Now {
                    continue;
                }
                id += 1;
                witness.sent.insert(id, (row, step, block, connection));
                Event::Voted { row, connection, step, block, vote: id }
            }
        };
        if let Event::Left { row, .. } = &event {
            witness.speaks.remove(row);
            if rules.seats == Seats::Fixed {
                witness.out.insert(*row);
            }
        }
        if let Event::Named { row } = &event {
            witness.named.insert(*row);
        }
        handled += 1;
        let actions = election.handle(now, event);
        witness.look(&rules, &actions);
        assert_eq!((election.step(), election.stopped()), (witness.step, witness.ended));
        if witness.ended {
            break;
        }
        // Nothing that is due is left undone.
        assert!(election.wake().is_some_and(|wake| wake > now), "{:?} at {now:?}", election.wake());
    }
    (witness.closed, witness.verified, handled)
}

#[test]
fn any_events_keep_the_promises() {
    let (mut closed, mut verified) = (0, 0);
    for seed in 0..2000 {
        let (c, v, _) = storm(seed, 300);
        (closed, verified) = (closed + c, verified + v);
    }
    // The storm is no drizzle: both kinds of closing were met often.
    assert!(verified > 10_000 && closed - verified > 1000, "{verified} of {closed}");
}

/// Ten million events: `cargo test -p election-coding-server -- --ignored`.
#[test]
#[ignore = "seconds"]
fn ten_million_events_keep_the_promises() {
    let (mut events, mut seed) = (0, 0);
    while events < 10_000_000 {
        events += storm(seed, 10_000).2;
        seed += 1;
    }
    assert!(seed > 1000, "many rules: {seed}");
}

/// Row 4 is connected and never votes; the others take 10 ms a step.
#[test]
fn a_silent_row_costs_one_deadline() {
    let rules = Rules { wait: Wait::Soft(200 * MS), ..rules(5, 2, 1) };
    let mut election = joined(rules);
    let mut now = Duration::ZERO;
    for step in 0..100 {
        now += 10 * MS;
        for row in 0..4 {
            election.handle(now, vote(row, step));
        }
        if election.step() == step {
            now = election.wake().unwrap();
            election.handle(now, Event::Tick);
        }
        assert_eq!(election.step(), step + 1);
    }
    assert_eq!(now, 1000 * MS + 200 * MS);
    assert_eq!((election.rows()[4].missed, election.rows()[4].awaited), (100, false));
}

/// Row 4 floods: it votes twice in each step, is cut, and comes back as fast as it can.
#[test]
fn a_flooding_row_costs_one_deadline_and_is_kept_out_longer_each_time() {
    let rules = Rules { wait: Wait::Soft(200 * MS), ..rules(5, 2, 1) };
    let mut election = joined(rules);
    let (mut now, mut cuts) = (Duration::ZERO, 0);
    for step in 0..1000 {
        now += 10 * MS;
        let connection = 100 + step;
        let mut actions = election.handle(now, Event::Joined { row: 4, connection });
        for _ in 0..5 {
            let flood = Event::Voted { row: 4, connection, step, block: 0, vote: 0 };
            actions.extend(election.handle(now, flood));
        }
        cuts +=
            actions.iter().filter(|action| matches!(action, Action::Cut { why: Cut::Rubbish, .. })).count();
        for row in 0..4 {
            election.handle(now, vote(row, step));
        }
        if election.step() == step {
            now = election.wake().unwrap();
            election.handle(now, Event::Tick);
        }
        assert_eq!(election.step(), step + 1);
    }
    assert!(now <= 10_000 * MS + 200 * MS, "{now:?}");
    // Ten seconds: it was let in at 0, 1, 3 and 7 s.
    assert!((2..=6).contains(&cuts), "{cuts}");
    assert_eq!(election.rows()[4].cuts, cuts as u64);
}

/// Of seven rows two are declared liars, radius 3: two may miss. Whatever the others do, five honest rows that vote
/// within 10 ms make a step in at most that and one grace.
#[test]
fn honest_rows_are_never_held_up_by_more_than_the_grace() {
    let mut random = fastrand::Rng::with_seed(7);
    let rules = Rules { wait: Wait::Adaptive, ..rules(7, 3, 2) };
    let mut election = joined(rules);
    let (mut now, mut connections) = (Duration::ZERO, 100);
    let mut slowest = Duration::ZERO;
    for step in 0..2000 {
        let opened = now;
        // The two liars do anything before the honest rows vote.
        for row in 5..7 {
            let connection = election.rows()[row].connection;
            connections += 1;
            let event = match (random.u32(0..5), connection) {
                (0, Some(connection)) => Event::Left { row, connection },
                (1, Some(connection)) => Event::Rubbish { row, connection },
                (2, Some(connection)) => Event::Voted { row, connection, step, block: 0, vote: 1 },
                (3, _) => Event::Joined { row, connection: connections },
                _ => Event::Tick,
            };
            election.handle(now, event);
        }
        now += MS * random.u32(5..=10);
        for row in 0..5 {
            election.handle(now, vote(row, step));
        }
        while election.step() == step {
            now = election.wake().unwrap();
            election.handle(now, Event::Tick);
        }
        slowest = slowest.max(now.saturating_sub(opened));
    }
    assert!(slowest <= 10 * MS + 10 * MS / 4, "{slowest:?}");
}

#[test]
fn a_quorum_waits_for_nobody_else_and_all_waits_for_all() {
    let mut quorum = joined(Rules { wait: Wait::Quorum, ..rules(5, 2, 1) });
    let mut all = joined(Rules { wait: Wait::All, ..rules(5, 2, 1) });
    for row in 0..2 {
        assert!(closed(&quorum.handle(MS, vote(row, 0))).is_empty());
        assert!(closed(&all.handle(MS, vote(row, 0))).is_empty());
    }
    assert_eq!(closed(&quorum.handle(MS, vote(2, 0))), [(0, 3, true)]);
    for row in 2..4 {
        assert!(closed(&all.handle(MS, vote(row, 0))).is_empty());
    }
    assert_eq!(closed(&all.handle(2 * MS, vote(4, 0))), [(0, 5, true)]);
    // A late vote is counted, and nothing else.
    assert!(quorum.handle(2 * MS, vote(3, 0)).is_empty());
    assert_eq!(quorum.rows()[3].late, 1);
}

#[test]
fn beyond_the_proof_a_run_stops_or_says_so_after_patience_once() {
    let base = Rules { wait: Wait::Quorum, patience: 1000 * MS, ..rules(5, 2, 2) };
    let mut stop = joined(base);
    for row in 0..4 {
        stop.handle(MS, vote(row, 0));
    }
    assert!(stop.handle(999 * MS, Event::Tick).is_empty());
    assert_eq!(stop.handle(1000 * MS, Event::Tick), [Action::Stop { step: 0, missing: 1, may_miss: 0 }]);
    assert!(stop.handle(1001 * MS, vote(4, 0)).is_empty() && stop.wake().is_none());

    let mut warn = joined(Rules { on_excess: OnExcess::Warn, ..base });
    for row in 0..4 {
        warn.handle(MS, vote(row, 0));
    }
    assert_eq!(closed(&warn.handle(1000 * MS, Event::Tick)), [(0, 4, false)]);
    // The lost row is waited for no more …
    for row in 0..3 {
        assert!(closed(&warn.handle(1001 * MS, vote(row, 1))).is_empty());
    }
    assert_eq!(closed(&warn.handle(1001 * MS, vote(3, 1))), [(1, 4, false)]);
    // … and when it is back, the run is within its proof again.
    for row in [4, 0, 1, 2] {
        warn.handle(1002 * MS, vote(row, 2));
    }
    assert_eq!(closed(&warn.handle(1002 * MS, vote(3, 2))), [(2, 5, true)]);
}

#[test]
fn a_restarted_worker_may_vote_again_and_its_first_vote_stands() {
    let mut election = joined(Rules { wait: Wait::All, ..rules(3, 1, 0) });
    election.handle(MS, vote(0, 0));
    election.handle(MS, Event::Left { row: 0, connection: 0 });
    election.handle(2 * MS, Event::Joined { row: 0, connection: 9 });
    let again = Event::Voted { row: 0, connection: 9, step: 0, block: 0, vote: 77 };
    assert!(election.handle(3 * MS, again).is_empty());
    election.handle(4 * MS, vote(1, 0));
    let actions = election.handle(5 * MS, vote(2, 0));
    let votes = actions.iter().find_map(|action| match action {
        Action::Close { votes, .. } => Some(votes.clone()),
        _ => None,
    });
    assert_eq!(votes, Some(vec![Some(0); 3]));
    // From one connection two votes are what no honest worker sends: it is missing then.
    election.handle(6 * MS, vote(1, 1));
    let actions = election.handle(6 * MS, vote(1, 1));
    assert!(actions.contains(&Action::Cut { row: 1, connection: 1, why: Cut::Rubbish }), "{actions:?}");
}

/// Rows × window votes are kept, however far ahead the fast rows are.
#[test]
fn the_window_holds_the_fast_back() {
    let rules = Rules { blocks: 100, window: 3, wait: Wait::All, ..rules(3, 1, 0) };
    let mut election = joined(rules);
    let mut taken = BTreeMap::<usize, usize>::new();
    for block in 0..100 {
        for row in 0..2 {
            if election.place(row, row as u64, 0, block) == Place::Now {
                let vote = Event::Voted { row, connection: row as u64, step: 0, block, vote: 0 };
                election.handle(MS, vote);
                *taken.entry(row).or_default() += 1;
            }
        }
    }
    assert_eq!(taken, BTreeMap::from([(0, 3), (1, 3)]));
    assert_eq!(election.place(0, 0, 0, 3), Place::Later);
    // The slow row's first block moves the window by one.
    election.handle(2 * MS, Event::Voted { row: 2, connection: 2, step: 0, block: 0, vote: 0 });
    assert_eq!(election.place(0, 0, 0, 3), Place::Now);
    assert_eq!(election.place(0, 0, 0, 4), Place::Later);
    assert_eq!(election.place(0, 0, 0, 0), Place::Late);
    assert_eq!(election.place(0, 0, 0, 100), Place::Wrong);
    assert_eq!(election.place(0, 0, 1, 0), Place::Wrong);
}

#[test]
fn a_named_row_is_left_out_where_that_is_asked_for_and_gives_its_place_to_missing_ones() {
    // Radius 2, two declared liars: none may miss.
    let rules = Rules { wait: Wait::Quorum, quarantine: true, ..rules(5, 2, 2) };
    let mut election = joined(rules);
    let actions = election.handle(MS, Event::Named { row: 3 });
    assert!(actions.contains(&Action::Cut { row: 3, connection: 3, why: Cut::Named }));
    // Now one lies and two may miss: the named one and another.
    for row in 0..2 {
        assert!(closed(&election.handle(MS, vote(row, 0))).is_empty());
    }
    assert_eq!(closed(&election.handle(MS, vote(2, 0))), [(0, 3, true)]);
    let refused = election.handle(100 * MS, Event::Joined { row: 3, connection: 8 });
    assert_eq!(refused, [Action::Cut { row: 3, connection: 8, why: Cut::Named }]);
}

#[test]
fn the_newest_connection_of_a_row_speaks_for_it() {
    let mut election = joined(rules(3, 1, 0));
    let actions = election.handle(MS, Event::Joined { row: 1, connection: 7 });
    let replaced = Action::Cut { row: 1, connection: 1, why: Cut::Replaced };
    assert_eq!(actions, [replaced, Action::Welcome { row: 1, connection: 7, step: 0 }]);
    assert_eq!(election.place(1, 1, 0, 0), Place::Late);
    // Whoever has the row's certificate twice does not make it flap.
    let soon = election.handle(2 * MS, Event::Joined { row: 1, connection: 8 });
    assert!(soon.iter().any(|action| matches!(action, Action::Welcome { .. })));
    let soon = election.handle(3 * MS, Event::Joined { row: 1, connection: 9 });
    assert!(matches!(soon[..], [Action::Cut { connection: 9, why: Cut::TooSoon(_), .. }]), "{soon:?}");
}

/// The time in which nobody can work is nobody's: while the server itself is busy, no deadline passes.
#[test]
fn a_step_begins_when_all_were_told_of_the_one_before() {
    let mut election = joined(Rules { wait: Wait::All, patience: 100 * MS, ..rules(3, 1, 1) });
    for row in 0..3 {
        election.handle(MS, vote(row, 0));
    }
    assert_eq!(election.step(), 1);
    // The server took long to say what came of step 0.
    election.handle(90 * MS, Event::Begun);
    assert_eq!(election.wake(), Some(190 * MS));
    // What has all votes that it needs waits no longer for that.
    let mut election = joined(Rules { wait: Wait::Soft(20 * MS), patience: 100 * MS, ..rules(3, 1, 0) });
    election.handle(MS, vote(0, 0));
    election.handle(5 * MS, Event::Begun);
    assert_eq!(election.wake(), Some(21 * MS));
}

/// Votes that are thrown away unread are counted for who sent them, and for nobody who does not speak for the row.
#[test]
fn late_votes_are_counted() {
    let mut election = joined(rules(3, 1, 0));
    election.handle(MS, Event::Late { row: 1, connection: 1 });
    election.handle(MS, Event::Late { row: 1, connection: 7 });
    election.handle(MS, Event::Late { row: 9, connection: 1 });
    assert_eq!(election.rows().iter().map(|row| row.late).collect::<Vec<_>>(), [0, 1, 0]);
}

fn fixed(rules: Rules) -> Election<u64> {
    joined(Rules {
        seats: Seats::Fixed,
        wait: Wait::All,
        patience: 100 * MS,
        on_excess: OnExcess::Warn,
        ..rules
    })
}

/// A row that is silent for the whole patience is told to go, costs that once, and is never heard again.
#[test]
fn who_misses_the_patience_of_a_fixed_seat_is_out_for_good() {
    let mut election = fixed(rules(5, 2, 1));
    for row in 0..4 {
        assert!(election.handle(MS, vote(row, 0)).is_empty());
    }
    let actions = election.handle(100 * MS, Event::Tick);
    assert_eq!(
        actions[..2],
        [Action::Lost { row: 4, step: 0 }, Action::Cut { row: 4, connection: 4, why: Cut::Out }]
    );
    assert_eq!(closed(&actions), [(0, 4, true)]);
    assert!(election.handle(101 * MS, vote(4, 1)).is_empty());
    let back = election.handle(101 * MS, Event::Joined { row: 4, connection: 9 });
    assert_eq!(back, [Action::Cut { row: 4, connection: 9, why: Cut::Out }]);
    for step in 1..50 {
        for row in 0..4 {
            election.handle(102 * MS, vote(row, step));
        }
        assert_eq!(election.step(), step + 1, "nobody waits for it");
    }
    assert!(election.rows()[4].out && !election.rows()[4].awaited);
}

/// Nobody can bring what is missing: beyond the proof a step closes as soon as all who are left have spoken.
#[test]
fn fixed_seats_wait_for_nobody_who_cannot_come() {
    let mut election = fixed(rules(5, 1, 1));
    assert_eq!(
        election.handle(MS, Event::Left { row: 1, connection: 1 }),
        [Action::Lost { row: 1, step: 0 }]
    );
    for row in [0, 2, 3] {
        assert!(election.handle(MS, vote(row, 0)).is_empty());
    }
    assert_eq!(closed(&election.handle(MS, vote(4, 0))), [(0, 4, false)]);
    for row in [0, 2, 3] {
        assert_eq!(election.handle(2 * MS, Event::Left { row, connection: row as u64 }).len(), 1);
    }
    let last = election.handle(2 * MS, Event::Left { row: 4, connection: 4 });
    assert_eq!(last, [Action::Lost { row: 4, step: 1 }, Action::Stop { step: 1, missing: 5, may_miss: 0 }]);
}

/// On a fixed seat rubbish is a missing vote in its step and nothing after it, and the first vote stands.
#[test]
fn rubbish_on_a_fixed_seat_is_one_missing_vote() {
    let mut election = fixed(rules(3, 1, 0));
    // A vote of the step after, and one too many: neither is taken.
    assert!(election.handle(MS, vote(0, 1)).is_empty());
    assert!(election.handle(MS, vote(0, 0)).is_empty());
    let again = Event::Voted { row: 0, connection: 0, step: 0, block: 0, vote: 99 };
    assert!(election.handle(MS, again).is_empty());
    assert!(election.handle(MS, Event::Rubbish { row: 0, connection: 0 }).is_empty());
    assert!(election.handle(MS, vote(1, 0)).is_empty());
    let votes = |actions: &[Action<u64>]| match actions {
        [Action::Close { votes, verified: true, .. }] => votes.clone(),
        other => panic!("{other:?}"),
    };
    // Row 2 sends rubbish, and then its vote: it has spoken already.
    assert_eq!(
        votes(&election.handle(MS, Event::Rubbish { row: 2, connection: 2 })),
        [Some(0), Some(0), None]
    );
    assert!(election.handle(MS, vote(2, 0)).is_empty());
    // In the next step it votes as all do.
    for row in 0..2 {
        assert!(election.handle(2 * MS, vote(row, 1)).is_empty());
    }
    assert_eq!(votes(&election.handle(2 * MS, vote(2, 1))), [Some(1); 3]);
}
