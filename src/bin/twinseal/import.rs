//! `import`: writes a key of other software in the form that twinseal reads.

use std::path::Path;

use twinseal::{KeyId, passphrase::Scrypt};

use crate::{
    args,
    console::Console,
    failure::Failure,
    keygen,
    keys::{self, Foreign, Public},
    name::Name,
    output::{Content, Output, Sources},
    passphrase::Passphrase,
    readers,
};

pub(crate) fn import(args: &args::Import, console: &Console) -> Result<(), Failure> {
    let id = args.expect.as_deref().and_then(Path::to_str).and_then(|text| text.parse().ok());
    let expected_file = args.expect.as_deref().filter(|_| id.is_none());
    readers::check(
        [Some(&*args.input), args.passphrase.file.as_deref(), expected_file]
            .into_iter()
            .filter(Option::is_some),
    )?;
    if let Some(path) = expected_file
        && is_like_an_id(path)
        && !path.exists()
    {
        let name = Name::of(path);
        let text = "no such file; a key id has 32 hexadecimal digits";
        return Err(Failure::of(&name, text));
    }
    let expected = match expected_file {
        Some(path) => Some(Expected::Key(keys::expected(path)?)),
        None => id.map(Expected::Id),
    };
    let key = keys::foreign(args, expected.as_ref().map(Expected::id), console)?;
    if let Some(expected) = expected {
        expected.check(&key.public(), &Name::of(&args.input))?;
    }
    if args.scrypt.is_some() && !matches!(key, Foreign::Private(_, Some(_))) {
        let reason = "--scrypt: the key is not encrypted; `twinseal passwd` encrypts it afterwards";
        return Err(Failure::usage(reason));
    }
    let read = [&args.input].into_iter().chain(&args.passphrase.file).chain(&args.expect);
    let sources = Sources::default().and_keys(read);
    match &key {
        Foreign::Private(key, passphrase) => {
            write(key, passphrase.as_ref(), args, &sources, console).map_err(keygen::and_kept)
        }
        Foreign::Public(key) => {
            let output = Output::create(args.output.as_deref(), Content::Text, &sources)?;
            output.write_whole(key.to_pem().as_bytes())
        }
    }
}

fn is_like_an_id(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Writes a private key, again under its passphrase if it had one.
fn write(
    key: &keys::Private,
    passphrase: Option<&Passphrase>,
    args: &args::Import,
    sources: &Sources,
    console: &Console,
) -> Result<(), Failure> {
    // If the id cannot be printed, no key should be left.
    let printed = Output::create(None, Content::Text, &Sources::default())?;
    let output = Output::create(args.output.as_deref(), Content::PrivateKey, sources)?;
    let name = output.name().clone();
    let how = match passphrase {
        Some(passphrase) => {
            key.check_encryptable(&name)?;
            let pem =
                key.to_encrypted_pem(passphrase, args.scrypt.unwrap_or(Scrypt::DEFAULT), &name)?;
            output.write_whole(pem.as_bytes())?;
            "encrypted under the same passphrase"
        }
        None => {
            output.write_whole(key.to_pem().as_str().as_bytes())?;
            "not encrypted, so keep it secret"
        }
    };
    let suite = key.suite_name();
    console.note(format_args!(
        "{name}: the {suite} private key, {how}; give others the key that `twinseal public` prints"
    ));
    printed.write_whole(format!("{}\n", key.key_id()).as_bytes())
}

/// The key of `--expect`.
enum Expected {
    Id(KeyId),
    Key(Public),
}

impl Expected {
    fn id(&self) -> KeyId {
        match self {
            Self::Id(id) => *id,
            Self::Key(key) => key.key_id(),
        }
    }

    fn check(&self, key: &Public, name: &Name) -> Result<(), Failure> {
        let is_expected = match self {
            Self::Id(id) => *id == key.key_id(),
            Self::Key(expected) => expected == key,
        };
        if is_expected {
            return Ok(());
        }
        Err(keys::not_expected(name, key.key_id(), self.id()))
    }
}
