//! Asks for a passphrase on the terminal, which does not show what is typed.
//!
//! It is the terminal of the process, whatever the standard streams are.

use std::{io, str};

use twinseal::secret::SecretBuffer;

use super::LONGEST;
use crate::{failure::Failure, name::Name};

/// Asks once for `what`. Messages are about `name`, and `option` would name a file with the passphrase.
pub(super) fn ask(
    prompt: &str,
    what: &str,
    name: &Name,
    option: &str,
) -> Result<SecretBuffer, Failure> {
    let failed = |reason: &str| Err(Failure::of(name, reason));
    match typed(prompt) {
        Ok(None) => failed("no passphrase was typed; run the command again"),
        Ok(Some(typed)) if typed.is_empty() => {
            failed("the passphrase is empty; run the command again")
        }
        Ok(Some(typed)) if typed.len() > LONGEST => Err(Failure::of(
            name,
            format_args!("the passphrase is longer than {LONGEST} bytes; run the command again"),
        )),
        Ok(Some(typed)) if str::from_utf8(&typed).is_err() => {
            failed("the passphrase is not UTF-8; set the terminal to UTF-8")
        }
        Ok(Some(typed)) => Ok(typed),
        Err(_) => {
            let reason = format_args!("there is no terminal to ask for {what}");
            Err(Failure::of(
                name,
                format_args!("{reason}; name a file that holds it with {option}"),
            ))
        }
    }
}

/// Gives the terminal back as it was, for a process that is about to end.
#[cfg(unix)]
pub(crate) fn restore() {
    echo::restore();
}

/// Asks again after the process was suspended: the shell may have switched the echo on.
#[cfg(unix)]
pub(crate) fn resume() {
    echo::resume();
}

/// A line without its end, cut off behind [`LONGEST`]; `None` if the input ended.
#[cfg(unix)]
fn typed(prompt: &str) -> io::Result<Option<SecretBuffer>> {
    use std::{
        fs::OpenOptions,
        io::{Read, Write},
    };

    let mut terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let silent = echo::off(terminal.try_clone()?, prompt)?;
    terminal.write_all(prompt.as_bytes())?;
    // One byte at a time, so that the next reader of the terminal misses nothing. It does not grow: copies
    // would stay behind.
    let mut line = SecretBuffer::with_capacity(LONGEST + 1);
    let mut byte = SecretBuffer::zeroed(1);
    let ended = loop {
        match terminal.read(&mut byte) {
            Ok(0) => break line.is_empty(),
            Ok(_) if *byte == *b"\n" => break false,
            Ok(_) if line.len() <= LONGEST => line.extend_from_slice(&byte),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    terminal.write_all(b"\n")?; // which was not shown either
    drop(silent);
    Ok((!ended).then_some(line))
}

#[cfg(not(unix))]
fn typed(prompt: &str) -> io::Result<Option<SecretBuffer>> {
    match rpassword::prompt_password(prompt) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        typed => typed.map(|typed| Some(typed.into_bytes().into())),
    }
}

/// Switches the echo off before the prompt, and on again whatever happens.
#[cfg(unix)]
mod echo {
    use std::{
        fs::File,
        io::{self, Write},
        sync::{Mutex, PoisonError},
    };

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// The terminal while its echo is off.
    static SILENT: Mutex<Option<Silent>> = Mutex::new(None);

    struct Silent {
        terminal: File,
        /// Its modes before.
        before: Termios,
        prompt: String,
    }

    impl Silent {
        fn switch_echo_off(&self) -> io::Result<()> {
            let mut silent = self.before.clone();
            silent.local_modes -= LocalModes::ECHO | LocalModes::ECHONL;
            Ok(tcsetattr(&self.terminal, OptionalActions::Now, &silent)?)
        }
    }

    /// Restores the terminal when dropped.
    pub(super) struct Off(());

    pub(super) fn off(terminal: File, prompt: &str) -> io::Result<Off> {
        let before = tcgetattr(&terminal)?;
        let off = Off(());
        // A signal waits until both are done.
        let mut known = SILENT.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = known.insert(Silent { terminal, before, prompt: prompt.into() });
        let switched = silent.switch_echo_off();
        drop(known);
        switched?;
        Ok(off)
    }

    pub(super) fn resume() {
        let known = SILENT.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(silent) = &*known else { return };
        // There is nobody to report an error to.
        let _ = silent.switch_echo_off();
        let (terminal, prompt) = (silent.terminal.try_clone(), silent.prompt.clone());
        drop(known);
        if let Ok(mut terminal) = terminal {
            let _ = terminal.write_all(prompt.as_bytes());
        }
    }

    pub(super) fn restore() {
        let mut known = SILENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Silent { terminal, before, .. }) = known.take() {
            // As above.
            let _ = tcsetattr(terminal, OptionalActions::Now, &before);
        }
    }

    impl Drop for Off {
        fn drop(&mut self) {
            restore();
        }
    }
}
