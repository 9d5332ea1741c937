//! `seal`, `open` and `rewrap`: sealed files.

use std::io::{self, Write};

use twinseal::{
    Error, Keyring,
    envelope::{BodyKey, Header, Opener},
};

use crate::{
    args::{Open, Rewrap, Seal},
    body::{Behind, Copied, Opening, Plaintext, Sealed, Sealing},
    console::Console,
    failure::{Failure, sealed},
    input::Input,
    keys,
    output::{Content, Output, Sources},
    readers,
    relay::{PIECE, read_full, relay},
};

pub(crate) fn seal(args: &Seal, console: &Console) -> Result<(), Failure> {
    let recipients = args.recipients.files().map(|path| Some(path.as_path()));
    readers::check(recipients.chain([args.files.input.as_deref()]))?;
    let recipients = keys::recipients(&args.recipients, console)?;
    let input = Input::open(args.files.input.as_deref())?;
    let name = input.name().clone();
    let sources = Sources::default().and_input(&input).and_keys(args.recipients.files());
    let mut output = Output::create(args.files.output.as_deref(), Content::Binary, &sources)?;
    let failed = |error| sealed::failed(error, &name);
    let sealer = recipients.sealer(args.context.value.as_bytes());
    let (mut header, prefix, sealer) = sealer.map_err(|error| failed(error.into()))?;
    header.extend_from_slice(&prefix);
    let start = start(header, &mut output).map_err(failed)?;
    let plaintext = Plaintext::new(input.show(console), start.len());
    let (output, sealed) = relay(plaintext, Sealing::new(sealer, start), output);
    match sealed.map_err(failed)?.into_input().check_unchanged() {
        Ok(()) => output.commit(),
        Err(failure) => Err(output.disown(failure)),
    }
}

/// Writes the whole pieces of what the output starts with. The rest is the start of the next piece.
fn start(mut header: Vec<u8>, output: &mut Output) -> io::Result<Vec<u8>> {
    let rest = header.split_off(header.len() / PIECE * PIECE);
    output.write_all(&header)?;
    Ok(rest)
}

pub(crate) fn open(args: &Open, console: &Console) -> Result<(), Failure> {
    let keys =
        [&args.key].into_iter().chain(&args.passphrase.file).map(|path| Some(path.as_path()));
    readers::check(keys.chain([args.files.input.as_deref()]))?;
    let content = if args.to_terminal { Content::Shown } else { Content::Plaintext };
    Output::check_standard(args.files.output.as_deref(), content)?;
    let keys = keys::keyring(&args.key, &args.passphrase, console)?;
    let mut input = Input::open(args.files.input.as_deref())?;
    let name = input.name().clone();
    let sources =
        Sources::default().and_input(&input).and_keys([&args.key]).and_keys(&args.passphrase.file);
    let wrong_length = check(&mut input)?;
    let output = Output::create(args.files.output.as_deref(), content, &sources)?;
    if let Some(failure) = wrong_length.clone().filter(|_| !output.is_stream()) {
        return Err(failure);
    }
    let mut input = input.show(console);
    let failed = |error| wrong_length.unwrap_or_else(|| sealed::failed_with(error, &name, &keys));
    let opener = match opener(&keys, args.context.value.as_bytes(), &mut input) {
        Ok(opener) => opener,
        Err(error) => return Err(failed(error)),
    };
    let (output, opened) = relay(Sealed::new(input), Opening::new(opener), output);
    match opened {
        Ok(_) => output.commit(),
        Err(error) => Err(output.disown(failed(error))),
    }
}

/// Reads the start of a sealed file, up to its first chunk.
fn opener(keys: &Keyring, context: &[u8], input: &mut Input) -> io::Result<Opener> {
    let body_key = keys.unlock(&Header::read(&mut *input)?)?;
    let mut prefix = [0; BodyKey::PREFIX_LEN];
    if read_full(input, &mut prefix, &mut 0)? {
        return Err(Error::Open.into()); // it was cut off
    }
    Ok(body_key.opener(context, &prefix)?)
}

/// Checks the header and the length of a file before it is opened. A file of an impossible length
/// cannot be opened to its end, but a stream may still get the data before the end: so this failure
/// is returned as a value. A stream cannot be checked in advance.
fn check(input: &mut Input) -> Result<Option<Failure>, Failure> {
    let Some(length) = input.length() else { return Ok(None) };
    let name = input.name().clone();
    let header = Header::read(&mut *input).map_err(|error| sealed::failed(error, &name))?;
    input.rewind(header.len())?;
    Ok(match header.plaintext_len(length) {
        Some(_) => None,
        None => Some(sealed::impossible_length(&name)),
    })
}

pub(crate) fn rewrap(args: &Rewrap, console: &Console) -> Result<(), Failure> {
    let recipients = args.recipients.files();
    let others = [&args.key, &args.input];
    let read = recipients.chain(others).chain(&args.passphrase.file);
    readers::check(read.map(|path| Some(path.as_path())))?;
    Output::check_standard(args.output.as_deref(), Content::Binary)?;
    let keys = keys::keyring(&args.key, &args.passphrase, console)?;
    let recipients = keys::recipients(&args.recipients, console)?;
    let mut input = Input::open(Some(&args.input))?;
    let name = input.name().clone();
    let sources = Sources::default()
        .and_input(&input)
        .and_keys([&args.key])
        .and_keys(&args.passphrase.file)
        .and_keys(args.recipients.files());
    check(&mut input)?.map_or(Ok(()), Err)?;
    let mut output = Output::create(args.output.as_deref(), Content::Binary, &sources)?;
    let mut input = input.show(console);
    let failed = |error| sealed::failed_with(error, &name, &keys);
    let header = Header::read(&mut input).map_err(failed)?;
    let header = keys.rewrap_header(&recipients, &header).map_err(|error| failed(error.into()))?;
    let start = start(header, &mut output).map_err(failed)?;
    let copied = Copied::new(input, start.len());
    let (output, moved) = relay(copied, Behind::new(start), output);
    match moved.map_err(failed)?.into_input().check_unchanged() {
        Ok(()) => output.commit(),
        Err(failure) => Err(output.disown(failure)),
    }
}
