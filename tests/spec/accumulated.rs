//! Many cases in one constant each.

use shake::{ExtendableOutput, Shake128, Update, XofReader};
use twinseal::{
    Ciphertext, KemSuite, hazmat,
    provider::{Kem, PORTABLE},
};

use crate::{
    compute::{Computed, DEFAULT, P384, decapsulation_key, encapsulate, signing_key},
    envelopes::seal,
};

/// Draws inputs from SHAKE128 of a name, absorbs outputs into another SHAKE128.
struct Accumulator {
    inputs: Box<dyn XofReader>,
    outputs: Shake128,
}

impl Accumulator {
    fn new(name: &str) -> Self {
        let inputs = Shake128::default().chain(name).finalize_xof();
        Self { inputs: Box::new(inputs), outputs: Shake128::default() }
    }

    fn draw(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.inputs.read(&mut bytes);
        bytes
    }

    fn draw_number(&mut self) -> usize {
        usize::from(self.draw(1)[0])
    }

    fn absorb(&mut self, output: impl AsRef<[u8]>) {
        self.outputs.update(output.as_ref());
    }

    fn finish(self) -> [u8; 32] {
        let mut hash = [0; 32];
        self.outputs.finalize_xof().read(&mut hash);
        hash
    }
}

pub(crate) fn compute_accumulated(block: &mut Computed<'_>) {
    for name in [
        "kem-0001-encapsulate",
        "kem-0051-encapsulate",
        "kem-0001-decapsulate",
        "kem-0051-decapsulate",
        "sign-0001",
        "key-files",
        "envelope",
    ] {
        let mut all = Accumulator::new(name);
        match name {
            "kem-0001-encapsulate" => accumulate_encapsulation(DEFAULT, 64, &mut all),
            "kem-0051-encapsulate" => accumulate_encapsulation(P384, 80, &mut all),
            "kem-0001-decapsulate" => {
                accumulate_decapsulation(DEFAULT, &hazmat::x25519(&PORTABLE), &mut all);
            }
            "kem-0051-decapsulate" => {
                accumulate_decapsulation(P384, &hazmat::p384(&PORTABLE), &mut all);
            }
            "sign-0001" => accumulate_signatures(&mut all),
            "key-files" => accumulate_key_files(&mut all),
            _ => accumulate_envelopes(&mut all),
        }
        block.output(name, &all.finish());
    }
}

fn accumulate_encapsulation(suite: KemSuite, randomness: usize, all: &mut Accumulator) {
    for _ in 0..1000 {
        let key = decapsulation_key(suite, &all.draw(32));
        let (ciphertext, secret) = encapsulate(&key, &all.draw(randomness));
        all.absorb(key.encapsulation_key().as_bytes());
        all.absorb(ciphertext.as_bytes());
        all.absorb(secret.as_bytes());
    }
}

/// ML-KEM's half is random and thus rejected implicitly.
fn accumulate_decapsulation(suite: KemSuite, traditional: &impl Kem, all: &mut Accumulator) {
    for _ in 0..1000 {
        let key = decapsulation_key(suite, &all.draw(32));
        let ct_m = all.draw(1568);
        let ephemeral = all.draw(traditional.lengths().seed);
        let ct_t = traditional.key_pair(&ephemeral).unwrap().encapsulation_key;
        let ciphertext = Ciphertext::from_bytes(suite, &[ct_m, ct_t].concat()).unwrap();
        let secret = key.decapsulate(&ciphertext).unwrap();
        all.absorb(key.encapsulation_key().as_bytes());
        all.absorb(secret.as_bytes());
    }
}

fn accumulate_signatures(all: &mut Accumulator) {
    for _ in 0..100 {
        let key = signing_key(&all.draw(32), &all.draw(48));
        let context_length = all.draw_number();
        let context = all.draw(context_length);
        let message_length = all.draw_number();
        let message = all.draw(message_length);
        let signature = hazmat::sign(&key, &context, &message).unwrap();
        if !context.is_empty() {
            let verified = key.verifying_key().verify(&context, &message, &signature);
            verified.unwrap();
        }
        all.absorb(key.verifying_key().as_bytes());
        all.absorb(signature.as_bytes());
    }
}

fn accumulate_key_files(all: &mut Accumulator) {
    for _ in 0..100 {
        for suite in [DEFAULT, P384] {
            let key = decapsulation_key(suite, &all.draw(32));
            all.absorb(key.to_pem().as_str());
            all.absorb(key.encapsulation_key().to_pem());
        }
        let key = signing_key(&all.draw(32), &all.draw(48));
        all.absorb(key.to_pem().as_str());
        all.absorb(key.verifying_key().to_pem());
    }
}

fn accumulate_envelopes(all: &mut Accumulator) {
    for _ in 0..100 {
        let count = 1 + all.draw_number() % 3;
        let mut keys: Vec<_> = (0..count)
            .map(|_| {
                let suite = [DEFAULT, P384][all.draw_number() % 2];
                decapsulation_key(suite, &all.draw(32))
            })
            .collect();
        keys.sort_by_key(|key| (key.suite().id(), key.encapsulation_key().key_id()));
        let encapsulations: Vec<_> =
            keys.iter().map(|key| all.draw(if key.suite() == DEFAULT { 64 } else { 80 })).collect();
        let content_key = all.draw(32);
        let salt = all.draw(24);
        let context_length = 1 + all.draw_number() % 255;
        let context = all.draw(context_length);
        let plaintext_length = all.draw_number() * 256 + all.draw_number();
        let plaintext = all.draw(plaintext_length);
        let sealed = seal(
            &keys.iter().collect::<Vec<_>>(),
            &encapsulations.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            &content_key,
            &salt,
            &context,
            &plaintext,
        );
        all.absorb(sealed);
    }
}
