//! `passwd`: changes, sets or removes the passphrase of private keys.

use std::path::Path;

use twinseal::{key_files::PrivatePem, passphrase::Scrypt, secret::SecretBuffer};

use crate::{
    args::Passwd,
    console::Console,
    failure::Failure,
    identity::Identity,
    keys::{Private, PrivateFile},
    name::{self, Name},
    output::{Content, Output, Sources},
    passphrase::Passphrase,
    readers,
};

pub(crate) fn passwd(args: &Passwd, console: &Console) -> Result<(), Failure> {
    let passphrases = args.passphrase.file.iter().chain(&args.new_passphrase_file);
    let read = [&args.key].into_iter().chain(passphrases.clone());
    readers::check(read.map(|path| Some(path.as_path())))?;
    let sources = Sources::default().and_keys(passphrases);
    let output = match &args.output {
        Some(path) if is_same_file(path, &args.key) => {
            let reason = "it is the key itself; leave out -o to replace it";
            return Err(Failure::of(&Name::of(path), reason));
        }
        Some(path) => Output::create(Some(path), Content::PrivateKey, &sources)?,
        None if name::is_standard(&args.key) => {
            let reason = "it cannot be replaced; name a new file with -o";
            return Err(Failure::of(&Name::standard_input(), reason));
        }
        None => Output::create(Some(&args.key), Content::ChangedKey, &sources)?,
    };
    let written = output.name().clone();
    let file = PrivateFile::read(&args.key, &args.passphrase, console)?;
    if args.no_passphrase && args.output.is_none() && !file.is_encrypted() {
        console.note(format_args!("{written}: it has no passphrase, and was left as it is"));
        return Ok(());
    }
    let text = if args.no_passphrase { plain(&file) } else { encrypted(&file, args, console)? };
    if args.output.is_none() {
        file.check_unchanged(&args.key)?;
    }
    output.write_whole(&text)?;
    let done = match (args.no_passphrase, file.is_encrypted()) {
        (true, true) => "not encrypted any longer; keep it secret",
        (true, false) => "a copy of the key, which was not encrypted; keep it secret",
        (false, true) => {
            "encrypted under the new passphrase; copies of the old file still open with the old one"
        }
        (false, false) => "encrypted; copies of the old file are not, so delete them",
    };
    console.note(format_args!("{written}: {done}"));
    if args.output.is_none() && file.has_other_names() {
        console.note(format_args!(
            "warning: {written}: the old file has another name, a hard link, and was not changed there"
        ));
    }
    Ok(())
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(|path| Identity::of(path).ok().flatten());
    one.is_some() && one == other
}

fn plain(file: &PrivateFile) -> SecretBuffer {
    let documents: Vec<_> = file.keys().iter().map(Private::to_pem).collect();
    let documents: Vec<_> = documents.iter().map(PrivatePem::as_str).collect();
    file.with(&documents)
}

fn encrypted(
    file: &PrivateFile,
    args: &Passwd,
    console: &Console,
) -> Result<SecretBuffer, Failure> {
    for key in file.keys() {
        key.check_encryptable(file.name())?;
    }
    let new = args.new_passphrase_file.as_deref();
    let passphrase = Passphrase::new(file.name(), new, "--new-passphrase-file", console)?;
    let scrypt = args.scrypt.unwrap_or(Scrypt::DEFAULT);
    let documents =
        file.keys().iter().map(|key| key.to_encrypted_pem(&passphrase, scrypt, file.name()));
    Ok(file.with(&documents.collect::<Result<Vec<_>, _>>()?))
}
