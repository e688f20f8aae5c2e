//! A run's log as an event file of TensorBoard.
//!
//! # What is promised
//! The same log gives the same bytes: an event's time is the run's seconds of training, not the day's. Values that are not
//! finite, or not there, have no event.
//!
//! # References
//! TensorFlow's `tensorflow/core/lib/io/record_writer.h` (framing and masked checksums), `core/util/event.proto` and
//! `core/framework/summary.proto` (fields).

use crate::metrics::Metrics;

/// The file's name; TensorBoard looks for `tfevents` in it.
pub(super) const NAME: &str = "tensorboard/events.out.tfevents.0.ecode";

/// The bytes of the event file of a log.
#[must_use]
pub(super) fn events(log: &[Metrics]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut first = double(1, 0.0);
    first.extend(bytes(3, b"brain.Event:2"));
    record(&mut file, &first);
    for line in log {
        let values: Vec<u8> =
            scalars(line).into_iter().flat_map(|(tag, value)| bytes(1, &scalar(tag, value))).collect();
        let mut event = double(1, line.wall_s);
        event.extend(integer(2, line.step));
        event.extend(bytes(5, &values));
        record(&mut file, &event);
    }
    file
}

/// What a line of the log shows, by TensorBoard's tags.
fn scalars(line: &Metrics) -> Vec<(&'static str, f64)> {
    let values = [
        ("loss/train", line.train_loss),
        ("loss/test", Some(line.test_loss)),
        ("accuracy/test", Some(line.test_accuracy)),
        ("accuracy/validation", line.validation_accuracy),
        ("auc/test", line.test_auc),
        ("auc/validation", line.validation_auc),
        ("vote/wrong_coordinates", line.wrong_coordinates.map(|wrong| wrong as f64)),
        ("vote/verified", Some(f64::from(u8::from(line.verified)))),
        ("cost/gradients", Some(line.gradients as f64)),
        ("cost/bytes_up", Some(line.bytes_up as f64)),
        ("cost/bytes_down", Some(line.bytes_down as f64)),
        ("cost/deployed_s", Some(line.deployed_s)),
    ];
    values
        .into_iter()
        .filter_map(|(tag, value)| Some((tag, value.filter(|value| value.is_finite())?)))
        .collect()
}

/// A message `Summary.Value`: its tag and its number.
fn scalar(tag: &str, value: f64) -> Vec<u8> {
    let mut message = bytes(1, tag.as_bytes());
    message.push(2 << 3 | 5);
    message.extend((value as f32).to_le_bytes());
    message
}

/// A field of protocol buffers with a double.
fn double(field: u8, value: f64) -> Vec<u8> {
    let mut message = vec![field << 3 | 1];
    message.extend(value.to_le_bytes());
    message
}

/// A field with a whole number.
fn integer(field: u8, value: u64) -> Vec<u8> {
    let mut message = vec![field << 3];
    message.extend(varint(value));
    message
}

/// A field with bytes: a text, or another message.
fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let mut message = vec![field << 3 | 2];
    message.extend(varint(value.len() as u64));
    message.extend(value);
    message
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Adds a record: its length, the length's checksum, itself, and its own checksum.
fn record(file: &mut Vec<u8>, message: &[u8]) {
    let length = (message.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(masked(&length).to_le_bytes());
    file.extend(message);
    file.extend(masked(message).to_le_bytes());
}

/// A checksum that may stand in what is summed itself.
fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The checksum of Castagnoli, bit by bit: logs are small.
fn crc32c(bytes: &[u8]) -> u32 {
    let shifted = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| shifted(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of CRC-32C, and a vector of RFC 3720, appendix B.4.
    #[test]
    fn the_checksum_is_castagnoli_s() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    }

    /// Fields as the encoding guide of protocol buffers has them: 150 in field 1, and "testing" in field 2.
    #[test]
    fn fields_are_those_of_protocol_buffers() {
        assert_eq!(integer(1, 150), [0x08, 0x96, 0x01]);
        assert_eq!(bytes(2, b"testing"), [0x12, 7, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]);
    }

    /// The record that begins every event file, as TensorFlow writes it (its time set to 0).
    #[test]
    fn a_file_begins_as_tensorflow_s_do() {
        let file = events(&[]);
        assert_eq!(file[..8], 24_u64.to_le_bytes());
        assert_eq!(file[8..12], [0xa3, 0x7f, 0x4b, 0x22]);
        assert_eq!(file[12..21], [9, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(&file[21..36], b"\x1a\x0dbrain.Event:2");
        assert_eq!(file.len(), 12 + 24 + 4);
    }
}
