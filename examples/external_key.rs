//! Opens envelopes with a private key that stays elsewhere: here in a thread, in practice in an HSM or a KMS.

use std::{
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use twinseal::{
    Decapsulate, DecapsulationKey, EncapsulationKey, Error, Unlock,
    kem::{Ciphertext, SharedSecret},
};

const CONTEXT: &[u8] = b"example.com/notes/v1";

/// The HSM as seen from this side: its public key, and a connection.
struct Hsm {
    public: EncapsulationKey,
    requests: Sender<(Ciphertext, Sender<SharedSecret>)>,
}

impl Decapsulate for Hsm {
    fn encapsulation_key(&self) -> &EncapsulationKey {
        &self.public
    }

    fn decapsulate(&self, ciphertext: &Ciphertext) -> Result<SharedSecret, Error> {
        let (answer, answers) = mpsc::channel();
        let unreachable = |_| Error::external("the HSM is not running");
        self.requests.send((ciphertext.clone(), answer)).map_err(unreachable)?;
        answers.recv_timeout(Duration::from_secs(5)).map_err(Error::external)
    }
}

fn main() -> Result<(), Error> {
    // The HSM: it answers requests, and its key does not leave it.
    let key = DecapsulationKey::generate()?;
    let public = key.encapsulation_key().clone();
    let (requests, inbox) = mpsc::channel::<(Ciphertext, Sender<SharedSecret>)>();
    thread::spawn(move || {
        for (ciphertext, answer) in inbox {
            let _ = key.decapsulate(&ciphertext).map(|secret| answer.send(secret));
        }
    });

    // Envelopes are decrypted here: only a ciphertext of 1600 bytes goes to the HSM, and a secret of 64 comes back.
    let hsm = Hsm { public, requests };
    let sealed = hsm.encapsulation_key().seal(CONTEXT, b"hello")?;
    assert_eq!(&hsm.open(CONTEXT, &sealed)?[..], b"hello");
    println!("The envelope was opened, and the private key stayed in the HSM.");
    Ok(())
}
