//! Which bundles are refused behind a good signature, each with which error?

use twinseal::{
    Error, ErrorKind,
    ModelRefusal::{self, *},
    model::Bundle,
};

use super::drafts::{
    FILES, PAYLOAD_TYPE, SHARDS, alices_key, replaced, signed, signed_as, unsigned, verified,
    with_root, without_name,
};
use crate::common::errors::{invalid, outcome};

const D: &str = "0101010101010101010101010101010101010101010101010101010101010101";

/// Changes in a text, each an old part and a new one.
type Changes<'a> = &'a [(&'a str, &'a str)];

fn refusal_of(statement: &str, changes: Changes<'_>) -> String {
    let bundle = signed(with_root(&replaced(statement, changes)).as_bytes());
    outcome(verified(bundle).map_err(without_name))
}

fn assert_refused(statement: &str, changes: Changes<'_>, refusal: ModelRefusal) {
    let expected = format!("{:?}", Error::Model(refusal));
    assert_eq!(refusal_of(statement, changes), expected, "{changes:?}");
}

fn assert_invalid(statement: &str, changes: Changes<'_>, reason: &'static str) {
    let expected = invalid("statement of a model", reason);
    assert_eq!(refusal_of(statement, changes), expected, "{changes:?}");
}

#[test]
fn a_refused_resource_is_named() {
    let hash = "the digests are not SHA-256";
    let name = "the name of a resource is not a relative path in its plain form";
    let shards = "the shards of a file overlap, leave a gap, or differ from the shard size";
    let twice = "a resource is listed twice";
    let digest = "invalid statement of a model: a digest is not 64 lower-case hexadecimal digits";
    let shard = "invalid statement of a model: a resource is a shard, but the method is files";
    let range = "invalid statement of a model: the name of a shard does not end in its first byte and its end";
    let algorithm = |digits, algorithm| {
        let old = format!(r#"{digits}","algorithm":"sha256""#);
        (old, format!(r#"{digits}","algorithm":"{algorithm}""#))
    };
    let (second, sha512) = algorithm("0202", "sha512");
    let (_, sharded) = algorithm("0202", "sha256-sharded-9");
    let (third, other_size) = algorithm("0303", "sha256-sharded-9");
    let long = "é".repeat(1000);
    let long_name = format!("/{long}");
    let cut = format!("/{}", &long[..2 * 255]);
    let table: &[(&str, Changes<'_>, &str, &str)] = &[
        (FILES, &[(&second, &sha512)], "d/b", hash),
        (FILES, &[(&second, &sha512), ("d/b", r"\u001b[2J")], r#""\u{1b}[2J""#, hash),
        (FILES, &[(&second, &sharded)], "d/b", shard),
        (FILES, &[("d/b", "../b")], "../b", name),
        (FILES, &[("d/b", &long_name)], &cut, name),
        (FILES, &[("d/b", "a")], "a", twice),
        (FILES, &[("\"0202", "\"G202")], "d/b", digest),
        (SHARDS, &[(&third, &other_size)], "a:20:25", shards),
        (SHARDS, &[("a:10:20", "a:11:20")], "a:11:20", shards),
        (SHARDS, &[("b:0:10", "a:10:20")], "a:10:20", twice),
        (SHARDS, &[("b:0:10", "b")], "b", range),
        (SHARDS, &[("b:0:10", "..:0:10")], "..", name),
    ];
    for (statement, changes, name, reason) in table {
        let bundle = signed(with_root(&replaced(statement, changes)).as_bytes());
        let refusal = verified(bundle).unwrap_err();
        assert!(matches!(refusal, Error::Resource { .. }), "{changes:?}");
        assert_eq!(refusal.kind(), ErrorKind::Malformed);
        assert_eq!(refusal.to_string(), format!("resource {name}: {reason}"), "{changes:?}");
    }
}

#[test]
fn the_drafts_themselves_verify() {
    for statement in [FILES, SHARDS] {
        assert_eq!(refusal_of(statement, &[]), "Ok");
    }
}

#[test]
fn statements_of_files() {
    let resources =
        &FILES[FILES.find(r#"{"name":"a""#).unwrap()..FILES.find(r#"],"serial"#).unwrap()];
    let subject = r#"{"name":"model","digest":{"sha256":"ROOT"}}"#;
    let two_subjects = format!("{subject},{}", subject.replace("model", "m"));
    let table: &[(Changes<'_>, ModelRefusal)] = &[
        (&[("in-toto.io/Statement/v1", "in-toto.io/Statement/v0.1")], PayloadType),
        (&[(r#""_type":"https://in-toto.io/Statement/v1","#, "")], PayloadType),
        (&[("model_signing/signature/v1.0", "model_signing/signature/v1.1")], PredicateType),
        (
            &[("https://model_signing/signature/v1.0", "https://slsa.dev/provenance/v1")],
            PredicateType,
        ),
        (&[(r#""predicateType":"https://model_signing/signature/v1.0","#, "")], PredicateType),
        (&[("model_signing/signature/v1.0", "model_signing/Digests/v0.1")], OldRelease),
        (&[("model_signing/signature/v1.0", "model_signing/DigestOfDigests/v0.1")], OldRelease),
        (&[(subject, &two_subjects)], SeveralSubjects),
        (&[(resources, "")], Empty),
        (&[(r#""name":"d/b""#, r#""name":"a""#)], Duplicate),
        (&[(r#""name":"d/b""#, r#""name":"\u0061""#)], Duplicate),
        (&[(r#""hash_type":"sha256""#, r#""hash_type":"blake2b""#)], Hash),
        (&[(r#""hash_type":"sha256""#, r#""hash_type":"blake3""#)], Hash),
        (&[("0202\",\"algorithm\":\"sha256\"", "0202\",\"algorithm\":\"blake3\"")], Hash),
        (&[("0202\",\"algorithm\":\"sha256\"", "0202\",\"algorithm\":\"sha512\"")], Hash),
        (&[(r#"{"sha256":"ROOT"}"#, r#"{"blake3":"ROOT"}"#)], Hash),
        (&[(r#"{"sha256":"ROOT"}"#, r#"{"sha256":"ROOT","sha512":"00"}"#)], Hash),
        (&[(r#""allow_symlinks":false"#, r#""allow_symlinks":true"#)], Links),
        (&[(r#"{"sha256":"ROOT"}"#, &format!(r#"{{"sha256":"{D}"}}"#))], RootDigest),
    ];
    for (changes, refusal) in table {
        assert_refused(FILES, changes, *refusal);
    }
}

#[test]
fn names() {
    let names = [
        "", ".", "..", "/", "/a", "a/", "a//b", "./a", "a/.", "a/./b", "../a", "a/..", "a/../b",
        "//", r"a\u0000", r"\u0000",
    ];
    for name in names {
        let change = format!(r#""name":"{name}""#);
        assert_refused(FILES, &[(r#""name":"d/b""#, &change)], Name);
        let change = format!(r#""name":"{name}:0:10""#);
        assert_refused(SHARDS, &[(r#""name":"b:0:10""#, &change)], Name);
    }
    let windows = cfg!(windows).then_some(format!("{:?}", Error::Model(Name)));
    for name in [r"a\\b", "c:d"] {
        let change = format!(r#""name":"{name}""#);
        let refusal = refusal_of(FILES, &[(r#""name":"d/b""#, &change)]);
        assert_eq!(refusal, windows.clone().unwrap_or("Ok".into()), "{name}");
    }
}

#[test]
fn shards() {
    let sharded = r#"0303","algorithm":"sha256"#;
    let table: &[(Changes<'_>, ModelRefusal)] = &[
        (&[(r#""name":"b:0:10""#, r#""name":"a:10:20""#)], Duplicate),
        (&[("a:10:20", "a:11:20")], Shards), // a gap
        (&[("a:10:20", "a:9:20")], Shards),  // an overlap
        (&[("a:10:20", "a:9:19")], Shards),
        (&[("a:0:10", "a:0:9")], Shards),
        (&[("a:0:10", "a:1:10")], Shards),
        (&[("a:0:10", "a:10:0")], Shards),
        (&[("a:20:25", "a:20:20")], Shards),
        (&[("a:20:25", "a:20:31")], Shards),
        (&[("a:20:25", "a:30:35")], Shards),
        (&[("a:20:25", "a:20:18446744073709551615")], Shards),
        (&[("b:0:10", "b:0:0")], Shards),
        (&[("b:0:10", "b:0:11")], Shards),
        (&[("b:0:10", "b:10:20")], Shards),
        (&[(r#""shard_size":10"#, r#""shard_size":5"#)], Shards),
        (&[(r#""shard_size":10"#, r#""shard_size":11"#)], Shards),
        (&[(sharded, r#"0303","algorithm":"sha256-sharded-11"#)], Shards),
        (&[(sharded, r#"0303","algorithm":"sha256-sharded-0"#)], Shards),
        (&[(sharded, r#"0303","algorithm":"sha256-sharded-010"#)], Shards),
        (&[(sharded, r#"0303","algorithm":"sha256-sharded-"#)], Shards),
        (&[(sharded, r#"0303","algorithm":"blake2b-sharded-10"#)], Hash),
    ];
    for (changes, refusal) in table {
        assert_refused(SHARDS, changes, *refusal);
    }
    let name = "the name of a shard does not end in its first byte and its end";
    for wrong in ["b", "b:0", "b:0:", "b::10", "b:00:10", "b:0:+10", "b:-0:10", "b:0:10.0", "0:10"]
    {
        assert_invalid(SHARDS, &[("b:0:10", wrong)], name);
    }
    for wrong in ["b:0:18446744073709551616", "b:0: 10", "b:0x0:10", "b:0:١٠"] {
        assert_invalid(SHARDS, &[("b:0:10", wrong)], name);
    }
}

#[test]
fn shard_sizes() {
    let number = "a number in it is not an integer from 0 to 2^53";
    for wrong in [
        "-10",
        "10.5",
        "1e-1",
        "9007199254740993",
        "9007199254740993.0",
        "1e400",
        "\"10\"",
        "null",
        "true",
        "[10]",
    ] {
        let change = format!(r#""shard_size":{wrong}"#);
        assert_invalid(SHARDS, &[(r#""shard_size":10"#, &change)], number);
    }
    for zero in ["0", "0.0", "-0", "0e7"] {
        let change = format!(r#""shard_size":{zero}"#);
        let reason = if zero == "-0" { number } else { "its shard size is zero" };
        assert_invalid(SHARDS, &[(r#""shard_size":10"#, &change)], reason);
    }
    let (files, shards) = (r#""method":"files""#, r#""method":"shards""#);
    let table: [(&str, Changes<'_>, &str); 4] = [
        (
            FILES,
            &[(files, r#""method":"files","shard_size":10"#)],
            "it has a shard size, but no shards",
        ),
        (SHARDS, &[(r#""shard_size":10,"#, "")], "it has shards, but no shard size"),
        (SHARDS, &[(shards, r#""method":"trees""#)], "its method is neither files nor shards"),
        (FILES, &[(r#""method":"files","#, "")], "its method is neither files nor shards"),
    ];
    for (statement, changes, reason) in table {
        assert_invalid(statement, changes, reason);
    }
    let change = (r#"0202","algorithm":"sha256"#, r#"0202","algorithm":"sha256-sharded-10"#);
    assert_invalid(FILES, &[change], "a resource is a shard, but the method is files");
}

#[test]
fn ignored_paths() {
    let paths = [
        "a", "d", "d/b", "", ".", "/", "./a", "/a", "..", "../a", "x/..", "x/../..", "x//y", "x/",
        r"\u0000",
    ];
    for path in paths {
        let change = format!(r#"[".git","{path}"]"#);
        assert_refused(FILES, &[(r#"[".git"]"#, &change)], IgnoredPaths);
    }
    for path in ["b", "a"] {
        let change = format!(r#"["{path}"]"#);
        assert_refused(SHARDS, &[(r#"[".git"]"#, &change)], IgnoredPaths);
    }
    // Like a resource, but not above it; and a pattern, which is a name like others.
    for path in ["d/", "aa", "d/bb", "b", "d-b", "*", "?", "[a]", "a:0:10"].iter().skip(1) {
        let change = format!(r#"["{path}"]"#);
        assert_eq!(refusal_of(FILES, &[(r#"[".git"]"#, &change)]), "Ok", "{path}");
    }
}

#[test]
fn members_twice_anywhere() {
    let table: &[Changes<'_>] = &[
        &[(r#"{"_type":"#, r#"{"_type":"https://in-toto.io/Statement/v1","_type":"#)],
        &[(r#"{"name":"model","#, r#"{"name":"model","name":"model","#)],
        &[(r#"{"sha256":"ROOT"}"#, r#"{"sha256":"ROOT","sha256":"ROOT"}"#)],
        &[(r#"{"sha256":"ROOT"}"#, r#"{"sha256":"ROOT","\u0073ha256":"ROOT"}"#)],
        &[(r#""name":"a","#, r#""name":"x","name":"a","#)],
        &[(r#""name":"a","#, r#""name":"a","x":1,"x":1,"#)],
        &[(r#""name":"a","#, r#""name":"a","x":{"y":[{"z":0,"z":0}]},"#)],
        &[(r#""method":"files","#, r#""method":"files","method":"files","#)],
        &[(r#"{"name":"model","#, r#"{"name":"model","annotations":{"":1,"":2},"#)],
    ];
    for changes in table {
        assert_refused(FILES, changes, RepeatedMember);
    }
    let (good, log) = (good(), r#""tlogEntries":[]"#);
    for entries in [r#"[{"a":0,"a":0}]"#, r#"[{},{"x":[0,[[{"a":{"b":0,"c":0,"b":0}}]]]}]"#] {
        assert_bundle_refused(
            &good,
            &[(log, &format!(r#""tlogEntries":{entries}"#))],
            RepeatedMember,
        );
    }
    assert_bundle_refused(&good, &[(log, &format!("{log},{log}"))], RepeatedMember);
    assert_bundle_refused(&good, &[(r#""keyid":"""#, r#""keyid":"","keyid":"""#)], RepeatedMember);
}

#[test]
fn too_much() {
    // The bundle, its material, the array and an entry are four levels.
    let entries = |levels: usize| {
        format!(r#""tlogEntries":[{{"a":{}{}}}]"#, "[".repeat(levels), "]".repeat(levels))
    };
    let (good, log) = (good(), r#""tlogEntries":[]"#);
    assert_eq!(changed(&good, &[(log, &entries(28))]), "Ok");
    assert_bundle_refused(&good, &[(log, &entries(29))], TooLarge);
    assert_bundle_refused(&good, &[(log, &entries(100_000))], TooLarge);

    let members = |count: usize| {
        let members: Vec<_> = (0..count).map(|number| format!("\"{number}\":0")).collect();
        format!(r#""tlogEntries":[{{{}}}]"#, members.join(","))
    };
    assert_eq!(changed(&good, &[(log, &members(1024))]), "Ok");
    assert_bundle_refused(&good, &[(log, &members(1025))], TooLarge);

    let refusal = Bundle::from_bytes(vec![0; Bundle::MAX_LEN + 1]).unwrap_err();
    assert_eq!(refusal, Error::Model(TooLarge));
}

/// The longest list, and one more.
#[test]
fn too_many_resources() {
    let resources = |count: usize| {
        let resource =
            |number| format!(r#"{{"name":"{number:07}","digest":"{D}","algorithm":"sha256"}}"#);
        (0..count).map(resource).collect::<Vec<_>>().join(",")
    };
    let listed = &FILES[FILES.find(r#"{"name":"a""#).unwrap()..FILES.find(r#"],"serial"#).unwrap()];
    assert_eq!(refusal_of(FILES, &[(listed, &resources(1 << 20))]), "Ok");
    assert_refused(FILES, &[(listed, &resources((1 << 20) + 1))], TooLarge);
}

#[test]
fn malformed_statements() {
    let unknown = "it has a member that nothing defines";
    let wrong_type = "a value in it has the wrong type";
    let hex = "a digest is not 64 lower-case hexadecimal digits";
    let missing = "a resource has no name, digest or algorithm";
    let subject = "it has no subject with a name";
    let second = "0202020202020202020202020202020202020202020202020202020202020202";
    let table: &[(Changes<'_>, &str)] = &[
        (&[(r#"{"_type":"#, r#"{"x":0,"_type":"#)], unknown),
        (&[(r#"{"resources":"#, r#"{"x":0,"resources":"#)], unknown),
        (&[(r#"{"method":"#, r#"{"x":0,"method":"#)], unknown),
        (&[(r#"[".git"]"#, "null")], wrong_type),
        (&[(r#"[".git"]"#, r#"".git""#)], wrong_type),
        (&[(r#"[".git"]"#, "[null]")], wrong_type),
        (&[(r#""allow_symlinks":false"#, r#""allow_symlinks":0"#)], wrong_type),
        (&[(r#""name":"a""#, r#""name":null"#)], wrong_type),
        (&[(r#""name":"model""#, r#""name":["model"]"#)], wrong_type),
        (&[(r#""name":"model""#, r#""name":"""#)], "the name of its subject is empty"),
        (&[(r#""name":"model","#, "")], subject),
        (&[(r#"{"name":"model","digest":{"sha256":"ROOT"}}"#, "")], subject),
        (&[(r#""subject":[{"name":"model","digest":{"sha256":"ROOT"}}],"#, "")], subject),
        (&[(r#"{"sha256":"ROOT"}"#, "{}")], "its subject has no digest"),
        (&[(r#"{"sha256":"ROOT"}"#, r#"{"sha256":"ROO"}"#)], hex),
        (&[(second, &second[1..])], hex),
        (&[(second, "")], hex),
        (&[(second, &second.replace('2', "G"))], hex),
        (&[(second, &second.replace("02", "AA"))], hex),
        (&[(second, &second.replace("02", "é"))], hex),
        (&[(r#""name":"a","#, "")], missing),
        (
            &[(
                r#""digest":"0202020202020202020202020202020202020202020202020202020202020202","#,
                "",
            )],
            missing,
        ),
        (&[("0202\",\"algorithm\":\"sha256\"", "0202\"")], missing),
        (&[(r#""hash_type":"sha256","#, "")], "it does not say how files were hashed"),
        (
            &[(r#""allow_symlinks":false,"#, "")],
            "it does not say whether symbolic links were allowed",
        ),
        (&[(r#"".git"]}}}"#, r#"".git"]}}"#)], "its JSON ends early"),
        (&[(r#"".git"]}}}"#, r#"".git"]}}}}"#)], "it is not JSON"),
        (&[(r#"".git"]}}}"#, r#"".git",]}}}"#)], "it is not JSON"),
        (&[(r#""name":"a""#, r#""name":"\ud800""#)], "it is not JSON"),
        (&[(r#"{"_type":"#, "\u{feff}{\"_type\":")], "it is not JSON"),
    ];
    for (changes, reason) in table {
        assert_invalid(FILES, changes, reason);
    }
    for (payload, reason) in
        [(&b""[..], "its JSON ends early"), (b"[]", wrong_type), (b"\xff", "it is not JSON")]
    {
        assert_eq!(outcome(verified(signed(payload))), invalid("statement of a model", reason));
    }
}

/// Nothing of a statement is read before its signature is verified, but to say that it is of an old release.
#[test]
fn a_statement_that_nobody_signed_is_not_parsed() {
    let verify = |payload: &[u8]| {
        verified(unsigned(&alices_key().hint(), PAYLOAD_TYPE, payload, b"worthless")).unwrap_err()
    };
    for payload in ["", "{", "[]", FILES, &replaced(FILES, &[("d/b", "../b")])] {
        assert_eq!(verify(payload.as_bytes()), Error::Verify, "{payload}");
        let bundle = unsigned("any", PAYLOAD_TYPE, payload.as_bytes(), b"worthless");
        assert!(Bundle::from_bytes(bundle).unwrap().claim().is_err(), "{payload}");
    }
    let old = replaced(FILES, &[("model_signing/signature/v1.0", "model_signing/Digests/v0.1")]);
    assert_eq!(verify(old.as_bytes()), Error::Model(OldRelease));
    let too_long = old + &" ".repeat(16 << 20);
    assert_eq!(verify(too_long.as_bytes()), Error::Verify);
}

/// A good bundle: the changes below are outside of what is signed.
fn good() -> String {
    signed(with_root(FILES).as_bytes())
}

fn changed(bundle: &str, changes: Changes<'_>) -> String {
    outcome(verified(replaced(bundle, changes)))
}

fn assert_bundle_refused(bundle: &str, changes: Changes<'_>, refusal: ModelRefusal) {
    let expected = format!("{:?}", Error::Model(refusal));
    assert_eq!(changed(bundle, changes), expected, "{:.200}", format!("{changes:?}"));
}

#[test]
fn bundles() {
    let good = good();
    let part = |start: &str, end: &str| {
        let from = good.find(start).unwrap();
        &good[from..][..good[from..].find(end).unwrap()]
    };
    let hint = part(r#""hint":""#, "}");
    let signature = part(r#"{"sig":"#, "]");
    let two = format!("{signature},{signature}");
    let media = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let table: &[(Changes<'_>, ModelRefusal)] = &[
        (&[("bundle.v0.3+json", "bundle.v0.2+json")], MediaType),
        (&[(media, "application/vnd.dev.sigstore.bundle+json;version=0.3")], MediaType),
        (&[(&format!(r#""mediaType":"{media}","#), "")], MediaType),
        (&[("bundle.v0.3+json", "bundle.v0.4+json"), (r#""tlogEntries""#, r#""logs""#)], MediaType),
        (&[(r#""publicKey":"#, r#""certificate":"#)], Certificate),
        (&[(r#""publicKey":"#, r#""x509CertificateChain":"#)], Certificate),
        (
            &[(r#""tlogEntries":[]"#, r#""tlogEntries":[],"certificate":{"rawBytes":""}"#)],
            Certificate,
        ),
        (&[(hint, "")], NoKey),
        (&[(&format!(r#""publicKey":{{{hint}}},"#), "")], NoKey),
        (
            &[(
                hint,
                r#""hint":"77bac231a44ac8c846a5ca510d5647f06fbd259b4bebeb384f50c91e711e853d""#,
            )],
            AnotherKey,
        ),
        (&[(hint, r#""hint":"""#)], AnotherKey),
        (&[(hint, r#""hint":"alice""#)], AnotherKey),
        (&[(hint, &hint.to_uppercase().replace("HINT", "hint"))], AnotherKey),
        (&[(hint, r#""hint":"ML_DSA_65:9a22""#)], AnotherAlgorithm),
        (&[(hint, r#""hint":"ML_DSA_65:""#)], AnotherKey),
        (&[(hint, r#""hint":":9a22""#)], AnotherKey),
        (&[(hint, r#""hint":"a:b:9a22""#)], AnotherKey),
        (&[(hint, &format!(r#"{hint},"keyDetails":"PKIX_ECDSA_P384_SHA_384""#))], AnotherKey),
        (&[(hint, &format!(r#"{hint},"keyDetails":"PKIX_ECDSA_P256_SHA_256""#))], KindOfKey),
        (&[(hint, &format!(r#"{hint},"keyDetails":"PKIX_ECDSA_P521_SHA_512""#))], KindOfKey),
        (&[(hint, &format!(r#"{hint},"keyDetails":"PKIX_ED25519""#))], AnotherAlgorithm),
        (&[(hint, &format!(r#"{hint},"keyDetails":"""#))], AnotherAlgorithm),
        (&[(signature, &two)], SeveralSignatures),
        (&[(r#""keyid":"""#, r#""keyid":"alice""#)], KeyId),
        (&[(r#""keyid":"""#, r#""keyid":" ""#)], KeyId),
        (&[(r#""dsseEnvelope":"#, r#""messageSignature":"#)], PayloadType),
        (&[(r#","payloadType":"application/vnd.in-toto+json""#, "")], PayloadType),
    ];
    for (changes, refusal) in table {
        assert_bundle_refused(&good, changes, *refusal);
    }
    // Signed as what it says that it is.
    let other = signed_as("application/json", with_root(FILES).as_bytes());
    assert_eq!(verified(other).unwrap_err(), Error::Model(PayloadType));
    assert_eq!(outcome(verified(signed_as(PAYLOAD_TYPE, with_root(FILES).as_bytes()))), "Ok");
}

#[test]
fn malformed_bundles() {
    let unknown = "it has a member that nothing defines";
    let wrong_type = "a value in it has the wrong type";
    let none = "it has no payload or no signature";
    let white = "white space before or after it";
    let good = good();
    let signature = &good[good.find(r#"{"sig":"#).unwrap()..good.find("]}}").unwrap()];
    let log = r#""tlogEntries":[]"#;
    let table: &[(Changes<'_>, &str)] = &[
        (&[(r#"{"mediaType":"#, r#"{"x":0,"mediaType":"#)], unknown),
        (&[(log, r#""tlogEntries":[],"x":0"#)], unknown),
        (&[(r#"{"hint":"#, r#"{"validFor":{},"hint":"#)], unknown),
        (&[(r#"{"payload":"#, r#"{"x":0,"payload":"#)], unknown),
        (&[(r#""keyid":"""#, r#""keyid":"","x":0"#)], unknown),
        (&[(log, r#""timestampVerificationData":{"x":0}"#)], unknown),
        (&[(log, r#""timestampVerificationData":{"rfc3161Timestamps":[{"x":0}]}"#)], unknown),
        (&[(log, r#""tlogEntries":{}"#)], wrong_type),
        (&[(log, r#""tlogEntries":[0]"#)], wrong_type),
        (&[(log, r#""tlogEntries":[[]]"#)], wrong_type),
        (&[(log, r#""tlogEntries":null"#)], wrong_type),
        (&[(r#""keyid":"""#, r#""keyid":0"#)], wrong_type),
        (
            &[(r#""payloadType":"application/vnd.in-toto+json""#, r#""payloadType":null"#)],
            wrong_type,
        ),
        (&[(signature, "")], none),
        (&[(signature, r#"{"keyid":""}"#)], none),
        (&[("\"}]}}\n", "\"}]}\n")], "its JSON ends early"),
        (&[("\"}]}}\n", "\"}]}}\n\n")], white),
        (&[("\"}]}}\n", "\"}]}} ")], white),
        (&[("\"}]}}\n", "\"}]}}\r\n")], white),
        (&[(r#"{"mediaType":"#, " {\"mediaType\":")], white),
        (&[("\"}]}}\n", "\"}]}}\n{}")], "it is not JSON"),
    ];
    for (changes, reason) in table {
        assert_eq!(changed(&good, changes), invalid("bundle", reason), "{changes:?}");
    }
    for (bytes, reason) in [("", "its JSON ends early"), ("[]", wrong_type), ("\"\"", wrong_type)] {
        assert_eq!(outcome(Bundle::from_bytes(bytes)), invalid("bundle", reason));
    }
    assert_eq!(Bundle::from_bytes("{}").unwrap_err(), Error::Model(MediaType));
}

#[test]
fn base64_that_is_not_the_one_form() {
    let good = good();
    let signature = &good[good.find(r#""sig":""#).unwrap() + 7..good.find(r#"","keyid"#).unwrap()];
    let reason = invalid("bundle", "it is not base64 with padding, in one alphabet");
    assert!(signature.contains('+') && signature.contains('/'));
    let forms = [
        signature.replacen('+', "-", 1),
        signature.replace('/', "_"),
        signature.trim_end_matches('=').to_owned()
            + if signature.ends_with('=') { "" } else { "=" },
        format!("{signature}===="),
        format!("{signature} "),
        format!("{signature}\\n"),
        format!("{}\\n{}", &signature[..64], &signature[64..]),
        format!("{}*{}", &signature[..64], &signature[65..]),
        signature[..signature.len() - 1].to_owned(),
    ];
    for form in forms {
        assert_eq!(changed(&good, &[(signature, &form)]), reason, "{form}");
    }
    // The bits that padding leaves unused.
    for (right, wrong) in [("AA==", "AB=="), ("AAA=", "AAB=")] {
        assert_eq!(changed(&good, &[(signature, right)]), "Verify");
        assert_eq!(changed(&good, &[(signature, wrong)]), reason);
    }
    assert_eq!(changed(&good, &[(signature, "")]), "Verify");
}
