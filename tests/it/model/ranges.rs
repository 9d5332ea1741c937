//! Is what is read out of a file what was signed, and nothing read that need not be?

use std::{cell::RefCell, io, ops::Range};

use twinseal::{
    model::{Manifest, Method},
    stream::ReadAt,
};

use super::{
    built::manifest,
    hasher::{content, methods, shards},
};
use crate::common::{
    errors::{io_outcome, outcome},
    faulty_io::{Fault, FaultyReader, Plan},
};

const NOT_AS_SIGNED: &str = "InvalidData: Model(NotAsSigned)";

/// A file that remembers what was read of it.
struct Watched<'a>(&'a [u8], RefCell<Vec<Range<u64>>>);

impl ReadAt for Watched<'_> {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.1.borrow_mut().push(offset..offset + buffer.len() as u64);
        self.0.read_exact_at(buffer, offset)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }
}

/// The parts of a file that have a digest each.
fn parts(method: Method, length: u64) -> Vec<Range<u64>> {
    let Method::Shards(size) = method else { return std::iter::once(0..length).collect() };
    let starts = (0..length).step_by(usize::try_from(size.get()).unwrap());
    starts.map(|start| start..length.min(start + size.get())).collect()
}

/// Reads a range, and checks that each byte of the parts that it touches was read once, and no other.
#[track_caller]
fn assert_reads(manifest: &Manifest, file: &[u8], range: Range<u64>) {
    let watched = Watched(file, RefCell::default());
    let read = manifest.file("file").unwrap().read_range(&watched, range.clone()).unwrap();
    assert!(read == file[range.start as usize..range.end as usize], "{range:?}");

    let mut expected = 0..0;
    for part in parts(manifest.method(), file.len() as u64) {
        let touched = part.start < range.end && range.start < part.end && !range.is_empty();
        if touched || manifest.method() == Method::Files {
            expected = if expected.is_empty() { part } else { expected.start..part.end };
        }
    }
    let mut end = expected.start;
    for read in watched.1.into_inner() {
        assert_eq!(read.start, end, "in order, and none twice");
        assert!(read.end - read.start <= 128 * 1024, "in parts");
        end = read.end;
    }
    assert_eq!(end, expected.end, "{range:?}");
}

#[test]
fn every_range() {
    let file = content(30);
    for method in methods() {
        let manifest = manifest(&[("file", &file)], method);
        for start in 0..=30 {
            for end in start..=30 {
                assert_reads(&manifest, &file, start..end);
            }
        }
    }
}

/// More than is read at once.
#[test]
fn longer_files() {
    let file = content(700_000);
    for method in [Method::Files, shards(1000), shards(131_072), shards(300_001), shards(700_000)] {
        let manifest = manifest(&[("file", &file)], method);
        for range in [0..700_000, 0..1, 699_999..700_000, 300_000..300_002, 131_071..500_000] {
            assert_reads(&manifest, &file, range);
        }
    }
}

/// Each byte in turn: a range of which no part was changed is read.
#[test]
fn changed_bytes_inside_and_outside_the_range() {
    let file = content(20);
    for method in methods() {
        let manifest = manifest(&[("file", &file)], method);
        let signed = manifest.file("file").unwrap();
        for changed in 0..20 {
            let mut other = file.clone();
            other[changed as usize] ^= 1;
            let all = parts(method, 20);
            let part = all.iter().find(|part| part.contains(&changed)).unwrap();
            for start in 0..=20 {
                for end in start..=20 {
                    let touched = start < end && start < part.end && part.start < end;
                    let read = signed.read_range(&other, start..end);
                    if touched || method == Method::Files {
                        assert_eq!(io_outcome(read), NOT_AS_SIGNED, "{start}..{end}");
                    } else {
                        assert_eq!(read.unwrap(), file[start as usize..end as usize]);
                    }
                }
            }
            assert_eq!(outcome(signed.verify(&other)), "Model(NotAsSigned)");
            assert_eq!(io_outcome(signed.verify_reader(&other[..])), NOT_AS_SIGNED);
        }
    }
}

#[test]
fn other_lengths() {
    let file = content(20);
    for method in methods() {
        let manifest = manifest(&[("file", &file)], method);
        let signed = manifest.file("file").unwrap();
        for length in (0..20).chain([21, 24, 40, 1000]) {
            let other = [&file[..], &[0; 1000]].concat()[..length].to_vec();
            for range in [0..0, 0..1, 7..9, 19..20] {
                let end = range.end;
                let read = io_outcome(signed.read_range(&other, range));
                if method == Method::Files && end > length as u64 {
                    assert_eq!(read, "UnexpectedEof");
                } else {
                    assert_eq!(read, NOT_AS_SIGNED);
                }
            }
            assert_eq!(outcome(signed.verify(&other)), "Model(NotAsSigned)");
            assert_eq!(io_outcome(signed.verify_reader(&other[..])), NOT_AS_SIGNED);
        }
        // A reader without an end, if the end is known.
        if method != Method::Files {
            assert_eq!(io_outcome(signed.verify_reader(io::repeat(7))), NOT_AS_SIGNED);
        }
    }
}

#[test]
#[expect(clippy::reversed_empty_ranges, reason = "that is what is tried")]
fn ranges_that_are_none() {
    let file = content(20);
    for method in methods() {
        let manifest = manifest(&[("file", &file)], method);
        let signed = manifest.file("file").unwrap();
        for range in [0..21, 21..21, 20..u64::MAX, u64::MAX..u64::MAX] {
            assert_eq!(io_outcome(signed.read_range(&file, range)), "UnexpectedEof");
        }
        assert_eq!(io_outcome(signed.read_range(&file, 2..1)), "InvalidInput");
    }
}

/// No loop over shards verifies less than was asked for.
#[test]
#[expect(clippy::reversed_empty_ranges, reason = "that is what is tried")]
fn shards_of_a_range_cover_it_or_are_an_error() {
    let file = content(20);
    for method in methods() {
        let manifest = manifest(&[("file", &file)], method);
        let signed = manifest.file("file").unwrap();
        let of = |range| signed.shards_of(&range).map(Iterator::collect::<Vec<_>>);
        if method == Method::Files {
            for range in [0..20, 0..1, 5..5, 0..21] {
                assert_eq!(outcome(of(range)), "Model(NoShards)");
            }
            continue;
        }
        for range in [0..21, 21..21, 20..u64::MAX, 2..1] {
            assert_eq!(outcome(of(range)), "Model(Range)");
        }
        assert_eq!(of(5..5).unwrap(), []);
        let all: Vec<_> = signed.digest().shards().unwrap().collect();
        assert_eq!(of(0..20).unwrap(), all);
        for start in 0..20 {
            let shards = of(start..start + 1).unwrap();
            assert!(matches!(&shards[..], [one] if one.range().contains(&start)));
        }
    }
}

#[test]
fn readers_that_are_short_or_fail() {
    let file = content(300);
    for method in methods() {
        let manifest = manifest(&[("file", &file)], method);
        let signed = manifest.file("file").unwrap();
        for at_most in [1, 7, 1000] {
            let harmless = FaultyReader::new(&file, Plan::harmless(at_most));
            signed.verify_reader(harmless).unwrap();
            let fail = |kind| {
                let plan = Plan { call: 1, fault: Fault::Error(kind), at_most };
                io_outcome(signed.verify_reader(FaultyReader::new(&file, plan)))
            };
            assert_eq!(fail(io::ErrorKind::Interrupted), "Ok");
            assert_eq!(fail(io::ErrorKind::TimedOut), "TimedOut");
        }
        let lying = Plan { call: 0, fault: Fault::Lie, at_most: 10 };
        assert!(signed.verify_reader(FaultyReader::new(&file, lying)).is_err());
    }
}
