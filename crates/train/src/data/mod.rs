//! Training and test samples, read from the files that their publishers ship.
//!
//! # What is promised
//! A file that is truncated, corrupt or mislabelled is refused with its name and the place in it: no sample
//! is made up, dropped or read twice in silence.

mod amazon;
mod cifar;
#[cfg(feature = "fetch")]
pub mod fetch;
mod mnist;
mod pixels;
mod split;
mod synthetic;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rand_chacha::rand_core::Rng as _;
use serde::{Deserialize, Serialize};

use super::random::{Purpose, below, permutation, stream};

pub use pixels::PixelScale;
pub use split::{Split, UnknownSplit};

/// The largest file that is read, unpacked: the Amazon data with room to spare, CIFAR-10 and MNIST too.
const MAX_FILE: u64 = 1 << 30;

/// Why data cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file cannot be opened or read.
    #[error("{}: {error}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: {found}; expected {expected}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// The place, and what is there.
        found: String,
        /// What should be there.
        expected: String,
    },
    /// The description of the data is not understood.
    #[error(
        "unknown data '{0}': expected mnist:DIR, cifar10:DIR, amazon:FILE, amazon-pairs:FILE or synthetic"
    )]
    Unknown(String),
}

fn content(file: &Path, found: impl Into<String>, expected: impl Into<String>) -> DataError {
    DataError::Content { file: file.to_owned(), found: found.into(), expected: expected.into() }
}

/// A whole file, unpacked when its first bytes say gzip.
fn read(file: &Path) -> Result<Vec<u8>, DataError> {
    read_up_to(file, MAX_FILE)
}

/// The same with another bound, in bytes, on the file and on what it unpacks to.
fn read_up_to(file: &Path, most: u64) -> Result<Vec<u8>, DataError> {
    let io = |error| DataError::Io { file: file.to_owned(), error };
    let bounded = |reader: &mut dyn std::io::Read, what: &str| {
        let mut bytes = Vec::new();
        reader.take(most + 1).read_to_end(&mut bytes).map(|_| bytes).map(|bytes| {
            if bytes.len() as u64 <= most {
                return Ok(bytes);
            }
            Err(content(file, format!("more than {most} bytes{what}"), "a data set of at most so many"))
        })
    };
    let bytes = bounded(&mut File::open(file).map_err(io)?, "").map_err(io)??;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut packed = flate2::read::MultiGzDecoder::new(bytes.as_slice());
        return bounded(&mut packed, ", unpacked")
            .map_err(|error| content(file, format!("broken gzip data ({error})"), "a whole gzip file"))?;
    }
    if bytes.starts_with(b"PK") {
        return Err(content(file, "a zip archive", "what is in it: unpack it, as with unzip"));
    }
    Ok(bytes)
}

/// The names in a folder, for a message that says what is there instead.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_unstable();
    names
}

/// Which data, as `--data` takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DataSource {
    /// The folder with MNIST's IDX files, plain or gzipped.
    Mnist(PathBuf),
    /// The folder with CIFAR-10's binary batches.
    Cifar10(PathBuf),
    /// The training table of the Amazon Employee Access Challenge; one feature a category of a column.
    Amazon(PathBuf),
    /// The same with a feature for every pair of categories of two columns, too.
    AmazonPairs(PathBuf),
    /// Ten Gaussian clouds in 64 dimensions, made from the seed 0.
    Synthetic,
}

impl FromStr for DataSource {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let unknown = || DataError::Unknown(text.to_owned());
        if text == "synthetic" {
            return Ok(Self::Synthetic);
        }
        let (kind, place) = text.split_once(':').ok_or_else(unknown)?;
        if place.is_empty() {
            return Err(unknown());
        }
        let place = PathBuf::from(place);
        match kind {
            "mnist" => Ok(Self::Mnist(place)),
            "cifar10" => Ok(Self::Cifar10(place)),
            "amazon" => Ok(Self::Amazon(place)),
            "amazon-pairs" => Ok(Self::AmazonPairs(place)),
            _ => Err(unknown()),
        }
    }
}

impl TryFrom<String> for DataSource {
    type Error = DataError;

    fn try_from(text: String) -> Result<Self, DataError> {
        text.parse()
    }
}

impl From<DataSource> for String {
    fn from(source: DataSource) -> Self {
        source.to_string()
    }
}

impl std::fmt::Display for DataSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mnist(place) => write!(f, "mnist:{}", place.display()),
            Self::Cifar10(place) => write!(f, "cifar10:{}", place.display()),
            Self::Amazon(place) => write!(f, "amazon:{}", place.display()),
            Self::AmazonPairs(place) => write!(f, "amazon-pairs:{}", place.display()),
            Self::Synthetic => f.write_str("synthetic"),
        }
    }
}

impl DataSource {
    /// Its name without the place.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mnist(_) => "mnist",
            Self::Cifar10(_) => "cifar10",
            Self::Amazon(_) => "amazon",
            Self::AmazonPairs(_) => "amazon-pairs",
            Self::Synthetic => "synthetic",
        }
    }

    /// The same data with an absolute path, for a configuration that is read elsewhere.
    #[must_use]
    pub fn absolute(&self) -> Self {
        let full = |place: &Path| std::path::absolute(place).unwrap_or_else(|_| place.to_owned());
        match self {
            Self::Mnist(place) => Self::Mnist(full(place)),
            Self::Cifar10(place) => Self::Cifar10(full(place)),
            Self::Amazon(place) => Self::Amazon(full(place)),
            Self::AmazonPairs(place) => Self::AmazonPairs(full(place)),
            Self::Synthetic => Self::Synthetic,
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`DataError`], with the file and the place in it.
    pub fn load(&self) -> Result<Data, DataError> {
        match self {
            Self::Mnist(folder) => mnist::load(folder),
            Self::Cifar10(folder) => cifar::load(folder),
            Self::Amazon(file) => amazon::load(file, false),
            Self::AmazonPairs(file) => amazon::load(file, true),
            Self::Synthetic => Ok(synthetic::make()),
        }
    }
}

/// The shape and scale of images.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageShape {
    /// Colours.
    pub channels: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// A pixel p of channel c becomes (p/255 − mean\[c\]) / deviation\[c\].
    pub mean: Vec<f32>,
    /// See `mean`.
    pub deviation: Vec<f32>,
    /// Whether training images are cropped at random (4 pixels of padding) and flipped.
    pub augment: bool,
}

impl ImageShape {
    /// What a pixel becomes.
    fn scaled(pixel: u8, mean: f32, deviation: f32) -> f32 {
        (f32::from(pixel) / 255.0 - mean) / deviation
    }
}

/// The inputs of a set of samples.
#[derive(Clone, Debug)]
pub enum Features {
    /// `width` numbers a sample.
    Dense {
        /// Numbers a sample.
        width: usize,
        /// All samples, one after the other.
        values: Vec<f32>,
    },
    /// Images, one byte a pixel: channels, rows, columns.
    Images {
        /// Their shape and scale.
        shape: ImageShape,
        /// All samples, one after the other.
        pixels: Vec<u8>,
    },
    /// A few ones among `width` zeros: `active` indices a sample, in increasing order.
    OneHot {
        /// The number of features.
        width: usize,
        /// Ones a sample.
        active: usize,
        /// All samples' indices, one after the other; `u32::MAX` for a category that training never saw.
        indices: Vec<u32>,
    },
}

/// Samples with their labels.
#[derive(Clone, Debug)]
pub struct Samples {
    /// The inputs.
    pub features: Features,
    /// The class of each sample.
    pub labels: Vec<u16>,
}

impl Samples {
    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The number of features of a sample.
    #[must_use]
    pub fn width(&self) -> usize {
        match &self.features {
            Features::Dense { width, .. } | Features::OneHot { width, .. } => *width,
            Features::Images { shape, .. } => shape.channels * shape.height * shape.width,
        }
    }

    /// Every fifth sample for testing, the others for training.
    fn split(self) -> (Self, Self) {
        let pick = |test: bool| -> Vec<usize> { (0..self.len()).filter(|i| (i % 5 == 4) == test).collect() };
        (self.subset(&pick(false)), self.subset(&pick(true)))
    }

    /// So many of the samples, drawn from the seed, and the others: both in the order that they had.
    pub(super) fn hold_out(&self, count: usize, seed: u64) -> (Self, Self) {
        let order = permutation(&mut stream(seed, Purpose::Validation, 0, 0), self.len());
        let mut out = vec![false; self.len()];
        order[..count].iter().for_each(|&sample| out[sample as usize] = true);
        let pick = |held: bool| -> Vec<usize> { (0..self.len()).filter(|&i| out[i] == held).collect() };
        (self.subset(&pick(true)), self.subset(&pick(false)))
    }

    /// The samples with the given indices.
    fn subset(&self, chosen: &[usize]) -> Self {
        fn rows<T: Copy>(values: &[T], width: usize, chosen: &[usize]) -> Vec<T> {
            chosen.iter().flat_map(|&i| values[i * width..(i + 1) * width].iter().copied()).collect()
        }
        let features = match &self.features {
            Features::Dense { width, values } => {
                Features::Dense { width: *width, values: rows(values, *width, chosen) }
            }
            Features::Images { shape, pixels } => {
                Features::Images { shape: shape.clone(), pixels: rows(pixels, self.width(), chosen) }
            }
            Features::OneHot { width, active, indices } => {
                Features::OneHot { width: *width, active: *active, indices: rows(indices, *active, chosen) }
            }
        };
        Self { features, labels: chosen.iter().map(|&i| self.labels[i]).collect() }
    }

    /// Writes a dense sample as numbers, `width` of them; images scaled, and moved when `crop` says so.
    /// Does nothing for one-hot features.
    pub fn write_row(&self, sample: usize, crop: Crop, row: &mut [f32]) {
        match &self.features {
            Features::Dense { width, values } => {
                row.copy_from_slice(&values[sample * width..(sample + 1) * width]);
            }
            Features::Images { shape, pixels } => {
                let size = shape.channels * shape.height * shape.width;
                crop.write(shape, &pixels[sample * size..(sample + 1) * size], row);
            }
            Features::OneHot { .. } => {}
        }
    }
}

/// How an image is moved before it is learned from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crop {
    /// Pixels down, −4 to 4; what comes in is black.
    pub down: i8,
    /// Pixels to the right, −4 to 4.
    pub right: i8,
    /// Left and right exchanged.
    pub flip: bool,
}

impl Crop {
    /// The crop of the sample at a place of a step's batch, drawn from (seed, step, place).
    #[must_use]
    pub fn draw(seed: u64, step: u64, partition: usize, places: usize) -> Vec<Self> {
        let mut random = stream(seed, Purpose::Augmentation, step, partition);
        let shift = |random: &mut _| below(random, 9) as i8 - 4;
        (0..places)
            .map(|_| Self {
                down: shift(&mut random),
                right: shift(&mut random),
                flip: random.next_u64() & 1 == 1,
            })
            .collect()
    }

    fn write(self, shape: &ImageShape, pixels: &[u8], row: &mut [f32]) {
        let (height, width) = (shape.height as isize, shape.width as isize);
        for channel in 0..shape.channels {
            let (mean, deviation) = (shape.mean[channel], shape.deviation[channel]);
            let plane = channel * shape.height * shape.width;
            for y in 0..height {
                let from_y = y - isize::from(self.down);
                for x in 0..width {
                    let from_x = if self.flip { width - 1 - x } else { x } - isize::from(self.right);
                    let inside = (0..height).contains(&from_y) && (0..width).contains(&from_x);
                    let pixel = if inside { pixels[plane + (from_y * width + from_x) as usize] } else { 0 };
                    row[plane + (y * width + x) as usize] = ImageShape::scaled(pixel, mean, deviation);
                }
            }
        }
    }
}

/// What a model learns from, and is tested on.
#[derive(Clone, Debug)]
pub struct Data {
    /// The training samples.
    pub train: Samples,
    /// The test samples.
    pub test: Samples,
    /// The number of classes.
    pub classes: usize,
}
