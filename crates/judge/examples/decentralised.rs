//! A decentralised trainer: peers that nobody trusts train one network, and the roles of *verifier* and *tie-breaker* are the
//! judge's.
//!
//! In each round a coordinator assigns every partition to b + 1 peers. They sign and announce a digest of their *trace*: the
//! digests of all layers' outputs and gradients. Where two traces differ the judge asks a third peer, the tie-breaker; who was
//! wrong is named, and a certificate shows it to whoever was not there. In the last round too few peers are left for a
//! tie-breaker, and a referee computes the one layer in which two traces part.
//!
//! `cargo run -p election-coding-judge --example decentralised`

#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small numbers")]
#![allow(clippy::too_many_lines, reason = "a round is told from its beginning to its end")]

use std::collections::BTreeMap;

use ecode_judge::{
    Budget, Digest, Dispute, Event, Header, Inquiry, Judge, Next, OwnContradictions, Signer, certify,
};

/// Layers of the network, each WIDTH × WIDTH with tanh.
const LAYERS: usize = 4;
const WIDTH: usize = 8;
/// Outputs forwards, then, from the last layer on, gradients of weights.
const STAGES: usize = 2 * LAYERS;

type Vector = Vec<f32>;

fn tanh_layer(weights: &[f32], input: &[f32]) -> Vector {
    weights.chunks(WIDTH).map(|row| row.iter().zip(input).map(|(w, x)| w * x).sum::<f32>().tanh()).collect()
}

/// The data of a partition, which everybody has.
fn data(round: u64, partition: usize) -> (Vector, Vector) {
    let mut rng = fastrand::Rng::with_seed(round << 16 | partition as u64);
    let mut draw = || (0..WIDTH).map(|_| rng.f32() - 0.5).collect();
    (draw(), draw())
}

/// One stage, from the outputs of those before it. Forwards: a layer's output. Backwards: the gradient of a layer's weights, and
/// behind it that of its input, of which the next stage needs it.
fn stage(weights: &[Vector], round: u64, partition: usize, earlier: &[Vector]) -> Vector {
    let (input, target) = data(round, partition);
    let place = earlier.len();
    if place < LAYERS {
        return tanh_layer(&weights[place], earlier.last().unwrap_or(&input));
    }
    let layer = STAGES - 1 - place;
    let output = &earlier[layer];
    let above: Vector = if layer == LAYERS - 1 {
        output.iter().zip(&target).map(|(y, t)| y - t).collect()
    } else {
        earlier[place - 1][WIDTH * WIDTH..].to_vec()
    };
    let inner: Vector = above.iter().zip(output).map(|(g, y)| g * (1.0 - y * y)).collect();
    let below = if layer == 0 { &input } else { &earlier[layer - 1] };
    let gradient = inner.iter().flat_map(|g| below.iter().map(move |x| g * x));
    let back =
        (0..WIDTH).map(|c| inner.iter().zip(weights[layer].chunks(WIDTH)).map(|(g, row)| g * row[c]).sum());
    gradient.chain(back).collect()
}

/// What a peer computes; one that is wrong adds a little at one stage, and goes on from there.
fn compute(weights: &[Vector], round: u64, partition: usize, wrong_at: Option<usize>) -> Vec<Vector> {
    let mut outputs = Vec::new();
    for place in 0..STAGES {
        let mut output = stage(weights, round, partition, &outputs);
        if wrong_at == Some(place) {
            output[3] += 0.01;
        }
        outputs.push(output);
    }
    outputs
}

fn digest(header: &Header, partition: usize, vector: &[f32]) -> Digest {
    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
    header.digest(partition, &bytes)
}

/// The rounds; fails where the weights are not those of a run without faults.
///
/// # Errors
/// What went wrong.
pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (n, k, b) = (5, 5, 1);
    // (round, peer, stage): a faulty layer forwards, in the first of its partitions only; then a wrong gradient in all.
    let faults = [(1, 2, 1), (3, 4, 6)];
    let fault = |round: u64, peer: usize| faults.iter().find(|f| (f.0, f.1) == (round, peer)).map(|f| f.2);
    let signers: Vec<Signer> = (0..n).map(|peer| Signer::new([1 + peer as u8; 32])).collect();
    let mut judge = Judge::new(n, k, b, Budget::AtOnce, 0, b"network, data, learning rate")?;
    let mut weights = vec![(0..WIDTH * WIDTH).map(|i| (i % 7) as f32 / 20.0 - 0.15).collect(); LAYERS];
    let mut honest: Vec<Vector> = weights.clone();
    // In the last round two peers have left: no third one is there to break a tie.
    for (round, connected) in
        [(0, vec![0, 1, 2, 3, 4]), (1, vec![0, 1, 2, 3, 4]), (2, vec![0, 1, 3, 4]), (3, vec![3, 4])]
    {
        let header = judge.header();
        let root = |partition: usize, trace: &[Digest]| header.digest(partition, trace.as_flattened());
        let trace = |partition: usize, outputs: &[Vector]| -> Vec<Digest> {
            outputs.iter().map(|output| digest(&header, partition, output)).collect()
        };
        let holders = judge.open(&connected)?;
        let mut asked: Vec<(usize, usize)> = (holders.iter().enumerate())
            .flat_map(|(partition, list)| list.iter().map(move |&peer| (partition, peer)))
            .collect();
        let mut shown: BTreeMap<(usize, usize), Vec<Vector>> = BTreeMap::new();
        let accepted = loop {
            for (partition, peer) in asked.drain(..) {
                let due =
                    round != 1 || holders.iter().position(|list| list.contains(&peer)) == Some(partition);
                let outputs = compute(&weights, round, partition, fault(round, peer).filter(|_| due));
                let announced = root(partition, &trace(partition, &outputs));
                judge.tell(Event::Answer { worker: peer, partition, digest: announced })?;
                judge.tell(Event::Available { partition, digest: announced })?;
                shown.insert((partition, peer), outputs);
            }
            match judge.next()? {
                Next::Settled(accepted) => break accepted,
                Next::Trip { asks, .. } => {
                    for ask in &asks {
                        println!(
                            "round {round}: peer {} breaks the tie over partition {}",
                            ask.worker, ask.partition
                        );
                    }
                    asked = asks.iter().map(|ask| (ask.partition, ask.worker)).collect();
                }
                Next::Short(open) => {
                    // Nobody is left to ask: the referee computes one stage of the first open partition.
                    let partition = open[0];
                    let mut dispute = Dispute::new(STAGES, |digests: &[Digest]| root(partition, digests));
                    for (&(_, peer), outputs) in shown.iter().filter(|(key, _)| key.0 == partition) {
                        let digests = trace(partition, outputs);
                        dispute.trace(peer, root(partition, &digests), digests);
                    }
                    let right = loop {
                        match dispute.next() {
                            Inquiry::Compute { stage: place, workers } => {
                                let inputs = &shown[&(partition, workers[0])][..place];
                                let output = stage(&weights, round, partition, inputs);
                                dispute.computed(place, digest(&header, partition, &output));
                                let side = if place < LAYERS { "output" } else { "gradient" };
                                let layer = place.min(STAGES - 1 - place);
                                println!(
                                    "round {round}: the referee computes the {side} of layer {layer}, one stage of {STAGES}"
                                );
                            }
                            Inquiry::Settled { digest, .. } => break digest,
                            Inquiry::Nobody => return Err("nobody's trace follows from itself".into()),
                        }
                    };
                    judge.tell(Event::Referee { partition, digest: right })?;
                }
                other => return Err(format!("{other:?}").into()),
            }
        };
        let settlement = judge.settlement().ok_or("a step is open")?;
        for named in settlement.named() {
            println!("round {round}: peer {} is named ({})", named.worker, named.evidence);
        }
        let signed = |peer: usize, partition: usize, digest: &Digest, of_vector: bool| {
            Some((signers[peer].key(), signers[peer].sign(&header, partition, digest, of_vector)))
        };
        for certificate in certify(settlement, &header, b, &OwnContradictions::default(), &signed) {
            certificate.check()?;
            println!(
                "round {round}: a certificate with {} signatures shows it",
                certificate.statements.len()
            );
        }
        // The accepted gradients move the weights; so do, beside it, those of a run without faults.
        let step = |weights: &mut Vec<Vector>, outputs: &dyn Fn(usize) -> Vec<Vector>| {
            let gradients: Vec<Vec<Vector>> = (0..k).map(outputs).collect();
            for (layer, matrix) in weights.iter_mut().enumerate() {
                for (place, weight) in matrix.iter_mut().enumerate() {
                    let sum: f32 = gradients.iter().map(|outputs| outputs[STAGES - 1 - layer][place]).sum();
                    *weight -= 0.1 * sum;
                }
            }
        };
        let before = honest.clone();
        step(&mut honest, &|partition| compute(&before, round, partition, None));
        step(&mut weights, &|partition| {
            let right = |(key, outputs): &(&(usize, usize), &Vec<Vector>)| {
                key.0 == partition && root(partition, &trace(partition, outputs)) == accepted[partition]
            };
            shown.iter().find(right).map(|(_, outputs)| outputs.clone()).unwrap_or_default()
        });
        judge.close(accepted.as_flattened());
    }
    println!("the weights are those of a run without faults: {}", weights == honest);
    if weights == honest { Ok(()) } else { Err("the weights differ".into()) }
}
