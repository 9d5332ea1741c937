//! Holds benches alone.
