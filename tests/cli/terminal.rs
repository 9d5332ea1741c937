//! How do tests type on a terminal, and see what it shows?

use std::{
    io::{Read, Write},
    process::{Child, ChildStdin, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use crate::{
    common::process::{end_of, ended_if_present, wait_until},
    desk::Desk,
};

/// A shell on a terminal of its own, made by script(1).
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    shown: Arc<Mutex<String>>,
    /// How much of it was waited for.
    read: usize,
}

impl Terminal {
    /// Runs a line of the shell, which finds the tool as `twinseal`. `None` (with a message) without
    /// script(1), or with one that cannot switch the echo on.
    pub(crate) fn new(desk: &Desk, line: &str) -> Option<Self> {
        let script = ["script", "-qe", "-E", "always", "-c"];
        let works = ended_if_present(desk.shell(&[&script[..], &["true", "typed"]].concat()));
        if !works.is_some_and(|output| output.status.success()) {
            eprintln!("skipped: no script(1) that echoes");
            return None;
        }
        let mut command = desk.shell(&[&script[..], &[line, "typed"]].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let keys = child.stdin.take().unwrap();
        let mut pipe = child.stdout.take().unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let seen = Arc::clone(&shown);
        // Ends with the terminal.
        thread::spawn(move || {
            let mut piece = [0; 1024];
            while let Ok(length @ 1..) = pipe.read(&mut piece) {
                seen.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        });
        Some(Self { child, keys, shown, read: 0 })
    }

    /// Waits until the terminal shows a text behind those that were waited for before.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let found = || self.shown.lock().unwrap()[self.read..].find(text);
        wait_until(text, || found().is_some());
        self.read += found().unwrap() + text.len();
    }

    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub(crate) fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Everything that the terminal showed, and the exit code.
    pub(crate) fn end(self) -> (String, Option<i32>) {
        let Self { mut child, keys, shown, .. } = self;
        // As if a user waited: without its input, script(1) would type Ctrl-D.
        let stdin = Some(keys);
        let finished = Arc::clone(&shown);
        wait_until("the end of a terminal", || child.try_wait().unwrap().is_some());
        drop(stdin);
        let Output { status, .. } = end_of(child);
        wait_until("the last words", || Arc::strong_count(&finished) <= 2);
        let shown = shown.lock().unwrap().clone();
        (shown, status.code())
    }
}
