//! A trainer that is one of n + 1 processes: how they find together, and the server's rounds.
//!
//! # What is promised
//! - Training starts only when all ranks hold the same matrix, configuration, data and version.
//! - A worker's vote is all that it can do: what it reports beside it (losses, times) is bounded, and ends nothing.

use std::time::Duration;

use super::Trainer;
use super::round::Round;
use super::update::Update;
use crate::aggregate::Aggregator;
use crate::blame::Agreement;
use crate::clock::median;
use crate::config::{Config, ConfigError, Device, MomentumAt, OnExcess};
use crate::data::{Crop, DataSource};
use crate::error::TrainError;
use crate::random::{Purpose, permutation, stream};
use crate::standing::Lost;
use crate::transport::{Deployment, Link, MAX_LOSS, Message, Patience, Server, VoteShape, Worker};
use ecode_core::Workers;
use ecode_server::{OnExcess as Excess, Rules, Seats, Wait};
use ecode_verify::Control;

/// Training samples from which a server computes the statistics of batch normalisation.
const CALIBRATION: usize = 2048;

impl Trainer {
    /// Makes this trainer one of n + 1 processes: the server checks that all ranks hold the same, and sends its
    /// state to the workers. To be called on every rank, before the first step, and on rank 0 after
    /// [`Trainer::restore`].
    ///
    /// # Errors
    /// [`TrainError::Config`] for what only one process can do, [`TrainError::Transport`] where ranks differ or
    /// do not answer, [`TrainError::Dismissed`] on a worker that is told so.
    pub fn connect(
        &mut self,
        link: Box<dyn Link>,
        patience: Patience,
        control: Control,
    ) -> Result<(), TrainError> {
        let n = self.code.matrix().n();
        if link.ranks() != n + 1 {
            let text = format!(
                "{} processes for {n} workers: a server and {n} workers are {}, as in mpirun -n {} ecode train …",
                link.ranks(),
                n + 1,
                n + 1
            );
            return Err(refused(link.rank(), TrainError::Transport(text)));
        }
        if let Err(error) = self.deployable("mpi") {
            return Err(refused(link.rank(), error.into()));
        }
        let d = self.dimension();
        let mine = self.identity();
        let deployment = if link.rank() > 0 {
            let mut worker = Worker::new(link, patience.server, control, d);
            worker.tell(&Message::Hello(mine));
            match worker.heed()? {
                Message::Start { step, parameters, velocity } => self.begin(step, parameters, velocity),
                Message::Stop(why) => return Err(TrainError::Dismissed(why)),
                _ => return Err(TrainError::Transport("the server began with another message".into())),
            }
            Deployment::Worker(worker)
        } else {
            let shape = |j: usize| VoteShape {
                partitions: self.engine.rows()[j].len(),
                silent: self.engine.can_be_silent(j),
            };
            let rules = self.seated(patience.worker)?;
            let shapes = (0..n).map(shape).collect();
            let mut server = Server::new(link, (rules, self.state.step), control, shapes, d);
            server.blame.named.clone_from(&self.state.named);
            let greeted = server.greet(&mine);
            if let Err(TrainError::Transport(why)) = &greeted {
                server.announce(&Message::Stop(why.clone()));
            }
            greeted?;
            let state = self.snapshot()?;
            let (step, parameters, velocity) = (state.step, state.parameters, state.velocity);
            server.announce(&Message::Start { step, parameters, velocity });
            Deployment::Server(Box::new(server))
        };
        // Signs travel, so that they must be on the host.
        self.resident = false;
        self.state.totals.uncounted = true;
        self.deployment = Some(deployment);
        Ok(())
    }

    /// The rules of ranks, which are all there from the start and never come back. Whether the proof covers a step with
    /// missing votes is judged here, when the votes are in ([`Trainer::exceeds`]): a rehearsal knows who lies, and in
    /// which failure domain.
    fn seated(&self, patience: Duration) -> Result<Rules, TrainError> {
        let radius = self.code.tolerates().unwrap_or(0);
        let rules = Rules::new(self.code.matrix().n(), radius, self.config.liars().min(radius));
        let rules = rules.map_err(|error| TrainError::Transport(error.to_string()))?;
        Ok(Rules { wait: Wait::All, patience, on_excess: Excess::Warn, seats: Seats::Fixed, ..rules })
    }

    /// Whether many processes can do what the configuration asks for.
    pub(super) fn deployable(&self, transport: &str) -> Result<(), ConfigError> {
        let fail =
            |text: &str| Err(ConfigError(text.replace("transport mpi", &format!("transport {transport}"))));
        if self.detection.is_some() && transport != "grpc" {
            return fail(
                "transport mpi carries votes: a scheme that detects lies is for in-process and grpc",
            );
        }
        if self.config.aggregator != Aggregator::Vote || self.config.scheme.takes_files() {
            return fail("transport mpi carries votes: gradients are joined in-process only");
        }
        if self.config.momentum_at == MomentumAt::Worker {
            return fail("transport mpi keeps momentum at the server: momentum-at worker is for in-process");
        }
        if self.fallback.is_some() && transport != "grpc" {
            return fail("on-excess code:… is for in-process: transport mpi has one way to decode");
        }
        if self.config.audit {
            return fail("audit needs all messages, which no process of transport mpi has: use in-process");
        }
        Ok(())
    }

    /// Takes over where the server stands.
    pub(super) fn begin(&mut self, step: u64, parameters: Vec<f32>, velocity: Vec<f32>) {
        (self.state.step, self.state.parameters, self.state.velocity) = (step, parameters, velocity);
        self.stale = false;
    }

    /// The configuration without what each process may have its own way.
    pub(super) fn shared_config(&self) -> Config {
        Config {
            code: String::new(),
            data: DataSource::Synthetic,
            device: Device::Auto,
            on_excess: OnExcess::Warn,
            evaluate_every: None,
            checkpoint_every: None,
            // A matrix that comes without its file comes without its b.
            b: self.plan().map(|plan| plan.b).or(self.config.b),
            ..self.config.clone()
        }
    }

    /// What all ranks must have in common, a line each.
    pub(super) fn identity(&self) -> String {
        format!(
            "version {}\nmatrix {}\ndata {}\n{}",
            env!("CARGO_PKG_VERSION"),
            self.code.matrix().digest(),
            self.data_identity(),
            self.shared_config().to_toml()
        )
    }

    /// What happened since this was asked last that is to be told: what workers that left have said, on the server of a
    /// deployment; disputes and namings under a scheme that detects lies.
    pub fn take_remarks(&mut self) -> Vec<String> {
        match &mut self.deployment {
            Some(Deployment::Server(server)) => server.take_remarks(),
            _ => self.take_disputes(),
        }
    }

    /// Whether the server has ended the run, on a worker.
    #[must_use]
    pub fn dismissed(&self) -> bool {
        matches!(&self.deployment, Some(Deployment::Worker(worker)) if worker.dismissed)
    }

    /// Whether what happens to workers is said as it happens, and needs no line after a step.
    #[must_use]
    pub fn says_itself(&self) -> bool {
        !matches!(self.deployment, None | Some(Deployment::Server(_) | Deployment::Worker(_)))
    }

    /// How the workers' votes compare with the decodes, on a server.
    #[must_use]
    pub fn agreements(&self) -> &[Agreement] {
        match &self.deployment {
            Some(Deployment::Server(server)) => &server.blame.agreements,
            #[cfg(feature = "grpc")]
            Some(Deployment::Desk(desk)) => desk.agreements(),
            _ => &[],
        }
    }

    /// Says to the server why this worker cannot go on.
    pub fn leave(&mut self, why: &str) {
        if let Some(Deployment::Worker(worker)) = &mut self.deployment {
            worker.fail(why);
        }
    }

    /// Batches from which a server computes the statistics of batch normalisation.
    pub(super) fn calibration(&self) -> Vec<Vec<u32>> {
        let mut random = stream(self.config.seed, Purpose::Order, 0, 0);
        let mut order = permutation(&mut random, self.data.train.len());
        order.truncate(CALIBRATION);
        order.chunks(self.config.samples_per_partition().max(1)).map(<[u32]>::to_vec).collect()
    }

    /// One round of this process.
    pub(super) fn deployed_round(
        &mut self,
        mut deployment: Deployment,
        batch: &[u32],
        crops: &[Vec<Crop>],
        liars: &Workers,
    ) -> (Deployment, Result<Round, TrainError>) {
        let round = match &mut deployment {
            Deployment::Server(server) => self.serve(server),
            Deployment::Worker(worker) => self.work(worker, batch, crops, liars),
            #[cfg(feature = "grpc")]
            Deployment::Desk(desk) => self.preside(desk),
            #[cfg(feature = "grpc")]
            Deployment::Panel(panel) => self.hold(panel, batch, crops, liars),
        };
        (deployment, round)
    }

    fn serve(&mut self, server: &mut Server) -> Result<Round, TrainError> {
        let (d, step) = (self.dimension(), self.state.step);
        let ballots = server.collect(step)?;
        let lost = server.take_lost();
        self.state.lost.extend(lost.into_iter().map(|worker| Lost { worker, step }));
        if ballots.iter().all(Option::is_none) {
            let remarks = server.take_remarks().join("; ");
            let remarks = if remarks.is_empty() { remarks } else { format!(" ({remarks})") };
            return Err(TrainError::Transport(format!("no worker answers any more in step {step}{remarks}")));
        }
        let missing: Vec<usize> = (0..ballots.len()).filter(|&j| ballots[j].is_none()).collect();
        let k = self.code.matrix().k();
        let (mut reported, mut seconds) = (vec![Vec::new(); k], Vec::new());
        let mut votes = Vec::with_capacity(ballots.len());
        for (ballot, row) in ballots.into_iter().zip(self.engine.rows()) {
            let Some(ballot) = ballot else {
                votes.push(None);
                continue;
            };
            votes.push(Some(ballot.vote));
            seconds.push(ballot.gradient_s);
            for (&partition, loss) in row.iter().zip(ballot.losses) {
                if loss.is_finite() {
                    reported[partition].push(loss.clamp(0.0, MAX_LOSS));
                }
            }
        }
        let decoded = self.engine.decode(d, &votes);
        let liars = self.liars_of(step);
        let verified = self.exceeds(&liars, &missing).is_none();
        for (_, why) in server.blame.compare(&self.engine, step, &votes, &decoded, verified) {
            server.say(why);
        }
        self.state.named.clone_from(&server.blame.named);
        let losses: Vec<f64> = reported.into_iter().filter_map(median).collect();
        let loss = (!losses.is_empty()).then(|| losses.iter().sum::<f64>() / losses.len() as f64);
        server.announce(&Message::Decode { step, loss: loss.unwrap_or(f64::NAN), decoded: decoded.clone() });
        Ok(Round {
            update: Update::Signs(decoded),
            momentum: None,
            loss,
            wrong: None,
            gradient_s: median(seconds).unwrap_or(0.0),
            missing,
            settled: None,
        })
    }
}

/// What every rank sees by itself, one says.
fn refused(rank: usize, error: TrainError) -> TrainError {
    if rank == 0 { error } else { TrainError::Dismissed(error.to_string()) }
}
