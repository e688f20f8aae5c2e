//! `ecode verify`: recompute the verdict.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ecode::certificate::{
    Certificate, NoCertificate, Scope, SolverCommand, System, certify, certify_gluing, certify_usual, record,
    verify_with_solver,
};
use ecode::code::{AllocationMatrix, Domains, TieRule, shown_sentence};
use ecode::format::verdict_json;
use ecode::report::{picture, refutation, verdict_table};
use ecode::verify::part::Question;
use ecode::verify::{Conclusion, Control, Method, Radius, Request, Shape, Verdict, VerifyError};

use super::common::Common;
use super::domains::{self, DomainsFlag};
use super::ending::{Contradiction, Ending};
use super::enumerate::{Parts, whole};
use super::output::Documents;
use super::stragglers::Stragglers;
use super::{detect, enumerate, input, output, values, watch};

/// Recompute whether a code tolerates b Byzantine workers, for every message
#[derive(Args)]
#[command(
    after_help = "Examples:\n  ecode verify matrix.json\n  ecode verify matrix.csv --b 2 --ties zero\n  \
                        ecode verify matrix.json --method all --json\n  \
                        ecode verify matrix.json --b 1 --stragglers 4               one liar and four missing votes\n  cat matrix.txt | ecode verify - --format txt\n  \
                        ecode verify matrix.json --certificate claim.json && ecode check claim.json\n  \
                        ecode verify matrix.json --shard 3/8 -o part-3.json       one of 8 parts, for `ecode merge`\n  \
                        ecode verify matrix.json --checkpoint count.json          can be killed and run again\n  \
                        ecode verify matrix.json --detect --b 4        lies seen by comparing digests, not outvoted\n  \
                        ecode verify matrix.json --domains hosts.txt       any b hosts may lie, with all their workers\n  \
                        ecode verify matrix.json --b 2 --solver \"kissat -q\"       an outside solver, its proof checked here\n\n\
                        Without --b the file's own b is used, and without that the radius is found."
)]
pub(crate) struct Verify {
    /// The matrix file (json, csv, tsv, txt, npy, npz, mtx, alist by extension), or - for standard input
    file: PathBuf,
    /// The number of Byzantine workers
    #[arg(long)]
    b: Option<usize>,
    /// So many votes may be missing besides: b liars and S missing votes, whoever they are
    #[arg(long, value_name = "S", conflicts_with_all = ["shard", "part", "checkpoint"])]
    stragglers: Option<usize>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    reading: input::Reading,
    /// Print the verdict as one JSON document
    #[arg(long)]
    json: bool,
    /// Write what the verdict rests on, for `ecode check` and other checkers
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Find also how bad it gets, whatever becomes of the claim; with --certificate, prove that no message is worse
    #[arg(long, conflicts_with = "shard")]
    worst_case: bool,
    /// With --certificate, how a tolerant verdict is shown: cutting-planes (for veripb), drat (for SAT checkers), gluing
    /// (by that theorem, for a code whose file lists its parts), or not proved but counted: enumeration [default:
    /// cutting-planes; gluing where that finds no proof in 10s]
    #[arg(long, requires = "certificate", value_name = "SYSTEM", value_parser = values::any_of::<Evidence>(&["cutting-planes", "drat", "gluing", "enumeration"]))]
    proof: Option<Evidence>,
    /// How many liars are detected, where holders of a partition compare digests, instead of outvoted
    #[arg(long, conflicts_with_all = ["certificate", "worst_case", "solver", "shard", "checkpoint"])]
    detect: bool,
    /// With --detect: so many answers of each partition may be missing
    #[arg(long, value_name = "S", default_value_t = 0, requires = "detect")]
    spare: usize,
    /// Let this SAT solver decide, as in "kissat -q" or "varisat {cnf} --proof {proof}"; its answers are checked
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["shard", "checkpoint"])]
    solver: Option<SolverCommand>,
    #[command(flatten)]
    domains: DomainsFlag,
    #[command(flatten)]
    parts: Parts,
}

/// What a certificate of a tolerant verdict is to hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Evidence {
    Proof(System),
    Gluing,
    Enumeration,
}

impl FromStr for Evidence {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "gluing" => Ok(Self::Gluing),
            "enumeration" => Ok(Self::Enumeration),
            _ => text.parse().map(Self::Proof).map_err(|error| format!("{error}, gluing or enumeration")),
        }
    }
}

/// The methods of this build, known to completions.
pub(crate) fn methods() -> impl TypedValueParser<Value = Method> {
    PossibleValuesParser::new(Method::built().map(Method::name)).try_map(|name| name.parse::<Method>())
}

/// How a claim is decided.
#[derive(Args, Clone)]
pub(crate) struct How {
    /// What a worker does whose own vote ties
    #[arg(long, default_value = "adversarial", value_name = "RULE", value_parser = values::ties())]
    pub(crate) ties: TieRule,
    /// The engine; with all, they must agree
    #[arg(long, default_value = "auto", value_name = "NAME", value_parser = methods())]
    pub(crate) method: Method,
}

impl How {
    /// Decides, watched. What is known of the code's construction is passed on as a hint.
    pub(crate) fn decide(
        &self,
        g: &AllocationMatrix,
        b: Option<usize>,
        construction: Option<&serde_json::Value>,
        control: &Control,
        quiet: bool,
    ) -> anyhow::Result<Verdict> {
        self.ask(g, b, construction, false, control, quiet)
    }

    fn ask(
        &self,
        g: &AllocationMatrix,
        b: Option<usize>,
        construction: Option<&serde_json::Value>,
        worst_case: bool,
        control: &Control,
        quiet: bool,
    ) -> anyhow::Result<Verdict> {
        let shape = shape(construction);
        let request = Request::new(g).b(b).ties(self.ties).method(self.method);
        let request = request.shape(shape.as_ref()).worst_case(worst_case);
        watch::with_progress(control, quiet, || request.decide(control)).map_err(known)
    }
}

/// The shape of a glued code, where its construction tells it.
pub(crate) fn shape(construction: Option<&serde_json::Value>) -> Option<Shape> {
    construction.and_then(|made| Shape::from_json(made.get("parts")?))
}

/// An engine's error, a contradiction told apart from wrong usage.
pub(crate) fn known(error: VerifyError) -> anyhow::Error {
    match error {
        VerifyError::Disagreement(_) | VerifyError::Replay(_) => Contradiction(error.to_string()).into(),
        error => error.into(),
    }
}

/// The exit code's meaning of a verdict.
pub(crate) fn ending(verdict: &Verdict) -> Ending {
    match verdict.conclusion() {
        Conclusion::Tolerant => Ending::Done,
        Conclusion::Refuted(_) => Ending::Refuted,
        Conclusion::Undecided => Ending::Undecided,
    }
}

/// Pictures of larger matrices are left to `ecode show`.
const PICTURE: usize = 64;

/// The verdict as a person reads it: sentence, table, a remark where there is one, picture, and the
/// refutation told.
pub(crate) fn report(
    g: &AllocationMatrix,
    verdict: &Verdict,
    asked: Option<usize>,
    remark: Option<&str>,
) -> String {
    // A verdict without a b is undecided.
    let b = verdict.b().unwrap_or(0);
    let liars = if b == 1 { "1 Byzantine worker".to_owned() } else { format!("{b} Byzantine workers") };
    let sentence = match (verdict.conclusion(), verdict.radius()) {
        (Conclusion::Tolerant, radius) => {
            let radius = radius.exactly().map_or(String::new(), |radius| format!(" (radius {radius})"));
            if b == 0 {
                format!(
                    "Tolerant of 0 Byzantine workers: with no liars every message is decoded right{radius}."
                )
            } else {
                format!("Tolerant: {liars} of {} cannot overturn any vote{radius}.", g.n())
            }
        }
        (Conclusion::Refuted(_), Radius::FailsWithoutLiars) => {
            "Refuted: some message is decoded wrong even when nobody lies.".to_owned()
        }
        (Conclusion::Refuted(_), _) => format!("Refuted: {liars} of {} can overturn a vote.", g.n()),
        (Conclusion::Undecided, _) => {
            let what = asked.map_or("the radius".to_owned(), |b| format!("b = {b}"));
            format!("Undecided: stopped before {what} was settled; what is known so far is below.")
        }
    };
    let mut text = format!("{sentence}\n\n{}\n", verdict_table(g, verdict));
    if let Some(remark) = remark {
        text += &format!("\n{remark}\n");
    }
    if let Some(worst) = verdict.worst() {
        let known = if verdict.worst_case().is_some() { "Worst message" } else { "Worst message met" };
        let which = if g.n() <= PICTURE { format!(": {}", worst.wrong) } else { String::new() };
        let message = if g.k() <= PICTURE {
            format!(" {}", worst.message)
        } else {
            format!(" of weight {}", worst.message.count())
        };
        text +=
            &format!("\n{known}{message} turns {} of {} workers wrong{which}\n", worst.wrong.count(), g.n());
    }
    if g.n() <= PICTURE && g.k() <= PICTURE {
        text += &format!("\n{}", picture(g, verdict.worst(), output::glyphs()));
    }
    if let Some(attack) = verdict.attack() {
        text += &format!("\nHow it fails, step by step:\n{}", refutation(g, verdict.ties(), attack));
    }
    text
}

impl Verify {
    pub(crate) fn run(self, common: &Common) -> anyhow::Result<Ending> {
        let documents = self.documents()?;
        let file = self.reading.matrix(&self.file, &common.control())?;
        let g = &file.matrix;
        let domains = self.domains.read(g.n(), &common.control())?;
        if let Some(domains) = &domains {
            // The file's own b counts workers.
            self.b.map_or(Ok(()), |b| domains::enough(b, domains))?;
            if !self.detect {
                let shape = shape(file.construction.as_ref());
                return self.by_domains(g, domains, shape.as_ref(), common, &documents);
            }
        }
        let b = self.b.or(file.b);
        if let Some(b) = b {
            anyhow::ensure!(b <= g.n(), "--b {b}: there are only n = {} workers", g.n());
        }
        if self.detect {
            return detect::verify(g, self.b, self.spare, domains.as_ref(), self.json);
        }
        let stragglers = self.stragglers(b, g)?;
        let b = stragglers.map_or(b, |both| Some(both.as_liars()));
        let control = common.control();
        if self.parts.asked() || (self.proof == Some(Evidence::Enumeration) && self.solver.is_none()) {
            let question = Question::tolerance(g.clone(), b, self.how.ties);
            anyhow::ensure!(stragglers.is_none(), "--stragglers: an enumeration is of liars alone");
            return self.enumerate(&question, &control, common, &documents);
        }
        let shape = shape(file.construction.as_ref());
        let verdict = if let Some(solver) = &self.solver {
            self.solve(g, b, solver, &control, common)?
        } else {
            let made = file.construction.as_ref();
            self.how.ask(g, b, made, self.worst_case, &control, common.quiet)?
        };
        let unsettled = verdict.is_undecided();
        if (common.verbose || unsettled)
            && let Some(reason) = verdict.reason()
        {
            output::remark!("{}: {}", verdict.method(), shown_sentence(reason));
        }
        let tried = |both: Stragglers| both.tried(self.how.method, g, &verdict, &control);
        let stragglers = stragglers.map(tried).transpose()?;
        self.publish(g, &verdict, b, stragglers, common, &documents)?;
        let certified = self.certify(g, &verdict, shape.as_ref(), &control, common)?;
        // A certificate that was not written is no verdict.
        let whole = certified == ending(&verdict);
        Ok(stragglers.filter(|_| whole).map_or(certified, |both| both.ending(g, &verdict)))
    }

    /// The verdict on failure domains.
    fn by_domains(
        &self,
        g: &AllocationMatrix,
        domains: &Domains,
        shape: Option<&Shape>,
        common: &Common,
        documents: &Documents,
    ) -> anyhow::Result<Ending> {
        let others = [
            ("stragglers", self.stragglers.is_some()),
            ("worst-case", self.worst_case),
            ("solver", self.solver.is_some()),
            ("shard, --part and --checkpoint", self.parts.asked()),
        ];
        if let Some((other, _)) = others.iter().find(|(_, given)| *given) {
            anyhow::bail!("--domains: not with --{other}, which speaks of workers alone");
        }
        let system = match self.proof {
            None => System::CuttingPlanes,
            Some(Evidence::Proof(system)) => system,
            Some(_) => anyhow::bail!("--domains: --proof is cutting-planes or drat"),
        };
        let (how, control) = ((self.how.ties, self.how.method), common.control());
        let verdict = domains::decide(g, domains, self.b, how, shape, &control, common.quiet)?;
        domains::publish(g, domains, &verdict, self.b, self.json, common, documents)?;
        let Some(path) = &self.certificate else { return Ok(domains::ending(&verdict)) };
        domains::certify(path, g, domains, &verdict, system, &control, common)
    }

    /// What `--stragglers` asks for, beside the liars.
    fn stragglers(&self, b: Option<usize>, g: &AllocationMatrix) -> anyhow::Result<Option<Stragglers>> {
        let Some(missing) = self.stragglers else { return Ok(None) };
        let Some(liars) = b else {
            anyhow::bail!("--stragglers: the file names no b; --b says how many lie besides")
        };
        anyhow::ensure!(
            liars.checked_add(missing).is_some_and(|all| all <= g.n()),
            "--stragglers {missing}: with {liars} liars that is more than the n = {} workers",
            g.n()
        );
        Ok(Some(Stragglers::new(liars, missing)))
    }

    fn documents(&self) -> anyhow::Result<Documents> {
        anyhow::ensure!(
            !self.parts.checkpoint.as_deref().is_some_and(ecode::format::is_stdout),
            "--checkpoint: a checkpoint is read again; give it a file"
        );
        Documents::new(&[
            Documents::json(self.json),
            ("--certificate", self.certificate.as_deref()),
            ("--part", self.parts.part.as_deref()),
            ("--checkpoint", self.parts.checkpoint.as_deref()),
        ])
    }

    /// Asks an outside solver.
    fn solve(
        &self,
        g: &AllocationMatrix,
        b: Option<usize>,
        solver: &SolverCommand,
        control: &Control,
        common: &Common,
    ) -> anyhow::Result<Verdict> {
        anyhow::ensure!(
            matches!(self.how.method, Method::Auto | Method::Sat),
            "--solver: the solver decides; leave --method {} out",
            self.how.method
        );
        anyhow::ensure!(self.proof != Some(Evidence::Enumeration), "--solver: a solver does not enumerate");
        watch::with_progress(control, common.quiet, || {
            verify_with_solver(g, b, self.how.ties, solver, control)
        })
        .map_err(known)
    }

    /// Counts every message: a part, or the verdict.
    fn enumerate(
        &self,
        question: &Question,
        control: &Control,
        common: &Common,
        documents: &Documents,
    ) -> anyhow::Result<Ending> {
        anyhow::ensure!(
            matches!(self.how.method, Method::Auto | Method::Exhaustive),
            "--method {}: shards, checkpoints and records are of an enumeration",
            self.how.method
        );
        let (g, b) = (&question.matrix, question.b());
        let progress = self.parts.count(question, control, common)?;
        if let Some(path) = &self.parts.part {
            return enumerate::keep(path, &progress, self.json, documents);
        }
        if !progress.complete {
            let verdict = progress.part.verdict(progress.elapsed).map_err(known)?;
            self.publish(g, &verdict, b, None, common, documents)?;
            return Ok(ending(&verdict));
        }
        let whole = whole(progress.part)?;
        let verdict = whole.verdict(progress.elapsed).map_err(known)?;
        self.publish(g, &verdict, b, None, common, documents)?;
        match &self.certificate {
            Some(path) if self.proof == Some(Evidence::Enumeration) => {
                output::write(path, record(&whole, &verdict).to_json().as_bytes())?;
                Ok(ending(&verdict))
            }
            _ => self.certify(g, &verdict, None, control, common),
        }
    }

    fn publish(
        &self,
        g: &AllocationMatrix,
        verdict: &Verdict,
        asked: Option<usize>,
        stragglers: Option<Stragglers>,
        common: &Common,
        documents: &Documents,
    ) -> anyhow::Result<()> {
        if !common.quiet && !g.empty_workers().is_empty() {
            output::remark!(
                "note: workers {} hold no partition, so their votes always tie",
                g.empty_workers()
            );
        }
        let remark = stragglers.map(|both| both.sentence(g, verdict));
        if self.json {
            let mut document = verdict_json(verdict, g);
            if let (Some(both), Some(fields)) = (stragglers, document.as_object_mut()) {
                fields.insert("stragglers".into(), both.to_json(g, verdict));
            }
            output::print_verdict(&document.to_string());
        } else if documents.on_stdout() {
            documents.report(&report(g, verdict, asked, remark.as_deref()))?;
        } else {
            output::print_verdict(&report(g, verdict, asked, remark.as_deref()));
        }
        Ok(())
    }

    /// Writes the certificate that was asked for, if any.
    fn certify(
        &self,
        g: &AllocationMatrix,
        verdict: &Verdict,
        shape: Option<&Shape>,
        control: &Control,
        common: &Common,
    ) -> anyhow::Result<Ending> {
        let Some(path) = &self.certificate else { return Ok(ending(verdict)) };
        let certificate =
            watch::with_progress(control, common.quiet, || self.certificate_of(g, verdict, shape, control));
        match certificate {
            Ok(certificate) => {
                output::write(path, certificate.to_json().as_bytes())?;
                Ok(ending(verdict))
            }
            Err(NoCertificate::Contradiction) => {
                Err(Contradiction(NoCertificate::Contradiction.to_string()).into())
            }
            Err(error) => {
                output::remark!("{} was not written: {error}", path.display());
                Ok(Ending::Undecided)
            }
        }
    }

    /// What `--proof` asks for; where it is left out, cutting planes, and the gluing theorem where it applies and they
    /// take long.
    fn certificate_of(
        &self,
        g: &AllocationMatrix,
        verdict: &Verdict,
        shape: Option<&Shape>,
        control: &Control,
    ) -> Result<Certificate, NoCertificate> {
        let scope = if self.worst_case { Scope::WorstCase } else { Scope::Claim };
        let glued = || match shape {
            Some(shape) => certify_gluing(g, verdict, shape),
            None => Err(NoCertificate::Gluing("the matrix's file lists no parts".to_owned())),
        };
        match self.proof {
            Some(Evidence::Proof(system)) => certify(g, verdict, scope, system, control),
            Some(Evidence::Gluing) if verdict.is_tolerant() => glued(),
            None => certify_usual(g, verdict, scope, shape, control),
            _ => certify(g, verdict, scope, System::CuttingPlanes, control),
        }
    }
}
