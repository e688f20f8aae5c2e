//! Multinomial logistic regression, gradient in closed form.

use rayon::prelude::*;

use super::learner::{Computed, Evaluation, Job, Learner, ModelError, Take};
use crate::clock::ThreadClock;
use crate::data::{Crop, Data, Features, PixelScale, Samples};

/// Samples that one task evaluates: fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 256;

/// Logits linear in the features, with a bias; one logit a class, or a single one for two classes.
///
/// Parameters: for each feature its weight to each logit, then the biases. All start at zero.
#[derive(Clone, Debug)]
pub struct Logistic {
    width: usize,
    logits: usize,
    classes: usize,
    /// What the pixels of the training images are as numbers.
    scale: Option<PixelScale>,
}

/// The features of a sample that are not zero, with the bias: their places in increasing order, and their values.
type Active = Vec<(usize, f32)>;

impl Logistic {
    /// The model for some data.
    #[must_use]
    pub fn new(data: &Data) -> Self {
        let logits = if data.classes == 2 { 1 } else { data.classes };
        let scale = match &data.train.features {
            Features::Images { shape, .. } => Some(PixelScale::new(shape)),
            Features::Dense { .. } | Features::OneHot { .. } => None,
        };
        Self { width: data.train.width(), logits, classes: data.classes, scale }
    }

    /// Reads a sample: its features that are not zero, once for both passes.
    fn read(&self, data: &Samples, sample: usize, crop: Crop, row: &mut Vec<f32>, active: &mut Active) {
        active.clear();
        let mut keep = |(index, &value): (usize, &f32)| {
            if value != 0.0 {
                active.push((index, value));
            }
        };
        match (&data.features, &self.scale) {
            (Features::OneHot { active: ones, indices, .. }, _) => {
                let indices = &indices[sample * ones..(sample + 1) * ones];
                let seen = indices.iter().take_while(|&&index| index != u32::MAX);
                active.extend(seen.map(|&index| (index as usize, 1.0)));
            }
            (Features::Dense { width, values }, _) => {
                values[sample * width..(sample + 1) * width].iter().enumerate().for_each(keep);
            }
            (Features::Images { shape, pixels }, Some(scale))
                if scale.is_of(shape) && crop == Crop::default() =>
            {
                let size = self.width;
                scale.each(&pixels[sample * size..(sample + 1) * size], |index, value| keep((index, &value)));
            }
            (Features::Images { .. }, _) => {
                row.resize(self.width, 0.0);
                data.write_row(sample, crop, row);
                row.iter().enumerate().for_each(keep);
            }
        }
        active.push((self.width, 1.0));
    }

    /// Turns logits into the loss's derivatives by them, probabilities less one at the label, and returns
    /// the loss.
    fn derive(&self, logits: &mut [f32], label: usize) -> f64 {
        if self.classes == 2 {
            // Class 1 has the logit z, class 0 none: loss = log(1 + e^∓z), stable for any z.
            let z = if label == 1 { -logits[0] } else { logits[0] };
            let loss = f64::from(z.max(0.0)) + f64::from(-z.abs()).exp().ln_1p();
            let slope = 1.0 / (1.0 + (-z).exp());
            logits[0] = if label == 1 { -slope } else { slope };
            return loss;
        }
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let chosen = f64::from(logits[label] - largest);
        let mut sum = 0.0_f32;
        for logit in &mut *logits {
            *logit = (*logit - largest).exp();
            sum += *logit;
        }
        for logit in &mut *logits {
            *logit /= sum;
        }
        logits[label] -= 1.0;
        f64::from(sum).ln() - chosen
    }

    /// One job: writes the gradient and returns the mean loss.
    fn gradient(&self, parameters: &[f32], data: &Samples, job: &Job<'_>, gradient: &mut [f32]) -> f64 {
        let (mut row, mut active) = (Vec::new(), Vec::new());
        let mut logits = vec![0.0; self.logits];
        let scale = 1.0 / job.samples.len() as f32;
        let mut loss = 0.0;
        for (place, &sample) in job.samples.iter().enumerate() {
            let sample = sample as usize;
            let crop = job.crops.get(place).copied().unwrap_or_default();
            self.read(data, sample, crop, &mut row, &mut active);
            forward(parameters, &active, &mut logits);
            let label = usize::from(data.labels[sample]);
            loss += self.derive(&mut logits, if job.flip_labels { self.classes - 1 - label } else { label });
            backward(gradient, &active, &logits);
        }
        for slope in gradient {
            *slope *= scale;
        }
        loss / job.samples.len() as f64
    }
}

/// Writes a sample's logits.
fn forward(parameters: &[f32], active: &Active, logits: &mut [f32]) {
    match <&mut [f32; 10]>::try_from(&mut *logits) {
        Ok(logits) => forward_ten(parameters, active, logits),
        Err(_) => forward_any(parameters, active, logits),
    }
}

/// Ten logits stay in registers.
fn forward_ten(parameters: &[f32], active: &Active, logits: &mut [f32; 10]) {
    *logits = [0.0; 10];
    let weights = parameters.as_chunks::<10>().0;
    for &(index, value) in active {
        logits.iter_mut().zip(&weights[index]).for_each(|(logit, weight)| *logit += value * weight);
    }
}

fn forward_any(parameters: &[f32], active: &Active, logits: &mut [f32]) {
    logits.fill(0.0);
    for &(index, value) in active {
        let weights = &parameters[index * logits.len()..(index + 1) * logits.len()];
        logits.iter_mut().zip(weights).for_each(|(logit, weight)| *logit += value * weight);
    }
}

/// Adds to the slopes of each active feature's weights value · derivative.
fn backward(gradient: &mut [f32], active: &Active, derivatives: &[f32]) {
    match <&[f32; 10]>::try_from(derivatives) {
        Ok(derivatives) => backward_ten(gradient, active, derivatives),
        Err(_) => backward_any(gradient, active, derivatives),
    }
}

fn backward_ten(gradient: &mut [f32], active: &Active, derivatives: &[f32; 10]) {
    let slopes = gradient.as_chunks_mut::<10>().0;
    for &(index, value) in active {
        slopes[index]
            .iter_mut()
            .zip(derivatives)
            .for_each(|(slope, derivative)| *slope += value * derivative);
    }
}

fn backward_any(gradient: &mut [f32], active: &Active, derivatives: &[f32]) {
    for &(index, value) in active {
        let slopes = &mut gradient[index * derivatives.len()..(index + 1) * derivatives.len()];
        slopes.iter_mut().zip(derivatives).for_each(|(slope, derivative)| *slope += value * derivative);
    }
}

impl Learner for Logistic {
    fn name(&self) -> &'static str {
        "logistic"
    }

    fn dimension(&self) -> usize {
        (self.width + 1) * self.logits
    }

    fn initial(&self, _seed: u64) -> Vec<f32> {
        vec![0.0; self.dimension()]
    }

    fn gradients(
        &mut self,
        parameters: &[f32],
        train: &Samples,
        jobs: &[Job<'_>],
        take: Take<'_>,
    ) -> Result<Vec<Computed>, ModelError> {
        let this = &*self;
        let compute = |room: &mut Vec<f32>, (place, job): (usize, &Job<'_>)| {
            let clock = ThreadClock::start();
            room.clear();
            room.resize(this.dimension(), 0.0);
            let loss = this.gradient(parameters, train, job, room);
            let seconds = clock.seconds();
            take(place, &mut [room.as_mut_slice()]);
            Computed { loss, seconds }
        };
        Ok(jobs.par_iter().enumerate().map_init(Vec::new, compute).collect())
    }

    fn evaluate(&mut self, parameters: &[f32], test: &Samples) -> Result<Evaluation, ModelError> {
        let this = &*self;
        let samples: Vec<usize> = (0..test.len()).collect();
        let parts: Vec<(f64, usize, Vec<f32>)> = samples
            .par_chunks(CHUNK)
            .map(|chunk| {
                let (mut row, mut active, mut logits) = (Vec::new(), Vec::new(), vec![0.0; this.logits]);
                let (mut loss, mut right, mut scores) = (0.0, 0, Vec::new());
                for &sample in chunk {
                    this.read(test, sample, Crop::default(), &mut row, &mut active);
                    forward(parameters, &active, &mut logits);
                    let label = usize::from(test.labels[sample]);
                    let class = if this.classes == 2 {
                        scores.push(logits[0]);
                        usize::from(logits[0] > 0.0)
                    } else {
                        // The first of the largest.
                        (1..this.logits).fold(0, |a, b| if logits[b] > logits[a] { b } else { a })
                    };
                    right += usize::from(class == label);
                    loss += this.derive(&mut logits, label);
                }
                (loss, right, scores)
            })
            .collect();
        let count = test.len().max(1) as f64;
        let loss = parts.iter().map(|part| part.0).sum::<f64>() / count;
        let accuracy = parts.iter().map(|part| part.1).sum::<usize>() as f64 / count;
        let scores: Vec<f32> = parts.into_iter().flat_map(|part| part.2).collect();
        let auc = (self.classes == 2).then(|| area(&scores, &test.labels)).flatten();
        Ok(Evaluation { loss, accuracy, auc })
    }
}

/// The area under the curve by the rank sum; nothing where a class has no sample or a score is no number.
fn area(scores: &[f32], labels: &[u16]) -> Option<f64> {
    if scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    // Adding zero makes −0 the same as +0.
    let scores: Vec<f32> = scores.iter().map(|score| score + 0.0).collect();
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let positive = labels.iter().filter(|&&label| label == 1).count();
    let negative = labels.len() - positive;
    // Twice the number of pairs ranked right, ties counting half.
    let (mut twice, mut below) = (0_u64, 0_u64);
    for tied in order.chunk_by(|&a, &b| scores[a].total_cmp(&scores[b]).is_eq()) {
        let ones = tied.iter().filter(|&&i| labels[i] == 1).count() as u64;
        let zeros = tied.len() as u64 - ones;
        twice += ones * (2 * below + zeros);
        below += zeros;
    }
    (positive > 0 && negative > 0).then(|| twice as f64 / (2 * positive * negative) as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::ImageShape;

    fn samples(width: usize, classes: u16, rows: &[f32]) -> Samples {
        let labels = (0..rows.len() / width).map(|i| (i * 7 % usize::from(classes)) as u16).collect();
        Samples { features: Features::Dense { width, values: rows.to_vec() }, labels }
    }

    proptest! {
        /// The closed form is the slope of the loss, by central differences.
        #[test]
        fn the_gradient_is_the_derivative(
            rows in prop::collection::vec(-2.0_f32..2.0, 12),
            weights in prop::collection::vec(-1.0_f32..1.0, 20),
            classes in 2_u16..5,
            flip_labels: bool,
        ) {
            let train = samples(3, classes, &rows);
            let data = Data { train: train.clone(), test: train.clone(), classes: usize::from(classes) };
            let model = Logistic::new(&data);
            let parameters = &weights[..model.dimension()];
            let job = Job { samples: &[0, 1, 2, 3], crops: &[], flip_labels };
            let mut gradient = vec![0.0; model.dimension()];
            model.gradient(parameters, &train, &job, &mut gradient);
            for place in 0..model.dimension() {
                let loss = |step: f32| {
                    let mut moved = parameters.to_vec();
                    moved[place] += step;
                    model.gradient(&moved, &train, &job, &mut vec![0.0; model.dimension()])
                };
                let slope = (loss(1e-2) - loss(-1e-2)) / 2e-2;
                prop_assert!((slope - f64::from(gradient[place])).abs() < 2e-3, "{slope} {}", gradient[place]);
            }
        }

        /// Rank sum against all pairs.
        #[test]
        fn the_area_counts_pairs(samples in prop::collection::vec((-3_i8..4, 0_u16..2), 1..30)) {
            let scores: Vec<f32> = samples.iter().map(|sample| f32::from(sample.0)).collect();
            let labels: Vec<u16> = samples.iter().map(|sample| sample.1).collect();
            let pairs: Vec<f64> = (0..scores.len())
                .flat_map(|a| (0..scores.len()).map(move |b| (a, b)))
                .filter(|&(a, b)| labels[a] == 1 && labels[b] == 0)
                .map(|(a, b)| match scores[a].total_cmp(&scores[b]) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                })
                .collect();
            let expected = (!pairs.is_empty()).then(|| pairs.iter().sum::<f64>() / pairs.len() as f64);
            prop_assert_eq!(area(&scores, &labels), expected);
        }
    }

    #[test]
    fn one_hot_features_are_the_dense_ones() {
        let dense = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let dense =
            Samples { features: Features::Dense { width: 4, values: dense.to_vec() }, labels: vec![1, 0] };
        let hot = Features::OneHot { width: 4, active: 2, indices: vec![0, 2, 1, u32::MAX] };
        let hot = Samples { features: hot, labels: vec![1, 0] };
        let data = Data { train: hot.clone(), test: hot.clone(), classes: 2 };
        let mut model = Logistic::new(&data);
        let parameters = [0.3, -0.2, 0.7, 0.1, -0.4];
        let job = Job { samples: &[0, 1], crops: &[], flip_labels: false };
        let of = |samples: &Samples| {
            let mut gradient = vec![0.0; 5];
            let loss = model.gradient(&parameters, samples, &job, &mut gradient);
            (loss, gradient)
        };
        assert_eq!(of(&dense), of(&hot));
        assert_eq!(model.evaluate(&parameters, &dense), model.evaluate(&parameters, &hot));
    }
    /// Ten logits, of images looked up in a table or moved, are those of the rows of numbers, and the same bits as with the
    /// loops for any number of logits.
    #[test]
    fn ten_logits_of_images_are_those_of_their_rows() {
        let shape = ImageShape {
            channels: 1,
            height: 5,
            width: 5,
            mean: vec![0.25],
            deviation: vec![0.5],
            augment: true,
        };
        let pixels: Vec<u8> = (0..4 * 25_u32).map(|i| (i * i % 251) as u8).collect();
        let labels = vec![3, 0, 9, 3];
        let images = Samples { features: Features::Images { shape, pixels }, labels: labels.clone() };
        let model = Logistic::new(&Data { train: images.clone(), test: images.clone(), classes: 10 });
        let parameters: Vec<f32> = (0..model.dimension()).map(|i| (i * 7 % 31) as f32 / 31.0 - 0.5).collect();
        for crop in [Crop::default(), Crop { down: 1, right: -2, flip: true }] {
            let crops = [crop; 4];
            let mut values = vec![0.0; 100];
            values.chunks_mut(25).enumerate().for_each(|(sample, row)| images.write_row(sample, crop, row));
            let rows = Samples { features: Features::Dense { width: 25, values }, labels: labels.clone() };
            let of = |samples: &Samples, crops: &[Crop]| {
                let mut gradient = vec![0.0; model.dimension()];
                let job = Job { samples: &[2, 0, 1, 3], crops, flip_labels: false };
                let loss = model.gradient(&parameters, samples, &job, &mut gradient);
                (loss.to_bits(), gradient.into_iter().map(f32::to_bits).collect::<Vec<_>>())
            };
            assert_eq!(of(&images, &crops), of(&rows, &[]));
            let (mut row, mut active) = (Vec::new(), Vec::new());
            model.read(&images, 1, crop, &mut row, &mut active);
            let (mut ten, mut any) = ([0.5; 10], [0.5; 10]);
            forward_ten(&parameters, &active, &mut ten);
            forward_any(&parameters, &active, &mut any);
            assert_eq!(ten.map(f32::to_bits), any.map(f32::to_bits));
            let [mut one, mut other] = [(); 2].map(|()| vec![0.25; model.dimension()]);
            backward_ten(&mut one, &active, &ten);
            backward_any(&mut other, &active, &any);
            assert!(one.iter().zip(&other).all(|(a, b)| a.to_bits() == b.to_bits()));
            assert!(one.iter().any(|slope| slope.to_bits() != 0.25_f32.to_bits()));
        }
    }
}
