//! What a code is: the allocation matrix, messages, sets of workers, votes, tie rules, the claim that an engine
//! decides, and that claim as a formula for other solvers.
//!
//! This crate depends on no other of the project. Everything that an engine, a solver or a file says about a matrix is
//! replayed through the definitions here.
//!
//! # Glossary
//! Each word has this one meaning in code, messages and documents. Symbols are those of *Election Coding for
//! Distributed Learning* (Sohn, Han, Choi and Moon, NeurIPS 2020) where the paper has one; "this project" marks words
//! that are ours. Proofs are in docs/theory.md.
//!
//! ## Who votes on what
//! | word | symbol | meaning |
//! |---|---|---|
//! | worker | j, 0 ≤ j < n | One of the n machines that send a vote. |
//! | server | | The machine that receives the votes and decodes. It is trusted. |
//! | partition | i, 0 ≤ i < k | One of the k equal pieces of a batch. Its gradient is computed as a whole. The paper has k = n. |
//! | allocation matrix | G ∈ {0,1}^{n×k} | Row j lists the partitions that worker j holds: [`AllocationMatrix`]. |
//! | code | G | Another word for the allocation matrix, as in "election code". |
//! | load | w_j = ‖G(j,:)‖₀ | How many partitions worker j holds: [`AllocationMatrix::worker_load`]. A row is *full* when its load is k. |
//! | ones | ‖G‖₀ | The sum of all loads: [`AllocationMatrix::ones`]. |
//! | redundancy | r | ones/n, the mean load: [`AllocationMatrix::redundancy`]. |
//! | coordinate | | One of the d parameters of the model. Everything below happens once for each coordinate. |
//!
//! ## One round
//! | word | symbol | meaning |
//! |---|---|---|
//! | message | m ∈ {0,1}^k | Bit i is 1 where the gradient of partition i is negative: [`Message`]. Its *weight* is its number of ones. |
//! | correct answer | μ | The majority of the message: [`majority`]. A tied message, which takes an even k, has μ = 0. |
//! | vote | c_j | What worker j sends: a bit, or nothing. An *honest* vote is the majority of the bits that the worker holds: [`honest_vote`]. |
//! | tie, tie rule | | A vote ties when exactly half of the worker's bits are ones. The [`TieRule`] says what an honest worker sends then. |
//! | silent | | A worker that sends nothing. It takes the rule `abstain`. |
//! | decode | μ̂ | The server's majority of the votes that it received: [`decode`]. A tied server decodes 0. A decode is *wrong* when μ̂ ≠ μ. |
//! | missing vote | s | A vote that the server does not have when it decodes: late, lost, or no vote at all. It is counted for no bit. |
//! | wrong worker | | A worker whose honest vote is not μ. Nobody lies: the message turned it. |
//! | Byzantine worker | | A worker that may send anything. It knows the message and the matrix, and the Byzantine workers act together. |
//! | liar | | Another word for a Byzantine worker, in messages to users. |
//! | b | b | The number of Byzantine workers. |
//! | failure domain | | Workers that fail together, as those of one host, rack or switch: [`Domains`]. Where domains are named, b and the radius count them: the workers of any b domains may be Byzantine. |
//!
//! ## What is claimed
//! | word | symbol | meaning |
//! |---|---|---|
//! | claim | | "G tolerates b Byzantine workers under this tie rule": [`Claim`]. |
//! | tolerant | | The claim holds: μ̂ = μ for every message, every set of b workers, and everything that they may send (the paper's *perfect b-Byzantine tolerance*). |
//! | refuted, attack | | The claim fails. A [`Counterexample`] shows it: a message, the Byzantine workers, what everybody sends, and a wrong decode. An *attack* is the same. |
//! | radius |  | The largest b that G tolerates. There is none when some message is decoded wrong even with b = 0. |
//! | margin | M(m) | How many Byzantine workers one message survives; negative when it is decoded wrong with none: [`Outcome::margin`]. G tolerates b exactly when every margin is at least b. |
//! | loss | 2W + S | n less the lead of the right votes over the wrong ones: a wrong worker costs 2, a silent one 1. The margin is ⌊(n − loss − \[μ = 1\])/2⌋. |
//! | worst message | | A message with the smallest margin. |
//! | verdict | | An engine's answer to a claim: tolerant, refuted, or undecided. Engines are in the crate `ecode_verify`. |
//! | certificate | | A file that lets others check a verdict without the engine. The checker is the crate `ecode_check`. |
//!
//! ## How engines see a matrix (this project)
//! | word | symbol | meaning |
//! |---|---|---|
//! | side | μ | The messages with one correct answer. A claim has two sides; often one decides for both: [`deciding_sides`]. |
//! | chosen partition | i ∈ U | On a side: a partition whose bit speaks against μ, so a one where μ = 0 and a zero where μ = 1. |
//! | turned worker | | On a side: a worker that holds enough chosen partitions to vote against μ, or to stay silent: [`Turned`]. |
//! | class | | Partitions with equal columns, that is, held by the same workers. Which of them are chosen makes no difference, only how many. |
//! | choice | u | How many partitions of each class are chosen. One choice stands for many messages. |
//! | voter | | Workers with equal rows, counted as one with their *units* (what they add to the loss) and *needed* (how many chosen partitions turn them). |
//! | win | | A set of partitions wins a row when it holds the majority of it. |
//! | file | i | What the papers on redundancy schemes call a partition: several workers hold it, and the server takes a majority for each. |
//! | overturned file | | One of which the liars hold at least half of the copies: [`overturned`]. |
//! | distortion | c_max(q), ε | The most files that q liars overturn; ε is their share of all files. |
//! | digest | | SHA-256 of a canonical text, which names a matrix or a formula in every file: [`AllocationMatrix::digest`]. |

mod bits;
mod clauses;
pub mod digest;
mod domains;
mod formula;
mod matrix;
mod overturn;
mod shown;
mod vote;

pub use bits::{IndexSet, Message, Partition, Worker, Workers};
pub use clauses::{Clauses, Encoding, MOST_CLAUSES};
pub use domains::{Domain, DomainCounterexample, DomainSet, Domains, DomainsError};
pub use formula::{Formula, Inequality, Turned, deciding_sides};
pub use matrix::{AllocationMatrix, MAX_SIZE, MatrixError};
pub use overturn::overturned;
pub use shown::{shown, shown_sentence};
pub use vote::{Counterexample, Outcome, TieRule, UnknownTieRule, decode, honest_vote, majority};

/// The claim "G is perfectly b-Byzantine tolerant under this tie rule" (the paper's Proposition 2):
/// for every message, every set of at most b workers and everything that they may send, μ̂ = μ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The allocation matrix G.
    pub matrix: AllocationMatrix,
    /// The number of Byzantine workers.
    pub b: usize,
    /// What a worker sends whose own vote ties.
    pub ties: TieRule,
}
