//! `seal`, `open` and `rewrap`: sealed files.

use std::io::{self, BufWriter, Write};

use twinseal::{Keyring, envelope::Header};

use crate::{
    args::{Open, Rewrap, Seal},
    console::Console,
    copy::copy,
    failure::{Failure, sealed},
    input::Input,
    keys,
    output::{Content, Output, Sources},
    readers,
};

pub(crate) fn seal(args: &Seal, console: &Console) -> Result<(), Failure> {
    let recipients = args.recipients.files().map(|path| Some(path.as_path()));
    readers::check(recipients.chain([args.files.input.as_deref()]))?;
    let recipients = keys::recipients(&args.recipients, console)?;
    let input = Input::open(args.files.input.as_deref())?;
    let name = input.name().clone();
    let sources = Sources::default().and_input(&input).and_keys(args.recipients.files());
    let output = Output::create(args.files.output.as_deref(), Content::Binary, &sources)?;
    let input = input.show(console);
    let sealed = recipients.seal_writer(args.context.value.as_bytes(), output).and_then(|writer| {
        let mut writer = writer.parallel();
        let input = copy(input, &mut writer)?;
        Ok((input, writer.finish()?))
    });
    let (input, output) = sealed.map_err(|error| sealed::failed(error, &name))?;
    match input.check_unchanged() {
        Ok(()) => output.commit(),
        Err(failure) => Err(output.disown(failure)),
    }
}

pub(crate) fn open(args: &Open, console: &Console) -> Result<(), Failure> {
    let keys =
        [&args.key].into_iter().chain(&args.passphrase.file).map(|path| Some(path.as_path()));
    readers::check(keys.chain([args.files.input.as_deref()]))?;
    let content = if args.to_terminal { Content::Shown } else { Content::Plaintext };
    Output::check_standard(args.files.output.as_deref(), content)?;
    let keys = keys::keyring(&args.key, &args.passphrase, console)?;
    let mut input = Input::open(args.files.input.as_deref())?;
    let sources =
        Sources::default().and_input(&input).and_keys([&args.key]).and_keys(&args.passphrase.file);
    let wrong_length = check(&mut input)?;
    let mut output = Output::create(args.files.output.as_deref(), content, &sources)?;
    if let Some(failure) = wrong_length.clone().filter(|_| !output.is_stream()) {
        return Err(failure);
    }
    match open_to(&keys, args.context.value.as_bytes(), input.show(console), &mut output) {
        Ok(()) => output.commit(),
        Err(failure) => Err(output.disown(wrong_length.unwrap_or(failure))),
    }
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

fn open_to(
    keys: &Keyring,
    context: &[u8],
    input: Input,
    output: &mut Output,
) -> Result<(), Failure> {
    let name = input.name().clone();
    let reader = keys.open_reader(context, input);
    let opened = reader.and_then(|reader| copy(reader.parallel(), output));
    opened.map(drop).map_err(|error| sealed::failed_with(error, &name, keys))
}

/// The body is copied in pieces of this size; it is not secret.
const PIECE: usize = 128 * 1024;

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
    let writer = BufWriter::with_capacity(PIECE, &mut output);
    let mut input = input.show(console);
    let moved: io::Result<u64> = keys.rewrap(&recipients, &mut input, writer);
    moved.map_err(|error| sealed::failed_with(error, &name, &keys))?;
    output.flush().map_err(|error| sealed::failed(error, &name))?;
    match input.check_unchanged() {
        Ok(()) => output.commit(),
        Err(failure) => Err(output.disown(failure)),
    }
}
