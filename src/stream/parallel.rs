//! Writers and readers on all cores: batches of chunks in parallel, in order, the same bytes.

mod pipeline;
mod pool;
mod reader;
mod writer;

pub use reader::ParallelOpenReader;
pub use writer::ParallelSealWriter;
