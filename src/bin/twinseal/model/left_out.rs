//! Why is a path left out when a model is verified, and is that accepted?

use std::path::{Path, PathBuf};

use twinseal::model::{Finding, Manifest, Report};

use super::ignored::Ignored;

/// What the library always leaves out at the root of a model.
const GIT: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// What is left out of a model, and for whom.
pub(super) struct LeftOut<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) options: &'a Ignored,
    pub(super) bundle: Option<PathBuf>,
    pub(super) report: Vec<PathBuf>,
    /// Accepts only what the options name, and the files of the command itself.
    pub(super) is_strict: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Option,
    Bundle,
    Report,
    Git,
    Signer,
}

impl LeftOut<'_> {
    /// For a path that the library's report calls ignored.
    pub(super) fn by(&self, path: &Path) -> By {
        if self.options.cover(path) {
            By::Option
        } else if self.bundle.as_deref() == Some(path) {
            By::Bundle
        } else if self.report.iter().any(|report| report == path) {
            By::Report
        } else if GIT.iter().any(|name| path.starts_with(name)) {
            By::Git
        } else {
            By::Signer
        }
    }

    pub(super) fn is_refused(&self, by: By) -> bool {
        self.is_strict && matches!(by, By::Git | By::Signer)
    }

    /// How many paths are left out that must not be.
    pub(super) fn refused(&self, report: &Report) -> usize {
        let ignored = report.entries().filter(|(_, finding)| matches!(finding, Finding::Ignored(_)));
        ignored.filter(|(path, _)| self.is_refused(self.by(path))).count()
    }
}

impl By {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Option => "--ignore",
            Self::Bundle => "the signature",
            Self::Report => "this report",
            Self::Git => "of git",
            Self::Signer => "by the signer",
        }
    }

    pub(super) fn identifier(self) -> &'static str {
        match self {
            Self::Option => "option",
            Self::Bundle => "signature",
            Self::Report => "report",
            Self::Git => "git",
            Self::Signer => "signer",
        }
    }
}
