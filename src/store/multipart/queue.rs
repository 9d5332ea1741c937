//! The parts of an upload between the caller and the inner store: sealed several at a time, handed on in order.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ::tokio::{runtime::Handle, sync::oneshot};
use bytes::Bytes;
use futures_util::future;
use object_store::{MultipartUpload, PutPayload, Result, UploadPart};

use super::cutter::Cutter;
use crate::{
    error::Error,
    store::{
        offload::{IN_PLACE, at_once},
        sealing::Run,
    },
};

/// What an upload, its parts and its workers share.
pub(super) struct Queue {
    state: Mutex<State>,
}

struct State {
    /// `None` while it is being completed or aborted, and afterwards.
    inner: Option<Box<dyn MultipartUpload>>,
    /// In the order of the object.
    jobs: VecDeque<Job>,
    /// The number of the first job.
    first: u64,
    /// Runs that no worker has begun, each with the number of its job.
    waiting: VecDeque<(u64, Run)>,
    workers: usize,
    cutter: Cutter,
    /// Inner parts that belong to the next end of a part.
    started: Vec<UploadPart>,
    /// Parts whose futures are not finished.
    unfinished: usize,
    /// Why the upload cannot be completed.
    failed: Option<&'static str>,
}

enum Job {
    /// A part of this length begins.
    Begin(usize),
    /// A worker seals it, or will.
    Sealing,
    Sealed(Bytes),
    /// A part ends. Its future waits for the inner parts that it filled.
    End(oneshot::Sender<Vec<UploadPart>>),
}

/// A part whose future is not finished. If it is dropped, the upload fails.
struct Unfinished {
    queue: Arc<Queue>,
    finished: bool,
}

/// Seals on a thread of the runtime. If it cannot, the upload fails.
struct Worker {
    queue: Arc<Queue>,
    done: bool,
}

pub(super) fn misuse(reason: &'static str) -> object_store::Error {
    Error::Misuse { what: "upload", reason }.into()
}

impl Queue {
    /// `start` precedes the chunks.
    pub(super) fn new(inner: Box<dyn MultipartUpload>, start: Bytes) -> Arc<Self> {
        let mut cutter = Cutter::default();
        cutter.push(start);
        Arc::new(Self {
            state: Mutex::new(State {
                inner: Some(inner),
                jobs: VecDeque::new(),
                first: 0,
                waiting: VecDeque::new(),
                workers: 0,
                cutter,
                started: Vec::new(),
                unfinished: 0,
                failed: None,
            }),
        })
    }

    /// Takes a part of this length, and the runs that it filled, and begins to seal them.
    pub(super) fn put(self: &Arc<Self>, len: usize, runs: Vec<Run>) -> Result<UploadPart> {
        let unfinished = Unfinished::new(self)?;
        let (sender, receiver) = oneshot::channel();
        let bytes: usize = runs.iter().map(Run::len).sum();
        match Handle::try_current() {
            Ok(runtime) if bytes > IN_PLACE => {
                let workers = self.state().queue(len, runs, sender);
                for _ in 0..workers {
                    let worker = Worker { queue: Arc::clone(self), done: false };
                    runtime.spawn_blocking(move || worker.run());
                }
            }
            _ => {
                let sealed = runs.into_iter().map(Run::seal).collect::<Result<_, _>>()?;
                self.state().add(len, sealed, sender);
            }
        }
        Ok(Box::pin(async move {
            let started = receiver.await.map_err(|_| unfinished.why())?;
            future::try_join_all(started).await?;
            unfinished.finish();
            Ok(())
        }))
    }

    /// Whether all parts are finished.
    pub(super) fn check(&self) -> Result<()> {
        let state = self.state();
        match state.failed {
            Some(reason) => Err(misuse(reason)),
            None if state.unfinished > 0 => Err(misuse("a part is not finished")),
            None => Ok(()),
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.state().failed.is_some()
    }

    /// Begins the last inner parts, after all others are finished.
    pub(super) fn put_last(self: &Arc<Self>, last: Run) -> Result<UploadPart> {
        let unfinished = Unfinished::new(self)?;
        let sealed = last.seal()?;
        let started = {
            let mut state = self.state();
            state.cutter.push(sealed);
            state.start_whole_parts();
            let rest = state.cutter.rest();
            rest.into_iter().for_each(|rest| state.start(rest));
            std::mem::take(&mut state.started)
        };
        Ok(Box::pin(async move {
            future::try_join_all(started).await?;
            unfinished.finish();
            Ok(())
        }))
    }

    /// Nothing is handed on from now on, and futures that wait for that fail.
    pub(super) fn fail(&self, reason: &'static str) {
        self.state().fail(reason);
    }

    pub(super) fn take_inner(&self) -> Option<Box<dyn MultipartUpload>> {
        self.state().inner.take()
    }

    pub(super) fn return_inner(&self, inner: Box<dyn MultipartUpload>) {
        self.state().inner = Some(inner);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adds runs for workers. Returns how many workers have to be added.
    fn queue(
        &mut self,
        len: usize,
        runs: Vec<Run>,
        end: oneshot::Sender<Vec<UploadPart>>,
    ) -> usize {
        if self.failed.is_some() {
            return 0;
        }
        self.jobs.push_back(Job::Begin(len));
        for run in runs {
            self.waiting.push_back((self.first + self.jobs.len() as u64, run));
            self.jobs.push_back(Job::Sealing);
        }
        self.jobs.push_back(Job::End(end));
        self.hand_on();
        let more = self.waiting.len().min(at_once().saturating_sub(self.workers));
        self.workers += more;
        more
    }

    /// Adds what is sealed already.
    fn add(&mut self, len: usize, sealed: Vec<Bytes>, end: oneshot::Sender<Vec<UploadPart>>) {
        if self.failed.is_none() {
            self.jobs.push_back(Job::Begin(len));
            self.jobs.extend(sealed.into_iter().map(Job::Sealed));
            self.jobs.push_back(Job::End(end));
            self.hand_on();
        }
    }

    fn sealed(&mut self, number: u64, sealed: Bytes) {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        if let Some(job) = index.and_then(|index| self.jobs.get_mut(index)) {
            *job = Job::Sealed(sealed);
            self.hand_on();
        }
    }

    /// Gives the inner upload what is sealed, up to the first run that is not.
    fn hand_on(&mut self) {
        while let Some(job) = self.jobs.pop_front() {
            self.first += 1;
            match job {
                Job::Begin(len) => self.cutter.fit(len),
                Job::Sealing => {
                    self.first -= 1;
                    self.jobs.push_front(job);
                    return;
                }
                Job::Sealed(sealed) => {
                    self.cutter.push(sealed);
                    self.start_whole_parts();
                }
                // If nobody waits, the future was dropped, and the upload has failed.
                Job::End(end) => drop(end.send(std::mem::take(&mut self.started))),
            }
        }
    }

    fn start_whole_parts(&mut self) {
        while let Some(part) = self.cutter.next_part() {
            self.start(part);
        }
    }

    fn start(&mut self, part: PutPayload) {
        if let Some(inner) = &mut self.inner {
            self.started.push(inner.put_part(part));
        }
    }

    fn fail(&mut self, reason: &'static str) {
        self.failed.get_or_insert(reason);
        self.first += self.jobs.len() as u64;
        self.jobs.clear();
        self.waiting.clear();
        self.started.clear();
        self.cutter = Cutter::default();
    }
}

impl Unfinished {
    fn new(queue: &Arc<Queue>) -> Result<Self> {
        let mut state = queue.state();
        if let Some(reason) = state.failed {
            return Err(misuse(reason));
        }
        state.unfinished += 1;
        Ok(Self { queue: Arc::clone(queue), finished: false })
    }

    fn why(&self) -> object_store::Error {
        misuse(self.queue.state().failed.unwrap_or("it is gone"))
    }

    fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.unfinished -= 1;
        if !self.finished {
            state.fail("a part of it failed, or its future was dropped");
        }
    }
}

impl Worker {
    /// Seals what waits, until nothing does.
    fn run(mut self) {
        while let Some((number, run)) = self.next() {
            match run.seal() {
                Ok(sealed) => self.queue.state().sealed(number, sealed),
                Err(_) => self.queue.fail("a part of it cannot be sealed"),
            }
        }
    }

    /// Nobody adds a run between this finding none and the worker being counted off.
    fn next(&mut self) -> Option<(u64, Run)> {
        let mut state = self.queue.state();
        let next = state.waiting.pop_front();
        if next.is_none() {
            state.workers -= 1;
            self.done = true;
        }
        next
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if !self.done {
            let mut state = self.queue.state();
            state.workers -= 1;
            state.fail(
                "it cannot be sealed: the runtime is shutting down, or the provider panicked",
            );
        }
    }
}
