//! Does any input make the readers of bundles panic, and do they keep what was written?

use std::io::Write;

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};
use twinseal::model::{Bundle, FileHasher, ManifestBuilder, Method, TrustedKey};

use super::drafts::{
    FILES, PAYLOAD_TYPE, SHARDS, alice, alices_key, signed, unsigned, verified, with_root,
};
use crate::common::json::JSON_FRAGMENTS;

/// A part of a text, and what takes its place.
type Edit = (Index, Index, Vec<u8>);

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let bytes = prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 1..4),
        prop::sample::select(JSON_FRAGMENTS).prop_map(<[u8]>::to_vec),
    ];
    vec((any::<Index>(), any::<Index>(), bytes), 1..6)
}

fn edited(text: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut text = text.to_vec();
    for (start, length, bytes) in edits {
        let start = start.index(text.len() + 1);
        let end = (start + length.index(12)).min(text.len());
        text.splice(start..end, bytes.iter().copied());
    }
    text
}

/// A bundle whose signature nobody made: parsing comes before verifying.
fn parse(payload: &[u8]) -> Result<Bundle, twinseal::Error> {
    Bundle::from_bytes(unsigned("00", PAYLOAD_TYPE, payload, b"none"))
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((".{0,4}", inner), 0..4).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Replaces the value at one of all places.
fn planted(value: &mut Value, place: &mut usize, plant: &Value) {
    if *place == 0 {
        *value = plant.clone();
    }
    *place = place.wrapping_sub(1);
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| planted(value, place, plant)),
        Value::Object(members) => {
            members.values_mut().for_each(|value| planted(value, place, plant));
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn bytes_are_parsed_or_refused(bytes in vec(any::<u8>(), 0..400)) {
        let _ = Bundle::from_bytes(bytes.clone());
        let _ = parse(&bytes);
        if let Ok(text) = str::from_utf8(&bytes) {
            let _ = TrustedKey::from_pem(text);
        }
    }

    #[test]
    fn edited_statements_are_parsed_or_refused(edits in edits(), shards: bool) {
        let statement = with_root(if shards { SHARDS } else { FILES });
        let _ = parse(&edited(statement.as_bytes(), &edits));
    }

    #[test]
    fn edited_bundles_are_refused_or_say_the_same(edits in edits()) {
        let good = signed(with_root(FILES).as_bytes());
        let good = Bundle::from_bytes(good).unwrap();
        if let Ok(manifest) = verified(edited(good.as_bytes(), &edits)) {
            let same = good.verify(&[alices_key()]).unwrap();
            prop_assert_eq!(format!("{manifest:?}"), format!("{same:?}"));
        }
    }

    #[test]
    fn other_values_are_parsed_or_refused(value in json(), place in 0..40_usize, shards: bool) {
        let statement = with_root(if shards { SHARDS } else { FILES });
        let mut statement: Value = serde_json::from_str(&statement).unwrap();
        planted(&mut statement, &mut { place }, &value);
        let _ = parse(statement.to_string().as_bytes());
        let mut bundle: Value = serde_json::from_str(&signed(b"{}")).unwrap();
        planted(&mut bundle, &mut { place }, &value);
        let _ = Bundle::from_bytes(bundle.to_string());
        let _ = parse(json!({ "predicate": value }).to_string().as_bytes());
    }

    #[test]
    fn what_is_written_is_read(
        files in prop::collection::btree_map("[^/\0\\\\:]{1,12}(/x[^/\0\\\\:]{0,3}){0,2}", vec(any::<u8>(), 1..40), 1..12),
        size in 0..9_u64,
    ) {
        let method = size.try_into().map_or(Method::Files, Method::Shards);
        let mut builder = ManifestBuilder::new("model").unwrap().with_method(method);
        let mut digests = Vec::new();
        for (name, content) in &files {
            prop_assume!(!matches!(name.split('/').next(), Some("." | "..")));
            let mut hasher = FileHasher::new(method);
            hasher.write_all(content).unwrap();
            let digest = hasher.finish().unwrap();
            builder.add(name, digest.clone()).unwrap();
            digests.push((name.as_str(), digest));
        }
        let bundle = builder.sign(&alice()).unwrap();
        let manifest = verified(bundle.as_bytes()).unwrap();
        prop_assert_eq!((manifest.name(), manifest.method()), ("model", method));
        let read: Vec<_> = manifest.files().map(|file| (file.name(), file.digest().clone())).collect();
        prop_assert_eq!(read, digests);
    }
}
