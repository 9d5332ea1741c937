//! Are the digests those of the whole file, and of its shards, however it is written?

use std::{io::Write, num::NonZeroU64};

use sha2::{Digest, Sha256};
use twinseal::{
    Error, ModelRefusal,
    model::{FileDigest, FileHasher, Method},
};

use crate::common::errors::io_outcome;

/// By files, and by shards of these sizes.
pub(super) fn methods() -> impl Iterator<Item = Method> {
    [Method::Files].into_iter().chain([1, 8, 16, 100].map(shards))
}

pub(super) fn shards(size: u64) -> Method {
    Method::Shards(NonZeroU64::new(size).unwrap())
}

/// Bytes of which no two runs are the same.
pub(super) fn content(length: usize) -> Vec<u8> {
    (0..length as u32).flat_map(|index| Sha256::digest(index.to_le_bytes())).take(length).collect()
}

/// A digest has what SHA-256 makes of the parts.
#[track_caller]
pub(super) fn assert_is_of(digest: &FileDigest, file: &[u8], method: Method) {
    assert_eq!(digest.method(), method);
    let Method::Shards(size) = method else {
        assert_eq!(digest.whole().unwrap()[..], Sha256::digest(file)[..]);
        assert_eq!((digest.shards().is_none(), digest.len()), (true, None));
        return;
    };
    assert_eq!((digest.whole(), digest.len()), (None, Some(file.len() as u64)));
    assert_eq!(digest.shards().unwrap().len() as u64, (file.len() as u64).div_ceil(size.get()));
    let mut end = 0;
    let size = usize::try_from(size.get()).unwrap_or(usize::MAX);
    for (shard, part) in digest.shards().unwrap().zip(file.chunks(size)) {
        assert_eq!(shard.range(), end..end + part.len() as u64);
        assert_eq!(shard.sha256()[..], Sha256::digest(part)[..]);
        end = shard.range().end;
    }
    assert_eq!(end, file.len() as u64);
}

#[test]
fn every_split_of_the_writes() {
    let all = content(25);
    for method in methods().chain([shards(u64::MAX)]) {
        for length in [1, 8, 16, 24, 25] {
            let file = &all[..length];
            for first in 0..=length {
                for second in first..=length {
                    let mut hasher = FileHasher::new(method);
                    for part in [&file[..first], &file[first..second], &file[second..]] {
                        hasher.write_all(part).unwrap();
                    }
                    assert_is_of(&hasher.finish().unwrap(), file, method);
                }
            }
        }
    }
}

#[test]
fn longer_files() {
    let all = content(300_000);
    for method in [Method::Files, shards(1000), shards(65_536), shards(100_000), shards(300_000)] {
        for part in [1, 63, 64, 65, 1000, 65_536, 300_000] {
            let mut hasher = FileHasher::new(method);
            all.chunks(part).for_each(|part| hasher.write_all(part).unwrap());
            assert_is_of(&hasher.finish().unwrap(), &all, method);
        }
    }
}

#[test]
fn an_empty_file() {
    let digest = FileHasher::new(Method::Files).finish().unwrap();
    assert_is_of(&digest, b"", Method::Files);
    let mut hasher = FileHasher::new(shards(8));
    hasher.write_all(b"").unwrap();
    assert_eq!(hasher.finish(), Err(Error::Model(ModelRefusal::EmptyFile)));
}

/// More would not fit into a bundle, and so memory has a bound.
#[test]
fn as_many_shards_as_a_bundle_may_have() {
    let mut hasher = FileHasher::new(shards(1));
    hasher.write_all(&vec![7; 1 << 20]).unwrap();
    assert_eq!(io_outcome(hasher.write_all(b"7")), "InvalidData: Model(TooLarge)");
    assert_eq!(hasher.finish().unwrap().shards().unwrap().len(), 1 << 20);
}

#[test]
fn shards_verify_their_own_bytes_only() {
    let file = content(30);
    let mut hasher = FileHasher::new(shards(8));
    hasher.write_all(&file).unwrap();
    let refused = Err(Error::Model(ModelRefusal::NotAsSigned));
    for shard in hasher.finish().unwrap().shards().unwrap() {
        for start in 0..=file.len() {
            for end in start..=file.len() {
                let right = shard.range() == (start as u64..end as u64);
                let verified = shard.verify(&file[start..end]);
                assert_eq!(verified, if right { Ok(()) } else { refused.clone() });
            }
        }
    }
}
