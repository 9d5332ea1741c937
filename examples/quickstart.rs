//! Signs a model checkpoint, seals it for two recipients, opens it as each of them, and shows how failures look.
//!
//! ```text
//! cargo run --release --example quickstart [FILE]
//! ```

use std::{env, error::Error, fs};

use twinseal::{DecapsulationKey, Recipients, SigningKey};

/// What the data is for. Data that was signed or sealed for one purpose is refused for another.
const CONTEXT: &[u8] = b"example.com/checkpoints/v1";

fn main() -> Result<(), Box<dyn Error>> {
    let checkpoint = match env::args_os().nth(1) {
        Some(path) => fs::read(path)?,
        None => vec![7; 8 << 20],
    };

    // In practice each person keeps their key in a file (`write_pem_file`) and publishes its other half (`to_pem`).
    let alice = SigningKey::generate()?;
    let bob = DecapsulationKey::generate()?;
    let carol = DecapsulationKey::generate()?;

    // Alice signs the checkpoint and seals it for Bob and Carol.
    let signature = alice.sign(CONTEXT, &checkpoint)?;
    let recipients = Recipients::new([bob.encapsulation_key(), carol.encapsulation_key()])?;
    let sealed = recipients.seal(CONTEXT, &checkpoint)?;
    println!("The checkpoint has {} bytes.", checkpoint.len());
    println!("Sealed for two, it has {} bytes.", sealed.len());
    println!("Its signature has {} bytes.", signature.as_bytes().len());

    // Each recipient opens it with their own key and checks that it comes from Alice.
    for (name, key) in [("Bob", &bob), ("Carol", &carol)] {
        let opened = key.open(CONTEXT, &sealed)?;
        alice.verifying_key().verify(CONTEXT, &opened, &signature)?;
        println!("{name} has opened it, and it is the one that Alice signed.");
    }

    // A failure returns an error and no part of the data.
    let stranger = DecapsulationKey::generate()?;
    let mut changed = sealed.clone();
    changed[sealed.len() / 2] ^= 1;
    println!("\nAttempts that must fail:");
    for (attempt, result) in [
        ("to open it with another key", stranger.open(CONTEXT, &sealed).map(drop)),
        ("to open it in another context", bob.open(b"example.com/logs", &sealed).map(drop)),
        ("to open it after one bit was changed", bob.open(CONTEXT, &changed).map(drop)),
        ("to verify something else", alice.verifying_key().verify(CONTEXT, &sealed, &signature)),
    ] {
        let error = result.err().ok_or("what must fail has succeeded")?;
        println!("- {attempt}\n  {error}");
    }
    Ok(())
}
