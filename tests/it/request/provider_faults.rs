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
    for length in [13, 14] {
        let (pending, asked) = asked_of_the_unlucky();
        let (start, mut sealer) = asked.piece_sealer().unwrap();
        let piece = AssertUnwindSafe(|| sealer.piece(&vec![7; length]));
        match catch_unwind(piece) {
            Ok(error) => assert!(matches!(error, Err(Error::Unsupported(_)))),
            Err(_) => assert_eq!(length, 14),
        }
        assert_eq!(sealer.piece(b"x").unwrap_err(), Error::Finished);
        assert_eq!(sealer.finish(b"x").unwrap_err(), Error::Finished);
        pending.open_pieces(&start).unwrap_err();

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
