//! The decodes of a run on the disk, in the order in which they were told.
//!
//! # What is promised
//! - A decode is on the disk, as far as the system promises that, before [`DecodeLog::append`] returns.
//! - After a crash the whole steps are read back as they were written; what is left of a step that was not whole is dropped:
//!   no worker can have seen all of it.
//! - The newest so many bytes are kept, and at most twice as many lie on the disk.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use ecode_grpc::{Account, Decode, Past};

use crate::folder::FolderError;

/// Bytes before a decode's bits: step, block, flags, two lengths, and a part of their BLAKE3.
const HEAD: usize = 40;
/// More bits a block has not.
const LONGEST: usize = 1 << 20;
/// A flag: the decode is not proved to be the majority. The bits above it are the votes that were missing in the step, in the
/// record of its last block.
const UNPROVED: u32 = 1;

/// The decodes of a run.
#[derive(Debug)]
pub(crate) struct DecodeLog {
    folder: PathBuf,
    blocks: usize,
    most: u64,
    file: File,
    /// The files, oldest first: the first step and the bytes of each. The last one is written.
    files: VecDeque<(u64, u64)>,
    /// Blocks of the present step that were written.
    written: usize,
}

/// What was read back.
#[derive(Debug)]
pub(crate) struct ReadBack {
    pub(crate) past: Past,
    /// The first step that is not whole.
    pub(crate) step: u64,
    /// Bytes of no whole step that were dropped.
    pub(crate) dropped: u64,
}

fn place_of(folder: &Path, step: u64) -> PathBuf {
    folder.join(format!("{step:020}.decodes"))
}

fn failed(place: &Path) -> impl Fn(io::Error) -> FolderError {
    let place = place.to_owned();
    move |error| FolderError::Io { place: place.clone(), error }
}

impl DecodeLog {
    /// Opens the log of a folder, of which `most` bytes are kept; begins one where there is none.
    pub(crate) fn open(folder: &Path, blocks: usize, most: u64) -> Result<(Self, ReadBack), FolderError> {
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let mut firsts = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed(folder))? {
            let name = entry.map_err(failed(folder))?.file_name();
            firsts.extend(name.to_str().and_then(|name| name.strip_suffix(".decodes")?.parse::<u64>().ok()));
        }
        firsts.sort_unstable();
        let from = firsts.first().copied().unwrap_or(0);
        let (mut step, mut decodes, mut files, mut dropped) = (from, Vec::new(), VecDeque::new(), 0);
        for (at, &first) in firsts.iter().enumerate() {
            let place = place_of(folder, first);
            let bytes = Bytes::from(fs::read(&place).map_err(failed(&place))?);
            let (whole, end) = whole_steps(&bytes, first, blocks);
            let last = at + 1 == firsts.len();
            if first != step || (!last && end < bytes.len()) {
                let what = format!("after step {step} decodes are missing or damaged");
                return Err(FolderError::Broken { place, what });
            }
            step += (whole.len() / blocks) as u64;
            decodes.extend(whole);
            files.push_back((first, end as u64));
            dropped = (bytes.len() - end) as u64;
        }
        if files.is_empty() {
            files.push_back((0, 0));
        }
        let (first, length) = files.back().copied().unwrap_or_default();
        let place = place_of(folder, first);
        let file = OpenOptions::new().create(true).append(true).open(&place).map_err(failed(&place))?;
        file.set_len(length).and_then(|()| file.sync_all()).map_err(failed(&place))?;
        let past = Past { from, decodes, most: most as usize };
        let log = Self { folder: folder.to_owned(), blocks, most, file, files, written: 0 };
        Ok((log, ReadBack { past, step, dropped }))
    }

    /// Writes a decode, and begins another file where this one is long enough.
    pub(crate) fn append(&mut self, decode: &Decode, verified: bool) -> io::Result<()> {
        let record = record(decode, verified);
        let full = self.files.back().is_none_or(|(_, bytes)| *bytes >= self.most / 2);
        if full && self.written == 0 {
            let place = place_of(&self.folder, decode.step);
            self.file = OpenOptions::new().create_new(true).append(true).open(place)?;
            self.files.push_back((decode.step, 0));
        }
        self.file.write_all(&record)?;
        self.file.sync_data()?;
        if let Some((_, length)) = self.files.back_mut() {
            *length += record.len() as u64;
        }
        self.written = (self.written + 1) % self.blocks;
        // What is kept without the oldest file is enough.
        while self.files.iter().skip(1).map(|(_, bytes)| bytes).sum::<u64>() > self.most
            && let Some((first, _)) = self.files.pop_front()
        {
            fs::remove_file(place_of(&self.folder, first))?;
        }
        Ok(())
    }
}

/// A decode as bytes.
fn record(decode: &Decode, verified: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + decode.negative.len() + decode.tied.len());
    bytes.extend(decode.step.to_le_bytes());
    let missing = decode.account.as_ref().map_or(0, |account| account.missing as u32);
    let flags = missing << 1 | if verified { 0 } else { UNPROVED };
    for number in [decode.block as u32, flags, decode.negative.len() as u32, decode.tied.len() as u32] {
        bytes.extend(number.to_le_bytes());
    }
    let sum = check(&bytes, &decode.negative, &decode.tied);
    bytes.extend(sum);
    bytes.extend_from_slice(&decode.negative);
    bytes.extend_from_slice(&decode.tied);
    bytes
}

fn check(head: &[u8], negative: &[u8], tied: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(head).update(negative).update(tied);
    let mut sum = [0; 16];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    sum
}

/// The decode at the beginning of these bytes, its flags, and its length there; none where there is none whole.
fn read(bytes: &Bytes) -> Option<(Decode, u32, usize)> {
    let head = bytes.get(..HEAD)?;
    let step = u64::from_le_bytes(head[..8].try_into().ok()?);
    let number = |at: usize| Some(u32::from_le_bytes(head[at..at + 4].try_into().ok()?) as usize);
    let (negative, tied) = (number(16)?, number(20)?);
    let end = HEAD + negative + tied;
    if negative > LONGEST || tied > LONGEST || bytes.len() < end {
        return None;
    }
    let (negative, tied) = (bytes.slice(HEAD..HEAD + negative), bytes.slice(HEAD + negative..end));
    if check(&head[..24], &negative, &tied) != head[24..] {
        return None;
    }
    let decode = Decode { step, block: number(8)?, negative, tied, loss: f64::NAN, account: None };
    Some((decode, number(12)? as u32, end))
}

/// The decodes of the whole steps from `first` on, and where they end.
fn whole_steps(bytes: &Bytes, first: u64, blocks: usize) -> (Vec<Decode>, usize) {
    let (mut decodes, mut step, mut at, mut end) = (Vec::new(), first, 0, 0);
    let mut verified = true;
    while let Some((mut decode, flags, length)) = read(&bytes.slice(at..)) {
        let begun = decodes.len() % blocks;
        let open: &[Decode] = &decodes[decodes.len() - begun..];
        let again = open.iter().any(|other| other.block == decode.block);
        if decode.step != step || decode.block >= blocks || again {
            break;
        }
        at += length;
        verified = (begun == 0 || verified) && flags & UNPROVED == 0;
        if begun + 1 == blocks {
            // Who was lost or named by then is not kept with the decodes.
            decode.account = Some(Account { missing: (flags >> 1) as usize, verified, ..Account::default() });
            (step, end) = (step + 1, at);
        }
        decodes.push(decode);
    }
    decodes.truncate(decodes.len() - decodes.len() % blocks);
    (decodes, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(step: u64, block: usize) -> Decode {
        let negative = vec![step as u8, block as u8, 7].into();
        let tied = if block == 1 { vec![1, 2, 3].into() } else { Bytes::new() };
        Decode { step, block, negative, tied, loss: f64::NAN, account: None }
    }

    fn seen(back: &ReadBack) -> Vec<(u64, usize, Bytes, Bytes)> {
        let one = |decode: &Decode| (decode.step, decode.block, decode.negative.clone(), decode.tied.clone());
        back.past.decodes.iter().map(one).collect()
    }

    #[test]
    fn whole_steps_come_back_and_torn_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, back) = DecodeLog::open(folder.path(), 2, 1 << 20).unwrap();
        assert_eq!((back.step, back.past.decodes.len()), (0, 0));
        let told = [decode(0, 1), decode(0, 0), decode(1, 0), decode(1, 1), decode(2, 0)];
        for decode in &told {
            log.append(decode, true).unwrap();
        }
        drop(log);
        // Cut anywhere, the whole steps before the cut are what comes back, and the log goes on from there.
        let place = place_of(folder.path(), 0);
        let whole = fs::read(&place).unwrap();
        let ends = [0, 2 * HEAD + 9, 4 * HEAD + 18];
        for cut in 0..=whole.len() {
            fs::write(&place, &whole[..cut]).unwrap();
            let (mut log, back) = DecodeLog::open(folder.path(), 2, 1 << 20).unwrap();
            let steps = ends.iter().filter(|&&end| end <= cut).count() - 1;
            assert_eq!((back.step, back.dropped), (steps as u64, (cut - ends[steps]) as u64));
            assert_eq!(seen(&back).len(), 2 * steps);
            log.append(&decode(back.step, 1), true).unwrap();
            log.append(&decode(back.step, 0), true).unwrap();
            drop(log);
            let (_, again) = DecodeLog::open(folder.path(), 2, 1 << 20).unwrap();
            assert_eq!(again.step, steps as u64 + 1);
            assert_eq!(seen(&again)[2 * steps].1, 1, "in the order in which they were told");
        }
        // A bit that fell over ends what is believed.
        let mut wrong = whole.clone();
        wrong[HEAD + 1] ^= 1;
        fs::write(&place, &wrong).unwrap();
        assert_eq!(DecodeLog::open(folder.path(), 2, 1 << 20).unwrap().1.step, 0);
    }

    #[test]
    fn what_was_not_proved_is_not_proved_later() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, _) = DecodeLog::open(folder.path(), 2, 1 << 20).unwrap();
        for (step, proved) in [(0, [true, true]), (1, [false, true]), (2, [true, false]), (3, [true, true])] {
            for block in 0..2 {
                let account = (block == 1).then(|| Account { missing: 3, ..Account::default() });
                log.append(&Decode { account, ..decode(step, block) }, proved[block]).unwrap();
            }
        }
        drop(log);
        let (_, back) = DecodeLog::open(folder.path(), 2, 1 << 20).unwrap();
        let told: Vec<_> = back.past.decodes.iter().map(|decode| decode.account.as_ref()).collect();
        let verified: Vec<_> =
            told.iter().flatten().map(|account| (account.verified, account.missing)).collect();
        assert_eq!(verified, [(true, 3), (false, 3), (false, 3), (true, 3)]);
        assert!(told.iter().step_by(2).all(Option::is_none), "in the last block of each step");
    }

    #[test]
    fn old_files_go_and_a_gap_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, _) = DecodeLog::open(folder.path(), 1, 1000).unwrap();
        for step in 0..200 {
            log.append(&decode(step, 0), true).unwrap();
        }
        drop(log);
        let (_, back) = DecodeLog::open(folder.path(), 1, 1000).unwrap();
        let kept = back.past.decodes.len();
        assert_eq!((back.step, back.past.from), (200, 200 - kept as u64));
        let bytes: u64 =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
        assert!((1000..=2000).contains(&bytes), "{bytes}");
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        names.sort();
        assert!(names.len() > 2);
        fs::remove_file(&names[1]).unwrap();
        let error = DecodeLog::open(folder.path(), 1, 1000).unwrap_err().to_string();
        assert!(error.contains("decodes are missing or damaged"), "{error}");
    }
}
