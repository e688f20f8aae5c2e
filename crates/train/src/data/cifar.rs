//! CIFAR-10's binary version: a label and 3 × 32 × 32 bytes an image, red, green and blue.

use std::path::Path;

use super::{Data, DataError, Features, ImageShape, Samples, content, names, read};

/// Bytes of one image with its label.
const RECORD: usize = 1 + 3 * 32 * 32;

/// Reads `data_batch_1.bin` to `data_batch_5.bin` for training and `test_batch.bin` for testing, from the
/// folder or from `cifar-10-batches-bin` in it.
pub(super) fn load(folder: &Path) -> Result<Data, DataError> {
    let inner = folder.join("cifar-10-batches-bin");
    let folder = if inner.is_dir() { inner } else { folder.to_owned() };
    if let Some(found) = instead(&folder) {
        return Err(content(
            &folder,
            found,
            "data_batch_1.bin to data_batch_5.bin and test_batch.bin, of the binary version; \
             `ecode data fetch cifar10 --to DIR` downloads them",
        ));
    }
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for batch in 1..=5 {
        batch_file(&folder.join(format!("data_batch_{batch}.bin")), &mut pixels, &mut labels)?;
    }
    let train = samples(pixels, labels, true);
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    batch_file(&folder.join("test_batch.bin"), &mut pixels, &mut labels)?;
    Ok(Data { train, test: samples(pixels, labels, false), classes: 10 })
}

/// What is there instead of the binary version, where that is missing.
fn instead(folder: &Path) -> Option<String> {
    if folder.join("data_batch_1.bin").is_file() {
        return None;
    }
    if folder.is_file() {
        return Some("a file, not the folder unpacked from it".to_owned());
    }
    let names = names(folder);
    let holds = |wanted: &str| names.iter().any(|name| name == wanted);
    let archive =
        names.iter().find(|name| [".zip", ".tar.gz", ".tgz", ".7z"].iter().any(|end| name.ends_with(end)));
    if holds("data_batch_1") || holds("cifar-10-batches-py") {
        Some("Python's version of CIFAR-10 (pickles)".to_owned())
    } else if holds("data_batch_1.mat") || holds("cifar-10-batches-mat") {
        Some("Matlab's version of CIFAR-10".to_owned())
    } else if let Some(archive) = archive {
        Some(format!("no batches here, but {archive}, which is not unpacked"))
    } else if holds("trainLabels.csv") {
        Some("CIFAR-10 as pictures, one a file".to_owned())
    } else {
        Some("no data_batch_1.bin here".to_owned())
    }
}

fn samples(pixels: Vec<u8>, labels: Vec<u16>, augment: bool) -> Samples {
    // The training set's mean and deviation of each channel, as everybody who trains on it uses them.
    let shape = ImageShape {
        channels: 3,
        height: 32,
        width: 32,
        mean: vec![0.4914, 0.4822, 0.4465],
        deviation: vec![0.2470, 0.2435, 0.2616],
        augment,
    };
    Samples { features: Features::Images { shape, pixels }, labels }
}

fn batch_file(file: &Path, pixels: &mut Vec<u8>, labels: &mut Vec<u16>) -> Result<(), DataError> {
    let bytes = read(file)?;
    if bytes.is_empty() || bytes.len() % RECORD != 0 {
        let found = format!("{} bytes, {} beyond the last whole image", bytes.len(), bytes.len() % RECORD);
        return Err(content(file, found, format!("whole images of {RECORD} bytes")));
    }
    for (place, record) in bytes.chunks_exact(RECORD).enumerate() {
        if record[0] > 9 {
            let found = format!("image {place} (byte {}) has the label {}", place * RECORD, record[0]);
            return Err(content(file, found, "0 to 9"));
        }
        labels.push(u16::from(record[0]));
        pixels.extend_from_slice(&record[1..]);
    }
    Ok(())
}
