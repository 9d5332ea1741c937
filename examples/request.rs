//! Asks one question of a service: the service knows who asks, and the answer is for this question only.

use std::error::Error;

use twinseal::{DecapsulationKey, SigningKey, VerifyingKeyring, request::WindowGuard};

/// What the data is for. A request that was made for one purpose is refused for another.
const CONTEXT: &[u8] = b"example.com/predict/v1";

fn main() -> Result<(), Box<dyn Error>> {
    // The service has a key, knows its clients by name, and remembers for a minute which requests it let in.
    let service = DecapsulationKey::generate()?;
    let alice = SigningKey::generate()?;
    let mut clients = VerifyingKeyring::new([])?;
    clients.add_named("alice", alice.verifying_key())?;
    let guard = WindowGuard::for_new_keys(); // at later starts: `new`

    // Alice asks: one signature and one key exchange.
    let to_service = service.encapsulation_key().signed_by(&alice);
    let (request, pending) = to_service.request(CONTEXT, b"a picture")?;

    // The service verifies, opens and answers. The answer needs no public-key operation.
    let (picture, asked) = service.accepting_any(&clients).accept(CONTEXT, &request, &guard)?;
    let client = asked.signer().and_then(|signer| clients.name_of(signer)).unwrap_or("nobody");
    println!("{client} asks about {} bytes.", picture.len());
    let answer = asked.answer(b"a cat")?;
    println!("The answer: {}.", String::from_utf8_lossy(&pending.open(&answer)?));

    // A recording of the request is refused.
    let again = service.accepting_any(&clients).accept(CONTEXT, &request, &guard);
    println!("The same request again: {}.", again.map(drop).unwrap_err());

    // An answer may come in pieces, each as soon as it is there.
    let (request, pending) = to_service.request(CONTEXT, b"a poem, please")?;
    let (_, asked) = service.accepting_any(&clients).accept(CONTEXT, &request, &guard)?;
    let mut answer = asked.piece_writer(Vec::new())?; // in practice: the connection
    for word in ["Roses ", "are ", "red."] {
        answer.piece(word.as_bytes())?;
    }
    let sent = answer.finish()?;
    for piece in pending.piece_reader(&sent[..]) {
        print!("{}", String::from_utf8_lossy(&piece?)); // as it arrives
    }
    println!(); // here all of them have come: an answer that was cut off ends in an error
    Ok(())
}
