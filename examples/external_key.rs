//! Opens envelopes with a private key whose two halves stay elsewhere: here in threads, in practice in two HSMs.

use std::{
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use twinseal::{
    Decapsulate, DecapsulationKey, Error, Unlock, provider::Decapsulator,
    split::SplitDecapsulationKey, zeroize::Zeroizing,
};

const CONTEXT: &[u8] = b"example.com/notes/v1";

/// A half that hangs must not hang its callers.
const TIME_LIMIT: Duration = Duration::from_secs(5);

type Secret = Zeroizing<Vec<u8>>;

/// A ciphertext, the length of its secret, and where the half's answer goes.
type Request = (Vec<u8>, usize, Sender<Result<Secret, Error>>);

/// A half as seen from this side: a connection to the HSM that holds it.
struct RemoteHalf {
    requests: Sender<Request>,
}

impl Decapsulator for RemoteHalf {
    fn decapsulate(&self, ciphertext: &[u8], shared_secret: &mut [u8]) -> Result<(), Error> {
        let (answer, answers) = mpsc::channel();
        let unreachable = |_| Error::external("the HSM is not running");
        let request = (ciphertext.to_vec(), shared_secret.len(), answer);
        self.requests.send(request).map_err(unreachable)?;
        let secret = answers.recv_timeout(TIME_LIMIT).map_err(Error::external)??;
        if secret.len() != shared_secret.len() {
            return Err(Error::external("the HSM answered with another length"));
        }
        shared_secret.copy_from_slice(&secret);
        Ok(())
    }
}

/// An HSM: it answers requests, and its half does not leave it.
fn start_hsm(half: Box<dyn Decapsulator>) -> Box<dyn Decapsulator> {
    let (requests, inbox) = mpsc::channel::<Request>();
    thread::spawn(move || {
        for (ciphertext, length, answer) in inbox {
            let mut secret = Secret::new(vec![0; length]);
            let result = half.decapsulate(&ciphertext, &mut secret).map(|()| secret);
            let _ = answer.send(result); // the caller may have given up
        }
    });
    Box::new(RemoteHalf { requests })
}

fn main() -> Result<(), Error> {
    // A key in memory moves into two HSMs, and its public key stays what it is.
    let whole = DecapsulationKey::generate()?;
    let public = whole.encapsulation_key().clone();
    let halves = whole.into_halves()?;
    let post_quantum = start_hsm(halves.post_quantum.into());
    let traditional = start_hsm(halves.traditional.into());

    let key = SplitDecapsulationKey::new(public, post_quantum, traditional);
    key.check()?; // a half in the wrong place shows here, and later only as data that does not open

    // Envelopes are decrypted here. 1568 and 32 bytes go to the HSMs, and 32 come back from each.
    let sealed = key.encapsulation_key().seal(CONTEXT, b"hello")?;
    assert_eq!(&key.open(CONTEXT, &sealed)?[..], b"hello");
    println!("The envelope was opened, and neither half left its HSM.");
    Ok(())
}
