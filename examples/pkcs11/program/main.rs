//! Seals, opens, signs and verifies files with keys whose halves are in PKCS#11 tokens.
//!
//! ```text
//! cargo run --release --example pkcs11 -- --help
//! ```

mod arguments;
mod files;
mod half_file;
mod halves_file;
mod key;
mod make;
mod place;

use std::{
    error::Error,
    fs::File,
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
};

use pkcs11::Module;
use twinseal::{
    EncapsulationKey, Keyring, Recipients, Sign, Signature, SignatureSuite, VerifyingKey,
};

use arguments::{Arguments, Command, Context, Files};
use files::Readers;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    if arguments::show_a_pin() {
        common::complain(
            "pkcs11",
            "pin-value= shows the PIN to all who see the arguments; use pin-source=",
        );
        return ExitCode::from(2);
    }
    let arguments: Arguments = common::arguments();
    match run(&arguments.command, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            common::complain("pkcs11", common::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command, out: &mut impl Write) -> Result<()> {
    match command {
        Command::Tokens { module } => tokens(module, out),
        Command::Keygen(new) => make::generate(new, out),
        Command::Import { key, new } => make::import(key, new, out),
        Command::Check(key) => key::check_file(&key.halves.path, key.sign),
        Command::Seal { recipients, files } => {
            let keys = recipients.iter().map(EncapsulationKey::read_pem_file);
            let recipients = Recipients::new(&keys.collect::<io::Result<Vec<_>>>()?)?;
            let mut input = open(&files.file)?;
            let output = files::stage(&files.output, Readers::All)?;
            let mut writer = recipients.seal_writer(files.context.bytes(), output)?;
            io::copy(&mut input, &mut writer).map_err(|error| at(&files.file, &error))?;
            files::finish(writer.finish()?, &files.output)
        }
        Command::Open { key, files } => {
            let ring = Keyring::new(key::opening(&key.path)?);
            let input = open(&files.file)?;
            // It is opened data: only the owner can read it.
            let mut output = files::stage(&files.output, Readers::Owner)?;
            let opened = ring.open_reader(files.context.bytes(), input);
            let copied = opened.and_then(|mut reader| io::copy(&mut reader, &mut output));
            copied.map_err(|error| about(&files.file, &error))?;
            files::finish(output, &files.output)
        }
        Command::Sign { key, files } => {
            let key = key::signing(&key.path)?;
            let signature = key.sign_reader(files.context.bytes(), &mut open(&files.file)?);
            let signature = signature.map_err(|error| about(&files.file, &error))?;
            write(files, signature.as_bytes())
        }
        Command::Verify { key, signature, context, file } => {
            let key = VerifyingKey::read_pem_file(key)?;
            let signature = read_signature(signature, key.suite())?;
            key.verify_reader(context.bytes(), open(file)?, &signature)
                .map_err(|error| about(file, &error))?;
            writeln!(out, "{}: signed by {}", common::printable(file.display()), key.key_id())?;
            Ok(())
        }
    }
}

fn tokens(module: &Path, out: &mut impl Write) -> Result<()> {
    let tokens = Module::load(module)?.tokens()?;
    if tokens.is_empty() {
        return Err(format!("{}: there is no initialised token", module.display()).into());
    }
    for (name, algorithms) in tokens {
        writeln!(out, "{}", common::printable(name))?;
        for algorithm in algorithms {
            writeln!(out, "  {algorithm}")?;
        }
    }
    Ok(())
}

fn write(files: &Files, content: &[u8]) -> Result<()> {
    let mut output = files::stage(&files.output, Readers::All)?;
    output.write_all(content).map_err(|error| at(&files.output, &error))?;
    files::finish(output, &files.output)
}

/// A file that is one byte too long is not a signature, either.
fn read_signature(path: &Path, suite: SignatureSuite) -> Result<Signature> {
    let mut bytes = Vec::new();
    open(path)?.take(1 << 16).read_to_end(&mut bytes).map_err(|error| at(path, &error))?;
    Signature::from_bytes(suite, &bytes)
        .map_err(|error| format!("{}: {error}", path.display()).into())
}

fn open(path: &Path) -> Result<File> {
    common::open_regular(path).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &io::Error) -> Box<dyn Error + Send + Sync> {
    format!("{}: {error}", path.display()).into()
}

/// An error about a file. What a token said is in the source of the library's error.
fn about(path: &Path, error: &io::Error) -> Box<dyn Error + Send + Sync> {
    match twinseal::Error::inside(error) {
        Some(inner) => format!("{}: {}", path.display(), common::chain(inner)).into(),
        None => at(path, error),
    }
}

impl Context {
    fn bytes(&self) -> &[u8] {
        self.value.as_bytes()
    }
}
