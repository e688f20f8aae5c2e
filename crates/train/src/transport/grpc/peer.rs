//! A worker's way to its server: found again where it is lost.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ecode_grpc::{Account, Client, ClientError, Greeting, Line, Report, Signed, Task, Welcome};
use ecode_verify::Control;

use super::{Join, state_of};
use crate::bits::Bits;
use crate::error::TrainError;
use crate::transport::LOOK;
use crate::vote::{Decoded, Vote};

/// The first and the longest wait between two tries to reach a server.
const TRIES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// What is run, as the server describes it.
#[derive(Clone, Debug)]
pub struct Run {
    /// The server's program and its version.
    pub version: String,
    /// The configuration, in TOML.
    pub config: String,
    /// The matrix, in JSON.
    pub matrix: String,
    /// This worker's row of the matrix.
    pub row: usize,
    /// Where the server's data lie, as the server says it.
    pub data: String,
    /// Coordinates of a vote, of a server that holds no model.
    pub brought: Option<u64>,
}

/// What a worker hears.
#[allow(clippy::large_enum_variant, reason = "it is taken apart where it comes, and never kept")]
pub(crate) enum News {
    /// Its step is decided.
    Decoded(Decoded, f64),
    /// Its state is of no use: this is the server's.
    State { step: u64, parameters: Vec<f32>, velocity: Vec<f32>, chain: Option<[u8; 32]> },
    /// Under a scheme that detects lies: it is asked.
    Task(Task),
    /// The run goes back to this step, and is done anew from there.
    Back(u64),
    /// The connection is a new one: a vote that was sent before may not have come.
    Again,
    /// All is done.
    Done,
}

/// A worker's way to its server.
pub struct Peer<'a> {
    join: Join,
    control: Control,
    client: Option<Client>,
    greeting: Greeting,
    welcome: Welcome,
    /// d.
    dimension: usize,
    /// What is decided of the step that the worker is in.
    open: Open,
    /// How the step that was decided last came about.
    account: Option<Account>,
    /// A state to be taken before anything else.
    behind: bool,
    heard: Instant,
    /// What happens is said at once: a worker that looks for its server is not silent meanwhile.
    say: Box<dyn FnMut(&str) + Send + 'a>,
    /// Whether a state comes with its digest.
    chained: bool,
    /// How often the run has gone back, as far as this worker has.
    undone: u32,
    /// What was heard in the moment in which the run went back, and is to be looked at after that.
    next: Option<ecode_grpc::News>,
    /// Whether this worker has a model that the server does not know, so that it gets no state.
    brings: bool,
}

#[derive(Default)]
struct Open {
    step: u64,
    done: Vec<bool>,
    decoded: Decoded,
    loss: f64,
    account: Option<Account>,
}

impl Open {
    fn new(step: u64, blocks: usize, d: usize) -> Self {
        let decoded = Decoded { negative: Bits::zeros(d), tied: None, wrong: 0 };
        Self { step, done: vec![false; blocks], decoded, loss: f64::NAN, account: None }
    }
}

/// Tries until it succeeds, the time is over, somebody stops it, or another try cannot help.
fn persist<T>(
    join: &Join,
    control: &Control,
    since: Instant,
    say: &mut dyn FnMut(&str),
    mut attempt: impl FnMut() -> Result<T, ClientError>,
) -> Result<T, TrainError> {
    let mut wait = TRIES.0;
    let mut told = false;
    loop {
        let why = match attempt() {
            Ok(done) => return Ok(done),
            Err(ClientError::Gone(why)) => why,
            Err(other) => return Err(TrainError::Transport(other.to_string())),
        };
        if since.elapsed() > join.give_up_after {
            let seconds = join.give_up_after.as_secs_f64();
            return Err(TrainError::Transport(format!(
                "the server was not reached for {seconds:.0} s (--give-up-after waits longer): {why}"
            )));
        }
        if !std::mem::replace(&mut told, true) {
            say(&format!("the server at {} is not reached, trying again: {why}", join.server));
        }
        // Not all workers at the same moment.
        let jitter = u32::from(std::process::id() as u8) + 128;
        let until = Instant::now() + wait * jitter / 256;
        while Instant::now() < until {
            if control.stopped() {
                return Err(TrainError::Interrupted);
            }
            std::thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
        }
        wait = (2 * wait).min(TRIES.1);
    }
}

impl Run {
    /// Asks a server what is run, until it answers.
    ///
    /// # Errors
    /// [`TrainError::Transport`], [`TrainError::Interrupted`].
    pub fn ask(join: &Join, control: &Control, say: &mut dyn FnMut(&str)) -> Result<Self, TrainError> {
        let attempt = || Line::connect(&join.server, &join.keys)?.describe();
        let told = persist(join, control, Instant::now(), say, attempt)?;
        Ok(Self {
            version: told.version,
            config: told.config,
            matrix: told.matrix,
            row: told.row as usize,
            data: told.data,
            brought: Some(told.brought_dimension).filter(|&dimension| dimension > 0),
        })
    }
}

impl<'a> Peer<'a> {
    pub(crate) fn new(
        join: Join,
        greeting: Greeting,
        dimension: usize,
        control: Control,
        say: Box<dyn FnMut(&str) + Send + 'a>,
    ) -> Self {
        Self {
            join,
            control,
            client: None,
            greeting,
            welcome: Welcome::default(),
            dimension,
            open: Open::default(),
            account: None,
            behind: false,
            heard: Instant::now(),
            say,
            chained: false,
            undone: 0,
            next: None,
            brings: false,
        }
    }

    /// The same with a model that the server does not know.
    pub(crate) fn bringing(self) -> Self {
        Self { brings: true, ..self }
    }

    /// From now on somebody else may ask it to stop.
    pub(crate) fn controlled(&mut self, control: &Control) {
        self.control = control.clone();
    }

    /// What the server said first; of no meaning before there is a connection.
    pub(crate) fn welcome(&self) -> &Welcome {
        &self.welcome
    }

    /// How the step that was decided last came about, where the server says it.
    pub(crate) fn take_account(&mut self) -> Option<Account> {
        self.account.take()
    }

    /// A model of this worker's own that is of no use, and why.
    fn useless(&self, step: u64) -> TrainError {
        let Welcome { step: present, kept_from, incarnation, .. } = self.welcome;
        let given = self.greeting.have.1;
        let why = if step > present {
            format!("the server is before step {present} only: its decodes were lost, or it is another run")
        } else if step < kept_from {
            format!(
                "the server keeps decodes from step {kept_from} on: start from a checkpoint of that step or later"
            )
        } else if given != incarnation {
            format!("the server's run is {incarnation:016x}, not {given:016x}")
        } else {
            "the server has gone on without it".to_owned()
        };
        TrainError::Transport(format!("this worker's model is before step {step}, and {why}"))
    }

    /// The same under a scheme that detects lies, where a state comes with its digest.
    pub(crate) fn chained(self) -> Self {
        Self { chained: true, ..self }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.client.is_some()
    }

    fn connect(&mut self, step: u64) -> Result<(), TrainError> {
        let Self { join, control, greeting, heard, say, .. } = self;
        let before = greeting.have.1;
        greeting.have.0 = step;
        let say: &mut dyn FnMut(&str) = say;
        let attempt = || Line::connect(&join.server, &join.keys)?.join(greeting);
        let (client, welcome) = persist(join, control, *heard, say, attempt)?;
        let (blocks, bytes) = (welcome.blocks as usize, welcome.block_bytes as usize);
        if welcome.dimension != self.dimension as u64
            || bytes % 8 != 0
            || self.dimension.div_ceil(8 * bytes.max(1)) != blocks
        {
            return Err(TrainError::Transport(format!(
                "the server votes on {} coordinates, this worker on {}",
                welcome.dimension, self.dimension
            )));
        }
        (self.say)(&format!(
            "works as worker {} in step {} of run {:016x}{}",
            welcome.row,
            welcome.step,
            welcome.run,
            if before == 0 || before == welcome.incarnation { "" } else { ", whose server was started anew" }
        ));
        self.behind = welcome.behind;
        (self.undone, self.next) = (welcome.undone, None);
        self.open = Open::new(step, blocks, self.dimension);
        self.welcome = welcome;
        if self.behind && self.brings {
            return Err(self.useless(step));
        }
        self.greeting.have.1 = self.welcome.incarnation;
        self.client = Some(client);
        Ok(())
    }

    /// The server's state is to be taken: this worker's own is of no use.
    pub(crate) fn take_state(&mut self) {
        self.behind = true;
    }

    /// Whether the run has gone back since this worker was told last, and to which step.
    fn gone_back(&mut self, news: &ecode_grpc::News) -> Option<u64> {
        let (step, undone) = match news {
            ecode_grpc::News::Decode { step, undone, .. } => (*step, *undone),
            ecode_grpc::News::Task(task) => (task.step, task.undone),
            _ => return None,
        };
        let back = undone > self.undone;
        self.undone = self.undone.max(undone);
        back.then_some(step)
    }

    /// What a failed call means: a connection that is gone is made anew.
    fn lost(&mut self, error: ClientError) -> Result<(), TrainError> {
        match error {
            ClientError::Gone(why) => {
                self.client = None;
                self.heard = Instant::now();
                (self.say)(&format!("the connection is lost: {why}"));
                Ok(())
            }
            other => Err(TrainError::Transport(other.to_string())),
        }
    }

    /// The next news for a worker whose state is before `step`, waiting so long at most; none where there is none.
    pub(crate) fn next(&mut self, step: u64, wait: Duration) -> Result<Option<News>, TrainError> {
        if self.control.stopped() {
            return Err(TrainError::Interrupted);
        }
        let Some(client) = &mut self.client else {
            self.connect(step)?;
            return Ok(Some(News::Again));
        };
        if self.behind && self.brings {
            return Err(self.useless(step));
        }
        if self.behind {
            return match client.state() {
                Ok((step, bytes)) => {
                    let state = state_of(&bytes, self.dimension, self.chained);
                    let (parameters, velocity, chain) = state
                        .ok_or_else(|| TrainError::Transport("the server's state has another size".into()))?;
                    self.behind = false;
                    self.open = Open::new(step, self.welcome.blocks as usize, self.dimension);
                    Ok(Some(News::State { step, parameters, velocity, chain }))
                }
                Err(error) => self.lost(error).map(|()| None),
            };
        }
        if self.open.step != step || self.open.done.is_empty() {
            self.open = Open::new(step, self.welcome.blocks as usize, self.dimension);
        }
        let until = Instant::now() + wait;
        loop {
            let Some(client) = &mut self.client else { return Ok(None) };
            let heard = match self.next.take() {
                Some(news) => Ok(Some(news)),
                None => client.next(until.saturating_duration_since(Instant::now())),
            };
            if let Ok(Some(news)) = &heard
                && let Some(back) = self.gone_back(news)
            {
                self.next = heard.ok().flatten();
                self.open = Open::default();
                return Ok(Some(News::Back(back)));
            }
            match heard {
                Ok(None) => return Ok(None),
                Err(error) => return self.lost(error).map(|()| None),
                Ok(Some(ecode_grpc::News::Stop { done: true, .. })) => return Ok(Some(News::Done)),
                Ok(Some(ecode_grpc::News::Stop { why, .. })) => {
                    self.client = None;
                    self.heard = Instant::now();
                    (self.say)(&format!("the server ends: {why}"));
                    return Ok(None);
                }
                Ok(Some(ecode_grpc::News::Task(task))) => return Ok(Some(News::Task(task))),
                Ok(Some(ecode_grpc::News::Behind { .. })) => {
                    self.behind = true;
                    return Ok(None);
                }
                Ok(Some(ecode_grpc::News::Decode {
                    step: of, block, negative, tied, loss, account, ..
                })) => {
                    if of > step {
                        return Err(TrainError::Transport(format!(
                            "the server decoded step {of} before step {step} was whole"
                        )));
                    }
                    // From before a state that was taken.
                    if of < step {
                        continue;
                    }
                    self.put(block, &negative, &tied, loss)?;
                    self.open.account = account.or(self.open.account.take());
                    if self.open.done.iter().all(|&done| done) {
                        let Open { decoded, loss, account, .. } = std::mem::take(&mut self.open);
                        self.account = account;
                        return Ok(Some(News::Decoded(decoded, loss)));
                    }
                }
            }
        }
    }

    /// Puts a block's decode to the others.
    fn put(&mut self, block: usize, negative: &[u8], tied: &[u8], loss: f64) -> Result<(), TrainError> {
        let wrong = || TrainError::Transport("the server's decode is none".into());
        let first = 8 * self.welcome.block_bytes as usize * block;
        let count = self.dimension.saturating_sub(first).min(8 * self.welcome.block_bytes as usize);
        let done = self.open.done.get_mut(block).ok_or_else(wrong)?;
        *done = true;
        let bits = Bits::from_bytes(count, negative).ok_or_else(wrong)?;
        self.open.decoded.negative.put(first, &bits);
        if !tied.is_empty() {
            let bits = Bits::from_bytes(count, tied).ok_or_else(wrong)?;
            let d = self.dimension;
            self.open.decoded.tied.get_or_insert_with(|| Bits::zeros(d)).put(first, &bits);
        }
        self.open.loss = loss;
        Ok(())
    }

    /// Tells the server something, where there is a connection; what is lost with it is asked anew.
    fn tell(&mut self, say: impl FnOnce(&mut Client) -> Result<(), ClientError>) -> Result<(), TrainError> {
        let Some(client) = &mut self.client else { return Ok(()) };
        match say(client) {
            Ok(()) => Ok(()),
            Err(error) => self.lost(error),
        }
    }

    /// Answers a task with digests of a state.
    pub(crate) fn answer(
        &mut self,
        step: u64,
        state: &[u8; 32],
        digests: &[Signed],
        report: &Report,
    ) -> Result<(), TrainError> {
        self.tell(|client| client.answer(step, state, digests, report))
    }

    /// Sends a whole vector, or a list with a share.
    pub(crate) fn vector(
        &mut self,
        step: u64,
        state: &[u8; 32],
        partition: usize,
        (bytes, share): (&Bytes, Option<usize>),
        signature: &[u8; 64],
    ) -> Result<(), TrainError> {
        self.tell(|client| client.vector(step, state, partition, (bytes, share), signature))
    }

    /// Says that a vector cannot be sent.
    pub(crate) fn refuse(&mut self, step: u64, partition: usize) -> Result<(), TrainError> {
        self.tell(|client| client.refuse(step, partition))
    }

    /// Sends a vote, block by block. Stops early where there are news: the step may be decided already.
    pub(crate) fn vote(
        &mut self,
        step: u64,
        vote: &Vote,
        losses: &[f64],
        gradient_s: f64,
    ) -> Result<Option<News>, TrainError> {
        let report = Report {
            losses: losses.iter().map(|&loss| loss as f32).collect(),
            gradient_s: gradient_s as f32,
        };
        for block in 0..self.welcome.blocks as usize {
            // While the server has no room, the step may be decided without this worker.
            loop {
                if let Some(news) = self.next(step, Duration::ZERO)? {
                    return Ok(Some(news));
                }
                let Some(client) = &mut self.client else { return Ok(None) };
                match client.ready(LOOK) {
                    Ok(true) => break,
                    Ok(false) => {}
                    Err(error) => {
                        self.lost(error)?;
                        return Ok(None);
                    }
                }
            }
            let first = 8 * self.welcome.block_bytes as usize * block;
            let count = (self.dimension - first).min(8 * self.welcome.block_bytes as usize);
            let bytes = |bits: &Bits| Bytes::from(bits.part(first, count).to_bytes());
            let part =
                ecode_grpc::Vote { negative: bytes(&vote.bits), silent: vote.silent.as_ref().map(bytes) };
            let Some(client) = &mut self.client else { return Ok(None) };
            if let Err(error) = client.vote(step, block, part, (block == 0).then_some(&report)) {
                self.lost(error)?;
                return Ok(None);
            }
        }
        Ok(None)
    }
}
