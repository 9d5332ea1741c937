//! Sends many messages after one key exchange: the receiver knows who sends, and that nothing is missing.

use std::{error::Error, sync::mpsc, thread};

use twinseal::{DecapsulationKey, SigningKey};

/// What the messages are for. The number of the round makes a recorded session useless in the next one.
const CONTEXT: &[u8] = b"example.com/gradients/round-7";

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    // Bob and Alice know each other's public keys.
    let (bob, alice) = (DecapsulationKey::generate()?, SigningKey::generate()?);
    let (to_bob, from_alice) = (bob.encapsulation_key().clone(), alice.verifying_key().clone());

    // What delivers the messages: a queue, for example, or a WebSocket.
    let (outbox, inbox) = mpsc::channel();

    let sending = thread::spawn(move || -> Result<(), Box<dyn Error + Send + Sync>> {
        // The hello has the key exchange and Alice's signature. After it, sealing adds 17 bytes to a message.
        let (hello, mut session) = to_bob.signed_by(&alice).sender(CONTEXT)?;
        outbox.send(hello)?;
        outbox.send(session.seal(b"layer 1")?)?;
        outbox.send(session.seal(b"layer 2")?)?;
        outbox.send(session.finish(b"layer 3")?)?;
        Ok(())
    });

    let mut messages = inbox.into_iter();
    let hello = messages.next().ok_or("there is no hello")?;
    let mut session = bob.accepting(&from_alice).receiver(CONTEXT, &hello)?;
    for message in messages {
        let gradient = session.open(&message)?; // a message that was changed, repeated or left out is an error
        println!("{}", String::from_utf8_lossy(&gradient));
    }
    // A connection can be cut by anyone. Only the last message proves that Alice has sent everything.
    if !session.is_finished() {
        return Err("the rest is missing".into());
    }
    sending.join().map_err(|_| "the sender panicked")??;
    Ok(())
}
