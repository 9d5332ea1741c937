//! The command-line tool: what it prints, how it exits, and what it leaves on the disk.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/vectors.rs"]
mod vectors;

#[cfg(unix)]
mod console;
mod damage;
mod desk;
mod disk;
mod inspect;
mod keys;
mod pages;
#[path = "../common/process.rs"]
mod process;
mod readme;
mod sealing;
mod signatures;
#[cfg(unix)]
mod stopped;
