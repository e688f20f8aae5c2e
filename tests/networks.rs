//! Promise: networks are those of the paper, their gradients are slopes, liars within the radius change no bit,
//! an interrupted run goes on to the same bits, and a GPU's tensor operations vote as the vote engine does.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Mutex;

use ecode::code::{AllocationMatrix, Claim, TieRule};
use ecode::construct::{algorithm1, cyclic, uncoded};
use ecode::train::data::{Data, DataSource, Features, ImageShape, Samples};
use ecode::train::model::{Job, Learner, Network};
use ecode::train::{
    Aggregator, Attack, ByzantineSet, Config, Device, ModelKind, MomentumAt, Purpose, State, Trainer,
    TrainingCode, stream,
};
use ecode::verify::{Control, Method, VerifiedCode};
use rand_chacha::rand_core::Rng as _;

/// Made-up images: each class has a pattern of its own, under noise.
fn images(channels: usize, size: usize, train: usize, test: usize) -> Data {
    let width = channels * size * size;
    let mut random = stream(7, Purpose::Synthetic, 0, 0);
    let patterns: Vec<u8> = (0..10 * width).map(|_| random.next_u32() as u8).collect();
    let mut samples = |count: usize, augment| {
        let labels: Vec<u16> = (0..count).map(|i| (i % 10) as u16).collect();
        let pixel = |label: u16, i: usize, noise: u32| {
            (u32::from(patterns[usize::from(label) * width + i]) / 2 + noise % 128) as u8
        };
        let rows = labels.iter().flat_map(|&label| (0..width).map(move |i| (label, i)));
        let pixels = rows.map(|(label, i)| pixel(label, i, random.next_u32() >> 8)).collect();
        let (mean, deviation) = (vec![0.5; channels], vec![0.25; channels]);
        let shape = ImageShape { channels, height: size, width: size, mean, deviation, augment };
        Samples { features: Features::Images { shape, pixels }, labels }
    };
    let train = samples(train, true);
    Data { train, test: samples(test, false), classes: 10 }
}

fn code(matrix: AllocationMatrix, b: usize) -> TrainingCode {
    under(TieRule::Abstain, matrix, b)
}

fn under(ties: TieRule, matrix: AllocationMatrix, b: usize) -> TrainingCode {
    let claim = Claim { matrix, b, ties };
    let code = VerifiedCode::verify(claim, Method::Auto, &Control::default()).unwrap().code().unwrap();
    TrainingCode::verified(code, "code")
}

/// The state after all steps.
fn trained(config: &Config, code: &TrainingCode, data: &Data) -> Trainer {
    let mut trainer = Trainer::new(config.clone(), code.clone(), data.clone()).unwrap();
    while !trainer.finished() {
        trainer.advance().unwrap();
    }
    trainer
}

fn bits(state: &State) -> Vec<u32> {
    let lists = [&state.parameters, &state.velocity].into_iter().chain(&state.momentum);
    let lists = lists.chain(state.model.iter().map(|(_, values)| values));
    lists.flatten().map(|value| value.to_bits()).collect()
}

fn config(model: ModelKind) -> Config {
    Config {
        model,
        device: Device::Cpu,
        steps: Some(3),
        batch: 4,
        seed: 3,
        data: DataSource::Synthetic,
        ..Config::default()
    }
}

#[test]
fn networks_have_the_parameters_of_their_papers() {
    let cifar = images(3, 32, 10, 10);
    let count = |kind, data: &Data| Network::new(kind, Device::Cpu, data).unwrap().dimension();
    assert_eq!(count(ModelKind::Resnet18, &cifar), 11_173_962);
    assert_eq!(count(ModelKind::Resnet50, &cifar), 23_520_842);
    // 16·9 + 16, 32·16·9 + 32, 128·(32·7·7) + 128, 10·128 + 10.
    assert_eq!(count(ModelKind::Cnn, &images(1, 28, 10, 10)), 160 + 4640 + 200_832 + 1290);
}

/// Along its own direction a gradient's slope is its length; with the pieces in a wrong order it is not.
#[test]
fn gradients_are_slopes() {
    let data = images(3, 8, 40, 10);
    for (kind, flip_labels) in [
        (ModelKind::Cnn, false),
        (ModelKind::Cnn, true),
        (ModelKind::Resnet18, false),
        (ModelKind::Resnet50, false),
    ] {
        let mut model = Network::new(kind, Device::Cpu, &data).unwrap();
        let parameters = model.initial(1);
        let samples: Vec<u32> = (0..16).collect();
        let job = Job { samples: &samples, crops: &[], flip_labels };
        let gradient = Mutex::new(Vec::new());
        let take = |_: usize, pieces: &mut [&mut [f32]]| *gradient.lock().unwrap() = pieces.concat();
        model.gradients(&parameters, &data.train, &[job], &take).unwrap();
        let gradient = gradient.into_inner().unwrap();
        assert_eq!(gradient.len(), parameters.len());
        let length = gradient.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        // The loss moves by about 0.01.
        let step = 0.005 / (length * length);
        let mut loss = |sign: f64| {
            let move_by = |(p, g): (&f32, &f32)| (f64::from(*p) + sign * step * f64::from(*g)) as f32;
            let moved: Vec<f32> = parameters.iter().zip(&gradient).map(move_by).collect();
            model.gradients(&moved, &data.train, &[job], &|_, _| ()).unwrap()[0].loss
        };
        let slope = (loss(1.0) - loss(-1.0)) / (2.0 * step) / length;
        assert!((slope / length - 1.0).abs() < 0.05, "{kind:?}: slope {slope}, length {length}");
    }
}

#[test]
fn tolerated_liars_change_no_bit_of_a_residual_network() {
    let data = images(3, 8, 60, 10);
    let code = code(algorithm1(5, 1).unwrap(), 1);
    let of = |attack, byzantine| {
        let config =
            Config { attack, byzantine: Some(byzantine), audit: true, ..config(ModelKind::Resnet18) };
        bits(&trained(&config, &code, &data).snapshot().unwrap())
    };
    let honest = of(Attack::Reverse, 0);
    for attack in [Attack::Omniscient, Attack::LabelFlip] {
        assert!(of(attack, 1) == honest, "{attack:?}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let data = images(3, 8, 120, 300);
    let code = code(algorithm1(5, 1).unwrap(), 1);
    for model in [ModelKind::Cnn, ModelKind::Resnet18] {
        let reached = [1, 2, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            // What libtorch would take on a machine with so many cores.
            pool.broadcast(|_| ecode::train::tch::set_num_threads(threads as i32));
            pool.install(|| {
                let mut trainer = trained(&Config { batch: 16, ..config(model) }, &code, &data);
                let tested = trainer.evaluate().unwrap();
                (
                    bits(&trainer.snapshot().unwrap()),
                    tested.test_loss.to_bits(),
                    tested.test_accuracy.to_bits(),
                )
            })
        });
        assert!(reached[0] == reached[1] && reached[1] == reached[2], "{model:?}");
    }
}

#[test]
fn a_residual_network_goes_on_to_the_same_bits() {
    let data = images(3, 8, 60, 10);
    let code = code(uncoded(3).unwrap(), 0);
    for momentum_at in [MomentumAt::Server, MomentumAt::Worker] {
        let whole =
            Config { steps: Some(4), momentum_at, gradient_noise: 1e-6, ..config(ModelKind::Resnet18) };
        let expected = trained(&whole, &code, &data).snapshot().unwrap();
        let mut first = Trainer::new(whole.clone(), code.clone(), data.clone()).unwrap();
        first.advance().unwrap();
        first.advance().unwrap();
        let saved = first.snapshot().unwrap();
        let mut second = Trainer::new(whole, code.clone(), data.clone()).unwrap();
        second.restore(saved).unwrap();
        while !second.finished() {
            // A test in between must not matter.
            second.evaluate().unwrap();
            second.advance().unwrap();
        }
        let reached = second.snapshot().unwrap();
        assert!(!expected.model.is_empty() && bits(&reached) == bits(&expected), "{momentum_at:?}");
    }
}

/// The operations that run on a GPU, here on the CPU, against the vote engine: every attack, every tie rule,
/// even and odd loads and numbers of workers, both places of momentum, noise and decay.
#[test]
fn tensor_operations_vote_as_the_engine_does() {
    let data = images(1, 8, 60, 10);
    let even = || TrainingCode::unverified(cyclic(5, 2).unwrap(), None, "even");
    let both_even = || TrainingCode::unverified(cyclic(6, 2).unwrap(), None, "even");
    let attacks = [
        Attack::None,
        Attack::Reverse,
        Attack::Random,
        Attack::Constant,
        Attack::Omniscient,
        Attack::LabelFlip,
        Attack::Alie,
        Attack::OptAlie,
        Attack::MinSum,
        Attack::Gaussian,
    ];
    let mut wrong = 0;
    for ties in [TieRule::Adversarial, TieRule::Zero, TieRule::One, TieRule::Abstain] {
        for code in &[under(ties, algorithm1(5, 1).unwrap(), 1), even(), both_even()] {
            for (place, &attack) in attacks.iter().enumerate() {
                let base = Config {
                    attack,
                    ties,
                    byzantine: Some(2),
                    byzantine_set: ByzantineSet::RandomPerStep,
                    momentum_at: if place % 2 == 0 { MomentumAt::Server } else { MomentumAt::Worker },
                    gradient_noise: if place % 3 == 0 { 1e-4 } else { 0.0 },
                    weight_decay: 0.01,
                    ..config(ModelKind::Cnn)
                };
                let mut host = trained(&base, code, &data);
                let mut tensors = trained(&Config { device: Device::Tensors, ..base }, code, &data);
                let (host, tensors) = (host.snapshot().unwrap(), tensors.snapshot().unwrap());
                assert!(bits(&host) == bits(&tensors), "{attack:?}, {ties:?}");
                assert_eq!(host.totals.wrong, tensors.totals.wrong);
                wrong += host.totals.wrong;
            }
        }
    }
    assert!(wrong > 0, "no attack had any effect");
}

/// Under attack, with a code that tolerates it.
#[test]
fn networks_learn() {
    let mut data = images(1, 8, 400, 100);
    // Images of eight pixels do not survive shifts by four.
    if let Features::Images { shape, .. } = &mut data.train.features {
        shape.augment = false;
    }
    let code = code(algorithm1(5, 1).unwrap(), 1);
    for (model, steps, lr) in [(ModelKind::Cnn, 60, 1e-3), (ModelKind::Resnet18, 20, 1e-4)] {
        let config = Config { steps: Some(steps), batch: 8, lr: Some(lr), ..config(model) };
        let metrics = trained(&config, &code, &data).evaluate().unwrap();
        assert!(metrics.test_accuracy > 0.8 && metrics.verified, "{model:?}: {metrics:?}");
    }
}

#[test]
fn what_cannot_be_computed_is_said_in_one_line() {
    let numbers = DataSource::Synthetic.load().unwrap();
    let error = Network::new(ModelKind::Cnn, Device::Cpu, &numbers).unwrap_err().to_string();
    assert_eq!(error, "model cnn learns from images: data mnist:DIR or cifar10:DIR");
    let error = Network::new(ModelKind::Cnn, Device::Cuda(9), &images(1, 8, 10, 10)).unwrap_err().to_string();
    assert!(error.starts_with("device cuda:9: ") && error.lines().count() == 1, "{error}");
    let gradients =
        Config { aggregator: Aggregator::Median, device: Device::Tensors, ..config(ModelKind::Cnn) };
    // Aggregators of gradients work on the host, whatever the device.
    trained(&gradients, &code(uncoded(3).unwrap(), 0), &images(1, 8, 60, 10));
}
