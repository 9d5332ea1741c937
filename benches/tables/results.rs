//! What was measured, to be looked up by operation, algorithm and provider.

use twinseal::provider::{GRAVIOLA, Provider};

use super::{
    kem,
    machine::{self, Machine},
    measure::{self, Effort, Mean, Progress},
    network, providers, seal, sign,
    sizes::{self, Sizes},
    storage::{self, Checkpoint, Files},
};
use crate::case::Case;

struct Timed {
    case: Case,
    mean: Mean,
}

/// Everything that the tables and plots show.
pub(crate) struct Results {
    pub(crate) effort: Effort,
    pub(crate) machine: Machine,
    timed: Vec<Timed>,
    pub(crate) sizes: Vec<Sizes>,
    pub(crate) gradients: Vec<network::Row>,
    pub(crate) rounds: Vec<network::Row>,
    pub(crate) checkpoints: Vec<Checkpoint>,
    pub(crate) files: Files,
    pub(crate) minutes: f64,
}

/// The providers with an AES-GCM of their own: that of the others is the portable one.
pub(crate) fn sealing() -> impl Iterator<Item = &'static Provider> {
    network::PROVIDERS.into_iter().chain([&*GRAVIOLA])
}

fn plan() -> Vec<Case> {
    let each = *providers::PROVIDERS;
    let sealed = sealing().flat_map(seal::cases);
    let asymmetric =
        each.into_iter().flat_map(|provider| kem::cases(provider).chain(sign::cases(provider)));
    asymmetric.chain(seal::copies()).chain(sealed).collect()
}

impl Results {
    pub(crate) fn measure(effort: Effort) -> Self {
        let machine = machine::here();
        let plan = plan();
        let transfers = network::gradients(effort).len() + network::rounds(effort).len();
        let mut progress = Progress::new(effort, plan.len() + transfers + storage::STEPS);
        let timed = plan.into_iter().map(|case| {
            progress.step(&format!("{}: {} on {}", case.group, case.name, case.provider));
            let mean = measure::mean(&mut case.prepare(), effort);
            Timed { case, mean }
        });
        let timed = timed.collect();
        let [gradients, rounds] = network::measure(effort, &mut progress);
        let checkpoints = storage::checkpoints(effort, &mut progress);
        let files = storage::files(effort, &mut progress);
        let minutes = progress.finish().as_secs_f64() / 60.0;
        let sizes = sizes::all();
        Self { effort, machine, timed, sizes, gradients, rounds, checkpoints, files, minutes }
    }

    /// A measured time, if the provider has the algorithm.
    pub(crate) fn time(&self, group: &str, name: &str, provider: &str) -> Option<Mean> {
        let fits =
            |case: &Case| (&*case.group, &*case.name, case.provider) == (group, name, provider);
        self.timed.iter().find(|timed| fits(&timed.case)).map(|timed| timed.mean)
    }

    /// Bytes a second, for what has a length.
    pub(crate) fn speed(&self, group: &str, name: &str, provider: &str) -> Option<f64> {
        let fits =
            |case: &Case| (&*case.group, &*case.name, case.provider) == (group, name, provider);
        let timed = self.timed.iter().find(|timed| fits(&timed.case))?;
        Some(timed.case.bytes? as f64 / timed.mean.seconds)
    }

    /// [`time`](Self::time) in milliseconds on the portable provider and on the others.
    pub(crate) fn ms(&self, group: &str, name: &str) -> Vec<(&'static str, Option<Mean>)> {
        let time = |provider: &&Provider| (provider.name, self.time(group, name, provider.name));
        providers::PROVIDERS.iter().map(time).collect()
    }
}
