//! A machine of another kind: right, and with other bits.

use std::sync::Mutex;

use ecode_train::data::Samples;
use ecode_train::model::{Computed, Evaluation, Job, Learner, ModelError, Take};

/// Logistic regression that adds the samples' gradients from the last to the first, in single precision.
pub(crate) struct OtherOrder(pub(crate) Box<dyn Learner>);

impl Learner for OtherOrder {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn dimension(&self) -> usize {
        self.0.dimension()
    }

    fn initial(&self, seed: u64) -> Vec<f32> {
        self.0.initial(seed)
    }

    fn gradients(
        &mut self,
        parameters: &[f32],
        train: &Samples,
        jobs: &[Job<'_>],
        take: Take<'_>,
    ) -> Result<Vec<Computed>, ModelError> {
        let mut all = Vec::new();
        for (place, job) in jobs.iter().enumerate() {
            let mut sum = vec![0.0_f32; self.dimension()];
            let mut last = Computed { loss: 0.0, seconds: 0.0 };
            for sample in job.samples.iter().rev() {
                let one = Job { samples: std::slice::from_ref(sample), ..*job };
                let of = Mutex::new(Vec::new());
                let computed = self.0.gradients(parameters, train, &[one], &|_, gradient| {
                    *of.lock().unwrap() = gradient.concat();
                })?;
                last = computed[0];
                sum.iter_mut().zip(of.into_inner().unwrap()).for_each(|(sum, value)| *sum += value);
            }
            sum.iter_mut().for_each(|value| *value /= job.samples.len() as f32);
            take(place, &mut [&mut sum]);
            all.push(last);
        }
        Ok(all)
    }

    fn evaluate(&mut self, parameters: &[f32], test: &Samples) -> Result<Evaluation, ModelError> {
        self.0.evaluate(parameters, test)
    }
}
