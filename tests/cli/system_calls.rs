//! Does the tool hand the system buffers that it can copy from and to at full speed?

use crate::{
    common::process::ended_if_present,
    desk::{Desk, data},
};

/// Longer than every piece.
const LENGTH: usize = 3_500_000;

/// From this length on, a call moves the content of the file: a sealed chunk. Key files are read in shorter pieces.
const LONG: u64 = 16 * 1024 + 16;

/// Address and length of the buffers of a long `read` or `write`.
fn buffer(line: &str) -> Option<(&str, u64, u64)> {
    let (start, arguments) = line.split_once('(')?;
    let name = start.split_whitespace().next_back()?;
    let hexadecimal = |number: &str| {
        let digits = number.trim().strip_prefix("0x")?;
        u64::from_str_radix(digits.split(|c: char| !c.is_ascii_hexdigit()).next()?, 16).ok()
    };
    let mut arguments = arguments.split(',').skip(1).map(hexadecimal);
    let (address, length) = (arguments.next()??, arguments.next()??);
    (length >= LONG).then_some((name, address, length))
}

#[test]
fn long_buffers_start_on_a_page() {
    let desk = Desk::new();
    desk.write("in", data(LENGTH));
    desk.prints("seal -r bob.pub -c x -o sealed in");
    // Sealing reads chunk by chunk, to where there is room for the tags between them.
    for (line, reads, others) in [
        ("seal -r bob.pub -c x -o out in", 0, 0),
        ("open -k bob.pem -c x -o opened sealed", 200, 0),
        // The first read is behind the new header, the last one behind the end.
        ("rewrap -k bob.pem -r carol.pub -o moved sealed", 10, 2),
        ("sign -k alice.pem -c x -o signature in", 50, 0),
    ] {
        let strace = "strace -f -e trace=read,write -e raw=read,write -o calls twinseal -q";
        let traced: Vec<_> = strace.split(' ').chain(line.split(' ')).collect();
        let output = ended_if_present(desk.shell(&traced));
        let Some(output) = output.filter(|output| output.status.success()) else {
            eprintln!("skipped: no strace");
            return;
        };
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        let calls = desk.text("calls");
        let long: Vec<_> = calls.lines().filter_map(buffer).collect();
        let count = |name: &str| long.iter().filter(|(called, ..)| *called == name).count();
        assert!(count("read") >= reads, "{line}: {calls}");
        assert_eq!(count("write") > 10, !line.starts_with("sign"), "{line}: {calls}");
        let off_pages = |called: &str| {
            let calls = long.iter().filter(|(name, ..)| *name == called);
            calls.filter(|(_, address, _)| !address.is_multiple_of(4096)).count()
        };
        assert!(off_pages("read") <= others, "{line}: {long:x?}");
        assert_eq!(off_pages("write"), 0, "{line}: {long:x?}");
        // Each write ends with a page of the file, so that the next one starts with one.
        let written: Vec<_> = long.iter().filter(|(name, ..)| *name == "write").collect();
        let parts = written.iter().filter(|(_, _, length)| !length.is_multiple_of(4096)).count();
        assert!(parts <= 1, "{line}: {written:x?}");
    }
}
