//! Do many cases still give the constant that they were hashed into?

use sha2::{Digest, Sha384};
use shake::{ExtendableOutput, Shake128, Update, XofReader};
use twinseal::{
    DecapsulationKey, KemSuite, Sign, SigningKey,
    hazmat::{self, RequestRandomness},
    kem::Ciphertext,
    provider::{Kem, PORTABLE},
    request::{AllowReplays, RequestTime},
    session::{ReplyNonce, SessionReceiver, SessionSender},
};

use super::{
    compute::{Computed, DEFAULT, P384, decapsulation_key, encapsulate, hkdf, signing_key},
    envelopes::seal,
    requests::{REQUEST, body, core},
    sessions::{Deterministic, reply},
    stores::{Keys, input_key, object},
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

    /// As many bytes as the first one says.
    fn draw_string(&mut self) -> Vec<u8> {
        let length = self.draw_number();
        self.draw(length)
    }

    fn draw_context(&mut self) -> Vec<u8> {
        let length = 1 + self.draw_number() % 255;
        self.draw(length)
    }

    fn draw_suite(&mut self) -> KemSuite {
        [DEFAULT, P384][self.draw_number() % 2]
    }

    /// One to three, in the order of a header.
    fn draw_recipients(&mut self) -> Vec<DecapsulationKey> {
        let count = 1 + self.draw_number() % 3;
        let mut keys: Vec<_> = (0..count)
            .map(|_| {
                let suite = self.draw_suite();
                decapsulation_key(suite, &self.draw(32))
            })
            .collect();
        keys.sort_by_key(|key| (key.suite().id(), key.encapsulation_key().key_id()));
        keys
    }

    fn draw_array<const N: usize>(&mut self) -> [u8; N] {
        self.draw(N).try_into().unwrap()
    }

    fn draw_time(&mut self) -> RequestTime {
        let millis = u64::from_be_bytes(self.draw_array()) % (1 << 53);
        RequestTime::from_millis(millis).unwrap()
    }

    /// ML-KEM's half is random.
    fn draw_ciphertext(&mut self, suite: KemSuite) -> Vec<u8> {
        let ct_m = self.draw(1568);
        let pair = if suite == DEFAULT {
            hazmat::x25519(&PORTABLE).key_pair(&self.draw(32))
        } else {
            hazmat::p384(&PORTABLE).key_pair(&self.draw(48))
        };
        [ct_m, pair.unwrap().encapsulation_key].concat()
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
        "session",
        "session-accept",
        "request",
        "request-accept",
        "store",
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
            "envelope" => accumulate_envelopes(&mut all),
            "session" => accumulate_sessions(&mut all),
            "session-accept" => accumulate_accepted_sessions(&mut all),
            "request" => accumulate_requests(&mut all),
            "request-accept" => accumulate_accepted_requests(&mut all),
            _ => accumulate_stores(&mut all),
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
        let context = all.draw_string();
        let message = all.draw_string();
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
        let keys = all.draw_recipients();
        let encapsulations: Vec<_> =
            keys.iter().map(|key| all.draw(if key.suite() == DEFAULT { 64 } else { 80 })).collect();
        let content_key = all.draw(32);
        let salt = all.draw(24);
        let context = all.draw_context();
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

fn accumulate_sessions(all: &mut Accumulator) {
    for _ in 0..200 {
        let suite = all.draw_suite();
        let key = decapsulation_key(suite, &all.draw(32));
        let to = key.encapsulation_key();
        let randomness = all.draw(if suite == DEFAULT { 64 } else { 80 });
        let is_signed = all.draw_number().is_multiple_of(4);
        let signer = is_signed.then(|| Deterministic(signing_key(&all.draw(32), &all.draw(48))));
        let context = all.draw_context();

        let signer = signer.as_ref().map(|signer| signer as &dyn Sign);
        let (hello, mut sender) = hazmat::sender(to, signer, &context, &randomness).unwrap();
        let mut receiver = match signer {
            None => key.receiver(&context, &hello),
            Some(signer) => key.accepting(signer.verifying_key()).receiver(&context, &hello),
        }
        .unwrap();
        all.absorb(hello);
        all.absorb(sender.session_id().as_bytes());
        accumulate_messages(&mut sender, &mut receiver, all);
        let (mut replying, mut replied) = reply(&receiver, &mut sender, &all.draw(32));
        accumulate_messages(&mut replying, &mut replied, all);
    }
}

fn accumulate_messages(
    sender: &mut SessionSender,
    receiver: &mut SessionReceiver,
    all: &mut Accumulator,
) {
    let more = all.draw_number() % 4;
    for number in 0..=more {
        let (aad, plaintext) = (all.draw_string(), all.draw_string());
        let sealed = if number < more {
            sender.seal_with_aad(&aad, &plaintext)
        } else {
            sender.finish_with_aad(&aad, &plaintext)
        }
        .unwrap();
        assert_eq!(receiver.open_with_aad(&aad, &sealed).unwrap()[..], plaintext);
        all.absorb(sealed);
    }
    assert!(receiver.is_finished());
}

/// ML-KEM's half of each hello is random and thus rejected implicitly: the receiver's keys follow
/// all the same, and its replies show them.
fn accumulate_accepted_sessions(all: &mut Accumulator) {
    for _ in 0..200 {
        let suite = all.draw_suite();
        let key = decapsulation_key(suite, &all.draw(32));
        let ct = all.draw_ciphertext(suite);
        let context = all.draw_context();
        let id = suite.id().to_be_bytes();
        let start = [b"twinsess", &[0x01][..], &id, &[0, 2, 0, 2, 0x00]].concat();
        let key_id = key.encapsulation_key().key_id();
        let hello = [&start, &key_id.as_bytes()[..], &ct].concat();
        let receiver = key.receiver(&context, &hello).unwrap();
        all.absorb(receiver.session_id().as_bytes());
        let nonce = ReplyNonce::from_bytes(all.draw(32).try_into().unwrap());
        let mut replying = hazmat::reply(&receiver, nonce).unwrap();
        let (aad, plaintext) = (all.draw_string(), all.draw_string());
        all.absorb(replying.finish_with_aad(&aad, &plaintext).unwrap());
    }
}

fn accumulate_requests(all: &mut Accumulator) {
    for _ in 0..100 {
        let suite = all.draw_suite();
        let key = decapsulation_key(suite, &all.draw(32));
        let encapsulation = all.draw(if suite == DEFAULT { 64 } else { 80 });
        let is_signed = all.draw_number().is_multiple_of(4);
        let signer = is_signed.then(|| Deterministic(signing_key(&all.draw(32), &all.draw(48))));
        let context = all.draw_context();
        let (time, salt) = (all.draw_time(), all.draw_array());
        let length = all.draw_number() * 256 + all.draw_number();
        let plaintext = all.draw(length);

        let signer = signer.as_ref().map(|signer| signer as &dyn Sign);
        let randomness = RequestRandomness { time, encapsulation: &encapsulation, salt };
        let to = key.encapsulation_key();
        let (request, pending) =
            hazmat::request(to, signer, &context, &plaintext, &randomness).unwrap();
        let (opened, asked) = match signer {
            None => key.accept(&context, &request, &AllowReplays),
            Some(signer) => {
                key.accepting(signer.verifying_key()).accept(&context, &request, &AllowReplays)
            }
        }
        .unwrap();
        assert_eq!(opened[..], plaintext);
        assert_eq!((asked.id(), asked.time()), (pending.id(), time));
        all.absorb(request);
        all.absorb(asked.id().as_bytes());

        if all.draw_number().is_multiple_of(2) {
            let salt = all.draw_array();
            let plaintext = all.draw_string();
            let answer = hazmat::answer(asked, &salt, &plaintext).unwrap();
            assert_eq!(pending.open(&answer).unwrap()[..], plaintext);
            all.absorb(answer);
        } else {
            let (mut answer, mut sealer) = hazmat::piece_sealer(asked, &all.draw_array()).unwrap();
            let more = all.draw_number() % 4;
            for _ in 0..more {
                answer.extend(sealer.piece(&all.draw_string()).unwrap());
            }
            answer.extend(sealer.finish(&all.draw_string()).unwrap());
            assert_eq!(pending.open_pieces(&answer).unwrap().len(), more + 1);
            all.absorb(answer);
        }
    }
}

/// The key exchange as in [`accumulate_accepted_sessions`]; the request is made step by step.
fn accumulate_accepted_requests(all: &mut Accumulator) {
    for _ in 0..200 {
        let suite = all.draw_suite();
        let key = decapsulation_key(suite, &all.draw(32));
        let ct = all.draw_ciphertext(suite);
        let context = all.draw_context();
        let time = all.draw_time().as_millis().to_be_bytes();
        let to = key.encapsulation_key();
        let core = core(suite, to.key_id().as_bytes(), None, &time, &ct);
        let ss = key.decapsulate(&Ciphertext::from_bytes(suite, &ct).unwrap()).unwrap();
        let transcript = Sha384::digest([&core, to.as_bytes(), &context].concat());
        let derived: [u8; 80] = hkdf(ss.as_bytes(), &[REQUEST, &transcript]);
        let (salt, plaintext) = (all.draw(24), all.draw_string());
        let request = [core, body(&derived[..32], &salt, &context, &plaintext)].concat();

        let accept = || key.accept(&context, &request, &AllowReplays).unwrap();
        let ((opened, asked), (_, asked_again)) = (accept(), accept());
        assert_eq!(opened[..], plaintext);
        let (answer_salt, r) = (all.draw_array(), all.draw_array());
        let (answer, piece) = (all.draw_string(), all.draw_string());
        all.absorb(&request);
        all.absorb(asked.id().as_bytes());
        all.absorb(hazmat::answer(asked, &answer_salt, &answer).unwrap());
        let (start, mut sealer) = hazmat::piece_sealer(asked_again, &r).unwrap();
        let first = sealer.piece(&piece).unwrap();
        all.absorb([start, first, sealer.finish(b"").unwrap()].concat());
    }
}

/// A drawn store: its newest keys, and one object under each epoch.
#[cfg_attr(not(feature = "object_store"), allow(dead_code))]
pub(crate) struct DrawnStore {
    pub(crate) context: Vec<u8>,
    pub(crate) owner: SigningKey,
    pub(crate) recipients: Vec<DecapsulationKey>,
    pub(crate) serial: u32,
    /// All before the signature.
    pub(crate) signed: Vec<u8>,
    pub(crate) objects: Vec<DrawnObject>,
}

#[cfg_attr(not(feature = "object_store"), allow(dead_code))]
pub(crate) struct DrawnObject {
    pub(crate) path: String,
    pub(crate) plaintext: Vec<u8>,
    pub(crate) sealed: Vec<u8>,
}

fn accumulate_stores(all: &mut Accumulator) {
    for _ in 0..50 {
        let store = draw_store(all);
        all.absorb(&store.signed);
        store.objects.iter().for_each(|object| all.absorb(&object.sealed));
    }
}

/// The stores of the accumulated vector.
#[cfg(feature = "object_store")]
pub(crate) fn drawn_stores() -> impl Iterator<Item = DrawnStore> {
    let mut all = Accumulator::new("store");
    (0..50).map(move |_| draw_store(&mut all))
}

fn draw_store(all: &mut Accumulator) -> DrawnStore {
    let context = all.draw_context();
    let owner = signing_key(&all.draw(32), &all.draw(48));
    let recipients = all.draw_recipients();
    let store_id = all.draw_array();
    let before = all.draw_number() % 4;
    let history = (0..before).map(|_| all.draw_array()).collect();
    let serial = u32::try_from(before + 1).unwrap();
    let mut numbers: Vec<_> =
        (1..=serial).filter(|_| all.draw_number().is_multiple_of(2)).collect();
    if numbers.is_empty() {
        numbers.push(serial);
    }
    let epochs = numbers.into_iter().map(|number| (number, all.draw_array())).collect();
    let public = recipients.iter().map(|key| key.encapsulation_key().clone()).collect();
    let keys = Keys { store_id, history, recipients: public, epochs };
    let signed = keys.signed(owner.verifying_key());
    let objects = keys
        .epochs
        .iter()
        .map(|(epoch, store_key)| {
            let mut name = || {
                let length = 1 + all.draw_number() % 16;
                hex::encode(all.draw(length))
            };
            let path = format!("{}/{}", name(), name());
            let salt = all.draw(24);
            let length = all.draw_number() * 256 + all.draw_number();
            let plaintext = all.draw(length);
            let key = input_key(store_key, &store_id, *epoch);
            let sealed = object(&key, *epoch, &salt, &context, &path, &plaintext);
            DrawnObject { path, plaintext, sealed }
        })
        .collect();
    DrawnStore { context, owner, recipients, serial, signed, objects }
}
