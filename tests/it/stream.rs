//! Does every way of sealing give the same bytes, and every way of opening only authentic plaintext?

#[cfg(feature = "tokio")]
mod any_calls;
#[cfg(feature = "tokio")]
mod any_chunks;
mod buffers;
mod damage;
mod fixture;
mod panicking;
mod pools;
mod random_access;
mod reader_faults;
mod sizes;
mod sources;
mod writer_faults;
