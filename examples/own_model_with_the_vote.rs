//! A model of one's own, trained by one's own loop: only the signs go through the code's vote.
//!
//! Nine workers fit four slopes by least squares. Two of them always vote against the majority. The parameters come out
//! as if nobody lied, bit for bit.

use ecode::code::{AllocationMatrix, TieRule};
use ecode::construct::algorithm1;
use ecode::train::{Bits, Conduct, VoteEngine};

/// Parameters of the model.
const D: usize = 4;
/// Samples in each partition.
const SAMPLES: usize = 8;
/// What is to be found.
const TRUTH: [f32; D] = [0.5, -1.0, 0.25, 2.0];

/// The inputs and the target of a sample: any data would do.
fn sample(partition: usize, index: usize) -> ([f32; D], f32) {
    let at = (partition * SAMPLES + index) as f32;
    let inputs = std::array::from_fn(|i| (at * (i as f32 + 1.3)).sin());
    let target = inputs.iter().zip(TRUTH).map(|(x, w)| x * w).sum();
    (inputs, target)
}

/// The gradient of the mean squared error on one partition. Every worker that holds the partition computes the same.
fn gradient(parameters: [f32; D], partition: usize) -> [f32; D] {
    let mut sum = [0.0; D];
    for index in 0..SAMPLES {
        let (inputs, target) = sample(partition, index);
        let guess: f32 = inputs.iter().zip(parameters).map(|(x, w)| x * w).sum();
        for (sum, x) in sum.iter_mut().zip(inputs) {
            *sum += 2.0 * (guess - target) * x / SAMPLES as f32;
        }
    }
    sum
}

/// Trains with these workers, and gives the parameters.
fn train(g: &AllocationMatrix, conduct: &[Conduct<'_>]) -> [f32; D] {
    let engine = VoteEngine::new(g, TieRule::Abstain);
    let mut parameters = [0.0; D];
    for step in 0..400 {
        // A message a partition: bit 1 where its gradient is negative. Each partition's gradient is computed once.
        let messages: Vec<Bits> = (0..g.k())
            .map(|partition| {
                let gradient = gradient(parameters, partition);
                Bits::from_fn(D, |i| gradient[i] < 0.0)
            })
            .collect();
        // The workers vote, the liars lie, the server decodes.
        let decoded = engine.round(&messages, conduct);
        let rate = 0.1 / (1.0 + step as f32 / 20.0);
        for (i, parameter) in parameters.iter_mut().enumerate() {
            *parameter -= rate * decoded.sign(i);
        }
    }
    parameters
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let honest = [Conduct::Honest; 9];
    let mut lying = honest;
    (lying[4], lying[8]) = (Conduct::Omniscient, Conduct::Omniscient);

    let coded = algorithm1(9, 2)?;
    let uncoded = AllocationMatrix::from_fn(9, 9, |worker, partition| worker == partition)?;
    let alone = train(&coded, &honest);
    let under_attack = train(&coded, &lying);
    println!("looked for:            {TRUTH:?}");
    println!("coded, nobody lies:    {alone:?}");
    println!("coded, two lie:        {under_attack:?}");
    println!("uncoded, two lie:      {:?}", train(&uncoded, &lying));
    assert!(
        alone.iter().zip(TRUTH).all(|(found, truth)| (found - truth).abs() < 0.05),
        "the slopes are found"
    );
    assert_eq!(alone.map(f32::to_bits), under_attack.map(f32::to_bits), "the same bits");
    Ok(())
}
