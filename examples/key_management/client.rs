//! Using the keys of a running process from the command line.

use std::{
    fs::{self, File},
    io::Write,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use twinseal::{Decapsulate, Sign, Unlock};

use crate::{
    Result,
    arguments::{Client, Command},
    remote::{RemoteDecapsulationKey, RemoteSigningKey},
};

pub(crate) fn ask(command: &Command, out: &mut impl Write) -> Result<()> {
    match command {
        Command::Serve(options) => crate::service::serve(options),
        Command::Public(client) => {
            write!(out, "{}", decapsulation_key(client)?.encapsulation_key().to_pem())?;
            Ok(write!(out, "{}", signing_key(client)?.verifying_key().to_pem())?)
        }
        Command::Sign { client, context, file } => {
            let message = File::open(file).map_err(|error| at(file, &error))?;
            let state = |message: &File| {
                let metadata = message.metadata()?;
                Ok((metadata.len(), metadata.modified().ok()))
            };
            let before = state(&message).map_err(|error| at(file, &error))?;
            let key: &dyn Sign = &signing_key(client)?;
            let signature = key.sign_reader(context.as_bytes(), &mut &message)?;
            if state(&message).map_err(|error| at(file, &error))? != before {
                return Err(format!("{}: it changed while it was read", file.display()).into());
            }
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

fn decapsulation_key(client: &Client) -> Result<RemoteDecapsulationKey> {
    Ok(RemoteDecapsulationKey::connect(&client.socket, client.timeout)?)
}

fn signing_key(client: &Client) -> Result<RemoteSigningKey> {
    Ok(RemoteSigningKey::connect(&client.socket, client.timeout)?)
}

fn at(path: &std::path::Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
