//! Is what tools write in different ways read as the same?

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE},
};
use twinseal::{
    Error, ModelRefusal,
    model::{Bundle, Manifest, Method},
};

use super::drafts::{
    FILES, SHARDS, alices_key, replaced, signed, verified, with_root, without_name,
};
use crate::common::errors::outcome;

fn of(statement: &str, changes: &[(&str, &str)]) -> Manifest {
    let statement = with_root(&replaced(statement, changes));
    verified(signed(statement.as_bytes())).unwrap_or_else(|error| panic!("{error}: {statement}"))
}

/// Files, method and what was left out.
fn listed(manifest: &Manifest) -> (Vec<String>, Method, Vec<String>) {
    let files = manifest.files().map(|file| format!("{} {:?}", file.name(), file.digest()));
    let ignored = manifest.ignored().map(str::to_owned);
    (files.collect(), manifest.method(), ignored.collect())
}

#[test]
fn numbers() {
    let expected = listed(&of(SHARDS, &[]));
    for size in ["10.0", "1e1", "1E+1", "100e-1", "0.1e2", "10.000", "1.0e1", "0.00010e5"] {
        let change = format!(r#""shard_size":{size}"#);
        assert_eq!(listed(&of(SHARDS, &[(r#""shard_size":10"#, &change)])), expected, "{size}");
    }
    // No shard is whole then.
    let one = r#"{"name":"a:0:10","#;
    let rest = &SHARDS[SHARDS.find(one).unwrap()..SHARDS.find(r#"],"serial"#).unwrap()];
    let digest = "ab".repeat(32);
    let single =
        format!(r#"{{"name":"a:0:9007199254740991","digest":"{digest}","algorithm":"sha256"}}"#);
    for size in ["9007199254740991", "9007199254740991.0", "9007199254740991000e-3"] {
        let change = format!(r#""shard_size":{size}"#);
        let manifest = of(SHARDS, &[(rest, &single), (r#""shard_size":10"#, &change)]);
        assert_eq!(manifest.method(), Method::Shards(((1_u64 << 53) - 1).try_into().unwrap()));
        assert_eq!(manifest.file("a").unwrap().digest().shards().unwrap().len(), 1);
    }
    let change = r#""shard_size":9007199254740992"#;
    let manifest = of(SHARDS, &[(rest, &single), (r#""shard_size":10"#, change)]);
    assert_eq!(manifest.method(), Method::Shards((1_u64 << 53).try_into().unwrap()));
}

/// The root digest is over the order listed.
#[test]
fn any_order() {
    for statement in [FILES, SHARDS] {
        let start = statement.find(r#"{"name":"a"#).unwrap();
        let end = statement.find(r#"],"serial"#).unwrap();
        let mut resources: Vec<_> = statement[start..end].split_inclusive("},").collect();
        resources.reverse();
        let reversed = resources.join(",").replace("},,", "},").trim_end_matches(',').to_owned();
        let reversed = replaced(statement, &[(&statement[start..end], &reversed)]);
        assert_ne!(with_root(&reversed), with_root(statement));
        assert_eq!(listed(&of(&reversed, &[])), listed(&of(statement, &[])));
    }
}

#[test]
fn names_of_algorithms() {
    let expected = listed(&of(SHARDS, &[]));
    let statement = SHARDS.replace(r#""algorithm":"sha256""#, r#""algorithm":"sha256-sharded-10""#);
    assert_eq!(listed(&of(&statement, &[])), expected);
    let one = (r#"0303","algorithm":"sha256"#, r#"0303","algorithm":"sha256-sharded-10"#);
    assert_eq!(listed(&of(SHARDS, &[one])), expected);
}

#[test]
fn a_lone_dot_is_the_model() {
    let second =
        &FILES[FILES.find(r#",{"name":"d/b""#).unwrap()..FILES.find(r#"],"serial"#).unwrap()];
    let manifest = of(FILES, &[(second, ""), (r#""name":"a""#, r#""name":".""#)]);
    assert_eq!(manifest.files().map(|file| file.name()).collect::<Vec<_>>(), ["model"]);
    let b = &SHARDS[SHARDS.find(r#",{"name":"b:"#).unwrap()..SHARDS.find(r#"],"serial"#).unwrap()];
    let statement = replaced(SHARDS, &[(b, "")]).replace(r#""name":"a:"#, r#""name":".:"#);
    let manifest = of(&statement, &[]);
    assert_eq!(manifest.file("model").unwrap().digest().shards().unwrap().len(), 3);

    // With a name that cannot be a file's.
    let changes = [(second, ""), (r#""name":"a""#, r#""name":".""#), (r#""model""#, r#""a/../b""#)];
    let statement = with_root(&replaced(FILES, &changes));
    let refusal = verified(signed(statement.as_bytes())).unwrap_err();
    assert_eq!(without_name(refusal), Error::Model(ModelRefusal::Name));
}

#[test]
fn members_that_may_be_absent_or_unknown() {
    let manifest = of(FILES, &[(r#","ignore_paths":[".git"]"#, "")]);
    assert_eq!(manifest.ignored().len(), 0);
    let manifest = of(FILES, &[(r#"[".git"]"#, r#"["z",".git","b","z"]"#)]);
    assert_eq!(manifest.ignored().collect::<Vec<_>>(), [".git", "b", "z"]);
    of(
        FILES,
        &[(r#"{"name":"a","#, r#"{"size":7,"annotations":{"a":[null,true,-1,2.5]},"name":"a","#)],
    );
    of(FILES, &[(r#"{"name":"model","#, r#"{"uri":"x","annotations":null,"name":"model","#)]);

    let good = signed(with_root(FILES).as_bytes());
    let log = r#""tlogEntries":[]"#;
    let table = [
        (r#""keyid":"""#, r#""keyid":null"#),
        (r#","keyid":"""#, ""),
        (r#","tlogEntries":[]"#, ""),
        (log, r#""tlogEntries":[{"logIndex":"7","any":{"thing":[1,2.5,-3,null,false]}}]"#),
        (log, r#""timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"AAAA"}]}"#),
        (log, r#""timestampVerificationData":{}"#),
        ("\n", ""),
    ];
    for (old, new) in table {
        let bundle = Bundle::from_bytes(replaced(&good, &[(old, new)])).unwrap();
        bundle.verify(&[alices_key()]).unwrap();
        assert_eq!(
            bundle.claim().unwrap().has_log(),
            new.contains("logIndex") || new.contains("timestamp")
        );
    }
}

/// White space and the order of members.
#[test]
fn other_layouts() {
    let good = signed(with_root(FILES).as_bytes());
    let value: serde_json::Value = serde_json::from_str(&good).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    verified(pretty).unwrap();
    let statement: serde_json::Value = serde_json::from_str(&with_root(FILES)).unwrap();
    let pretty = format!("\n{:#}\r\n\t ", statement);
    verified(signed(pretty.as_bytes())).unwrap();
    // Some tools escape what need not be.
    verified(good.replace('/', r"\/")).unwrap();
}

#[test]
fn the_other_alphabet() {
    let good = signed(with_root(FILES).as_bytes());
    let start = good.find(r#""payload""#).unwrap();
    let (before, from) = good.split_at(start);
    let url = from
        .replace('+', "-")
        .replace('/', "_")
        .replace("application_vnd.in-toto-json", "application/vnd.in-toto+json");
    assert_ne!(url, from);
    verified(format!("{before}{url}")).unwrap();
}

/// The key itself, in both forms of the older releases.
#[test]
fn raw_keys() {
    let good = signed(with_root(FILES).as_bytes());
    let hint = &good[good.find(r#""hint""#).unwrap()..good.find("},\"tlog").unwrap()];
    let alice = super::drafts::alice();
    let der = alice.verifying_key().to_spki_der().unwrap();
    let pem = alice.verifying_key().to_pem();
    let other = super::trees::read("p384.pub.pem");
    let raw = |bytes: &[u8]| format!(r#""rawBytes":"{}""#, BASE64_STANDARD.encode(bytes));
    for raw in [raw(&der), raw(pem.as_bytes()), format!("{hint},{}", raw(&der))] {
        let bundle = Bundle::from_bytes(replaced(&good, &[(hint, &raw)])).unwrap();
        assert_eq!(bundle.claim().unwrap().key(), Some(&alices_key()));
        bundle.verify(&[alices_key()]).unwrap();
    }
    // A hint and a key that contradict each other.
    for raw in [raw(&other), format!("{hint},{}", raw(&other))] {
        let result = verified(replaced(&good, &[(hint, &raw)]));
        assert_eq!(result.unwrap_err(), Error::Model(ModelRefusal::AnotherKey));
    }
    let table = [
        (super::trees::read("p256.pub.pem"), format!("{:?}", Error::Model(ModelRefusal::KindOfKey))),
        (super::trees::read("p521.pub.pem"), format!("{:?}", Error::Model(ModelRefusal::KindOfKey))),
        // Ed25519, RFC 8410 §10.1.
        (b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n".to_vec(), format!("{:?}", Error::Model(ModelRefusal::AnotherAlgorithm))),
    ];
    for (key, expected) in table {
        assert_eq!(outcome(verified(replaced(&good, &[(hint, &raw(&key))]))), expected);
    }
    assert!(verified(replaced(&good, &[(hint, r#""rawBytes":"""#)])).is_err());
    let url = format!(r#""rawBytes":"{}""#, BASE64_URL_SAFE.encode(&der));
    assert!(verified(replaced(&good, &[(hint, &url)])).is_err(), "two alphabets");
}
