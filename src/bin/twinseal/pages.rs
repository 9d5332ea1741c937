//! `completions` and `man`: what the argument parser knows, for shells and for readers.

use clap::CommandFactory;
use clap_mangen::Man;

use crate::{
    args::{self, Arguments},
    failure::Failure,
    name::Name,
    output::{Content, Output, Sources},
};

pub(crate) fn completions(args: &args::Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "twinseal", &mut script);
    Output::create(None, Content::Text, &Sources::default())?.write_whole(&script)
}

pub(crate) fn man(args: &args::Man) -> Result<(), Failure> {
    // Options of the program are options of each command.
    let mut program = Arguments::command();
    program.build();
    let Some(folder) = &args.folder else {
        let output = Output::create(None, Content::Text, &Sources::default())?;
        return output.write_whole(&page(program)?.1);
    };
    if !folder.is_dir() {
        return Err(Failure::of(&Name::of(folder), "it is no folder; make it first"));
    }
    let commands: Vec<_> = program.get_subcommands().cloned().collect();
    for command in std::iter::once(program).chain(commands) {
        let (name, text) = page(command)?;
        let path = folder.join(name);
        Output::create(Some(&path), Content::Text, &Sources::default())?.write_whole(&text)?;
    }
    Ok(())
}

/// The name of a page's file, and the page.
fn page(command: clap::Command) -> Result<(String, Vec<u8>), Failure> {
    let man = Man::new(command);
    let name = man.get_filename();
    let mut text = Vec::new();
    man.render(&mut text).map_err(|error| Failure::of(&Name::standard_output(), error))?;
    Ok((name, text))
}
