//! Which bytes mean something in JSON, or in a bundle of a signed model?

/// The order is part of the fuzz targets: inputs of the corpus choose by position.
pub(crate) const JSON_FRAGMENTS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"true",
    b"1e999",
    b"-0",
    b"0.1",
    b"18446744073709551616",
    b"[[[[[[[[[[[[[[[[",
    b"{\"a\":",
    b"..",
    b"/",
    b":0:10",
    b"sha256",
    b"\"\"",
    b"\xff",
];
