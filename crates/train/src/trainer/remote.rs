//! A trainer whose other processes are on any machines: the server's rounds, and a worker's life.

use ecode_core::digest::sha256;
use ecode_grpc::{Greeting, Offer, Settings};
use ecode_server::Rules;
use ecode_verify::Control;

use super::Trainer;
use super::round::Round;
use super::update::Update;
use crate::config::{ConfigError, OnExcess};
use crate::error::TrainError;
use crate::standing::{Excess, Lost, verified_for};
use crate::transport::grpc::{Desk, Join, Listen, News, Peer};
use crate::transport::{Deployment, LOOK};
use crate::vote::Decoded;

/// What a server is started with.
pub(super) struct Serving<'a> {
    pub(super) settings: Settings,
    pub(super) listen: &'a Listen,
    pub(super) control: Control,
    pub(super) say: Box<dyn FnMut(&str) + Send>,
}

/// Blocks beyond the first open one that the server takes.
const WINDOW: usize = 4;

impl Trainer {
    /// Makes this trainer a server: workers join while it trains. `matrix` is the matrix as a file, in JSON; what
    /// happens is told to `say`. To be called before the first step, or after [`Trainer::restore`].
    ///
    /// # Errors
    /// [`TrainError::Config`] for what only one process can do, [`TrainError::Transport`] where the keys or the address
    /// are of no use.
    pub fn listen(
        &mut self,
        listen: &Listen,
        matrix: String,
        control: Control,
        say: Box<dyn FnMut(&str) + Send>,
    ) -> Result<(), TrainError> {
        self.deployable("grpc")?;
        if self.code.domains().is_some() {
            let why =
                "transport grpc counts workers that lie or are lost; domains are for one process and mpi";
            return Err(TrainError::Config(ConfigError(why.into())));
        }
        let probe = self.probed()?;
        let g = self.code.matrix();
        let n = g.n();
        let radius = self.code.tolerates().unwrap_or(0);
        let declared = self.config.liars();
        if declared > radius && self.state.excess.is_none() {
            let why = format!("{declared} liars are declared, the code is verified for {radius}");
            self.state.excess = Some(Excess { step: self.state.step, why });
        }
        let transport = |error: ecode_server::RulesError| TrainError::Transport(error.to_string());
        let rules = Rules {
            window: WINDOW,
            wait: listen.wait,
            patience: listen.patience,
            on_excess: match self.config.on_excess {
                OnExcess::Stop => ecode_server::OnExcess::Stop,
                OnExcess::Warn | OnExcess::Code(_) => ecode_server::OnExcess::Warn,
            },
            quarantine: listen.quarantine,
            ..Rules::new(n, radius, declared.min(radius)).map_err(transport)?
        };
        let config_text = self.shared_config().to_toml();
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let identity = sha256(self.identity().as_bytes());
        let settings = Settings {
            listen: listen.address,
            rules,
            dimension: self.dimension(),
            block_bytes: listen.block_bytes,
            step: self.state.step,
            run: u64::from_str_radix(&identity.trim_start_matches("sha256:")[..16], 16).unwrap_or(0),
            incarnation: since.as_nanos() as u64,
            offer: Offer {
                version: version(),
                matrix: g.digest(),
                config: sha256(config_text.as_bytes()),
                data: self.data_identity(),
                config_text,
                matrix_text: matrix,
                data_text: self.config.data.absolute().to_string(),
                probe,
            },
            most_losses: g.worker_loads().into_iter().max().unwrap_or(0),
            can_be_silent: (0..n).map(|j| self.engine.can_be_silent(j)).collect(),
            partitions: None,
        };
        // Signs travel, so that they must be on the host.
        self.resident = false;
        self.state.totals.uncounted = true;
        if self.detection.is_some() {
            return self.convene(Serving { settings, listen, control, say });
        }
        let mut desk = Desk::open(settings, None, listen, control, say)?;
        desk.remember(&self.state.named);
        self.deployment = Some(Deployment::Desk(Box::new(desk)));
        Ok(())
    }

    /// The server's round.
    pub(super) fn preside(&mut self, desk: &mut Desk) -> Result<Round, TrainError> {
        let decided = desk.decide(&self.engine, (self.state.step, self.state.parameters.len()), &self.state);
        self.state.lost = desk.lost().iter().map(|&(worker, step)| Lost { worker, step }).collect();
        self.state.named = desk.named().to_vec();
        let decided = decided?;
        if let Some(missing) = decided.unproved
            && self.state.excess.is_none()
        {
            let b = self.code.tolerates().unwrap_or(0);
            let (declared, promise) = (self.config.liars(), verified_for(b));
            let why = format!("{missing} votes are missing and {declared} liars declared, {promise}");
            self.state.excess = Some(Excess { step: self.state.step, why });
        }
        Ok(Round {
            settled: None,
            update: Update::Signs(decided.decoded),
            momentum: None,
            loss: decided.loss,
            wrong: None,
            gradient_s: decided.gradient_s,
            // What is missing was judged block by block.
            missing: Vec::new(),
        })
    }

    /// Works for a server until all is done: this worker is `row` of the matrix. What happens is told to `say`.
    ///
    /// # Errors
    /// [`TrainError`]; [`TrainError::Interrupted`] where `control` says stop.
    pub fn work_for(
        &mut self,
        join: Join,
        row: usize,
        control: Control,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), TrainError> {
        self.deployable("grpc")?;
        self.resident = false;
        let greeting = Greeting {
            version: version(),
            matrix: self.code.matrix().digest(),
            config: sha256(self.shared_config().to_toml().as_bytes()),
            data: self.data_identity(),
            have: (0, 0),
            probe: self.probed()?,
        };
        if self.detection.is_some() {
            return self.answer_for(join, row, control, greeting, say);
        }
        let mut peer = Peer::new(join, greeting, self.dimension(), control, Box::new(say));
        let mut mine = None;
        while !self.finished() {
            let step = self.state.step;
            // What is decided already needs no vote.
            let mut news = peer.next(step, std::time::Duration::ZERO)?;
            if news.is_none() {
                if mine.as_ref().is_none_or(|(of, _)| *of != step) {
                    mine = Some((step, self.own_vote(row)?));
                }
                if let Some((_, (vote, losses, gradient_s))) = &mine {
                    news = peer.vote(step, vote, losses, *gradient_s)?;
                }
                while news.is_none() && peer.is_connected() {
                    news = peer.next(step, LOOK)?;
                }
            }
            match news {
                Some(News::Decoded(decoded, loss)) => self.follow(decoded, loss)?,
                Some(News::State { step, parameters, velocity, .. }) => {
                    self.begin(step, parameters, velocity);
                }
                Some(News::Done) => break,
                // Where votes are taken nobody is asked.
                Some(News::Again | News::Task(_) | News::Back(_)) | None => {}
            }
        }
        Ok(())
    }

    /// This worker's vote in the present step.
    fn own_vote(&mut self, row: usize) -> Result<super::work::Voted, TrainError> {
        let mut voted = None;
        let ended = self.advance_by(|trainer, batch, liars| {
            let crops = trainer.crops();
            voted = Some(trainer.vote_of(row, batch, &crops, liars)?);
            Err(TrainError::Interrupted)
        });
        match (voted, ended) {
            (Some(voted), _) => Ok(voted),
            (None, ended) => Err(ended.err().unwrap_or(TrainError::Interrupted)),
        }
    }

    /// Makes the step that the server decided.
    pub(super) fn follow(&mut self, decoded: Decoded, loss: f64) -> Result<(), TrainError> {
        self.advance_by(|_, _, _| {
            Ok(Round {
                settled: None,
                update: Update::Signs(decoded),
                momentum: None,
                loss: loss.is_finite().then_some(loss),
                wrong: None,
                gradient_s: 0.0,
                missing: Vec::new(),
            })
        })
    }
}

/// This program, as the other side sees it.
pub(super) fn version() -> String {
    format!("ecode {}", env!("CARGO_PKG_VERSION"))
}
