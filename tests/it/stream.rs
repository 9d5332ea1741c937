//! Streams: every way of sealing gives the same bytes, every way of opening gives the plaintext
//! back, and nothing that was not authenticated ever comes out.

mod damage;
mod fixture;
mod panicking;
mod pools;
mod random_access;
mod reader_faults;
mod sizes;
mod sources;
mod writer_faults;
