//! Why is a path left out when a model is verified, and is that accepted?

use std::path::{Path, PathBuf};

use twinseal::model::{Finding, IgnoredBy, Report};

/// What is left out of a model beyond what the library knows.
pub(super) struct LeftOut {
    /// The paths of the file that the report goes to.
    pub(super) report: Vec<PathBuf>,
    /// Accepts only what the options name, and the files of the command itself.
    pub(super) is_strict: bool,
}

impl LeftOut {
    pub(super) fn text(&self, path: &Path, by: IgnoredBy) -> &'static str {
        match by {
            IgnoredBy::Caller if self.is_report(path) => "this report",
            IgnoredBy::Caller => "--ignore",
            IgnoredBy::Signature => "the signature",
            IgnoredBy::Git => "of git",
            _ => "by the signer",
        }
    }

    pub(super) fn identifier(&self, path: &Path, by: IgnoredBy) -> &'static str {
        match by {
            IgnoredBy::Caller if self.is_report(path) => "report",
            IgnoredBy::Caller => "option",
            IgnoredBy::Signature => "signature",
            IgnoredBy::Git => "git",
            _ => "signer",
        }
    }

    fn is_report(&self, path: &Path) -> bool {
        self.report.iter().any(|report| report == path)
    }

    pub(super) fn is_refused(&self, by: IgnoredBy) -> bool {
        self.is_strict && !matches!(by, IgnoredBy::Caller | IgnoredBy::Signature)
    }

    /// How many paths are left out that must not be.
    pub(super) fn refused(&self, report: &Report) -> usize {
        let is_refused = |finding| matches!(finding, Finding::Ignored(by) if self.is_refused(by));
        report.entries().filter(|(_, finding)| is_refused(*finding)).count()
    }
}
