//! The process of a custodian: it keeps one half of each key, which never leaves it, and uses it for
//! its clients.

use std::{
    fs::File,
    io::{self, Write},
    os::unix::net::{UnixListener, UnixStream},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use signal_hook::{consts::TERM_SIGNALS, iterator::Signals};
use twinseal::{
    Error,
    provider::{Decapsulator, KemLengths},
};
use zeroize::Zeroizing;

use crate::{
    Result,
    algorithm::Operation,
    arguments::Serve,
    directory,
    keys::Keys,
    protocol::{Answer, Connection, Request, Task},
    purposes,
    usage::Usage,
};
use common::printable;

/// How long a client may take for a request, and the reader of the log for the counts at the end. Slow
/// clients do not block others.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many clients are served at once. More are disconnected.
const MAX_CLIENTS: usize = 64;

/// The start of the line that is printed when clients can connect.
pub(crate) const READY: &str = "listening in ";

struct Custodian {
    keys: Keys,
    /// Contexts to sign for.
    allowed: Vec<String>,
    usage: Usage,
}

pub(crate) fn serve(options: &Serve) -> Result<()> {
    let shown = printable(options.directory.display());
    let (custodian, listener, _lock) =
        start(options).map_err(|error| format!("{shown}: {error}"))?;
    let custodian = Arc::new(custodian);
    let mut signals = Signals::new(TERM_SIGNALS)?;
    let ending = Arc::clone(&custodian);
    thread::spawn(move || {
        signals.forever().next();
        ending.end();
    });
    if options.until_stdin_ends {
        let ending = Arc::clone(&custodian);
        thread::spawn(move || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            ending.end();
        });
    }
    writeln!(io::stdout(), "{READY}{shown}")?;

    // As many clones as clients: a thread that panics drops its own, too.
    let clients = Arc::new(());
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            thread::sleep(Duration::from_millis(10)); // out of file descriptors, for now
            continue;
        };
        // A client that is not served is disconnected, and may try again.
        if Arc::strong_count(&clients) <= MAX_CLIENTS {
            let (custodian, client) = (Arc::clone(&custodian), Arc::clone(&clients));
            let _ = thread::Builder::new().spawn(move || {
                custodian.converse(stream);
                drop(client);
            });
        }
    }
    Ok(())
}

fn start(options: &Serve) -> Result<(Custodian, UnixListener, File)> {
    directory::enter(&options.directory)?;
    let lock = directory::lock()?;
    let (keys, usage) = (Keys::read(options.half)?, Usage::default());
    let listener = directory::listen(&lock)?;
    Ok((Custodian { keys, allowed: options.allow.clone(), usage }, listener, lock))
}

impl Custodian {
    /// Answers one request. A client that disconnects or sends nothing gets no answer, and nobody
    /// gets one that cannot be logged: while the log's reader has stopped, all wait.
    fn converse(&self, stream: UnixStream) {
        let mut connection = Connection::new(stream, PATIENCE);
        let Ok(bytes) = connection.receive() else { return };
        let start = Instant::now();
        let answer = match Request::parse(&bytes) {
            Some(request) => {
                let answer = self.answer(&request);
                if self.usage.note(&request, start.elapsed(), &answer).is_err() {
                    return;
                }
                answer
            }
            None => Answer::Refused("not a request".into()),
        };
        let _ = connection.send(&answer.to_bytes());
    }

    fn answer(&self, request: &Request<'_>) -> Answer {
        match self.perform(request) {
            Ok(result) => Answer::Done(result),
            Err(error) => match error.downcast_ref() {
                Some(Error::Invalid { .. }) if request.task == Task::Decapsulate => {
                    Answer::Malformed
                }
                _ => Answer::Refused(error.to_string()),
            },
        }
    }

    /// A real custodian lets other clients make and destroy keys than those that use them.
    fn perform(&self, request: &Request<'_>) -> Result<Zeroizing<Vec<u8>>> {
        let Request { task, algorithm, name, context, input } = *request;
        let find = || self.keys.find(name, algorithm);
        match task {
            Task::Generate => Ok(self.keys.add(name, algorithm, &algorithm.generate()?)?.into()),
            Task::Import => Ok(self.keys.add(name, algorithm, input)?.into()),
            Task::Public => Ok(find()?.public.clone().into()),
            Task::Decapsulate => match &find()?.operation {
                Operation::Decapsulate(key, lengths) => decapsulate(&**key, lengths, input),
                Operation::Sign(_) => Err("the key is for signatures".into()),
            },
            Task::Sign => match &find()?.operation {
                Operation::Sign(key) => {
                    purposes::check(&self.allowed, algorithm, context, input)?;
                    Ok(key.sign(context, input)?.into())
                }
                Operation::Decapsulate(..) => Err("the key is not for signatures".into()),
            },
            Task::Destroy => {
                self.keys.destroy(name, algorithm)?;
                Ok(Zeroizing::default())
            }
        }
    }

    /// Ends the process, also if nobody reads the log: then a client's thread waits to write to it
    /// and holds standard output, and the counts cannot be printed.
    fn end(&self) -> ! {
        let _no_more_uses = self.keys.wipe();
        let _ = thread::Builder::new().spawn(|| {
            thread::sleep(PATIENCE);
            std::process::exit(1)
        });
        let _ = self.usage.print(); // nobody may be reading
        std::process::exit(0)
    }
}

fn decapsulate(
    key: &dyn Decapsulator,
    lengths: &KemLengths,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let (expected, actual) = (lengths.ciphertext, ciphertext.len());
    if actual != expected {
        return Err(Error::Length { what: "ciphertext", expected, actual }.into());
    }
    let mut secret = Zeroizing::new(vec![0; lengths.shared_secret]);
    key.decapsulate(ciphertext, &mut secret)?;
    Ok(secret)
}
