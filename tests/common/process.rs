//! How do tests start children, and how long do they wait for children, peers and threads? With default
//! signals, and not for ever.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(
    unreachable_pub,
    reason = "it is a module of tests here, and of a library in tests/support"
)]

use std::{
    borrow::BorrowMut,
    env,
    ffi::OsStr,
    io::{self, Write},
    panic::resume_unwind,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// Nothing in the tests takes this long, however busy the machine is, unless it hangs.
pub const DEADLINE: Duration = Duration::from_secs(300);

/// A program without standard input, with pipes for its output, and with default signals.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    #[cfg(unix)]
    signals::to_default();
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// An example, which `cargo test` at the root builds beside the directory of this test's own program.
#[track_caller]
pub fn example(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    if !program.exists() {
        // Cargo calls the directory of its profile `dev` so.
        let profile = match profile.file_name().and_then(OsStr::to_str) {
            Some("debug") | None => String::new(),
            Some(name) => format!(" --profile {name}"),
        };
        panic!("{program:?} is missing: run `cargo build --workspace --examples{profile}` first");
    }
    program
}

/// Runs a program to its end, and returns its exit status and output.
#[track_caller]
pub fn ended(mut command: impl BorrowMut<Command>) -> Output {
    let command = command.borrow_mut();
    let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    wait(child, &format!("{command:?}"))
}

/// Closes the standard input of a program, and waits for its end.
#[track_caller]
pub fn end_of(child: Child) -> Output {
    let what = format!("process {}", child.id());
    wait(child, &what)
}

#[track_caller]
fn wait(child: Child, what: &str) -> Output {
    let process = child.id();
    let (sender, receiver) = mpsc::channel();
    #[expect(clippy::disallowed_methods, reason = "with a deadline, which is here")]
    thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(DEADLINE) else {
        let _ = Command::new("kill").args(["-s", "KILL", &process.to_string()]).spawn();
        panic!("{what} does not end");
    };
    output.unwrap()
}

/// As [`ended`]; `None` if the system has no such program.
pub fn ended_if_present(mut command: impl BorrowMut<Command>) -> Option<Output> {
    let command = command.borrow_mut();
    let child = command.spawn().ok()?;
    Some(wait(child, &format!("{command:?}")))
}

/// Sends a signal to a process that was started here, or by one that was.
#[track_caller]
pub fn signal(name: &str, process: u32) {
    let sent = ended(command("kill").args(["-s", name, &process.to_string()]));
    assert!(sent.status.success(), "{sent:?}");
}

/// Does the work in a thread of its own, and fails if it hangs: for work that waits for threads, peers or
/// pipes.
#[track_caller]
pub fn within_deadline<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (sender, receiver) = mpsc::channel::<()>();
    let working = thread::Builder::new().name(what.to_owned()).spawn(move || {
        let _ends_with_the_work = sender;
        work()
    });
    let working = working.unwrap();
    match receiver.recv_timeout(DEADLINE) {
        Err(RecvTimeoutError::Timeout) => panic!("{what}: it hangs"),
        _ => working.join().unwrap_or_else(|panic| resume_unwind(panic)),
    }
}

/// Ends this whole process if it is not dropped in time: for work that borrows, which [`within_deadline`]
/// cannot do.
#[derive(Debug)]
pub struct Watch(#[expect(dead_code, reason = "dropped")] mpsc::Sender<()>);

impl Watch {
    /// Until it is dropped, `what` must be over.
    pub fn over(what: &str) -> Self {
        let (sender, receiver) = mpsc::channel();
        let what = what.to_owned();
        thread::spawn(move || {
            if receiver.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout) {
                // Not captured, as the output of this test's thread would be.
                let _ = io::stderr().write_all(format!("{what}: it hangs\n").as_bytes());
                std::process::exit(1);
            }
        });
        Self(sender)
    }
}

/// Waits until a condition holds.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "{what}: it does not happen");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Which signals are ignored, because this process was started so (`nohup`, `trap '' INT`)?
#[cfg(unix)]
mod signals {
    use std::{
        os::unix::process::ExitStatusExt,
        process::{Command, Stdio},
        sync::{Arc, Once, atomic::AtomicBool},
    };

    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};

    /// A child inherits that a signal is ignored, but not that it is handled. So an ignored signal gets a
    /// handler that does nothing; the others stay as they are, and Ctrl-C ends the tests.
    pub(super) fn to_default() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            for (name, number) in [
                ("HUP", SIGHUP),
                ("INT", SIGINT),
                ("QUIT", SIGQUIT),
                ("TERM", SIGTERM),
                ("USR1", SIGUSR1),
                ("USR2", SIGUSR2),
                ("XFSZ", SIGXFSZ),
            ] {
                if is_ignored(name) {
                    signal_hook::flag::register(number, Arc::<AtomicBool>::default()).unwrap();
                }
            }
        });
    }

    /// Whether a child survives it.
    fn is_ignored(name: &str) -> bool {
        let script = format!("ulimit -c 0; kill -s {name} $$");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).stdin(Stdio::null()).stderr(Stdio::null());
        super::ended(&mut shell).status.signal().is_none()
    }
}
