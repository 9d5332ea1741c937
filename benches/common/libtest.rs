//! Benches that run as tests: `cargo test` passes the same options of libtest to all targets.

/// Options that take a value, which may be an argument of its own.
const WITH_VALUE: [&str; 7] =
    ["--color", "--format", "--logfile", "--shuffle-seed", "--skip", "--test-threads", "-Z"];

/// The tests that are asked for. Options for how they run, or for what is printed, are accepted and
/// ignored.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Only the names are to be printed.
    list: bool,
    /// Only ignored tests are to be run: there are none.
    ignored: bool,
    exact: bool,
    names: Vec<String>,
    skipped: Vec<String>,
}

impl Options {
    pub(crate) fn new(arguments: impl IntoIterator<Item = String>) -> Self {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (option, value) = match argument.split_once('=') {
                Some((option, value)) => (option, Some(value.to_owned())),
                None => (&*argument, None),
            };
            if WITH_VALUE.contains(&option) {
                let value = value.or_else(|| arguments.next());
                options.skipped.extend(value.filter(|_| option == "--skip"));
                continue;
            }
            match option {
                "--list" => options.list = true,
                "--ignored" => options.ignored = true,
                "--exact" => options.exact = true,
                _ if option.starts_with('-') => {}
                _ => options.names.push(argument),
            }
        }
        options
    }

    fn selects(&self, test: &str) -> bool {
        let is = |name: &String| if self.exact { test == name } else { test.contains(&**name) };
        let named = self.names.is_empty() || self.names.iter().any(is);
        named && !self.ignored && !self.skipped.iter().any(is)
    }

    /// Whether a test is to be run. If names are asked for, its name is printed.
    pub(crate) fn runs(&self, test: &str) -> bool {
        let selected = self.selects(test);
        if selected && self.list {
            println!("{test}: test");
        }
        selected && !self.list
    }
}
