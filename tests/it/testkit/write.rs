//! Writes cases as this version writes its formats, for `tests/testkit/written`: with its own randomness, so they cannot
//! be made a second time.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory, path::Path as Location};
use sha2::{Digest, Sha384};
use twinseal::{
    DecapsulationKey, KemSuite, Keyring, Recipients, Sign, SigningKey,
    hazmat::{self, RequestRandomness},
    model::{Method, Signing},
    provider::PORTABLE,
    request::{AllowReplays, RequestTime},
    session::FramedSender,
    store::SealedStore,
};

use super::case::{KIT, kem_key};
use crate::common::keys::{P384, X25519};

const CONTEXT: &str = "example.com/testkit/v1";

enum Value {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// The cases, by path.
#[derive(Default)]
struct Written(BTreeMap<String, String>);

impl Written {
    fn add(&mut self, format: &str, name: &str, why: &str, fields: Vec<(&str, Value)>) {
        let start = [("format", format.into()), ("expect", "success".into()), ("why", why.into())];
        let mut text = String::new();
        for (name, value) in start.into_iter().chain(fields) {
            text += &match value {
                Value::Bytes(bytes) => {
                    let encoded = BASE64.encode(bytes);
                    let lines = encoded.as_bytes().chunks(100);
                    let lines = lines.map(|line| format!(" {}\n", str::from_utf8(line).unwrap()));
                    format!("{name}::\n{}", lines.collect::<String>())
                }
                Value::Text(value) if value.contains('\n') => {
                    let lines = value.lines().map(|line| format!(" {line}\n"));
                    format!("{name}:\n{}", lines.collect::<String>())
                }
                Value::Text(value) if value.is_empty() => format!("{name}:\n"),
                Value::Text(value) => format!("{name}: {value}\n"),
            };
        }
        let version = env!("CARGO_PKG_VERSION");
        self.0.insert(format!("written/{version}/{format}/{name}.txt"), text);
    }

    fn save(&self, root: &Path) {
        for (path, text) in &self.0 {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

fn keys() -> [(&'static str, DecapsulationKey); 2] {
    ["kem-0001", "kem-0051"].map(|name| (name, kem_key(name, &PORTABLE)))
}

fn signer() -> SigningKey {
    SigningKey::from_pem(&fs::read_to_string(KIT.join("keys/sign.pem")).unwrap()).unwrap()
}

fn hash(plaintext: &[u8]) -> Vec<(&'static str, Value)> {
    let sha384 = hex::encode(Sha384::digest(plaintext));
    vec![
        ("plaintext-length", plaintext.len().to_string().into()),
        ("plaintext-sha384", sha384.into()),
    ]
}

fn envelopes(written: &mut Written) {
    let keys = keys();
    let plaintext: Vec<u8> = (0..40_000_u32).map(|i| (i % 251).try_into().unwrap()).collect();
    for (name, key) in &keys {
        let sealed = key.encapsulation_key().seal(CONTEXT.as_bytes(), b"hello").unwrap();
        let fields = vec![
            ("key", (*name).into()),
            ("context", CONTEXT.into()),
            ("plaintext", "hello".into()),
            ("input", sealed.into()),
        ];
        written.add("envelope", name, "An envelope for one recipient.", fields);
    }
    let both = Recipients::new(keys.iter().map(|(_, key)| key.encapsulation_key())).unwrap();
    let mut writer = both.seal_writer(CONTEXT.as_bytes(), Vec::new()).unwrap();
    std::io::copy(&mut &plaintext[..], &mut writer).unwrap();
    let sealed = writer.finish().unwrap();
    let mut fields = vec![("key", "kem-0051".into()), ("context", CONTEXT.into())];
    fields.extend(hash(&plaintext));
    fields.push(("input", sealed.clone().into()));
    written.add("envelope", "streamed", "A stream of three chunks for two recipients.", fields);
    let mut moved = Vec::new();
    let to = Recipients::new([keys[1].1.encapsulation_key()]).unwrap();
    let sealed = keys[0].1.encapsulation_key().seal(CONTEXT.as_bytes(), b"hello").unwrap();
    keys[0].1.rewrap(&to, &sealed[..], &mut moved).unwrap();
    let fields = vec![
        ("key", "kem-0051".into()),
        ("context", CONTEXT.into()),
        ("plaintext", "hello".into()),
        ("input", moved.into()),
    ];
    written.add("envelope", "rewrapped", "An envelope that was rewrapped for another key.", fields);
}

fn sessions(written: &mut Written) {
    for (name, key) in &keys() {
        for signer in [None, Some(signer())] {
            let to = key.encapsulation_key();
            let begun = || match &signer {
                None => to.sender(CONTEXT.as_bytes()),
                Some(signer) => to.signed_by(signer).sender(CONTEXT.as_bytes()),
            };
            let start = || {
                let mut fields: Vec<(&str, Value)> = vec![("key", (*name).into())];
                fields.extend(signer.iter().map(|_| ("signer", "sign".into())));
                fields.push(("context", CONTEXT.into()));
                fields
            };
            let (hello, mut sender) = begun().unwrap();
            let mut fields = start();
            fields.push(("hello", hello.into()));
            fields.push(("session-id", hex::encode(sender.session_id().as_bytes()).into()));
            let message = sender.seal_with_aad(b"shard 7", b"one").unwrap();
            fields.extend([
                ("message", message.into()),
                ("aad", "shard 7".into()),
                ("plaintext", "one".into()),
            ]);
            let message = sender.finish(b"two").unwrap();
            fields.extend([("message", message.into()), ("plaintext", "two".into())]);
            let kind = if signer.is_some() { "signed" } else { "unsigned" };
            let name = format!("{name}-{kind}");
            written.add("session", &name, "A session of two messages.", fields);

            let mut framed = FramedSender::start(Vec::new(), begun().unwrap()).unwrap();
            framed.send(b"one").unwrap();
            framed.finish(b"two").unwrap();
            let mut fields = start();
            fields.extend([
                ("input", framed.into_inner().into()),
                ("plaintext", "one".into()),
                ("plaintext", "two".into()),
            ]);
            written.add("framed-session", &name, "A session over a connection.", fields);
        }
        let randomness: Vec<u8> = (0..if key.suite() == X25519 { 64 } else { 80 }).collect();
        let to = key.encapsulation_key();
        let (hello, _) = hazmat::sender(to, None, CONTEXT.as_bytes(), &randomness).unwrap();
        let (_, secret) = hazmat::encapsulate(to, &randomness).unwrap();
        let (r, mut sender) = key.receiver(CONTEXT.as_bytes(), &hello).unwrap().reply().unwrap();
        let message = sender.finish(b"averaged").unwrap();
        let fields = vec![
            ("key", (*name).into()),
            ("context", CONTEXT.into()),
            ("randomness", randomness.into()),
            ("secret", hex::encode(secret.as_bytes()).into()),
            ("r", r.as_bytes().to_vec().into()),
            ("message", message.into()),
            ("plaintext", "averaged".into()),
        ];
        written.add("reply", name, "The reply to a session.", fields);
    }
}

fn requests(written: &mut Written) {
    let context = CONTEXT.as_bytes();
    for (name, key) in &keys() {
        for signer in [None, Some(signer())] {
            let to = key.encapsulation_key();
            let (request, pending) = match &signer {
                None => to.request(context, b"a picture"),
                Some(signer) => to.signed_by(signer).request(context, b"a picture"),
            }
            .unwrap();
            let accept = |request: &[u8]| match &signer {
                None => key.accept(context, request, &AllowReplays),
                Some(signer) => {
                    key.accepting(signer.verifying_key()).accept(context, request, &AllowReplays)
                }
            };
            let (_, asked) = accept(&request).unwrap();
            let mut start: Vec<(&str, Value)> = vec![("key", (*name).into())];
            start.extend(signer.iter().map(|_| ("signer", "sign".into())));
            start.push(("context", CONTEXT.into()));
            start.push(("request-id", hex::encode(pending.id().as_bytes()).into()));
            start.push(("time", asked.time().as_millis().to_string().into()));
            start.extend([("plaintext", "a picture".into()), ("input", request.into())]);
            let kind = if signer.is_some() { "signed" } else { "unsigned" };
            let file = format!("{name}-{kind}");
            written.add("request", &file, "A request.", start);

            let encapsulation: Vec<u8> = (0..if key.suite() == X25519 { 64 } else { 80 }).collect();
            let time = RequestTime::now();
            let randomness =
                RequestRandomness { time, encapsulation: &encapsulation, salt: [7; 24] };
            let by = signer.as_ref().map(|signer| signer as &dyn Sign);
            let (request, _) = hazmat::request(to, by, context, b"", &randomness).unwrap();
            let answered = || {
                let mut fields: Vec<(&str, Value)> = vec![("key", (*name).into())];
                fields.extend(signer.iter().map(|_| ("signer", "sign".into())));
                fields.extend([
                    ("context", CONTEXT.into()),
                    ("time", time.as_millis().to_string().into()),
                ]);
                fields.push(("randomness", encapsulation.clone().into()));
                (fields, accept(&request).unwrap().1)
            };
            let (mut fields, asked) = answered();
            fields.extend([
                ("plaintext", "a cat".into()),
                ("input", asked.answer(b"a cat").unwrap().into()),
            ]);
            written.add("answer", &file, "A whole answer.", fields);
            let (mut fields, asked) = answered();
            let (start, mut sealer) = asked.piece_sealer().unwrap();
            let first = sealer.piece(b"a ").unwrap();
            let answer = [start, first, sealer.finish(b"cat").unwrap()].concat();
            fields.extend([
                ("plaintext", "a ".into()),
                ("plaintext", "cat".into()),
                ("input", answer.into()),
            ]);
            written.add("answer-in-pieces", &file, "An answer in two pieces.", fields);
        }
    }
}

fn key_files(written: &mut Written) {
    let id = |key: &DecapsulationKey| hex::encode(key.encapsulation_key().key_id().as_bytes());
    let mut ring: Option<Keyring> = None;
    let mut add =
        |name: &str, format: &str, kind: &str, more: Option<&str>, text: &str, key_id: String| {
            let mut fields: Vec<(&str, Value)> = vec![("kind", kind.into())];
            fields.extend(more.map(|passphrase| ("passphrase", passphrase.into())));
            fields.extend([("text", text.into()), ("key-id", key_id.into())]);
            written.add(format, name, "A key of this version.", fields);
        };
    for (name, suite) in [("kem-0001", X25519), ("kem-0051", P384)] {
        let key = DecapsulationKey::generate_for(suite).unwrap();
        add(
            &format!("{name}-private"),
            "key-file",
            "kem-private",
            None,
            key.to_pem().as_str(),
            id(&key),
        );
        add(
            &format!("{name}-public"),
            "key-file",
            "kem-public",
            None,
            &key.encapsulation_key().to_pem(),
            id(&key),
        );
        let encrypted = key.to_encrypted_pem("correct horse").unwrap();
        add(name, "encrypted-key", "kem-private", Some("correct horse"), &encrypted, id(&key));
        match &mut ring {
            None => ring = Some(Keyring::new(key)),
            Some(ring) => ring.rotate(key).unwrap(),
        }
    }
    let key = SigningKey::generate().unwrap();
    let key_id = hex::encode(key.verifying_key().key_id().as_bytes());
    add("sign-private", "key-file", "sign-private", None, key.to_pem().as_str(), key_id.clone());
    add(
        "sign-public",
        "key-file",
        "sign-public",
        None,
        &key.verifying_key().to_pem(),
        key_id.clone(),
    );
    add(
        "sign",
        "encrypted-key",
        "sign-private",
        Some("correct horse"),
        &key.to_encrypted_pem("correct horse").unwrap(),
        key_id,
    );
    let ring = ring.unwrap();
    let mut fields: Vec<(&str, Value)> =
        vec![("kind", "kem-private".into()), ("text", ring.to_pem().unwrap().as_str().into())];
    fields.extend(ring.keys().map(|key| ("key-id", hex::encode(key.key_id().as_bytes()).into())));
    written.add("keyring", "rotated", "A keyring after a rotation.", fields);
}

fn signatures(written: &mut Written) {
    let signature = signer().sign(CONTEXT.as_bytes(), b"hello").unwrap();
    let fields = vec![
        ("signer", "sign".into()),
        ("context", CONTEXT.into()),
        ("message", "hello".into()),
        ("signature", signature.as_bytes().to_vec().into()),
    ];
    written.add("signature", "sign", "A signature.", fields);
}

/// Every object of a store, as fields of a case.
async fn objects(inner: &InMemory) -> Vec<(&'static str, Value)> {
    use futures_util::TryStreamExt;

    let mut found: Vec<_> = inner.list(None).try_collect().await.unwrap();
    found.sort_by(|a: &object_store::ObjectMeta, b| a.location.cmp(&b.location));
    let mut fields = Vec::new();
    for meta in found {
        let content = inner.get(&meta.location).await.unwrap().bytes().await.unwrap();
        fields.extend([
            ("object", meta.location.to_string().into()),
            ("content", content.to_vec().into()),
        ]);
    }
    fields
}

async fn stores(written: &mut Written) {
    let [(_, alice), (_, bob)] = keys();
    let inner = Arc::new(InMemory::new());
    let readers = Recipients::new([alice.encapsulation_key()]).unwrap();
    let signer = Arc::new(signer());
    let (owner, _) =
        SealedStore::create(Arc::clone(&inner) as _, CONTEXT.as_bytes(), alice, signer, &readers)
            .await
            .unwrap();
    let store = owner.store();
    store.put(&Location::from("first/object"), "under epoch 1".into()).await.unwrap();
    let _pin = owner.grant(bob.encapsulation_key()).await.unwrap();
    let _pin = owner.new_epoch().await.unwrap();
    store.put(&Location::from("second/object"), "under epoch 3".into()).await.unwrap();
    for (name, path, plaintext) in
        [("first", "first/object", "under epoch 1"), ("second", "second/object", "under epoch 3")]
    {
        let mut fields: Vec<(&str, Value)> =
            vec![("key", "kem-0051".into()), ("owner", "sign".into()), ("context", CONTEXT.into())];
        fields.extend(objects(&inner).await);
        fields.extend([
            ("read", path.into()),
            ("new-pin", store.pin().to_string().into()),
            ("plaintext", plaintext.into()),
        ]);
        written.add("store", name, "A store after a grant and a new epoch.", fields);
    }
}

fn models(written: &mut Written) {
    let directory = tempfile::tempdir().unwrap();
    let model = directory.path().join("model");
    fs::create_dir_all(model.join("layers")).unwrap();
    fs::write(model.join("config.json"), "{}").unwrap();
    fs::write(model.join("layers/0"), "weights").unwrap();
    for (name, method) in
        [("files", Method::Files), ("shards", Method::Shards(4.try_into().unwrap()))]
    {
        let bundle = Signing::new().method(method).sign(&signer(), &model).unwrap();
        let fields = vec![
            ("signer", "sign".into()),
            ("file", "config.json".into()),
            ("content", "{}".into()),
            ("file", "layers/0".into()),
            ("content", "weights".into()),
            ("bundle", String::from_utf8(bundle.as_bytes().to_vec()).unwrap().into()),
        ];
        written.add("model", name, "A signed model.", fields);
    }
}

fn certificates(written: &mut Written) {
    use crate::common::certificates::{NAME, authority, issued, now};

    let root = SigningKey::generate().unwrap();
    let authority = authority(&root);
    let key = SigningKey::generate().unwrap();
    let certificate = issued(&authority, &root, key.verifying_key());
    let now = now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap().as_secs() + 1;
    let fields = vec![
        ("use", "signer".into()),
        ("time", now.to_string().into()),
        ("name", format!("dns:{NAME}").into()),
        ("certificate", certificate.as_der().to_vec().into()),
        ("anchors", authority.as_der().to_vec().into()),
        ("key-id", hex::encode(key.verifying_key().key_id().as_bytes()).into()),
    ];
    written.add(
        "certificate",
        "signer",
        "A certificate that a key of this version signed.",
        fields,
    );
}

/// Into cargo's `target/tmp`, from where a release copies them into the kit, once.
#[tokio::test]
#[ignore = "writes the cases of a release"]
async fn cases_of_this_version() {
    assert_eq!(KemSuite::ALL.len(), 2, "a new suite needs cases, too");
    let mut written = Written::default();
    envelopes(&mut written);
    sessions(&mut written);
    requests(&mut written);
    key_files(&mut written);
    signatures(&mut written);
    stores(&mut written).await;
    models(&mut written);
    certificates(&mut written);
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    written.save(root);
    println!("{}", root.join("written").display());
}
