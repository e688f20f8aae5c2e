//! What a person looks at: pictures of G, tables, and a refutation told step by step. Returns text,
//! prints nothing.

mod analysis;
mod codes;
mod curves;
mod picture;
mod runs;
mod story;
mod table;

pub use analysis::{analysis_text, probability};
pub use codes::{codes_csv, codes_html, codes_json, codes_markdown};
pub use curves::{Curve, DrawError, curves_html, curves_png, curves_svg};
pub use picture::{Glyphs, picture};
pub use runs::{Cell, run_label, run_table, sweep_table};
pub use story::refutation;
pub use table::{loads, thousands, time, verdict_table};
