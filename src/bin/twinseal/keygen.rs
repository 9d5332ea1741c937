//! `keygen` and `public`: make a private key, and print its public key.

use twinseal::{DecapsulationKey, Error, KemSuite, SignatureSuite, SigningKey, passphrase::Scrypt};

use crate::{
    args::{Keygen, NewPassphrase, Public},
    console::Console,
    failure::Failure,
    keys::{self, Private},
    output::{self, Content, Output, Sources},
    passphrase::Passphrase,
    readers,
};

pub(crate) fn keygen(args: &Keygen, console: &Console) -> Result<(), Failure> {
    make(args, console).map_err(and_kept)
}

/// Adds that a private key was written before something else failed.
pub(crate) fn and_kept(failure: Failure) -> Failure {
    match output::placed().first() {
        Some(name) => {
            let kept = format_args!("the private key {name} is complete and was kept");
            failure.and(kept).aloud()
        }
        None => failure,
    }
}

fn make(args: &Keygen, console: &Console) -> Result<(), Failure> {
    let wanted = args.suite.as_deref();
    let key = if args.purpose.kem {
        let suites: Vec<_> = KemSuite::ALL.iter().map(|suite| (suite.name(), *suite)).collect();
        DecapsulationKey::generate_for(pick(&suites, wanted)?).map(Private::Kem)
    } else {
        let suites: Vec<_> =
            SignatureSuite::ALL.iter().map(|suite| (suite.name(), *suite)).collect();
        SigningKey::generate_for(pick(&suites, wanted)?).map(Private::Sign)
    };
    readers::check(args.passphrase.file.iter().map(|path| Some(path.as_path())))?;
    // If the id cannot be printed, no key should be left.
    let printed = Output::create(None, Content::Text, &Sources::default())?;
    let output = Output::create(Some(&args.output), Content::PrivateKey, &Sources::default())?;
    let name = output.name().clone();
    let key = key.map_err(|error: Error| {
        Failure::of(&name, format_args!("no key was made: {error}; try again"))
    })?;
    write(&key, &args.passphrase, output, console)?;
    let suite = key.suite_name();
    let how = match args.passphrase.is_wanted() {
        true => "encrypted under the passphrase",
        false => "not encrypted, so keep it secret",
    };
    console.note(format_args!(
        "{name}: a new {suite} private key, {how}; give others the key that `twinseal public` prints"
    ));
    printed.write_whole(format!("{}\n", key.key_id()).as_bytes())
}

/// Writes a private key, under a passphrase if one is wanted.
fn write(
    key: &Private,
    under: &NewPassphrase,
    output: Output,
    console: &Console,
) -> Result<(), Failure> {
    if !under.is_wanted() {
        return output.write_whole(key.to_pem().as_str().as_bytes());
    }
    let name = output.name().clone();
    key.check_encryptable(&name)?;
    let passphrase = Passphrase::new(&name, under.file.as_deref(), "--passphrase-file", console)?;
    let pem = key.to_encrypted_pem(&passphrase, under.scrypt.unwrap_or(Scrypt::DEFAULT), &name)?;
    output.write_whole(pem.as_bytes())
}

/// The suite with this name, or the first one.
fn pick<Suite: Copy>(
    suites: &[(&'static str, Suite)],
    wanted: Option<&str>,
) -> Result<Suite, Failure> {
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(name));
    let found = suites.iter().find(|(name, _)| is_wanted(name));
    found.map(|(_, suite)| *suite).ok_or_else(|| {
        let names: Vec<_> = suites.iter().map(|(name, _)| *name).collect();
        Failure::usage(format!(
            "this --suite is for the other kind of key; use one of: {}",
            names.join(", ")
        ))
    })
}

pub(crate) fn public(args: &Public, console: &Console) -> Result<(), Failure> {
    let read = [&args.key].into_iter().chain(&args.passphrase.file);
    readers::check(read.map(|path| Some(path.as_path())))?;
    let key = keys::private(&args.key, &args.passphrase, console)?;
    let sources = Sources::default().and_keys([&args.key]).and_keys(&args.passphrase.file);
    let pem = match &key {
        Private::Kem(key) => key.encapsulation_key().to_pem(),
        Private::Sign(key) => key.verifying_key().to_pem(),
    };
    Output::create(args.output.as_deref(), Content::Text, &sources)?.write_whole(pem.as_bytes())
}
