//! Reloads a directory of keys, mounted as a Kubernetes secret, when it changes, while other
//! threads use the keys.

use std::{
    fs,
    io::Write,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

use twinseal::{DecapsulationKey, KemSuite, Keyring, Policy, keyring::Shared};

use crate::{Result, arguments::SEALED};

const CONTEXT: &[u8] = SEALED.as_bytes();

/// How often to check whether the keys have changed. A kubelet takes a minute to bring a changed
/// secret to a node, so a service can check every few seconds.
const INTERVAL: Duration = Duration::from_millis(20);

pub(crate) fn run(out: &mut impl Write) -> Result<()> {
    writeln!(out, "\nThe keys are a directory, mounted as a secret")?;
    let directory = tempfile::tempdir()?;
    let mount = Mount { directory: directory.path() };
    let (old, new) = (DecapsulationKey::generate()?, DecapsulationKey::generate()?);
    mount.replace(&[("primary.pem", old.to_pem().as_str())])?;

    // Suites that are not listed are refused everywhere. Nothing falls back to them.
    let policy = Policy::stable().with_kem_suites([KemSuite::X25519_ML_KEM_1024]);
    let ring = Shared::<Keyring>::read_dir(directory.path())?;
    ring.update(|ring| -> Result<()> {
        *ring = ring.clone().with_policy(policy)?;
        Ok(())
    })?;
    let sealed = old.encapsulation_key().seal(CONTEXT, b"weights")?;
    state(out, "it has one key", &ring)?;

    let (stop, opened, failed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let outcome = thread::scope(|scope| {
        let work = || {
            while !stop.load(Relaxed) {
                let done =
                    if ring.load().open(CONTEXT, &sealed).is_ok() { &opened } else { &failed };
                done.fetch_add(1, Relaxed);
            }
        };
        scope.spawn(work);
        scope.spawn(work);
        let outcome = change(&mount, &ring, &old, &new, out).and_then(|()| progress(&opened));
        stop.store(true, Relaxed);
        outcome
    });
    outcome?;
    let (opened, failed) = (opened.into_inner(), failed.into_inner());
    writeln!(out, "  meanwhile, two threads opened data sealed to the old key")?;
    writeln!(out, "    {opened} times, and failed {failed} times")?;
    if failed > 0 {
        return Err("opening failed during the rotation".into());
    }

    mount.replace(&[("primary.pem", new.to_pem().as_str())])?;
    wait_for_change(&ring)?;
    state(out, "the old key is removed", &ring)?;
    let error = ring.load().open(CONTEXT, &sealed).err().ok_or("the old key is still there")?;
    writeln!(out, "    data sealed to it: {error}")?;
    Ok(())
}

/// Changes the secret in several ways while it is in use.
fn change(
    mount: &Mount<'_>,
    ring: &Shared<Keyring>,
    old: &DecapsulationKey,
    new: &DecapsulationKey,
    out: &mut impl Write,
) -> Result<()> {
    let (old, new) = (old.to_pem(), new.to_pem());
    mount.replace(&[("primary.pem", new.as_str()), ("2026-11.pem", old.as_str())])?;
    wait_for_change(ring)?;
    state(out, "rotated: a new primary.pem, the old key beside it", ring)?;

    let half = new.as_str().get(..40).unwrap_or_default();
    let other = DecapsulationKey::generate_for(KemSuite::ML_KEM_1024_P384)?.to_pem();
    for (what, files) in [
        ("a file is damaged", vec![("primary.pem", half)]),
        ("there is no primary.pem", vec![("2026-11.pem", old.as_str())]),
        (
            "a key is of a suite that the policy does not list",
            vec![("primary.pem", other.as_str())],
        ),
    ] {
        mount.replace(&files)?;
        let error = ring.reload().err().ok_or("invalid keys were accepted")?;
        let error = error.to_string().replace(&mount.snapshot()?, "primary.pem of the mount");
        let error = error.replace(&mount.directory.to_string_lossy().into_owned(), "the mount");
        writeln!(out, "  {what}\n    {error}")?;
    }
    state(out, "the keys are unchanged", ring)
}

/// Waits until data was opened with the current keys.
fn progress(opened: &AtomicU64) -> Result<()> {
    let before = opened.load(Relaxed);
    wait_until("the threads open data", || Ok(opened.load(Relaxed) >= before + 100))
}

/// Reloads at intervals, as a service does. A service would log an error, and keep its keys.
fn wait_for_change(ring: &Shared<Keyring>) -> Result<()> {
    wait_until("the change is noticed", || Ok(ring.reload()?))
}

fn wait_until(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    for _ in 0..3000 {
        if is_so()? {
            return Ok(());
        }
        thread::sleep(INTERVAL);
    }
    Err(format!("it does not happen: {what}").into())
}

fn state(out: &mut impl Write, what: &str, ring: &Shared<Keyring>) -> Result<()> {
    writeln!(out, "  {what}")?;
    for (index, key) in ring.load().keys().enumerate() {
        let role = if index == 0 { "primary" } else { "older" };
        writeln!(out, "    {role:<8} {} {}", key.key_id(), key.suite())?;
    }
    Ok(())
}

/// A directory as a kubelet keeps it: the files are in a directory of their own, to which a link
/// `..data` points. The link is replaced atomically.
struct Mount<'a> {
    directory: &'a Path,
}

impl Mount<'_> {
    fn replace(&self, files: &[(&str, &str)]) -> Result<()> {
        let snapshot = tempfile::Builder::new().prefix("..").tempdir_in(self.directory)?.keep();
        for (name, content) in files {
            fs::write(snapshot.join(name), content)?;
        }
        let next = self.directory.join("..data_tmp");
        symlink(snapshot.file_name().ok_or("it has a name")?, &next)?;
        let before = self.current();
        fs::rename(next, self.directory.join("..data"))?;
        if let Some(before) = before {
            fs::remove_dir_all(before)?;
        }
        Ok(())
    }

    fn current(&self) -> Option<PathBuf> {
        fs::canonicalize(self.directory.join("..data")).ok()
    }

    fn snapshot(&self) -> Result<String> {
        let current = self.current().ok_or("there is a link")?;
        Ok(current.join("primary.pem").to_string_lossy().into_owned())
    }
}
