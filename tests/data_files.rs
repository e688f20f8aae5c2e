//! Promise: data files are read as their publishers ship them, and broken ones are refused by name and place.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::float_cmp, clippy::format_collect, reason = "exact values are meant; the test is short")]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use ecode::train::data::fetch::{Remote, fetch};
use ecode::train::data::{Crop, DataSource, Features, Samples};
use ecode::verify::Control;

fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    file.extend(bytes);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn refused(source: &str, expected: &str) {
    let error = source.parse::<DataSource>().unwrap().load().unwrap_err().to_string();
    assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
}

#[test]
fn mnist_is_read_plain_and_packed_and_refused_when_broken() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let source = format!("mnist:{}", folder.path().display());
    refused(&source, "no MNIST files here");
    let pixels: Vec<u8> = (0..60).collect();
    let (images, labels) = (idx(&[10, 2, 3], &pixels), idx(&[10], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    std::fs::write(place("t10k-images-idx3-ubyte"), &images).unwrap();
    refused(&source, "t10k-images-idx3-ubyte without t10k-labels-idx1-ubyte");
    std::fs::write(place("t10k-labels-idx1-ubyte.gz"), gzip(&labels)).unwrap();
    let data = source.parse::<DataSource>().unwrap().load().unwrap();
    // Every fifth tests.
    assert_eq!(
        (data.train.labels.clone(), data.test.labels.clone()),
        (vec![0, 1, 2, 3, 5, 6, 7, 8], vec![4, 9])
    );
    let mut row = [0.0; 6];
    data.test.write_row(1, Crop::default(), &mut row);
    assert_eq!(row, [54.0, 55.0, 56.0, 57.0, 58.0, 59.0].map(|pixel: f32| pixel / 255.0));

    for (name, bytes, expected) in [
        (
            "t10k-images-idx3-ubyte",
            images[..images.len() - 1].to_vec(),
            "the file ends at byte 75; expected 76",
        ),
        ("t10k-images-idx3-ubyte", images[..9].to_vec(), "the file ends at byte 9; expected a whole header"),
        ("t10k-images-idx3-ubyte", labels.clone(), "bytes 0 to 3 are [0, 0, 8, 1]"),
        ("t10k-images-idx3-ubyte", idx(&[9, 2, 3], &pixels[..54]), "10 labels for the 9 images"),
        ("t10k-images-idx3-ubyte", idx(&[u32::MAX, u32::MAX, u32::MAX], &pixels), "by the header's sizes"),
        (
            "t10k-labels-idx1-ubyte.gz",
            gzip(&idx(&[10], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 10])),
            "label 9 (byte 17) is 10",
        ),
        ("t10k-labels-idx1-ubyte.gz", gzip(&labels)[..20].to_vec(), "broken gzip data"),
    ] {
        let whole = std::fs::read(place(name)).unwrap();
        std::fs::write(place(name), bytes).unwrap();
        refused(&source, expected);
        std::fs::write(place(name), whole).unwrap();
    }
}

/// Under the names and in the folders that archives, Kaggle and torchvision give them.
#[test]
fn mnist_is_found_under_its_common_names() {
    let (images, labels) = (idx(&[10, 2, 3], &[9; 60]), idx(&[10], &[1; 10]));
    for (folder, inner, names) in [
        ("dots", "", ["train-images.idx3-ubyte", "train-labels.idx1-ubyte"]),
        ("packed", "", ["train-images.idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]),
        ("torchvision", "MNIST/raw", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]),
        ("raw", "raw", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]),
        (
            "kaggle",
            "",
            [
                "train-images-idx3-ubyte/train-images-idx3-ubyte",
                "train-labels-idx1-ubyte/train-labels-idx1-ubyte",
            ],
        ),
    ] {
        let root = tempfile::tempdir().unwrap();
        for (name, bytes) in names.into_iter().zip([&images, &labels]) {
            let place = root.path().join(folder).join(inner).join(name);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(&place, if name.contains(".gz") { gzip(bytes) } else { bytes.clone() }).unwrap();
        }
        let data = DataSource::Mnist(root.path().join(folder)).load().unwrap();
        assert_eq!((data.train.len(), data.test.len(), data.train.width()), (8, 2, 6), "{folder}");
    }
}

/// Images of two sizes are no data set, and nothing is left of the try.
#[test]
fn training_and_test_images_are_of_one_size() {
    let folder = tempfile::tempdir().unwrap();
    for (set, size) in [("train", 2), ("t10k", 3)] {
        let place = |name: &str| folder.path().join(format!("{set}-{name}"));
        std::fs::write(place("images-idx3-ubyte"), idx(&[10, size, 2], &vec![1; 20 * size as usize]))
            .unwrap();
        std::fs::write(place("labels-idx1-ubyte"), idx(&[10], &[1; 10])).unwrap();
    }
    let source = format!("mnist:{}", folder.path().display());
    refused(&source, "training images of 2 × 2, test images of 3 × 2; expected images of one size");
    let run = folder.path().join("run");
    let output = assert_cmd::Command::cargo_bin("ecode")
        .unwrap()
        .args([
            "train",
            "--code",
            "uncoded:n=5",
            "--byzantine",
            "1",
            "--steps",
            "1",
            "--data",
            &source,
            "--run",
        ])
        .arg(&run)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    let last = error.lines().last().unwrap_or_default();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(last.contains("images of one size") && !run.exists(), "{error}");
}

/// What people have instead of what is read is named, with what to do.
#[test]
fn other_forms_of_the_data_are_named() {
    for (kind, name, said) in [
        ("mnist", "archive.zip", "but archive.zip: unpack it"),
        ("mnist", "mnist.npz", "but mnist.npz, which is MNIST in another form"),
        ("cifar10", "data_batch_1", "Python's version of CIFAR-10 (pickles)"),
        ("cifar10", "cifar-10-batches-py", "Python's version of CIFAR-10 (pickles)"),
        ("cifar10", "data_batch_1.mat", "Matlab's version"),
        ("cifar10", "cifar-10-binary.tar.gz", "but cifar-10-binary.tar.gz, which is not unpacked"),
        ("cifar10", "trainLabels.csv", "CIFAR-10 as pictures"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), "PK").unwrap();
        refused(&format!("{kind}:{}", folder.path().display()), said);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("train.csv.zip");
    std::fs::write(&file, b"PK\x03\x04").unwrap();
    refused(&format!("amazon:{}", file.display()), "a zip archive");
    refused(&format!("mnist:{}", file.display()), "a file; expected the folder");
    refused(&format!("cifar10:{}", file.display()), "a file, not the folder");
}

#[test]
fn cifar_is_read_and_refused_when_broken() {
    let folder = tempfile::tempdir().unwrap();
    let source = format!("cifar10:{}", folder.path().display());
    refused(&source, "data_batch_1.bin");
    let image = |label: u8| [vec![label], vec![label * 20; 3072]].concat();
    for batch in 1..=5 {
        std::fs::write(folder.path().join(format!("data_batch_{batch}.bin")), image(batch)).unwrap();
    }
    std::fs::write(folder.path().join("test_batch.bin"), [image(7), image(8)].concat()).unwrap();
    let data = source.parse::<DataSource>().unwrap().load().unwrap();
    assert_eq!((data.train.labels.clone(), data.test.labels.clone()), (vec![1, 2, 3, 4, 5], vec![7, 8]));
    assert!(matches!(&data.train.features, Features::Images { shape, .. } if shape.augment));
    assert!(matches!(&data.test.features, Features::Images { shape, .. } if !shape.augment));
    std::fs::write(folder.path().join("data_batch_3.bin"), [image(1), image(10)].concat()).unwrap();
    refused(&source, "image 1 (byte 3073) has the label 10");
    std::fs::write(folder.path().join("data_batch_3.bin"), &image(1)[..3000]).unwrap();
    refused(&source, "3000 bytes, 3000 beyond the last whole image");
}

/// A crop moves the picture; what comes in is black; a flip is its own inverse.
#[test]
fn crops_move_images() {
    let folder = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (1..=60).collect();
    std::fs::write(folder.path().join("train-images-idx3-ubyte"), idx(&[10, 2, 3], &pixels)).unwrap();
    std::fs::write(folder.path().join("train-labels-idx1-ubyte"), idx(&[10], &[0; 10])).unwrap();
    let data = DataSource::Mnist(folder.path().to_owned()).load().unwrap();
    let row = |down, right, flip| {
        let mut row = [0.0; 6];
        data.train.write_row(0, Crop { down, right, flip }, &mut row);
        row.map(|value: f32| (value * 255.0).round() as u8)
    };
    assert_eq!(row(0, 0, false), [1, 2, 3, 4, 5, 6]);
    assert_eq!(row(1, 0, false), [0, 0, 0, 1, 2, 3]);
    assert_eq!(row(0, -1, false), [2, 3, 0, 5, 6, 0]);
    assert_eq!(row(0, 0, true), [3, 2, 1, 6, 5, 4]);
    assert_eq!(row(4, 4, false), [0; 6]);
    let crops = Crop::draw(1, 2, 3, 1000);
    assert_eq!(crops, Crop::draw(1, 2, 3, 1000));
    assert!(crops.iter().any(|crop| crop.down == -4) && crops.iter().any(|crop| crop.right == 4));
    assert!(crops.iter().all(|crop| crop.down.abs() <= 4 && crop.right.abs() <= 4));
}

#[test]
fn the_amazon_table_is_read_and_refused_when_broken() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("train.csv");
    let source = format!("amazon:{}", file.display());
    let table = "ACTION,A,B\n1,5,9\n0,5,8\n1,6,9\n1,5,9\n0,7,9\n1,6,8\n";
    // With the mark that spreadsheets write; in a folder that the archive made.
    std::fs::write(&file, format!("\u{feff}{table}")).unwrap();
    assert_eq!(DataSource::Amazon(folder.path().to_owned()).load().unwrap().train.len(), 5);
    std::fs::write(&file, table).unwrap();
    let load = |source: &str| source.parse::<DataSource>().unwrap().load().unwrap();
    let data = load(&source);
    assert_eq!((data.train.labels.clone(), data.test.labels.clone()), (vec![1, 0, 1, 1, 1], vec![0]));
    let indices = |samples: &Samples| match &samples.features {
        Features::OneHot { indices, width, active } => (indices.clone(), *width, *active),
        _ => panic!("one-hot features"),
    };
    // Features in order of appearance: A5, B9, B8, A6. Category A7 is in the test line only.
    assert_eq!(indices(&data.train), (vec![0, 1, 0, 2, 1, 3, 0, 1, 2, 3], 4, 2));
    assert_eq!(indices(&data.test), (vec![1, u32::MAX], 4, 2));
    // Pairs: A5B9, A5B8, A6B9, A6B8 besides.
    let pairs = load(&source.replace("amazon:", "amazon-pairs:"));
    assert_eq!(indices(&pairs.train).1, 8);
    for (broken, expected) in [
        (table.replace("ACTION", "X"), "line 1 starts with 'X'"),
        (table.replace("0,5,8", "2,5,8"), "line 3, ACTION is '2'"),
        (table.replace("0,5,8", "0,5"), "line 3 has 2 fields"),
        (table.replace("0,5,8", "0,five,8"), "line 3, A is 'five'"),
        ("ACTION,A\n1,2\n".to_owned(), "1 lines of data"),
        (String::new(), "line 1 starts with ''"),
    ] {
        std::fs::write(&file, broken).unwrap();
        refused(&source, expected);
    }
}

/// The publishers' own files, cut to their first items: what each of them is known to begin with.
#[test]
fn real_samples_are_read() {
    let load = |source: &str| source.parse::<DataSource>().unwrap().load().unwrap();
    let mnist = load("mnist:fixtures/data/mnist");
    assert_eq!((mnist.train.len(), mnist.test.len(), mnist.train.width()), (80, 20, 784));
    // The test set begins 7 2 1 0 4 1 4 9 5 9; every fifth tests here.
    assert_eq!(
        (&mnist.train.labels[..8], &mnist.test.labels[..2]),
        (&[7, 2, 1, 0, 1, 4, 9, 5][..], &[4, 9][..])
    );
    let cifar = load("cifar10:fixtures/data");
    assert_eq!((cifar.train.len(), cifar.test.len(), cifar.train.width()), (40, 8, 3072));
    // Frog, truck, truck, deer; and the test batch: cat, ship, ship, plane.
    assert_eq!((&cifar.train.labels[..4], &cifar.test.labels[..4]), (&[6, 9, 9, 4][..], &[3, 8, 8, 0][..]));
    let amazon = load("amazon:fixtures/data/amazon.csv");
    assert_eq!((amazon.train.len(), amazon.test.len(), amazon.classes), (160, 40, 2));
}

/// Serves one file a connection, as many times as asked.
fn serve(bytes: &'static [u8], times: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().take(times) {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).unwrap();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(bytes).unwrap();
        }
    });
    address
}

#[test]
fn downloads_are_whole_and_right_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = Remote {
        name: "hello",
        size: 5,
        sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    };
    let mut told = Vec::new();
    let from = serve(b"hello", 1);
    let go = Control::default();
    assert!(fetch(&file, &from, folder.path(), &go, |bytes| told.push(bytes)).unwrap());
    assert_eq!(told.last(), Some(&5));
    assert_eq!(std::fs::read(folder.path().join("hello")).unwrap(), b"hello");
    // It is there already: the server is gone, and nothing is asked of it.
    assert!(!fetch(&file, &from, folder.path(), &go, |_| ()).unwrap());

    let other = tempfile::tempdir().unwrap();
    // What a killed download left goes with the next one.
    std::fs::write(other.path().join(".hello.ecode-dead"), "he").unwrap();
    let error = fetch(&file, &serve(b"hullo", 1), other.path(), &go, |_| ()).unwrap_err().to_string();
    assert!(error.contains("the SHA-256 is") && error.contains("nothing was kept"), "{error}");
    let error = fetch(&file, "http://127.0.0.1:1", other.path(), &go, |_| ()).unwrap_err().to_string();
    assert!(error.contains("--from"), "{error}");
    assert_eq!(std::fs::read_dir(other.path()).unwrap().count(), 0);
}

#[test]
fn archives_are_unpacked() {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    header.set_mode(0o644);
    archive.append_data(&mut header, "inner/file.bin", &b"abc"[..]).unwrap();
    let bytes: &'static [u8] = Vec::leak(gzip(&archive.into_inner().unwrap()));
    let digest = ecode::code::digest::sha256(bytes);
    let sha256 = String::leak(digest).trim_start_matches("sha256:");
    let file = Remote { name: "data.tar.gz", size: bytes.len() as u64, sha256 };
    let folder = tempfile::tempdir().unwrap();
    fetch(&file, &serve(bytes, 1), folder.path(), &Control::default(), |_| ()).unwrap();
    assert_eq!(std::fs::read(folder.path().join("inner/file.bin")).unwrap(), b"abc");
}
