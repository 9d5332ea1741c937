//! The file `NAME.halves`: where the halves of a private key are. It holds no secret, but whoever uses it runs the
//! modules that it names.

use std::{io::Read, path::Path};

use crate::{Result, at, place::Place};

/// The public key's file, and the places of the two halves.
#[derive(Debug)]
pub(crate) struct HalvesFile {
    pub(crate) public: std::path::PathBuf,
    pub(crate) post_quantum: Place,
    pub(crate) traditional: Place,
}

/// A file that is longer is another one.
const LIMIT: u64 = 16 << 10;

impl HalvesFile {
    /// The text of a file.
    pub(crate) fn text(public: &str, post_quantum: &Place, traditional: &Place) -> Result<String> {
        let text = format!(
            "# Where the halves of this private key are: PKCS#11 URIs (RFC 7512) or files. There is no secret here.\n\
             # Whoever uses this file runs the library that module-path= names. Take no such file from others.\n\
             public = {public}\n\
             post-quantum = {}\n\
             traditional = {}\n",
            post_quantum.line()?,
            traditional.line()?,
        );
        if text.len() as u64 >= LIMIT {
            return Err("the places of the halves are too long".into());
        }
        Ok(text)
    }

    pub(crate) fn read(path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        let file = common::open_regular(path).map_err(|error| at(path, &error))?;
        file.take(LIMIT).read_to_end(&mut bytes).map_err(|error| at(path, &error))?;
        Self::parse(&bytes, path.parent().unwrap_or(Path::new("")))
            .map_err(|error| format!("{}: {error}", path.display()).into())
    }

    fn parse(bytes: &[u8], directory: &Path) -> Result<Self> {
        let other = "not a file of halves: keygen and import write one, NAME.halves";
        let text = str::from_utf8(bytes).map_err(|_| other)?;
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let mut values = [None; 3];
        for line in lines {
            let (name, value) = line.split_once('=').ok_or(other)?;
            let names = ["public", "post-quantum", "traditional"];
            let index = names.iter().position(|known| *known == name.trim_end()).ok_or(other)?;
            if values[index].replace(value.trim()).is_some() {
                return Err(format!("{} is there twice", name.trim_end()).into());
            }
        }
        let [Some(public), Some(post_quantum), Some(traditional)] = values else {
            return Err(other.into());
        };
        Ok(Self {
            public: directory.join(public),
            post_quantum: Place::of_line(post_quantum, directory)?,
            traditional: Place::of_line(traditional, directory)?,
        })
    }
}
