//! MNIST in its publishers' IDX format: a big-endian header, then one byte a pixel or a label.

use std::path::{Path, PathBuf};

use super::{Data, DataError, Features, ImageShape, Samples, content, names, read};

/// Reads a folder. The training pair trains and the `t10k` pair tests; where only one pair is there, every
/// fifth sample of it tests.
pub(super) fn load(folder: &Path) -> Result<Data, DataError> {
    if folder.is_file() {
        return Err(content(folder, "a file", "the folder with MNIST's files, unpacked from it"));
    }
    // As torchvision keeps them, too.
    let inner = ["", "MNIST/raw", "raw", "MNIST", "mnist"].map(|inner| folder.join(inner));
    let folder = inner.iter().find(|inner| is_there(inner)).map_or(folder, PathBuf::as_path);
    let train = pair(folder, "train")?;
    let test = pair(folder, "t10k")?;
    let (train, test) = match (train, test) {
        (Some(train), Some(test)) => {
            let sizes = |samples: &Samples| match &samples.features {
                Features::Images { shape, .. } => (shape.height, shape.width),
                _ => (0, 0),
            };
            let ((height, width), (tested, across)) = (sizes(&train), sizes(&test));
            if (height, width) != (tested, across) {
                let found =
                    format!("training images of {height} × {width}, test images of {tested} × {across}");
                return Err(content(folder, found, "images of one size"));
            }
            (train, test)
        }
        (Some(one), None) | (None, Some(one)) => one.split(),
        (None, None) => {
            return Err(content(
                folder,
                format!("no MNIST files here{}", instead(folder)),
                "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-… (plain or .gz); \
                 `ecode data fetch mnist --to DIR` downloads them",
            ));
        }
    };
    Ok(Data { train, test, classes: 10 })
}

/// Whether any of the files is in a folder.
fn is_there(folder: &Path) -> bool {
    ["train", "t10k"]
        .iter()
        .flat_map(|set| [format!("{set}-images-idx3-ubyte"), format!("{set}-labels-idx1-ubyte")])
        .any(|name| find(folder, &name).is_some())
}

/// What is in a folder instead.
fn instead(folder: &Path) -> String {
    let names = names(folder);
    let ends = |end: &str| names.iter().find(|name| name.to_ascii_lowercase().ends_with(end));
    if let Some(zip) = ends(".zip") {
        format!(", but {zip}: unpack it")
    } else if let Some(other) = ends(".npz").or(ends(".csv")).or(ends(".parquet")) {
        format!(", but {other}, which is MNIST in another form")
    } else {
        String::new()
    }
}

/// The file of this name, plain or gzipped. Some archives write a dot for its last hyphen but one, some unpack a
/// file into a folder of its own name.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    [name, &dotted]
        .into_iter()
        .flat_map(|name| [name.to_owned(), format!("{name}.gz"), format!("{name}/{name}")])
        .map(|name| folder.join(name))
        .find(|file| file.is_file())
}

fn pair(folder: &Path, set: &str) -> Result<Option<Samples>, DataError> {
    let names = [format!("{set}-images-idx3-ubyte"), format!("{set}-labels-idx1-ubyte")];
    let (images, labels) = match names.clone().map(|name| find(folder, &name)).into() {
        (None, None) => return Ok(None),
        (Some(images), Some(labels)) => (images, labels),
        (images, _) => {
            let [images_name, labels_name] = names;
            let (here, missing) =
                if images.is_some() { (images_name, labels_name) } else { (labels_name, images_name) };
            return Err(content(folder, format!("{here} without {missing}"), "both, plain or .gz"));
        }
    };
    let (sizes, pixels) = idx(&images, 3)?;
    if sizes[1] == 0 || sizes[2] == 0 || sizes[0] == 0 || sizes[1] * sizes[2] > 1 << 20 {
        return Err(content(&images, format!("header: images of {} × {}", sizes[1], sizes[2]), "images"));
    }
    let (count, values) = idx(&labels, 1)?;
    if count[0] != sizes[0] {
        let found = format!("{} labels for the {} images of {}", count[0], sizes[0], images.display());
        return Err(content(&labels, found, "a label an image"));
    }
    if let Some((place, label)) = values.iter().enumerate().find(|(_, label)| **label > 9) {
        return Err(content(&labels, format!("label {place} (byte {}) is {label}", place + 8), "0 to 9"));
    }
    let shape = ImageShape {
        channels: 1,
        height: sizes[1],
        width: sizes[2],
        mean: vec![0.0],
        deviation: vec![1.0],
        augment: false,
    };
    let labels = values.into_iter().map(u16::from).collect();
    Ok(Some(Samples { features: Features::Images { shape, pixels }, labels }))
}

/// The sizes and the bytes of an IDX file of unsigned bytes with this many dimensions.
fn idx(file: &Path, dimensions: usize) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let mut bytes = read(file)?;
    let magic = [0, 0, 8, dimensions as u8];
    if !bytes.starts_with(&magic) {
        let found = format!("bytes 0 to 3 are {:?}", &bytes[..bytes.len().min(4)]);
        return Err(content(
            file,
            found,
            format!("{magic:?}, an IDX file of bytes in {dimensions} dimensions"),
        ));
    }
    let start = 4 + 4 * dimensions;
    if bytes.len() < start {
        return Err(content(file, format!("the file ends at byte {}", bytes.len()), "a whole header"));
    }
    let sizes: Vec<usize> =
        bytes[4..start].as_chunks::<4>().0.iter().map(|&size| u32::from_be_bytes(size) as usize).collect();
    let expected = sizes.iter().try_fold(start, |all, &size| {
        (if all == start { Some(size) } else { (all - start).checked_mul(size) }).map(|bytes| bytes + start)
    });
    if expected != Some(bytes.len()) {
        let expected = expected.map_or("fewer".to_owned(), |bytes| bytes.to_string());
        let found = format!("the file ends at byte {}", bytes.len());
        return Err(content(file, found, format!("{expected} bytes, by the header's sizes {sizes:?}")));
    }
    Ok((sizes, bytes.split_off(start)))
}
