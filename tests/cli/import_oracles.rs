//! Does whoever changes an encrypted key learn anything about it from the messages of `import`?

use std::collections::BTreeSet;

use crate::{
    common::{
        der::{composite_oid, pkcs8, pkcs8_of, tlv},
        keys::signing_key,
        splicing::Target,
    },
    desk::Desk,
    import::{IV, encrypted},
};

#[test]
fn there_is_one_message() {
    let desk = Desk::new();
    let (key, other) = (signing_key(71), signing_key(72));
    let algorithm = tlv(0x30, &[&composite_oid()]);
    let secret = key.secret_bytes();
    let with = |version, behind: &[u8]| pkcs8_of(version, &algorithm, secret, behind);
    let attribute = |oid: &[u8], value: &[u8]| {
        let values = tlv(0x31, &[&tlv(0x04, &[value])]);
        tlv(0xa0, &[&tlv(0x30, &[oid, &values])])
    };
    let local_key_id = |id: &[u8]| attribute(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15", id);
    let public_key = tlv(0x81, &[&[0], other.verifying_key().as_bytes()]);
    let rsa = tlv(0x06, &[b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"]);

    let good = with(0, &local_key_id(key.verifying_key().key_id().as_bytes()));
    let spliced = Target::new(&encrypted(&good, "secret"), IV, &good);
    let bare = [&secret[..32], &secret[39..87]].concat();
    let named = pkcs8_of(0, &algorithm, &bare, &attribute(b"\x06\x03\x55\x04\x03", &[b'k'; 40]));
    let behind_a_key = Target::new(&encrypted(&named, "secret"), IV, &named);
    let contents = [
        pkcs8(&rsa, secret),
        pkcs8(&composite_oid(), &secret[1..]),
        with(1, &public_key),
        with(1, b""),
        with(0, &local_key_id(&[7; 16])),
        with(0, b"\xa0\x01\x30"),
        b"nothing".to_vec(),
    ];
    let mut files = contents.map(|content| encrypted(&content, "secret")).to_vec();
    files.push(encrypted(&good, "another passphrase"));
    files.extend(spliced.secrets_as_algorithm(&[0, 7, 8, 9], 1));
    let right = (0..=255).find(|guess| spliced.is_right(3, *guess)).unwrap();
    files.extend([right, right ^ 2].map(|guess| spliced.secret_as_padding(3, guess)));
    let right = (0..=255).find(|guess| behind_a_key.is_right(3, *guess)).unwrap();
    let keys = [right, right ^ 2].map(|guess| behind_a_key.secret_as_padding_of_a_key(3, guess));
    // These lack an id, or are another key.
    let silent = [keys.to_vec(), vec![encrypted(&named, "secret")]].concat();

    desk.write_secret("passphrase", "secret\n");
    desk.write("other.pub", other.verifying_key().to_pem());
    for (options, files) in [
        ("", [&files[..], &silent].concat()),
        ("--expect other.pub", [&files[..], &silent, &[encrypted(&good, "secret")]].concat()),
        ("--unauthenticated", files),
    ] {
        let line = format!("import --passphrase-file passphrase -o out.pem {options} key");
        let messages = files.iter().map(|file| {
            desk.write_secret("key", file);
            desk.fails(&line)
        });
        let messages = messages.collect::<BTreeSet<_>>();
        assert_eq!(messages.len(), 1, "{options}: {messages:#?}");
        let message = messages.first().unwrap();
        let advice = "decrypt the file with the software that made it";
        assert!(message.contains("wrong passphrase, a changed file, ") && message.contains(advice));
    }
}
