//! How a process that holds keys goes wrong, to see what its clients make of it.

use std::{
    io::{self, Write},
    thread,
    time::Duration,
};

use crate::{arguments::Fault, protocol::Connection};

/// What a hanging process says when it was asked.
pub(crate) const ASKED: &str = "asked";

pub(crate) fn send(fault: Fault, connection: &mut Connection, answer: &[u8]) -> io::Result<()> {
    match fault {
        Fault::Hang => {
            // So that the parent process knows that somebody waits. It need not look.
            let _ = writeln!(io::stdout(), "{ASKED}");
            thread::sleep(Duration::from_secs(3600));
            Ok(())
        }
        Fault::Garbage => connection.send(b"\xff\x00 what is this?"),
        Fault::HangUp => {
            let half = answer.get(..answer.len() / 2).unwrap_or_default();
            let length = u32::try_from(answer.len()).unwrap_or(u32::MAX);
            connection.write_all(&[&length.to_be_bytes(), half].concat())
        }
    }
}
