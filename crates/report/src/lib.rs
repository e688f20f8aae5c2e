//! What a person looks at: pictures of G, tables, and a refutation told step by step. Returns text,
//! prints nothing.

mod analysis;
mod chart;
mod codes;
mod compare;
mod curves;
mod distortion;
mod domains;
mod frontier;
mod json;
mod markdown;
mod matrix;
mod numbers;
mod page;
mod picture;
mod play;
mod runs;
mod schemes;
mod site;
mod story;
mod sweeps;
mod swept;
mod table;
mod worth;

pub use analysis::analysis_text;
#[cfg(feature = "plot")]
pub use chart::raster::DrawError;
pub use chart::standalone;
pub use codes::{codes_csv, codes_html, codes_json, codes_markdown};
pub use compare::{Compared, compare_csv, compare_table};
pub use curves::{Curve, NothingToDraw, code_label, curves_html, curves_svg};
#[cfg(feature = "plot")]
pub use curves::{CurvesError, curves_pdf, curves_png};
pub use distortion::{
    Distorted, Point, Promise, Sets, distortion_csv, distortion_json, distortion_svg, distortion_text,
    promises_table,
};
pub use domains::{domain_distortion_json, domain_distortion_text, domain_names, domain_report};
pub use frontier::{
    Frontier, FrontierPoint, Peer, frontier_csv, frontier_json, frontier_page, frontier_svg, frontier_text,
};
pub use json::analysis_json;
pub use markdown::Markdown;
pub use matrix::matrix_svg;
pub use numbers::{figures, plain, probability, thousands, time};
pub use page::{analysis_page, compare_page, matrix_page};
pub use picture::{Glyphs, picture};
pub use play::VOTE_SCRIPT;
pub use runs::{Times, run_label, run_table, times_table};
pub use schemes::{SchemeCost, schemes_svg, schemes_table};
pub use site::{SiteCode, site_index, site_page};
pub use story::refutation;
pub use sweeps::{Cell, Cost, comparison_tables, sweep_table, values_text};
pub use swept::{SweptRun, swept_csv};
pub use table::{loads, verdict_table};
pub use worth::worth_svg;
