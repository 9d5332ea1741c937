//! Does the crate read the stores that SPEC.md's steps make, and make stores of these bytes? Does Python read them?

use std::{env, fmt::Write as _, fs, path::Path as Directory, sync::Arc};

use object_store::{
    ObjectStore, ObjectStoreExt, PutPayload, local::LocalFileSystem, memory::InMemory, path::Path,
};
use sha2::{Digest, Sha384};
use twinseal::{
    DecapsulationKey, Recipients, VerifyingKey,
    envelope::Header,
    provider::{PORTABLE, SignatureScheme},
    store::{Pin, Reader, SealedStore},
};

use super::{
    accumulated::drawn_stores,
    blocks::Block,
    compute::{DEFAULT, P384, hkdf, spec_kem_key, spec_signing_key},
    envelopes::pattern,
    stores::{Keys, input_key, keys_object, object, open_keys_object, signature, signed_sha512},
};
use crate::common::process::{command, ended};

const CONTEXT: &[u8] = b"example.com/spec/v1";

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

/// An inner store of these objects.
async fn with(objects: impl IntoIterator<Item = (String, Vec<u8>)>) -> Arc<InMemory> {
    let inner = InMemory::new();
    for (location, bytes) in objects {
        inner.put(&path(&location), bytes.into()).await.unwrap();
    }
    Arc::new(inner)
}

async fn read(store: &dyn ObjectStore, location: &str) -> Vec<u8> {
    store.get(&path(location)).await.unwrap().bytes().await.unwrap().to_vec()
}

/// The vectors' keys objects, sealed, by serial.
fn spec_keys() -> [Vec<u8>; 2] {
    let block = Block::read("store-keys");
    let owner = spec_signing_key();
    let readers = [spec_kem_key(DEFAULT), spec_kem_key(P384)];
    let kems = ["kem-0001", "kem-0051"].map(Block::read);
    [1, 2].map(|number| {
        let get = |name: &str| block.get(&format!("{name}_{number}"));
        let keys = Keys {
            store_id: block.get("store_id").try_into().unwrap(),
            history: (1..number)
                .map(|before| block.get(&format!("fingerprint_{before}")).try_into().unwrap())
                .collect(),
            recipients: readers[..number]
                .iter()
                .map(|key| key.encapsulation_key().clone())
                .collect(),
            epochs: (1..=number)
                .map(|epoch| {
                    let key = block.get(&format!("store_key_{epoch}")).try_into().unwrap();
                    (u32::try_from(epoch).unwrap(), key)
                })
                .collect(),
        };
        let plaintext = [&keys.signed(owner.verifying_key()), get("signature")].concat();
        let to: Vec<_> = readers[..number].iter().collect();
        let randomness: Vec<_> = kems[..number].iter().map(|kem| kem.get("randomness")).collect();
        let sealed = keys_object(&to, &randomness, get("content_key"), get("salt"), &plaintext);
        assert_eq!(Sha384::digest(&sealed)[..], *block.get(&format!("keys_{number}_sha384")));
        sealed
    })
}

fn keys_path(serial: u32) -> String {
    format!(".twinseal/keys/{serial:010}")
}

#[tokio::test]
async fn the_vectors_are_a_store() {
    let (keys, objects) = (Block::read("store-keys"), Block::read("store-objects"));
    let location = String::from_utf8(objects.get("path").to_vec()).unwrap();
    let [first, second] = spec_keys();
    let owner = spec_signing_key().verifying_key().clone();
    let pins = [1, 2].map(|serial| {
        let id = hex::encode(keys.get("store_id"));
        let fingerprint = hex::encode(keys.get(&format!("fingerprint_{serial}")));
        format!("{id}.{serial}.{fingerprint}")
    });

    let inner = with([
        (keys_path(1), first),
        (keys_path(2), second),
        (location.clone(), objects.get("object_1").to_vec()),
    ])
    .await;
    for (suite, pin) in [(DEFAULT, Pin::first_use()), (P384, pins[0].parse().unwrap())] {
        let reader = Reader::from(spec_kem_key(suite));
        let store = SealedStore::open(Arc::clone(&inner) as _, CONTEXT, reader, &owner, pin);
        let store = store.await.unwrap();
        assert_eq!(store.pin().to_string(), pins[1]);
        for name in ["object_1", "object_2"] {
            inner.put(&path(&location), objects.get(name).to_vec().into()).await.unwrap();
            assert_eq!(read(&store, &location).await, objects.get("plaintext"), "{name}");
        }
        inner.put(&path(&location), objects.get("object_1_empty").to_vec().into()).await.unwrap();
        assert_eq!(read(&store, &location).await, b"");
        for length in [16383, 16384, 16385] {
            let key = objects.get("input_key_1");
            let sealed = object(key, 1, objects.get("salt"), CONTEXT, &location, &pattern(length));
            inner.put(&path(&location), sealed.into()).await.unwrap();
            assert_eq!(read(&store, &location).await, pattern(length));
        }
    }
}

#[tokio::test]
async fn the_accumulated_stores_are_stores() {
    for drawn in drawn_stores() {
        let signature = signature(&drawn.signed, &drawn.owner, &drawn.context);
        let plaintext = [&drawn.signed, signature.as_bytes()].concat();
        let to: Vec<_> = drawn.recipients.iter().collect();
        let randomness: Vec<_> =
            to.iter().map(|key| vec![7; if key.suite() == DEFAULT { 64 } else { 80 }]).collect();
        let randomness: Vec<_> = randomness.iter().map(Vec::as_slice).collect();
        let sealed = keys_object(&to, &randomness, &[1; 32], &[2; 24], &plaintext);
        let objects = drawn.objects.iter().map(|one| (one.path.clone(), one.sealed.clone()));
        let inner = with(objects.chain([(keys_path(drawn.serial), sealed)])).await;
        let owner = drawn.owner.verifying_key();
        for reader in drawn.recipients {
            let (inner, pin) = (Arc::clone(&inner), Pin::first_use());
            let store = SealedStore::open(inner, &drawn.context, reader, owner, pin);
            let store = store.await.unwrap();
            for object in &drawn.objects {
                assert!(read(&store, &object.path).await == object.plaintext, "{}", object.path);
            }
        }
    }
}

/// The content key that an envelope's first recipient, of suite 0x0001, unwraps.
fn content_key(key: &DecapsulationKey, sealed: &[u8]) -> Vec<u8> {
    let header = Header::parse(sealed).unwrap();
    let recipient = header.find(key.encapsulation_key()).unwrap();
    let ss = key.decapsulate(&recipient.ciphertext().unwrap()).unwrap();
    let ids = &sealed[12..30];
    let wrap: [u8; 44] = hkdf(ss.as_bytes(), &[b"twinseal/wrap/v1", ids]);
    let (mut content_key, tag) = (sealed[1632..1664].to_vec(), &sealed[1664..1680]);
    let aead = PORTABLE.aes_256_gcm.key(wrap.first_chunk().unwrap()).unwrap();
    let (nonce, aad) = (wrap.last_chunk().unwrap(), [&sealed[..10], ids].concat());
    aead.open_in_place(nonce, &aad, &mut content_key, tag.try_into().unwrap()).unwrap();
    content_key
}

/// In the reserved context, half by half.
fn verify(owner: &VerifyingKey, digest: &[u8; 64], signature: &[u8]) {
    let label = b"COMPSIG-MLDSA87-ECDSA-P384-SHA512";
    let context = b"twinseal/store/v1";
    let length = u8::try_from(context.len()).unwrap();
    let prefix = b"CompositeAlgorithmSignatures2025";
    let representative = [&prefix[..], label, &[length], context, digest].concat();
    let (post_quantum, traditional) = owner.as_bytes().split_at(2592);
    let ml_dsa = PORTABLE.ml_dsa_87.verifier(post_quantum).unwrap();
    ml_dsa.verify(label, &representative, &signature[..4627]).unwrap();
    let ecdsa = twinseal::hazmat::ecdsa_p384(&PORTABLE).verifier(traditional).unwrap();
    ecdsa.verify(b"", &representative, &signature[4627..]).unwrap();
}

#[tokio::test]
async fn a_store_that_the_crate_makes_has_these_bytes() {
    let inner = Arc::new(InMemory::new());
    let (key, other, signer) = (spec_kem_key(DEFAULT), spec_kem_key(P384), spec_signing_key());
    let vk = signer.verifying_key().clone();
    let to = Recipients::new([key.encapsulation_key()]).unwrap();
    let (owner, first) = SealedStore::create(
        Arc::clone(&inner) as _,
        CONTEXT,
        spec_kem_key(DEFAULT),
        Arc::new(signer),
        &to,
    )
    .await
    .unwrap();
    let second = owner.grant(other.encapsulation_key()).await.unwrap();
    owner.store().put(&path("a/x%20y"), pattern(40_000).into()).await.unwrap();
    let third = owner.new_epoch().await.unwrap();
    owner.store().put(&path("empty"), PutPayload::new()).await.unwrap();

    let readers = [key.encapsulation_key(), other.encapsulation_key()];
    let mut history = Vec::new();
    let mut epochs: Vec<(u32, [u8; 32])> = Vec::new();
    let mut store_id = [0; 16];
    for (serial, pin, to, numbers) in
        [(1, first, 1, &[1][..]), (2, second, 2, &[1]), (3, third, 2, &[1, 3])]
    {
        let sealed = read(&*inner, &keys_path(serial)).await;
        let header = Header::parse(&sealed).unwrap().len();
        let plaintext = open_keys_object(&content_key(&key, &sealed), &sealed[header..]);
        store_id = plaintext[9..25].try_into().unwrap();
        let recipients: Vec<_> = readers[..to].iter().map(|&key| key.clone()).collect();
        // The keys themselves are random. Where they are follows from all lengths before them.
        let lengths: usize = recipients.iter().map(|key| 2 + key.as_bytes().len()).sum();
        let start = 29 + 48 * history.len() + 2 + lengths + 4;
        let read_epoch = |(index, number): (usize, &u32)| {
            let key = plaintext[start + 36 * index + 4..][..32].try_into().unwrap();
            (*number, key)
        };
        let before = epochs;
        epochs = numbers.iter().enumerate().map(read_epoch).collect();
        assert!(epochs.starts_with(&before));
        let keys = Keys { store_id, history: history.clone(), recipients, epochs: epochs.clone() };
        let signed = keys.signed(&vk);
        assert!(plaintext.starts_with(&signed), "{serial}");
        verify(&vk, &signed_sha512(&signed, &vk, CONTEXT), &plaintext[signed.len()..]);
        let fingerprint: [u8; 48] = Sha384::digest(&signed).into();
        let (id, digest) = (hex::encode(store_id), hex::encode(fingerprint));
        assert_eq!(pin.to_string(), format!("{id}.{serial}.{digest}"));
        history.push(fingerprint);
    }

    assert_eq!(owner.store().id().as_bytes(), &store_id);
    for (location, (epoch, store_key), plaintext) in
        [("a/x%20y", epochs[0], pattern(40_000)), ("empty", epochs[1], vec![])]
    {
        let sealed = read(&*inner, location).await;
        let key = input_key(&store_key, &store_id, epoch);
        let expected = object(&key, epoch, &sealed[13..37], CONTEXT, location, &plaintext);
        assert!(sealed == expected, "{location}");
    }
}

#[tokio::test]
#[ignore = "needs Python 3.9 and its package cryptography, see tests/interop/README.md"]
async fn python_reads_a_directory_that_the_crate_made() {
    let directory = tempfile::tempdir().unwrap();
    let inner = Arc::new(LocalFileSystem::new_with_prefix(directory.path()).unwrap());
    let (key, other) = (spec_kem_key(DEFAULT), spec_kem_key(P384));
    let to = Recipients::new([key.encapsulation_key()]).unwrap();
    let signer = Arc::new(spec_signing_key());
    let created = SealedStore::create(inner, CONTEXT, spec_kem_key(DEFAULT), signer, &to).await;
    let (owner, first) = created.unwrap();
    let store = owner.store();
    let mut expected = Vec::new();
    for length in [0, 1, 16_383, 16_384, 16_385, 300_000] {
        let location = format!("first/of {length}%2F bytes");
        store.put(&path(&location), pattern(length).into()).await.unwrap();
        expected.push((location, 1, pattern(length)));
    }
    let _pin = owner.grant(other.encapsulation_key()).await.unwrap();
    store.put(&path("second/small"), "after a grant".into()).await.unwrap();
    expected.push(("second/small".into(), 1, b"after a grant".to_vec()));
    let _pin = owner.new_epoch().await.unwrap();
    let mut upload = store.put_multipart(&path("third/in parts")).await.unwrap();
    for part in pattern(1_500_000).chunks(400_000) {
        upload.put_part(part.to_vec().into()).await.unwrap();
    }
    upload.complete().await.unwrap();
    expected.push(("third/in parts".into(), 3, pattern(1_500_000)));
    store.copy(&path("second/small"), &path("third/copied")).await.unwrap();
    expected.push(("third/copied".into(), 1, b"after a grant".to_vec()));
    expected.sort();
    let mut listing = String::new();
    for (location, epoch, plaintext) in &expected {
        let hash = hex::encode(Sha384::digest(plaintext));
        writeln!(listing, "{epoch} {} {hash} {location}", plaintext.len()).unwrap();
    }

    let kem = |key: &DecapsulationKey| format!("{:04x}", key.suite().id());
    let both = [kem(&key), kem(&other)];
    assert_eq!(python(directory.path(), &both[0], "first use"), listing);
    assert_eq!(python(directory.path(), &both[1], &first.to_string()), listing);
    let _pin = owner.revoke(other.encapsulation_key().key_id()).await.unwrap();
    assert_eq!(python(directory.path(), &both[0], &store.pin().to_string()), listing);
    assert_eq!(python(directory.path(), &both[1], "first use"), "refused: not a recipient\n");
    fs::remove_file(directory.path().join(keys_path(4))).unwrap();
    let refused = python(directory.path(), &both[0], &store.pin().to_string());
    assert_eq!(refused, "refused: older than the pin\n");
}

/// What the second implementation reads in a directory, as lines.
fn python(directory: &Directory, suite: &str, pin: &str) -> String {
    let python = env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let script = Directory::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/read_store.py");
    let mut python = command(python);
    python.arg(script).args([suite, pin]).arg(directory);
    let output = ended(python);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
