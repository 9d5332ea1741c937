//! Sealed stores: keys objects, objects, and pins.

use std::sync::{Arc, LazyLock};

use object_store::{ObjectStoreExt, memory::InMemory, path::Path};
use sha2::{Digest, Sha512};
use twinseal::{
    DecapsulationKey, Recipients, hazmat,
    hazmat::SealRandomness,
    provider::PORTABLE,
    store::{Pin, SealedStore},
};

use super::{
    people::{ALICE, ALL, CTX, P384, X25519, bob, hkdf, on_all},
    script::{Object, Script},
};
use crate::common::keys::kem_key;

const CONTENT_KEY: [u8; 32] = [3; 32];
const STORE_ID: [u8; 16] = [4; 16];
const STORE_KEY: [u8; 32] = [5; 32];
const SALT: [u8; 24] = [6; 24];

/// All before the signature, of the first keys and of third ones.
static SIGNED: LazyLock<Vec<Object>> = LazyLock::new(|| {
    let owner = ALICE.verifying_key();
    let (suite, id) = (owner.suite().id().to_be_bytes(), owner.key_id());
    let keys = [X25519, P384].map(|suite| bob(suite)[0].encapsulation_key());
    let [first, second] =
        keys.map(|key| [&key.suite().id().to_be_bytes(), key.as_bytes()].concat());
    let start = |serial: u32| [b"twinstor\x01", &STORE_ID[..], &serial.to_be_bytes()].concat();
    let epoch = |number: u32| [&number.to_be_bytes()[..], &STORE_KEY].concat();
    vec![
        Object::of_fields(&[
            &start(1),
            &[0, 1],
            &first,
            &[0, 0, 0, 1],
            &epoch(1),
            &suite,
            id.as_bytes(),
        ]),
        Object::of_fields(&[
            &start(3),
            &[7; 48],
            &[8; 48],
            &[0, 2],
            &first,
            &second,
            &[0, 0, 0, 2],
            &epoch(1),
            &epoch(3),
            &suite,
            id.as_bytes(),
        ]),
    ]
});

/// The sealed keys object of these bytes, with a good signature.
fn keys_object(signed: &[u8], recipients: &Recipients, encapsulations: &[&[u8]]) -> Vec<u8> {
    let owner = ALICE.verifying_key().as_bytes();
    let digest = Sha512::digest([signed, owner, CTX].concat()).into();
    let signature = hazmat::sign_prehashed(&ALICE, b"twinseal/store/v1", &digest).unwrap();
    let plaintext = [signed, signature.as_bytes()].concat();
    let randomness = SealRandomness { content_key: CONTENT_KEY, salt: SALT, encapsulations };
    // A header depends neither on the context nor on the body.
    let (header, ..) = hazmat::sealer(recipients, CTX, &randomness).unwrap();
    let keys: [u8; 80] = hkdf(&CONTENT_KEY, &[b"twinseal/envelope/v1\x01\x01"]);
    let key = keys.last_chunk().unwrap();
    let body =
        hazmat::cobblestone_seal(&PORTABLE, key, &SALT, b"twinseal/store-keys/v1", &plaintext);
    [header, body.unwrap()].concat()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

fn put(inner: &InMemory, path: &str, bytes: Vec<u8>) {
    run(inner.put(&Path::from(path), bytes.into())).unwrap();
}

/// Bob's keys of both suites, on each provider.
static READERS: LazyLock<[Vec<Arc<DecapsulationKey>>; 2]> = LazyLock::new(|| {
    [X25519, P384].map(|suite| {
        let keys = ALL.iter().map(|provider| kem_key(suite, 2).on(provider).unwrap());
        keys.map(Arc::new).collect()
    })
});

/// Changed keys, signed and sealed again.
pub fn store_keys(data: &[u8]) {
    let mut script = Script::new(data);
    let which = script.byte();
    let object = &SIGNED[usize::from(which & 1)];
    let mut signed = object.bytes.clone();
    script.change(&mut signed, object, &SIGNED);
    let keys = [X25519, P384].map(|suite| bob(suite)[0].encapsulation_key());
    let sealed = if which & 1 == 0 {
        keys_object(&signed, &Recipients::new([keys[0]]).unwrap(), &[&[6; 64]])
    } else {
        keys_object(&signed, &Recipients::new(keys).unwrap(), &[&[6; 64], &[6; 80]])
    };
    let inner = Arc::new(InMemory::new());
    let serial = if which & 1 == 0 { 1 } else { 3 };
    put(&inner, &format!(".twinseal/keys/{serial:010}"), sealed);
    let readers = &READERS[usize::from(which >> 1 & 1)];
    let opened = on_all(|index| {
        let (inner, reader) = (Arc::clone(&inner) as _, Arc::clone(&readers[index]));
        let opened = SealedStore::open(inner, CTX, reader, ALICE.verifying_key(), Pin::first_use());
        let opened = run(opened);
        opened.map(|store| (store.id(), store.pin())).map_err(|error| format!("{error:?}"))
    });
    if let Ok((_, pin)) = opened {
        let again: Pin = pin.to_string().parse().unwrap();
        assert_eq!(again, pin);
    }
}

/// A changed object at its path.
pub fn store_object(data: &[u8]) {
    static STORE: LazyLock<(Arc<InMemory>, SealedStore)> = LazyLock::new(|| {
        let inner = Arc::new(InMemory::new());
        let recipients = Recipients::new([bob(X25519)[0].encapsulation_key()]).unwrap();
        let keys = keys_object(&SIGNED[0].bytes, &recipients, &[&[6; 64]]);
        put(&inner, ".twinseal/keys/0000000001", keys);
        let reader = Arc::new(kem_key(X25519, 2));
        let opened = SealedStore::open(
            Arc::clone(&inner) as _,
            CTX,
            reader,
            ALICE.verifying_key(),
            Pin::first_use(),
        );
        (inner, run(opened).unwrap())
    });
    const LENGTHS: [usize; 4] = [5, 0, 16 * 1024 - 1, 16 * 1024 + 3];
    static OBJECTS: LazyLock<Vec<Object>> = LazyLock::new(|| {
        let key: [u8; 32] =
            hkdf(&STORE_KEY, &[b"twinseal/object/v1", &STORE_ID, &1_u32.to_be_bytes()]);
        let bound = [&[u8::try_from(CTX.len()).unwrap()], CTX, b"a/b"].concat();
        let objects = LENGTHS.map(|length| {
            let body =
                hazmat::cobblestone_seal(&PORTABLE, &key, &SALT, &bound, &vec![9; length]).unwrap();
            let mut fields =
                vec![&b"twinobjt"[..], &[1], &[0, 0, 0, 1], &body[..24], &body[24..56]];
            fields.extend(body[56..].chunks(16 * 1024 + 16));
            Object::of_fields(&fields)
        });
        objects.into()
    });
    let mut script = Script::new(data);
    let bytes = script.changed(&OBJECTS);
    let length = bytes.len();
    let original = OBJECTS.iter().position(|object| object.bytes == bytes);
    let (inner, store) = &*STORE;
    put(inner, "a/b", bytes);
    let path = Path::from("a/b");
    run(async {
        let head = store.head(&path).await;
        let whole = match store.get(&path).await {
            Ok(got) => got.bytes().await,
            Err(error) => Err(error),
        };
        match (&whole, original) {
            (Ok(whole), Some(original)) => {
                assert_eq!(whole.len(), LENGTHS[original]);
                assert_eq!(head.unwrap().size, whole.len() as u64);
                let start = script.number() % (whole.len() + 1);
                let end = start + script.number() % (whole.len() - start + 1);
                let part = store.get_range(&path, start as u64..end as u64).await;
                assert!(start == end || part.unwrap()[..] == whole[start..end]);
            }
            (Err(_), None) => {
                let _ = store.get_range(&path, 0..1).await;
            }
            _ => panic!("{length} bytes: {whole:?}, but {original:?}"),
        }
    });
}

/// A pin in its text form.
pub fn pin(data: &[u8]) {
    static PINS: LazyLock<Vec<Object>> = LazyLock::new(|| {
        let text = format!("{}.3.{}", "04".repeat(16), "ab".repeat(48));
        vec![Object::of_text(
            text,
            &[b".", b"0", b"65536", b"65537", b"A", b"\n", b" ", b"4294967297"],
        )]
    });
    let bytes = Script::new(data).changed(&PINS);
    let Ok(text) = str::from_utf8(&bytes) else { return };
    if let Ok(pin) = text.parse::<Pin>() {
        assert_eq!(pin.to_string(), text.trim_ascii(), "it has one form");
    }
}
