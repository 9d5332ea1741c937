//! Using keys of running custodians from the command line.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use twinseal::{
    Decapsulate, Error, KemSuite, Sign, Unlock,
    split::{Halves, SplitDecapsulationKey, SplitSigningKey},
};

use crate::{
    Result,
    algorithm::Algorithm,
    arguments::{Client, Command},
    remote::{self, Custodian, RemoteHalf},
};

pub(crate) fn ask(command: &Command, out: &mut impl Write) -> Result<()> {
    match command {
        Command::Serve(options) => crate::custodian::serve(options),
        Command::Generate(client) => {
            for algorithm in [KEM, SIGNATURE] {
                halves(client, algorithm, Custodian::generate).map_err(|error| {
                    format!("{error}; the name may be taken in a custodian now: choose another one")
                })?;
            }
            print_public(client, out)
        }
        Command::Public(client) => print_public(client, out),
        Command::Sign { client, context, file } => {
            let mut message = File::open(file).map_err(|error| at(file, &error))?;
            let key: &dyn Sign = &signing_key(client)?;
            let signature = key.sign_reader(context.as_bytes(), &mut message)?;
            Ok(writeln!(out, "{}", BASE64_STANDARD.encode(signature.as_bytes()))?)
        }
        Command::Open { client, context, file } => {
            let sealed = fs::read(file).map_err(|error| at(file, &error))?;
            let key = decapsulation_key(client)?;
            out.write_all(&key.open(context.as_bytes(), &sealed)?)?;
            Ok(out.flush()?)
        }
    }
}

const KEM: Halves<Algorithm> =
    Halves { post_quantum: Algorithm::MlKem1024, traditional: Algorithm::X25519 };
const SIGNATURE: Halves<Algorithm> =
    Halves { post_quantum: Algorithm::MlDsa87, traditional: Algorithm::EcdsaP384 };

fn print_public(client: &Client, out: &mut impl Write) -> Result<()> {
    write!(out, "{}", decapsulation_key(client)?.encapsulation_key().to_pem())?;
    Ok(write!(out, "{}", signing_key(client)?.verifying_key().to_pem())?)
}

fn decapsulation_key(client: &Client) -> Result<SplitDecapsulationKey> {
    let halves = halves(client, KEM, Custodian::find)?;
    Ok(remote::decapsulation_key(KemSuite::X25519_ML_KEM_1024, halves)?)
}

fn signing_key(client: &Client) -> Result<SplitSigningKey> {
    Ok(remote::signing_key(halves(client, SIGNATURE, Custodian::find)?)?)
}

fn halves(
    client: &Client,
    algorithms: Halves<Algorithm>,
    half: impl Fn(&Custodian, &str, Algorithm) -> Result<RemoteHalf, Error>,
) -> Result<Halves<RemoteHalf>> {
    let of = |directory: &Path, algorithm| {
        let custodian = Custodian { directory: directory.to_owned(), timeout: client.timeout };
        let at = |error: Error| format!("{}: {}", directory.display(), common::chain(&error));
        half(&custodian, &client.key, algorithm).map_err(at)
    };
    Ok(Halves {
        post_quantum: of(&client.post_quantum, algorithms.post_quantum)?,
        traditional: of(&client.traditional, algorithms.traditional)?,
    })
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
