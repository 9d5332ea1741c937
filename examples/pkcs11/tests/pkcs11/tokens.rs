//! Tokens of a test: SoftHSM and kryoptic with directories of their own. Both are configured by environment variables,
//! so whatever uses them is a child.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    session::UserType,
    types::AuthPin,
};
use pkcs11::{KeyName, Token, Uri};
use support::{
    example::{Example, example, names},
    process,
};
use tempfile::TempDir;

/// Where distributions put the module of SoftHSM.
const SOFT_HSM: [&str; 5] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

/// The directory of the tokens, for children that are tests.
const DIRECTORY: &str = "TWINSEAL_TEST_TOKENS";

/// Tokens that are ready for use.
#[derive(Debug)]
pub(crate) struct Tokens {
    directory: PathBuf,
    _temporary: Option<TempDir>,
}

impl Tokens {
    /// Two tokens of SoftHSM, `first` and `second`. `None`, with a line that says so, where SoftHSM is missing.
    pub(crate) fn soft_hsm() -> Option<Self> {
        let Some(module) = SOFT_HSM.into_iter().find(|path| Path::new(path).exists()) else {
            skip(
                "TWINSEAL_REQUIRE_SOFTHSM",
                "SoftHSM 2 is not installed (Debian: apt-get install softhsm2)",
            );
            return None;
        };
        let tokens = Self::empty();
        fs::create_dir(tokens.path("softhsm")).unwrap();
        let configuration =
            format!("directories.tokendir = {}\n", tokens.path("softhsm").display());
        fs::write(tokens.path("softhsm.conf"), configuration).unwrap();
        tokens.link("softhsm.so", Path::new(module));
        for label in ["first", "second"] {
            fs::write(tokens.path(&format!("{label}.pin")), format!("{label} pin\n")).unwrap();
            let mut initialise = process::command("softhsm2-util");
            initialise.env("SOFTHSM2_CONF", tokens.path("softhsm.conf"));
            initialise.args(["--init-token", "--free", "--so-pin", "officer", "--label", label]);
            let ended = process::ended(initialise.args(["--pin", &format!("{label} pin")]));
            assert!(ended.status.success(), "{ended:?}");
        }
        Some(tokens)
    }

    /// The same, and `quantum`, a token of kryoptic. `None`, with a line that says so, where that was not built.
    pub(crate) fn with_kryoptic() -> Option<Self> {
        let Some(module) = env::var_os("TWINSEAL_KRYOPTIC") else {
            skip(
                "TWINSEAL_REQUIRE_KRYOPTIC",
                "TWINSEAL_KRYOPTIC does not name libkryoptic.so (.ci/full builds it)",
            );
            return None;
        };
        let tokens = Self::soft_hsm()?;
        let storage = tokens.path("kryoptic.sql");
        let configuration = format!(
            "[[slots]]\nslot = 7\ndbtype = \"sqlite\"\ndbargs = {:?}\n",
            storage.to_str().unwrap()
        );
        fs::write(tokens.path("kryoptic.conf"), configuration).unwrap();
        fs::write(tokens.path("quantum.pin"), "quantum pin").unwrap();
        tokens.link("kryoptic.so", Path::new(&module));
        tokens.child("tokens::initialises_kryoptic");
        Some(tokens)
    }

    fn empty() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        Self { directory: temporary.path().to_path_buf(), _temporary: Some(temporary) }
    }

    /// In a child: the tokens of its parent. `None` if a person runs it.
    pub(crate) fn given() -> Option<Self> {
        let directory = env::var_os(DIRECTORY)?.into();
        Some(Self { directory, _temporary: None })
    }

    /// A path in the directory of the test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The path, as text.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The files of the test, without those of the tokens.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = names(&self.directory);
        files.retain(|name| {
            !["softhsm", "kryoptic", "first", "second", "quantum"]
                .iter()
                .any(|own| name.starts_with(own))
        });
        files
    }

    /// The URI of a key.
    pub(crate) fn uri(&self, token: &str, key: &str) -> String {
        let module = self.text(if token == "quantum" { "kryoptic.so" } else { "softhsm.so" });
        let pin = self.text(&format!("{token}.pin"));
        format!("pkcs11:token={token};object={key}?module-path={module}&pin-source={pin}")
    }

    /// A token, in a child.
    pub(crate) fn token(&self, label: &str) -> Token {
        self.uri(label, "any").parse::<Uri>().unwrap().open().unwrap()
    }

    /// The program, in the directory of the test.
    pub(crate) fn program(&self, arguments: &[&str]) -> Example {
        let mut program = example("pkcs11", arguments);
        program.command.current_dir(&self.directory);
        for (name, value) in self.environment() {
            program.command.env(name, value);
        }
        program
    }

    /// Runs a test in a child that can use the tokens.
    #[track_caller]
    pub(crate) fn child(&self, test: &str) {
        let mut child = process::command(env::current_exe().unwrap());
        child.args(["--exact", test, "--ignored", "--nocapture"]);
        child.env(DIRECTORY, &self.directory).envs(self.environment());
        let ended = process::ended(child);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&ended.stdout), text(&ended.stderr));
        assert!(ended.status.success() && out.contains("1 passed"), "{out}{err}");
    }

    fn environment(&self) -> [(&'static str, PathBuf); 2] {
        [
            ("SOFTHSM2_CONF", self.path("softhsm.conf")),
            ("KRYOPTIC_CONF", self.path("kryoptic.conf")),
        ]
    }

    /// A URI must not depend on where the module is.
    fn link(&self, name: &str, module: &Path) {
        std::os::unix::fs::symlink(fs::canonicalize(module).unwrap(), self.path(name)).unwrap();
    }
}

/// The key of a label.
pub(crate) fn key(label: &str) -> KeyName {
    KeyName::label(label)
}

/// A skipped test is a failure where the variable is set, as in .ci.
fn skip(required: &str, reason: &str) {
    assert!(env::var_os(required).is_none(), "{required} is set, but {reason}");
    // Not captured, as the output of a passed test would be.
    let _ = io::stderr().write_all(format!("skipped: {reason}\n").as_bytes());
}

#[test]
#[ignore = "run by with_kryoptic"]
fn initialises_kryoptic() {
    let Some(tokens) = Tokens::given() else { return };
    let functions = Pkcs11::new(tokens.path("kryoptic.so")).unwrap();
    functions.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = functions.get_all_slots().unwrap()[0];
    let officer = AuthPin::new("officer pin".into());
    functions.init_token(slot, &officer, "quantum").unwrap();
    let session = functions.open_rw_session(slot).unwrap();
    session.login(UserType::So, Some(&officer)).unwrap();
    session.init_pin(&AuthPin::new("quantum pin".into())).unwrap();
}
