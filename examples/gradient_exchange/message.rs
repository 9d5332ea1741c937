//! The content of the sealed messages: models, gradients and averages as safetensors, with numbers
//! about them in the file's metadata.

use std::{collections::HashMap, time::Duration};

use safetensors::SafeTensors;
use twinseal::EncapsulationKey;

use crate::Failure;

/// What the data is for. It is in every session's context.
const PURPOSE: &str = "example.com/gradients/v1";

/// Length of the aggregator's challenge: random bytes with which it begins each connection.
pub(crate) const CHALLENGE: usize = 32;

/// The context of a session: its purpose and the aggregator's challenge. A recorded session does not open in
/// another connection, because the challenge differs.
pub(crate) fn context(challenge: &[u8; CHALLENGE]) -> Vec<u8> {
    let challenge: String = challenge.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{PURPOSE} challenge {challenge}").into_bytes()
}

/// The additional data of a message: its place in the training. A session ensures the order of its
/// own messages; this also ties them to the rounds of the other workers.
pub(crate) fn aad(what: What, round: u32) -> Vec<u8> {
    format!("{} {round}", what.name()).into_bytes()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Model,
    Update,
    Average,
    Farewell,
}

impl What {
    fn name(self) -> &'static str {
        match self {
            Self::Model => "model before round",
            Self::Update => "update of round",
            Self::Average => "average of round",
            Self::Farewell => "farewell after round",
        }
    }
}

/// The time that sealing has taken a worker since its last message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// Sealing and opening messages.
    pub(crate) sealing: Duration,
    /// Starting sessions: one key exchange and one signature each.
    pub(crate) starting: Duration,
}

/// A gradient, from a worker.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) gradient: Vec<f32>,
    pub(crate) hidden: usize,
    /// How many pictures it is the mean of.
    pub(crate) samples: u32,
    pub(crate) loss: f32,
    pub(crate) spent: Spent,
}

impl Update {
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Failure> {
        let mut about = spent_to_text(self.spent);
        about.insert("samples".into(), self.samples.to_string());
        about.insert("loss".into(), self.loss.to_string());
        digits::to_safetensors(self.hidden, &self.gradient, about)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Failure> {
        let tensors = SafeTensors::deserialize(bytes)?;
        let (hidden, gradient) = digits::from_safetensors(&tensors)?;
        let about = about(bytes)?;
        let samples = parse(&about, "samples")?;
        let loss: f32 = parse(&about, "loss")?;
        if samples == 0 || !loss.is_finite() {
            return Err("an update without pictures, or without a loss".into());
        }
        Ok(Self { gradient, hidden, samples, loss, spent: spent_from_text(&about)? })
    }
}

/// The averaged gradient, from the aggregator.
#[derive(Debug)]
pub(crate) struct Average {
    pub(crate) gradient: Vec<f32>,
    pub(crate) hidden: usize,
    /// The key for a new session, if the aggregator's key was rotated. It is as authentic as the
    /// session in which it is announced.
    pub(crate) next_key: Option<EncapsulationKey>,
}

const NEXT_KEY: &str = "next_key";

impl Average {
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Failure> {
        let key = self.next_key.as_ref().map(|key| (NEXT_KEY.to_owned(), key.to_pem()));
        digits::to_safetensors(self.hidden, &self.gradient, key.into_iter().collect())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Failure> {
        let tensors = SafeTensors::deserialize(bytes)?;
        let (hidden, gradient) = digits::from_safetensors(&tensors)?;
        let pem = about(bytes)?.remove(NEXT_KEY);
        let next_key = pem.map(|pem| EncapsulationKey::from_pem(&pem)).transpose()?;
        Ok(Self { gradient, hidden, next_key })
    }
}

/// A worker's last message: the cost of its last step.
pub(crate) fn farewell_to_bytes(spent: Spent) -> Result<Vec<u8>, Failure> {
    Ok(safetensors::serialize(NO_TENSORS, Some(spent_to_text(spent)))?)
}

pub(crate) fn farewell_from_bytes(bytes: &[u8]) -> Result<Spent, Failure> {
    spent_from_text(&about(bytes)?)
}

const NO_TENSORS: [(&str, safetensors::tensor::TensorView<'static>); 0] = [];

fn spent_to_text(spent: Spent) -> HashMap<String, String> {
    let nanoseconds = |duration: Duration| duration.as_nanos().to_string();
    HashMap::from([
        ("sealing_ns".into(), nanoseconds(spent.sealing)),
        ("starting_ns".into(), nanoseconds(spent.starting)),
    ])
}

fn spent_from_text(about: &HashMap<String, String>) -> Result<Spent, Failure> {
    let duration = |name| parse(about, name).map(Duration::from_nanos);
    Ok(Spent { sealing: duration("sealing_ns")?, starting: duration("starting_ns")? })
}

/// The metadata of a safetensors file.
fn about(bytes: &[u8]) -> Result<HashMap<String, String>, Failure> {
    let (_, metadata) = SafeTensors::read_metadata(bytes)?;
    Ok(metadata.metadata().clone().unwrap_or_default())
}

fn parse<T: std::str::FromStr>(about: &HashMap<String, String>, name: &str) -> Result<T, Failure> {
    about
        .get(name)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| format!("the message has no valid {name}").into())
}
