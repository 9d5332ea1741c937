//! Asks for a passphrase on the terminal, which does not show what is typed.
//!
//! It is the terminal of the process, whatever the standard streams are.

use std::{io, thread, time::Duration};

use rpassword::{ConfigBuilder, prompt_password_with_config};
use twinseal::secret::SecretBuffer;

use crate::{failure::Failure, name::Name};

/// How long the thread that handles signals may take to end the process.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks once. Messages are about `name`, and `option` would name a file with the passphrase.
pub(super) fn ask(prompt: &str, name: &Name, option: &str) -> Result<SecretBuffer, Failure> {
    let failed = |reason: &str| Err(Failure::of(name, reason));
    let no_terminal = || {
        let reason = "there is no terminal to ask for its passphrase";
        Failure::of(name, format_args!("{reason}; name a file that holds it with {option}"))
    };
    #[cfg(unix)]
    let _silent = echo::off().map_err(|_| no_terminal())?;
    match prompt_password_with_config(prompt, ConfigBuilder::new().build()) {
        Ok(typed) if typed.is_empty() => failed("the passphrase is empty; run the command again"),
        Ok(typed) => Ok(SecretBuffer::from(typed.into_bytes())),
        Err(error) => match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                failed("no passphrase was typed; run the command again")
            }
            // Ctrl-C: the signal ends the process, unless it is ignored.
            io::ErrorKind::Interrupted => {
                thread::sleep(PATIENCE);
                failed("stopped before its passphrase was typed; run the command again")
            }
            io::ErrorKind::InvalidData => {
                failed("the passphrase is not UTF-8; set the terminal to UTF-8")
            }
            _ => Err(no_terminal()),
        },
    }
}

/// Gives the terminal back as it was, for a process that is about to end.
#[cfg(unix)]
pub(crate) fn restore() {
    echo::restore();
}

/// `rpassword` switches the echo off only after its prompt, and cannot switch it on again if a signal
/// ends the process.
#[cfg(unix)]
mod echo {
    use std::{
        fs::{File, OpenOptions},
        io,
        sync::{Mutex, PoisonError},
    };

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// The terminal, and its modes before its echo was switched off.
    static BEFORE: Mutex<Option<(File, Termios)>> = Mutex::new(None);

    /// Restores the terminal when dropped.
    pub(super) struct Off(());

    pub(super) fn off() -> io::Result<Off> {
        let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ECHONL;
        let off = Off(());
        // A signal waits until both are done.
        let mut known = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
        let (terminal, _) = known.insert((terminal, before));
        let switched = tcsetattr(terminal, OptionalActions::Now, &silent);
        drop(known);
        switched?;
        Ok(off)
    }

    pub(super) fn restore() {
        let mut known = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((terminal, before)) = known.take() {
            // There is nobody to report an error to.
            let _ = tcsetattr(terminal, OptionalActions::Now, &before);
        }
    }

    impl Drop for Off {
        fn drop(&mut self) {
            restore();
        }
    }
}
