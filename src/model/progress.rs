//! How far has the hashing of a model come?

/// How far the hashing of a model has come: for the callbacks of [`Signing`](super::Signing::progress) and
/// [`Checking`](super::Checking::progress), which are called from several threads.
///
/// ```
/// use twinseal::model::{Progress, Signing};
///
/// let show = |Progress { done, total, .. }: Progress| eprint!("\r{} of {} MiB", done >> 20, total >> 20);
/// let signing = Signing::new().progress(&show);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes that have been hashed.
    pub done: u64,
    /// Bytes that will have been, as the directory was when the hashing began.
    pub total: u64,
}

/// Whom to tell.
pub(super) type OnProgress<'a> = Option<&'a (dyn Fn(Progress) + Sync)>;
