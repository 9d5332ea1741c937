//! Is anything lost or released when a provider fails or panics while an answer is sealed?

use std::{
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use twinseal::{
    Error,
    request::{Asked, Pending},
};

use super::fixture::{ANY, CTX, QUESTION, unsigned};
use crate::common::{
    keys::{X25519, kem_key},
    unlucky::UNLUCKY,
};

/// By a recipient whose provider is unlucky.
fn asked_of_the_unlucky() -> (Pending, Asked) {
    let bob = kem_key(X25519, 0xb0).on(&UNLUCKY).unwrap();
    let (request, pending) = unsigned();
    (pending, bob.accept(CTX, &request, ANY).unwrap().1)
}

/// A piece that its provider failed to seal is lost: nothing that follows it is accepted.
#[test]
fn a_provider_that_fails() {
    let (_, asked) = asked_of_the_unlucky();
    let (_, mut sealer) = asked.piece_sealer().unwrap();
    assert!(matches!(sealer.piece(&[7; 13]), Err(Error::Unsupported(_))));
    assert_eq!(sealer.piece(b"x").unwrap_err(), Error::Finished);
    assert_eq!(sealer.finish(b"x").unwrap_err(), Error::Finished);

    let (pending, asked) = asked_of_the_unlucky();
    let (start, mut sealer) = asked.piece_sealer().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| sealer.piece(&[7; 14]))).is_err());
    let after = sealer.finish(b"x").map(|last| [start, last].concat());
    assert_eq!(pending.open_pieces(&after.unwrap()).unwrap_err(), Error::Open);

    for length in [13, 14] {
        let (pending, asked) = asked_of_the_unlucky();
        let mut sealed = Vec::new();
        let mut writer = asked.piece_writer(&mut sealed).unwrap();
        writer.piece(QUESTION).unwrap();
        let piece = AssertUnwindSafe(|| writer.piece(&vec![7; length]).is_err());
        assert!(catch_unwind(piece).unwrap_or(true));
        writer.piece(b"x").unwrap_err();
        writer.write(b"x").unwrap_err();
        writer.flush().unwrap_err();
        writer.finish().map(drop).unwrap_err();
        pending.open_pieces(&sealed).unwrap_err();

        let (pending, asked) = asked_of_the_unlucky();
        let whole = AssertUnwindSafe(|| asked.answer(&vec![7; length]).is_err());
        assert!(catch_unwind(whole).unwrap_or(true));
        drop(pending);
    }
}
