//! Do the asynchronous adapters write and open the same bytes as the blocking forms, however their peers behave,
//! and wherever they are cancelled?

mod cancelled;
mod fixture;
mod open_reader;
mod pieces;
mod requests;
mod seal_writer;
mod sent;
mod through_a_pipe;
mod unsteady;
