//! One walk: files change holders, two at a time, until no set of the pool overturns more than is allowed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;

use super::request::AssignRequest;
use super::rotation::Rotation;
use crate::search::anneal::below;

/// An assignment: for each base file the workers that hold it, bit j for worker j.
pub(super) type Files = Vec<u64>;

/// Any assignment that the rotation leaves as it is: each base file goes to the cycles that hold the fewest.
pub(super) fn random_files(request: &AssignRequest, rotation: Rotation, random: &mut ChaCha8Rng) -> Files {
    let mut loads: Vec<(usize, u32, usize)> =
        (0..rotation.cycles()).map(|cycle| (0, random.next_u32(), cycle)).collect();
    let mut files = vec![0_u64; request.files / rotation.order()];
    for file in &mut files {
        for _ in 0..request.copies {
            loads.sort_unstable();
            let (load, order, cycle) = &mut loads[0];
            *file |= any(rotation.cycle(*cycle) & !*file, random);
            *load += 1;
            *order = random.next_u32();
        }
    }
    for _ in 0..20 * files.len() * request.copies {
        if let Some(change) = Change::draw(&files, rotation, random) {
            change.make(&mut files);
        }
    }
    files
}

/// What becomes of two base files, or of one.
struct Change {
    first: (usize, u64),
    second: (usize, u64),
}

impl Change {
    /// A change that leaves the numbers of copies and files as they are: two files exchange holders, with any places in
    /// their cycles, or a holder is replaced by another of its cycle. `None` where what was drawn is none.
    fn draw(files: &[u64], rotation: Rotation, random: &mut ChaCha8Rng) -> Option<Self> {
        let (i, j) = (below(random, files.len()), below(random, files.len()));
        let anybody =
            |like: u64, random: &mut ChaCha8Rng| any(rotation.cycle(rotation.cycle_of(like)), random);
        let out = any(files[i], random);
        if i == j {
            let into = anybody(out, random);
            let file = files[i] ^ out;
            return (files[i] & into == 0)
                .then_some(Self { first: (i, file | into), second: (i, file | into) });
        }
        let other = any(files[j], random);
        let (here, there) = (files[i] ^ out, files[j] ^ other);
        let (into, back) = (anybody(other, random), anybody(out, random));
        let fits =
            here & into == 0 && there & back == 0 && (here | into, there | back) != (files[i], files[j]);
        fits.then_some(Self { first: (i, here | into), second: (j, there | back) })
    }

    fn make(&self, files: &mut [u64]) {
        files[self.first.0] = self.first.1;
        files[self.second.0] = self.second.1;
    }
}

/// One of the ones of a word.
fn any(word: u64, random: &mut ChaCha8Rng) -> u64 {
    let mut left = word;
    for _ in 0..below(random, word.count_ones() as usize) {
        left &= left - 1;
    }
    left & left.wrapping_neg()
}

/// How the annealing goes.
pub(super) struct Schedule {
    pub(super) moves: u64,
    pub(super) hot: f64,
    pub(super) cold: f64,
}

/// Anneals until no set overturns more than `most` files: whether that came to pass. `files` is where it came to.
pub(super) fn anneal(
    files: &mut Files,
    rotation: Rotation,
    sets: &[u64],
    (half, most): (usize, usize),
    schedule: &Schedule,
    random: &mut ChaCha8Rng,
    stopped: &(dyn Fn() -> bool + Sync),
) -> bool {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("popcnt") && is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the features that the function is compiled for.
        return unsafe { anneal_popcnt(files, rotation, sets, (half, most), schedule, random, stopped) };
    }
    anneal_on(files, rotation, sets, (half, most), schedule, random, stopped)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt")]
fn anneal_popcnt(
    files: &mut Files,
    rotation: Rotation,
    sets: &[u64],
    limits: (usize, usize),
    schedule: &Schedule,
    random: &mut ChaCha8Rng,
    stopped: &(dyn Fn() -> bool + Sync),
) -> bool {
    anneal_on(files, rotation, sets, limits, schedule, random, stopped)
}

#[inline(always)]
fn anneal_on(
    files: &mut Files,
    rotation: Rotation,
    sets: &[u64],
    (half, most): (usize, usize),
    schedule: &Schedule,
    random: &mut ChaCha8Rng,
    stopped: &(dyn Fn() -> bool + Sync),
) -> bool {
    let (half, most) = (half as u32, most as i16);
    let overturned =
        |set: u64, files: &[u64]| files.iter().filter(|&&file| (file & set).count_ones() >= half).count();
    let whole = rotation.images(files);
    let mut counts: Vec<i16> = sets.iter().map(|&set| overturned(set, &whole) as i16).collect();
    let mut gains = vec![0_i16; sets.len()];
    let beyond = |count: i16| i64::from((count - most).max(0));
    let mut excess: i64 = counts.iter().map(|&count| beyond(count)).sum();
    let cooling = (schedule.cold / schedule.hot).ln() / schedule.moves.max(1) as f64;
    let mut temperature = schedule.hot;
    for step in 0..schedule.moves {
        if excess == 0 {
            return true;
        }
        if step % 64 == 0 {
            temperature = schedule.hot * (cooling * step as f64).exp();
            if stopped() {
                return false;
            }
        }
        let Some(change) = Change::draw(files, rotation, random) else { continue };
        let both = [change.first, change.second];
        let both = if change.first.0 == change.second.0 { &both[..1] } else { &both };
        let before = rotation.images(&both.iter().map(|&(file, _)| files[file]).collect::<Vec<_>>());
        let after = rotation.images(&both.iter().map(|&(_, file)| file).collect::<Vec<_>>());
        let mut growth = 0;
        for ((gain, &set), &count) in gains.iter_mut().zip(sets).zip(&counts) {
            *gain = overturned(set, &after) as i16 - overturned(set, &before) as i16;
            growth += beyond(count + *gain) - beyond(count);
        }
        let uniform = f64::from(random.next_u32()) / f64::from(u32::MAX);
        if growth > 0 && uniform >= (-(growth as f64) / temperature).exp() {
            continue;
        }
        for (count, gain) in counts.iter_mut().zip(&gains) {
            *count += gain;
        }
        change.make(files);
        excess += growth;
    }
    excess == 0
}
