//! `sign` and `verify`: detached signatures of files.

use std::{io::Read, path::Path};

use twinseal::{Error, Signature, SignatureSuite, VerifyingKeyring};

use crate::{
    args::{Sign, Verify},
    console::Console,
    failure::Failure,
    input::Input,
    keys,
    kind::{self, FileKind},
    name::Name,
    output::{Content, Output, Sources},
    readers,
};

pub(crate) fn sign(args: &Sign, console: &Console) -> Result<(), Failure> {
    let keys =
        [&args.key].into_iter().chain(&args.passphrase.file).map(|path| Some(path.as_path()));
    readers::check(keys.chain([args.files.input.as_deref()]))?;
    Output::check_standard(args.files.output.as_deref(), Content::Binary)?;
    let key = keys::signing(&args.key, &args.passphrase, console)?;
    let input = Input::open(args.files.input.as_deref())?;
    let name = input.name().clone();
    let sources =
        Sources::default().and_input(&input).and_keys([&args.key]).and_keys(&args.passphrase.file);
    let output = Output::create(args.files.output.as_deref(), Content::Binary, &sources)?;
    let mut input = input.show(console);
    let signature = key
        .sign_reader(args.context.value.as_bytes(), &mut input)
        .map_err(|error| Failure::from_library(error, |error| explain(error, &name), &name))?;
    input.check_unchanged()?;
    output.write_whole(signature.as_bytes())
}

pub(crate) fn verify(args: &Verify, console: &Console) -> Result<(), Failure> {
    let keys = args.keys.iter().chain(&args.trust.ca).chain([&args.signature]);
    readers::check(keys.map(|path| Some(path.as_path())).chain([args.input.as_deref()]))?;
    let keys = keys::verifying(args, console)?;
    let signature = read_signature(&args.signature, &keys)?;
    let input = Input::open(args.input.as_deref())?;
    let name = input.name().clone();
    let signer = keys
        .verify_reader(args.context.value.as_bytes(), input.show(console), &signature)
        .map_err(|error| Failure::from_library(error, |error| explain(error, &name), &name))?;
    console.finish();
    let line = format!("{name}: signed by {}\n", signer.key_id());
    Output::create(None, Content::Text, &Sources::default())?.write_whole(line.as_bytes())
}

fn explain(error: &Error, name: &Name) -> Failure {
    match error {
        Error::Context(reason) => Failure::context(reason),
        Error::Verify => Failure::of(
            name,
            "the signature does not verify: it is for another file or context (-c), it is by another \
             signer, or the file was changed; do not use the file",
        ),
        error => Failure::of(name, format_args!("{error}; try again")),
    }
}

/// A signature does not name its suite: it must be of the suite of one of the keys.
fn read_signature(path: &Path, keys: &VerifyingKeyring) -> Result<Signature, Failure> {
    let mut input = Input::open(Some(path))?;
    let name = input.name().clone();
    let longest = SignatureSuite::ALL.iter().map(|suite| suite.max_signature_len()).max();
    let limit = longest.unwrap_or_default().max(kind::ENOUGH) as u64 + 1;
    let mut bytes = Vec::new();
    input
        .by_ref()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::from_library(error, |error| explain(error, &name), &name))?;
    let parsed = keys.keys().find_map(|key| Signature::from_bytes(key.suite(), &bytes).ok());
    parsed.ok_or_else(|| {
        let kind = kind::of(&bytes);
        let advice = kind.advice().unwrap_or("name with -s the file that `twinseal sign` wrote");
        let what = match kind {
            FileKind::Unknown => "not a signature, or a damaged one".into(),
            FileKind::Signature(suite) => {
                format!("a signature of {suite}, but no key of -p is of that suite")
            }
            kind => kind.to_string(),
        };
        Failure::of(&name, format_args!("it is {what}; {advice}"))
    })
}
