//! Envelopes, opened whole, as streams and at random.

use std::io::Read;

use sha2::{Digest, Sha384};
use twinseal::{Recipients, provider::Provider};

use super::{
    case::{Case, kem_key},
    outcome::{Outcome, Wrong, agree, expected, name, plaintext_expected},
};

/// All of the plaintext that `reader` gives.
fn read(mut reader: impl Read) -> Outcome<Vec<u8>> {
    let mut plaintext = Vec::new();
    reader.read_to_end(&mut plaintext)?;
    Ok(plaintext)
}

pub(super) fn envelope(case: &Case, provider: &'static Provider) -> Outcome {
    let (ring, context, input) = (case.ring(provider), case.bytes("context"), case.bytes("input"));
    let whole = ring.open(context, input).map(|plaintext| plaintext.to_vec()).map_err(Wrong::from);
    let streamed = ring.open_reader(context, input).map_err(Wrong::from).and_then(read);
    let at_random = ring.open_at(context, input).map_err(Wrong::from).and_then(|access| {
        let mut plaintext = vec![0; access.len().try_into().unwrap()];
        access.read_exact_at(&mut plaintext, 0)?;
        Ok(plaintext)
    });
    let whole = agree("whole and streamed", whole, streamed);
    plaintext_expected(case, &agree("whole and at random", whole, at_random)?)
}

pub(super) fn envelope_part(case: &Case, provider: &'static Provider) -> Outcome {
    let (ring, context, input) = (case.ring(provider), case.bytes("context"), case.bytes("input"));
    let access = ring.open_at(context, input)?;
    let (offset, length) = (case.number("offset").unwrap(), case.number("length").unwrap());
    let mut part = vec![0; length.try_into().unwrap()];
    if offset + length > access.len() {
        // Not a refusal of data, but an error of the call.
        assert!(access.read_exact_at(&mut part, offset).is_err());
        return super::outcome::refused("refused", "beyond the end");
    }
    access.read_exact_at(&mut part, offset)?;
    expected(case, "part-sha384", &hex::encode(Sha384::digest(&part)))
}

pub(super) fn rewrap(case: &Case, provider: &'static Provider) -> Outcome {
    let input = case.bytes("input");
    let to = kem_key(case.text("to"), provider);
    let recipients = Recipients::new([to.encapsulation_key()])?;
    let mut moved = Vec::new();
    case.ring(provider).rewrap(&recipients, input, &mut moved)?;
    let opened: Outcome<_> = to.open(case.bytes("context"), &moved).map_err(Wrong::from);
    expected(case, "then", name(&opened))?;
    opened.map_or(Ok(()), |plaintext| plaintext_expected(case, &plaintext))
}
