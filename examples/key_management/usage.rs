//! Who used which half, for what, how long it took and what went wrong: a line for each use, and a
//! count of all at the end.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    algorithm::Algorithm,
    protocol::{Answer, Request, Task},
    purposes,
};

/// How often each algorithm did each task, and how often it did not.
#[derive(Default)]
pub(crate) struct Usage(Mutex<BTreeMap<(Algorithm, Task), [u64; 2]>>);

impl Usage {
    /// Writes no secret: of a request only names, of an answer only the reason of a refusal.
    pub(crate) fn note(
        &self,
        request: &Request<'_>,
        time: Duration,
        answer: &Answer,
    ) -> io::Result<()> {
        let Request { task, algorithm, name, input, .. } = request;
        let (outcome, refused) = match answer {
            Answer::Done(_) if *task == Task::Sign => {
                (format!("done for {}", purposes::shown(input)), 0)
            }
            Answer::Done(_) => ("done".into(), 0),
            Answer::Refused(reason) => (reason.clone(), 1),
            Answer::Malformed => ("the ciphertext is malformed".into(), 1),
        };
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.entry((*algorithm, *task)).or_default()[refused] += 1;
        drop(counts);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = format!("{}.{:03}", now.as_secs(), now.subsec_millis());
        let (half, task, time) = (algorithm.half(), task.name(), time.as_secs_f64() * 1e3);
        let line = format!("{now} {name} {task} {half} ({algorithm}) {time:.2} ms: {outcome}\n");
        io::stdout().write_all(line.as_bytes()) // one write for one line
    }

    /// Prints the counts.
    pub(crate) fn print(&self) -> io::Result<()> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().try_for_each(|((algorithm, task), [done, refused])| {
            writeln!(io::stdout(), "{algorithm} {}: {done} done, {refused} refused", task.name())
        })
    }
}
