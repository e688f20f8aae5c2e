//! The vote to play with: a reader flips the message's bits, chooses who lies and whose vote is missing, and sees each
//! worker's vote, the tally and the decode.
//!
//! # What is promised
//! The page loads nothing, and runs no script but this one: its content security policy names the script's digest. What
//! it shows follows the definitions: `scripts/test-pages` compares `votes.js` with `ecode_core` in a real browser.

use maud::{Markup, html};

use ecode_core::{AllocationMatrix, Message, TieRule};
use ecode_verify::Verdict;

/// The most workers and partitions that a reader is asked to look at one by one.
const MOST: usize = 128;

/// The style sheet of the part that is played with.
pub(super) const STYLE: &str = include_str!("page.css");

/// The script: first the votes, then the page.
pub(super) const SCRIPT: &str = concat!(include_str!("votes.js"), include_str!("page.js"));

/// The script's SHA-256 as content security policies write it. A test computes it again.
pub(super) const SCRIPT_DIGEST: &str = "sha256-ZTuttrtRjvVW+m14isEJOHTIZMkMqWLc+mXgzYHpl+E=";

/// The vote alone, without a page: functions `vote` and `worstRoles` in JavaScript, for tests and for pages of your own.
pub const VOTE_SCRIPT: &str = include_str!("votes.js");

/// Whether a matrix is small enough to be played with.
pub(super) fn fits(g: &AllocationMatrix) -> bool {
    g.n() <= MOST && g.k() <= MOST
}

/// The part of a page that is played with. What the verdict knows, its worst message and its radius, is offered.
pub(super) fn play(g: &AllocationMatrix, verdict: Option<&Verdict>) -> Markup {
    let ties = verdict.map_or(TieRule::default(), Verdict::ties);
    let worst = verdict.and_then(Verdict::worst_case).map(|worst| bits(&worst.message));
    let radius = verdict.and_then(Verdict::radius_at_least);
    let rows: Vec<String> = (0..g.n()).map(|j| hexadecimal(g, j)).collect();
    let liars = radius.map_or(1, |radius| (radius + 1).min(g.n()));
    html! {
        h2 { "Play with it" }
        noscript { p { "This part needs JavaScript. The page loads nothing from the network." } }
        div id="play" hidden data-n=(g.n()) data-k=(g.k()) data-rule=(ties) data-rows=(rows.join(" "))
            data-worst=[worst.as_deref()] data-radius=[radius] {
            p {
                "Each partition has one bit of the message; a worker votes for what most of its partitions say, and the server "
                "for what most workers send. Click a bit to flip it (arrow keys go from bit to bit), and choose what each worker "
                "does. One that lies sends the opposite of the message's majority. Ties: " (ties) "."
            }
            div class="controls" role="group" aria-label="Messages" {
                @if worst.is_some() { button type="button" id="worst-message" { "Worst message" } }
                button type="button" id="random-message" { "Random message" }
                button type="button" id="flip" { "Flip all bits" }
            }
            div class="controls" role="group" aria-label="Workers" {
                label { "liars " input id="liars" type="number" min="0" max=(g.n()) value=(liars); }
                label { "missing " input id="missing" type="number" min="0" max=(g.n()) value="0"; }
                button type="button" id="worst-workers" { "Worst workers for this message" }
                button type="button" id="all-honest" { "All honest" }
            }
            div role="status" aria-live="polite" {
                p { strong id="answer" {} }
                p id="tally" {}
                p id="bound" {}
            }
            div id="bar" aria-hidden="true" {}
            div class="scroll" tabindex="0" role="region" aria-label="The votes" { table id="votes" {} }
        }
    }
}

/// A message as its bits, partition 0 first.
fn bits(message: &Message) -> String {
    (0..message.len()).map(|i| if message.contains(i) { '1' } else { '0' }).collect()
}

/// A row as a hexadecimal number, partition 0 its last bit.
fn hexadecimal(g: &AllocationMatrix, j: usize) -> String {
    let digit = |place: usize| {
        let bits = (0..4).filter(|bit| place * 4 + bit < g.k() && g.holds(j, place * 4 + bit));
        char::from_digit(bits.map(|bit| 1 << bit).sum(), 16).unwrap_or('0')
    };
    (0..g.k().div_ceil(4)).rev().map(digit).collect()
}
