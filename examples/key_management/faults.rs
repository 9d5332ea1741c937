//! Failures of the process that holds the keys, to test its clients.

use std::{
    io::{self, Write},
    thread,
    time::Duration,
};

use crate::{arguments::Fault, protocol::Connection};

/// The line that a hanging process prints when it has received a request.
pub(crate) const ASKED: &str = "asked";

pub(crate) fn send(fault: Fault, connection: &mut Connection, answer: &[u8]) -> io::Result<()> {
    match fault {
        Fault::Hang => {
            // Shows the parent process that a client waits. The parent may ignore it.
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
