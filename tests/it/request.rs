//! Does a request reach one recipient once, unchanged and from whom it says, and does its answer come back?

mod answer_forms;
mod answers;
#[cfg(feature = "tokio")]
mod any_calls;
#[cfg(feature = "tokio")]
mod any_reader;
#[cfg(feature = "tokio")]
mod any_writer;
mod awaited_secrets;
mod changed;
mod fixture;
mod guard;
mod guard_clock;
mod guard_model;
mod guard_replicas;
mod guard_restarts;
mod order;
mod pieces;
mod prepared;
mod provider_faults;
mod reader_faults;
mod round_trips;
mod signatures;
mod spliced;
#[cfg(feature = "hazmat")]
mod stolen_key;
mod writer_faults;
