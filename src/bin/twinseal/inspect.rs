//! `inspect`: what a file is, without using a key and without showing one.

use crate::{
    args::Inspect,
    escape,
    failure::{Failure, sealed},
    input::Input,
    name::{self, Name},
    output::{Content, Output, Sources},
};

mod found;
mod held;
mod inventory;
mod recognise;
mod report;
mod retired;

pub(crate) use inventory::add_path;
use recognise::recognise;
pub(crate) use retired::{Retired, suite_names};

pub(crate) fn inspect(args: &Inspect) -> Result<(), Failure> {
    let is_standard = name::is_standard(&args.input);
    if args.recursive && is_standard {
        return Err(Failure::usage(
            "--recursive lists a directory, not standard input; name a directory",
        ));
    }
    if args.recursive {
        return inventory::list(&args.input, args.json, &args.in_use);
    }
    if !is_standard && args.input.is_dir() {
        let advice = "it is a directory; --recursive lists what is in it";
        return Err(Failure::of(&Name::of(&args.input), advice));
    }
    let mut input = Input::open(Some(&args.input))?;
    let name = input.name().clone();
    let length = input.length();
    let found = recognise(&mut input, length, &name)?;
    let report = match args.json {
        true => escape::json(&format!("{:#}\n", found.to_whole_json())),
        false => found.to_text(&name),
    };
    Output::create(None, Content::Text, &Sources::default())?.write_whole(report.as_bytes())?;
    if args.in_use.iter().any(|retired| retired.is_in(&found)) {
        return Err(Failure::in_use(
            &name,
            "it uses a key or suite named with --in-use; rewrap, sign again or remove it",
        ));
    }
    if !args.in_use.is_empty() && found.hides_a_key() {
        let advice = "`twinseal public` shows whether it is one named with --in-use";
        return Err(Failure::of(&name, format_args!("its key is under a passphrase; {advice}")));
    }
    if found.has_impossible_length() { Err(sealed::impossible_length(&name)) } else { Ok(()) }
}

/// What is said of any bytes, for its fuzz target.
#[cfg(any(fuzzing, test))]
pub(crate) fn any_bytes(bytes: &[u8]) {
    let name = Name::standard_input();
    for length in [None, Some(bytes.len() as u64)] {
        let mut input = bytes;
        let Ok(found) = recognise(&mut input, length, &name) else { continue };
        let text = found.to_text(&name);
        // What a file says must not be obeyed by a terminal.
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
        assert!(found.to_json().is_object());
        let _ = (found.hides_a_key(), found.has_impossible_length());
    }
}

#[cfg(test)]
#[test]
fn the_corpus_of_the_fuzz_target() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("deny.toml").exists() {
        return; // a published package has no corpus
    }
    let packed = std::fs::read(root.join("tests/corpus/inspect/packed")).unwrap();
    let (mut rest, mut count) = (&packed[..], 0);
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (input, behind) = behind.split_at(u16::from_be_bytes(*length).into());
        any_bytes(input);
        (rest, count) = (behind, count + 1);
    }
    assert!(rest.is_empty() && count > 0);
}
