//! Does `rotate-keys.sh` leave a Secret that a keyring reads, whatever happens to it?
//!
//! It runs with a `kubectl` and a `twinseal` of this test: the one keeps Secrets as files, the other
//! hands out keys that were made before.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use twinseal::{DecapsulationKey, Keyring, SigningKey};

use support::{
    example::names,
    process::command,
    running::{Ended, run},
};

/// `get` prints what the template in the script asks for; `patch` stores the patch, and a test
/// applies it.
const KUBECTL: &str = r#"#!/bin/sh
echo "$*" >>"$CLUSTER/calls"
case $1 in
get) cat "$CLUSTER/$3.entries" ;;
patch)
  [ ! -e "$CLUSTER/refuse-$3" ] || { echo "Error from server (Conflict)" >&2; exit 1; }
  cp "${5#--patch-file=}" "$CLUSTER/$3.patch"
  ;;
esac
"#;

const TWINSEAL: &str = r#"#!/bin/sh
case "$1 $2" in
"keygen --kem") cp "$CLUSTER/next-kem.pem" "$4" ;;
"keygen --sign") cp "$CLUSTER/next-sign.pem" "$4" ;;
public*) echo "public half of $(cksum <"$2")" >"$4" ;;
esac
"#;

struct Cluster {
    directory: TempDir,
    secrets: Value,
    version: u32,
}

impl Cluster {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in [("kubectl", KUBECTL), ("twinseal", TWINSEAL)] {
            let path = directory.path().join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::create_dir(directory.path().join("tmp")).unwrap();
        let secrets = json!({ "kem": {}, "signing": {}, "public": {} });
        let cluster = Self { directory, secrets, version: 1 };
        SigningKey::generate().unwrap().write_pem_file(cluster.path("next-sign.pem")).unwrap();
        cluster
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    /// Runs the script with a new key, and applies what it has patched.
    fn rotate(&mut self, keep: &str) -> (DecapsulationKey, Ended) {
        let key = DecapsulationKey::generate().unwrap();
        fs::write(self.path("next-kem.pem"), key.to_pem().as_str()).unwrap();
        for (name, data) in self.secrets.as_object().unwrap() {
            let data = data.as_object().unwrap();
            let lines =
                data.iter().map(|(name, value)| format!("{name} {}\n", value.as_str().unwrap()));
            let entries = format!("{}\n{}", self.version, lines.collect::<String>());
            fs::write(self.path(&format!("{name}.entries")), entries).unwrap();
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("rotate-keys.sh");
        let path =
            format!("{}:{}", self.directory.path().display(), std::env::var("PATH").unwrap());
        let mut shell = command("sh");
        shell
            .arg(script)
            .env("PATH", path)
            .env("CLUSTER", self.directory.path())
            .env("TMPDIR", self.path("tmp"))
            .envs([("KEM_SECRET", "kem"), ("SIGNING_SECRET", "signing")])
            .envs([("PUBLIC_CONFIGMAP", "public"), ("KEEP", keep), ("SETTLE_SECONDS", "1")]);
        let outcome = run(shell);
        assert_eq!(names(&self.path("tmp")), [""; 0], "it leaves private keys behind");
        self.apply();
        (key, outcome)
    }

    /// A JSON merge patch (RFC 7396), if it is for this version.
    fn apply(&mut self) {
        for name in ["kem", "signing", "public"] {
            let Ok(patch) = fs::read(self.path(&format!("{name}.patch"))) else { continue };
            fs::remove_file(self.path(&format!("{name}.patch"))).unwrap();
            let patch: Value = serde_json::from_slice(&patch).unwrap();
            if name != "public" {
                assert_eq!(patch["metadata"]["resourceVersion"], self.version.to_string());
            }
            let data = self.secrets[name].as_object_mut().unwrap();
            for (key, value) in patch["data"].as_object().unwrap() {
                if value.is_null() {
                    data.remove(key)
                } else {
                    data.insert(key.clone(), value.clone())
                };
            }
        }
        self.version += 1;
    }

    /// The directory that a pod sees.
    fn mount(&self, name: &str) -> TempDir {
        let mount = tempfile::tempdir().unwrap();
        for (name, value) in self.secrets[name].as_object().unwrap() {
            let content = BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
            fs::write(mount.path().join(name), content).unwrap();
        }
        mount
    }

    fn ring(&self) -> Keyring {
        Keyring::read_dir(self.mount("kem").path()).unwrap()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.path("calls")).unwrap()
    }
}

#[test]
fn the_first_keys_and_a_year_of_rotations() {
    let mut cluster = Cluster::new();
    let mut made = Vec::new();
    let mut signing = None;
    for round in 0..5 {
        let (key, outcome) = cluster.rotate("3");
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        assert_eq!(outcome.stderr, "");
        let ring = cluster.ring();
        assert!(ring.primary() == key.encapsulation_key());
        assert_eq!(ring.keys().count(), (round + 1).min(4));

        // Data that was sealed to the three previous keys opens, older data does not.
        made.push(key);
        for (age, key) in made.iter().rev().enumerate() {
            let sealed = key.encapsulation_key().seal(b"example.com/test", b"weights").unwrap();
            assert_eq!(ring.open(b"example.com/test", &sealed).is_ok(), age <= 3, "{age}");
        }

        // The signing key is made once.
        let mount = cluster.mount("signing");
        assert_eq!(names(mount.path()), ["sign.pem"]);
        let pem = fs::read_to_string(mount.path().join("sign.pem")).unwrap();
        SigningKey::from_pem(&pem).unwrap();
        assert_eq!(*signing.get_or_insert(pem.clone()), pem);

        let public = cluster.secrets["public"].as_object().unwrap();
        assert_eq!(public.keys().collect::<Vec<_>>(), ["primary.pub.pem", "sign.pub.pem"]);
        assert!(public["sign.pub.pem"].as_str().unwrap().ends_with('\n'));
    }
    // No private key is ever on a command line.
    assert!(!cluster.calls().contains("PRIVATE"));
    let patches = cluster.calls();
    let patches: Vec<_> = patches.lines().filter(|call| call.starts_with("patch")).collect();
    // The public keys are last, when every pod has had time.
    assert!(patches.last().unwrap().starts_with("patch configmap public "));
}

/// Somebody else has written meanwhile, or the cluster refuses: nothing has changed, and clients do
/// not learn a key that no pod has.
#[test]
fn a_write_that_is_refused() {
    let mut cluster = Cluster::new();
    cluster.rotate("3");
    let before = cluster.secrets.clone();
    fs::write(cluster.path("refuse-kem"), "").unwrap();
    let (_, outcome) = cluster.rotate("3");
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("Conflict"));
    assert_eq!(cluster.secrets, before);
}

#[test]
fn settings_that_are_missing() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("rotate-keys.sh");
    let ended = run(command("sh").arg(script).env_clear());
    assert_ne!(ended.code, Some(0));
    assert!(ended.stderr.contains("KEM_SECRET: the Secret of KEM keys"), "{}", ended.stderr);
}
