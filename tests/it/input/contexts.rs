//! Which contexts are refused, by every function that takes one?

use twinseal::{Decapsulate, Error, Recipients, Sign, Unlock, envelope::Header};

use crate::common::{
    errors::{io_outcome, outcome},
    keys::{CTX, X25519, kem_key, signing_key},
};

/// Every function that takes a context, with one.
fn with_context(context: &[u8]) -> Vec<(&'static str, String)> {
    let key = kem_key(X25519, 11);
    let public = key.encapsulation_key();
    let recipients = Recipients::new([public]).unwrap();
    let external: &dyn Decapsulate = &key;
    let sealed = public.seal(CTX, b"hello").unwrap();
    let header = Header::parse(&sealed).unwrap();
    let recipient = header.find(public).unwrap();
    let secret = key.decapsulate(&recipient.ciphertext().unwrap()).unwrap();
    let body_key = header.unlock(&recipient, &secret).unwrap();

    let signer = signing_key(11);
    let external_signer: &dyn Sign = &signer;
    let verifier = signer.verifying_key();
    let signature = signer.sign(CTX, b"hello").unwrap();
    let reader = &b"hello"[..];
    vec![
        ("seal", outcome(public.seal(context, b"hello"))),
        ("Recipients::seal", outcome(recipients.seal(context, b"hello"))),
        ("open", outcome(key.open(context, &sealed))),
        ("open of nothing", outcome(key.open(context, b""))),
        ("Unlock::open", outcome(external.open(context, &sealed))),
        ("BodyKey::open", outcome(body_key.open(context, &sealed[header.len()..]))),
        ("sign", outcome(signer.sign(context, b"hello"))),
        ("sign_reader", io_outcome(signer.sign_reader(context, reader))),
        ("Sign::sign", outcome(external_signer.sign(context, b"hello"))),
        ("Sign::sign_reader", io_outcome(external_signer.sign_reader(context, &mut &*reader))),
        ("verify", outcome(verifier.verify(context, b"hello", &signature))),
        ("verify_reader", io_outcome(verifier.verify_reader(context, reader, &signature))),
    ]
}

#[test]
fn contexts() {
    let long = [b'x'; 256];
    let long_and_reserved = [&b"twinseal/"[..], &long].concat();
    let reserved = "the prefix \"twinseal/\" is reserved";
    let refused: [(&[u8], &'static str); 6] = [
        (b"", "it is empty; say what the data is for"),
        (b"twinseal/", reserved),
        (b"twinseal/session/v1", reserved),
        (&long_and_reserved, reserved),
        (&long, "it is longer than 255 bytes"),
        (&[0; 1000], "it is longer than 255 bytes"),
    ];
    for (context, reason) in refused {
        let expected = format!("{:?}", Error::Context(reason));
        let in_io = format!("InvalidInput: {expected}");
        for (function, found) in with_context(context) {
            assert!(found == expected || found == in_io, "{function}: {found}");
        }
    }
    let taken: [&[u8]; 7] =
        [b"\0", b"twinseal", b"Twinseal/", b" twinseal/", &[0xff], &long[1..], CTX];
    for context in taken {
        for (function, found) in with_context(context) {
            let judged = ["Open", "Verify", "InvalidData: Verify"].contains(&&found[..]);
            let of_nothing = function == "open of nothing";
            assert!(found == "Ok" || judged || of_nothing, "{function}: {found}");
            assert!(found == "Ok" || context != CTX || of_nothing, "{function}");
        }
    }
}
