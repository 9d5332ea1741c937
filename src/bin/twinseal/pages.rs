//! `completions` and `man`: completion scripts and manual pages from the argument parser.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use crate::{
    args::{self, Arguments, EXIT_CODES},
    failure::Failure,
    name::{self, Name},
    output::{Content, Output, Sources},
};

mod bash;

pub(crate) fn completions(args: &args::Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "twinseal", &mut script);
    if args.shell == Shell::Bash {
        script = bash::mended(&String::from_utf8_lossy(&script)).into_bytes();
    }
    Output::create(None, Content::Text, &Sources::default())?.write_whole(&script)
}

pub(crate) fn man(args: &args::Man) -> Result<(), Failure> {
    // The options of the program are options of each command, too.
    let mut program = Arguments::command();
    program.build();
    let Some(directory) = args.directory.as_ref().filter(|path| !name::is_standard(path)) else {
        let output = Output::create(None, Content::Text, &Sources::default())?;
        return output.write_whole(&page(program)?.1);
    };
    if !directory.is_dir() {
        return Err(Failure::of(&Name::of(directory), "not a directory; create it first"));
    }
    for command in with_commands(program) {
        let (name, text) = page(command)?;
        let path = directory.join(name);
        Output::create(Some(&path), Content::Text, &Sources::default())?.write_whole(&text)?;
    }
    Ok(())
}

/// The program or a command, and the commands in it.
fn with_commands(command: clap::Command) -> Vec<clap::Command> {
    let within: Vec<_> = command.get_subcommands().cloned().collect();
    std::iter::once(command).chain(within.into_iter().flat_map(with_commands)).collect()
}

/// The sections that not every page has.
struct Parts {
    commands: bool,
    version: bool,
}

/// The name of a page's file, and the page.
fn page(command: clap::Command) -> Result<(String, Vec<u8>), Failure> {
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let parts =
        Parts { commands: command.has_subcommands(), version: command.get_version().is_some() };
    let man = Man::new(command);
    let mut text = Vec::new();
    render(&man, &parts, &examples, &mut text)
        .map_err(|error| Failure::of(&Name::standard_output(), error))?;
    Ok((man.get_filename(), text))
}

/// As `Man::render` does, but with examples and exit codes in sections of their own, line by line.
fn render(man: &Man, parts: &Parts, examples: &str, text: &mut Vec<u8>) -> io::Result<()> {
    man.render_title(text)?;
    man.render_name_section(text)?;
    man.render_synopsis_section(text)?;
    man.render_description_section(text)?;
    man.render_options_section(text)?;
    if parts.commands {
        man.render_subcommands_section(text)?;
    }
    let examples = examples.strip_prefix("Examples:\n").unwrap_or(examples);
    for (title, lines) in [("EXAMPLES", examples), ("EXIT STATUS", EXIT_CODES)] {
        let mut section = Roff::new();
        section.control("SH", [title]).control("nf", []);
        section.text([roman(lines)]).control("fi", []);
        section.to_writer(text)?;
    }
    if parts.version { man.render_version_section(text) } else { Ok(()) }
}
