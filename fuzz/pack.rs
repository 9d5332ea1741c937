//! Packs a directory of inputs into one file, each behind its length (2), or unpacks it. `fuzz/run` compiles this alone.

use std::{
    env, fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
};

/// So that the corpus in the repository stays small. Of more, a part is chosen that is large and small inputs alike.
const MOST: usize = 48 * 1024;

fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "pack", directory, file] => pack(directory, file),
        [_, "unpack", file, directory] => unpack(file, directory),
        _ => {
            Err(io::Error::other("usage: pack pack DIRECTORY FILE, or pack unpack FILE DIRECTORY"))
        }
    }
}

fn pack(directory: &str, file: &str) -> io::Result<()> {
    let mut inputs = Vec::new();
    for entry in fs::read_dir(directory)? {
        inputs.push(fs::read(entry?.path())?);
    }
    // An order that depends on nothing but the inputs, and prefers none.
    inputs.sort_by_cached_key(|input| {
        let mut hasher = DefaultHasher::new();
        input.hash(&mut hasher);
        hasher.finish()
    });
    let mut packed = Vec::new();
    for input in &inputs {
        let length = u16::try_from(input.len()).map_err(io::Error::other)?;
        if packed.len() + 2 + input.len() > MOST {
            continue;
        }
        packed.extend(length.to_be_bytes());
        packed.extend(input);
    }
    fs::write(file, packed)
}

fn unpack(file: &str, directory: &str) -> io::Result<()> {
    let packed = fs::read(file)?;
    let mut rest = &packed[..];
    let mut number = 0;
    while let Some((length, behind)) = rest.split_first_chunk() {
        let (input, behind) = behind.split_at(u16::from_be_bytes(*length).into());
        fs::write(format!("{directory}/{number:05}"), input)?;
        (rest, number) = (behind, number + 1);
    }
    Ok(())
}
