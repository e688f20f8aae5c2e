//! Charts: one system for pages, SVG files and PNG images.
//!
//! A chart is laid out once, as a [`drawing::Drawing`] of lines, areas and texts. `drawing` writes it as SVG for pages and
//! files; `raster` (feature `plot`) paints the same drawing as PNG, and `pdf` writes it as a page. Margins come from the widest label, and labels
//! that would run into each other are left out.

pub(crate) mod axis;
pub(crate) mod bars;
pub(crate) mod drawing;
pub(crate) mod lines;
#[cfg(feature = "plot")]
pub(crate) mod pdf;
#[cfg(feature = "plot")]
pub(crate) mod raster;
pub(crate) mod style;
pub(crate) mod text;

pub use style::standalone;
