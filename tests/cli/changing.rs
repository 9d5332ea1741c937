//! Does the tool notice an input that changes while it is read, and does it read files of unknown length?

use std::{
    fs::{File, OpenOptions},
    io::{Seek, Write},
    process::Stdio,
};

use crate::{
    common::process::{end_of, wait_until},
    desk::{Desk, data, message},
};

/// No run comes to the end of a file of this length. It takes no room on the disk.
const LONG: u64 = 64 * 1024 * 1024 * 1024;

/// Runs the tool with `input` on standard input, and changes the file when some of it was read.
fn changed(desk: &Desk, line: &str, mut input: File, change: impl FnOnce(&mut File)) -> String {
    let before = desk.names();
    let mut command = desk.command(line);
    command.stdin(input.try_clone().unwrap()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    // Both share one position in the file.
    let begun = input.stream_position().unwrap();
    wait_until("a run that reads", || input.stream_position().unwrap() > begun);
    change(&mut input);
    let error = message(1, &end_of(child));
    assert_eq!(desk.names(), before, "{line}");
    error
}

fn long(desk: &Desk, start: &[u8], length: u64) -> File {
    desk.write("long", start);
    let file = OpenOptions::new().read(true).write(true).open(desk.path("long")).unwrap();
    file.set_len(length).unwrap();
    file
}

const FEW: u64 = 1024 * 1024;

#[test]
fn a_file_that_is_cut_is_neither_sealed_nor_signed() {
    let desk = Desk::new();
    for line in [
        "seal -r bob.pub -c x -o out",
        "seal -r bob.pub -c x -o /dev/null",
        "sign -k alice.pem -c x -o out",
    ] {
        let input = long(&desk, b"", LONG);
        let error = changed(&desk, line, input, |file| file.set_len(FEW).unwrap());
        assert!(error.contains("standard input: it changed while it was being read"), "{error}");
    }
    let input = long(&desk, b"", LONG);
    let error = changed(&desk, "seal -r bob.pub -c x", input, |file| file.set_len(FEW).unwrap());
    assert!(error.contains("do not use the data written to standard output"), "{error}");
}

#[test]
fn nor_is_it_sealed_for_others() {
    let desk = Desk::new();
    let sealed = desk.prints_given("seal -r bob.pub -c x", &data(1000));
    // As many chunks as fit, each of 16 KiB and its tag of 16 bytes.
    let length = sealed.len() as u64 + LONG / 16400 * 16400;
    let input = long(&desk, &sealed, length);
    let line = "rewrap -k bob.pem -r carol.pub -o out -";
    let error = changed(&desk, line, input, |file| {
        file.set_len(sealed.len() as u64 + 16400 * 100).unwrap();
    });
    assert!(error.contains("standard input: it changed while it was being read"), "{error}");
}

#[test]
fn a_file_that_is_written_to_is_not_sealed() {
    let desk = Desk::new();
    // Its length is the same at the end.
    let input = long(&desk, b"", LONG);
    let error = changed(&desk, "seal -r bob.pub -c x -o /dev/null", input, |file| {
        file.set_len(FEW).unwrap();
        file.write_all(b"!").unwrap();
    });
    assert!(error.contains("it changed while it was being read"), "{error}");
}

/// For files that the system generates it reports a length of 0, or more than there is.
#[cfg(target_os = "linux")]
#[test]
fn files_of_the_system_are_sealed_whole() {
    let desk = Desk::new();
    for path in
        ["/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/kernel/notes"]
    {
        let Ok(content) = std::fs::read(path) else { continue };
        desk.prints(&format!("seal -r bob.pub -c x -o sealed {path}"));
        assert_eq!(desk.prints("open -k bob.pem -c x sealed"), content, "{path}");
        desk.prints(&format!("sign -k alice.pem -c x -o sig {path}"));
        desk.prints(&format!("verify -p alice.pub -c x -s sig {path}"));
    }
}
