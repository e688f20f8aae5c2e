//! Data made up: ten Gaussian clouds, for a first look and for tests that need no file.

use rand_distr::{Distribution as _, StandardNormal};

use super::super::random::{Purpose, stream};
use super::{Data, Features, Samples};

const WIDTH: usize = 64;
const CLASSES: usize = 10;

/// 5000 training and 1000 test samples in 64 dimensions; always the same ones. The clouds overlap a little.
pub(super) fn make() -> Data {
    let mut random = stream(0, Purpose::Synthetic, 0, 0);
    let mut normal = || -> f32 { StandardNormal.sample(&mut random) };
    let centres: Vec<f32> = (0..CLASSES * WIDTH).map(|_| 0.4 * normal()).collect();
    let mut samples = |count: usize| {
        let labels: Vec<u16> = (0..count).map(|i| (i % CLASSES) as u16).collect();
        let values = labels
            .iter()
            .flat_map(|&label| &centres[usize::from(label) * WIDTH..][..WIDTH])
            .map(|centre| centre + normal())
            .collect();
        Samples { features: Features::Dense { width: WIDTH, values }, labels }
    };
    let (train, test) = (samples(5000), samples(1000));
    Data { train, test, classes: CLASSES }
}
