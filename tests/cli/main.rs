//! What does the command-line tool print, how does it exit, and what does it leave on the disk?

#[path = "../common/mod.rs"]
mod common;

#[path = "../../src/bin/twinseal/distinguished_name.rs"]
mod distinguished_name;

mod certificate;
mod certificates;
#[cfg(unix)]
mod changing;
#[cfg(unix)]
mod console;
mod damage;
#[cfg(unix)]
mod descriptors;
mod desk;
mod disk;
mod distinguished_names;
mod documents;
mod import;
mod import_oracles;
mod inspect;
#[cfg(unix)]
mod inventory;
mod key_kinds;
mod key_text;
mod keys;
#[cfg(target_os = "linux")]
mod late_errors;
#[cfg(unix)]
mod limits;
mod model;
mod model_places;
mod other_software;
#[cfg(target_os = "linux")]
mod owners;
mod pages;
mod passphrase;
mod passwd;
#[cfg(target_os = "linux")]
mod prompts;
#[cfg(target_os = "linux")]
mod replaced;
mod rings;
mod sealing;
mod signatures;
#[cfg(unix)]
mod standard_files;
mod stopped;
#[cfg(target_os = "linux")]
mod system_calls;
#[cfg(target_os = "linux")]
mod terminal;
