//! How far has the hashing of a model come?

/// How far the hashing of a model has come. It is called from several threads.
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
