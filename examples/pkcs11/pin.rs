//! Where the PIN of a token comes from.

use std::{
    env, fmt,
    io::{self, Read},
    path::PathBuf,
};

use zeroize::Zeroizing;

use crate::Fault;

/// Where the PIN comes from. It is read for each login, and wiped afterwards, so that a new PIN is used without a
/// restart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pin {
    /// The file has the PIN, and perhaps one end of line after it.
    File(PathBuf),
    /// The environment variable has it. Whoever may read the memory of this process or `/proc` can read it there.
    Variable(String),
    /// The user enters it at the token's own keyboard.
    Keyboard,
}

/// PINs are short. Anything longer is another file.
const LONGEST: usize = 255;

impl Pin {
    /// The PIN, or `None` if the token asks for it itself.
    pub(crate) fn read(&self) -> Result<Option<Zeroizing<String>>, Fault> {
        let pin = match self {
            Self::File(path) => common::open_regular(path).and_then(read),
            Self::Variable(name) => match env::var(name) {
                Ok(pin) => check(Zeroizing::new(pin)),
                // The error itself would show what the variable has.
                Err(env::VarError::NotUnicode(_)) => Err(invalid("it is not text")),
                Err(env::VarError::NotPresent) => {
                    Err(io::Error::new(io::ErrorKind::NotFound, "there is no such variable"))
                }
            },
            Self::Keyboard => return Ok(None),
        };
        pin.map(Some).map_err(|error| Fault::Pin { from: self.to_string(), error })
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::Keyboard => f.write_str("the token's keyboard"),
        }
    }
}

/// The buffer never grows, which would leave a copy behind.
fn read(file: impl Read) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 3));
    file.take(LONGEST as u64 + 3).read_to_end(&mut bytes)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = str::from_utf8(line).map_err(|_| invalid("it is not text"))?;
    check(Zeroizing::new(text.to_owned()))
}

fn check(pin: Zeroizing<String>) -> io::Result<Zeroizing<String>> {
    match pin.len() {
        0 => Err(invalid("it is empty")),
        1..=LONGEST if !pin.contains(char::is_control) => Ok(pin),
        1..=LONGEST => Err(invalid("it has more than one line")),
        _ => Err(invalid("it is longer than 255 bytes")),
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn one_end_of_line_is_no_part_of_it() {
        for (file, pin) in
            [("1234", "1234"), ("1234\n", "1234"), ("12 34\r\n", "12 34"), (" 1", " 1")]
        {
            assert_eq!(read(file.as_bytes()).unwrap().as_str(), pin);
        }
        assert_eq!(read(&[b'7'; 255][..]).unwrap().len(), 255);
    }

    #[test]
    fn other_files_are_refused() {
        let long = [b'7'; 100_000];
        for (file, reason) in [
            (&b""[..], "it is empty"),
            (b"\n", "it is empty"),
            (b"1234\n\n", "it has more than one line"),
            (b"\0", "it has more than one line"),
            (b"\xff\xfe", "it is not text"),
            (&long[..256], "it is longer than 255 bytes"),
            (&long, "it is longer than 255 bytes"),
        ] {
            assert_eq!(read(file).unwrap_err().to_string(), reason);
        }
    }
}
