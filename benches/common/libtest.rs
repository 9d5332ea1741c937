//! Benches that run as tests: `cargo test` hands the same options of libtest to all targets.

/// Options that take a value, which may be an argument of its own.
const WITH_VALUE: [&str; 7] =
    ["--color", "--format", "--logfile", "--shuffle-seed", "--skip", "--test-threads", "-Z"];

/// Which tests are asked for. What says how they run, or what is printed, is taken and means nothing
/// here.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Only their names are asked for.
    list: bool,
    /// Only tests that are ignored otherwise: there are none.
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
