//! `keygen` and `import`: new keys of two halves.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use pkcs11::Algorithm;
use twinseal::{
    DecapsulationKey, KemSuite, SigningKey,
    split::{Half, Halves},
};
use zeroize::Zeroizing;

use crate::{
    Result,
    arguments::New,
    at,
    files::{self, Readers},
    halves_file::HalvesFile,
    key::{Public, check},
    place::{NewHalf, Place, not_in_a_file, one_line, warn_of_one_token},
};

/// Makes each half where it stays.
pub(crate) fn generate(new: &New, out: &mut impl Write) -> Result<()> {
    make(new, out, |place, algorithm, _| place.generate(algorithm))
}

/// Moves each half of a whole key there.
pub(crate) fn import(path: &Path, new: &New, out: &mut impl Write) -> Result<()> {
    let whole = if new.sign { signing(path)? } else { opening(path)? };
    make(new, out, |place, algorithm, half| {
        let (private, public) = match half {
            Half::PostQuantum => &whole.post_quantum,
            Half::Traditional => &whole.traditional,
        };
        Ok((public.clone(), place.import(algorithm, private, public)?))
    })
}

/// If any step fails, nothing of the key remains.
fn make(
    new: &New,
    out: &mut impl Write,
    half: impl Fn(&Place, Algorithm, Half) -> Result<(Vec<u8>, NewHalf)>,
) -> Result<()> {
    let (public_path, halves_path) = (new.path(".pub.pem"), new.path(".halves"));
    for path in [&public_path, &halves_path] {
        if path.try_exists().map_err(|error| at(path, &error))? {
            return Err(at(path, &io::ErrorKind::AlreadyExists.into()));
        }
    }
    if new.traditional.is_file() {
        return Err(not_in_a_file());
    }
    let name = public_path.file_name().and_then(|name| name.to_str());
    let name = name.filter(|name| one_line(name));
    let name = name.ok_or("-o must name a file, in text of one line")?;
    let content = HalvesFile::text(name, &new.post_quantum, &new.traditional)?;

    warn_of_one_token(&new.post_quantum, &new.traditional)?;

    let algorithms = algorithms(new.sign);
    let mut made = Made(Vec::new());
    let (post_quantum, new_half) =
        half(&new.post_quantum, algorithms.post_quantum, Half::PostQuantum)?;
    made.0.push(new_half);
    let (traditional, new_half) =
        half(&new.traditional, algorithms.traditional, Half::Traditional)?;
    made.0.push(new_half);
    let public = Public::from_halves(new.sign, &post_quantum, &traditional)?;
    check(&public, &new.post_quantum, &new.traditional)?;
    files::create(&public_path, public.to_pem().as_bytes(), Readers::All)?;
    if let Err(error) = files::create(&halves_path, content.as_bytes(), Readers::All) {
        let _ = std::fs::remove_file(&public_path);
        return Err(error);
    }
    made.0.clear();
    let (public_path, halves_path) = (public_path.display(), halves_path.display());
    writeln!(out, "{} {}: {public_path}, {halves_path}", public.suite(), public.key_id())?;
    Ok(())
}

/// The algorithms of a key's halves.
pub(crate) fn algorithms(sign: bool) -> Halves<Algorithm> {
    if sign {
        Halves { post_quantum: Algorithm::MlDsa87, traditional: Algorithm::EcdsaP384 }
    } else {
        Halves { post_quantum: Algorithm::MlKem1024, traditional: Algorithm::EcdhP384 }
    }
}

/// A private half and its public half.
type Pair = (Zeroizing<Vec<u8>>, Vec<u8>);

fn opening(path: &Path) -> Result<Halves<Pair>> {
    let key = DecapsulationKey::read_pem_file(path)?;
    if key.suite() != KemSuite::ML_KEM_1024_P384 {
        let (path, suite) = (path.display(), key.suite());
        return Err(format!(
            "{path}: tokens hold keys of {}, and this one is of {suite}",
            KemSuite::ML_KEM_1024_P384
        )
        .into());
    }
    let public = key.encapsulation_key().clone();
    let (public, private) = (public.halves(), key.into_halves()?);
    Ok(Halves {
        post_quantum: pair(private.post_quantum.secret_bytes(), public.post_quantum),
        traditional: pair(private.traditional.secret_bytes(), public.traditional),
    })
}

fn signing(path: &Path) -> Result<Halves<Pair>> {
    let key = SigningKey::read_pem_file(path)?;
    let public = key.verifying_key().clone();
    let (public, private) = (public.halves(), key.into_halves()?);
    Ok(Halves {
        post_quantum: pair(private.post_quantum.secret_bytes(), public.post_quantum),
        traditional: pair(private.traditional.secret_bytes(), public.traditional),
    })
}

fn pair(private: &[u8], public: &[u8]) -> Pair {
    (Zeroizing::new(private.to_vec()), public.to_vec())
}

/// Halves that were made; those that are still here at the end are destroyed.
struct Made(Vec<NewHalf>);

impl Drop for Made {
    fn drop(&mut self) {
        for half in self.0.drain(..) {
            if let Err(error) = half.undo() {
                common::complain("pkcs11", format!("a half of a failed key remains: {error}"));
            }
        }
    }
}

impl New {
    fn path(&self, suffix: &str) -> PathBuf {
        let mut path = self.name.clone().into_os_string();
        path.push(suffix);
        path.into()
    }
}
