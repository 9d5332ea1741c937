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
    let commands: Vec<_> = program.get_subcommands().cloned().collect();
    for command in std::iter::once(program).chain(commands) {
        let (name, text) = page(command)?;
        let path = directory.join(name);
        Output::create(Some(&path), Content::Text, &Sources::default())?.write_whole(&text)?;
    }
    Ok(())
}

/// The name of a page's file, and the page.
fn page(command: clap::Command) -> Result<(String, Vec<u8>), Failure> {
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let is_program = command.has_subcommands();
    let man = Man::new(command);
    let mut text = Vec::new();
    render(&man, is_program, &examples, &mut text)
        .map_err(|error| Failure::of(&Name::standard_output(), error))?;
    Ok((man.get_filename(), text))
}

/// As `Man::render` does, but with examples and exit codes in sections of their own, line by line.
fn render(man: &Man, is_program: bool, examples: &str, text: &mut Vec<u8>) -> io::Result<()> {
    man.render_title(text)?;
    man.render_name_section(text)?;
    man.render_synopsis_section(text)?;
    man.render_description_section(text)?;
    man.render_options_section(text)?;
    if is_program {
        man.render_subcommands_section(text)?;
    }
    let examples = examples.strip_prefix("Examples:\n").unwrap_or(examples);
    for (title, lines) in [("EXAMPLES", examples), ("EXIT STATUS", EXIT_CODES)] {
        let mut section = Roff::new();
        section.control("SH", [title]).control("nf", []);
        section.text([roman(lines)]).control("fi", []);
        section.to_writer(text)?;
    }
    if is_program { man.render_version_section(text) } else { Ok(()) }
}
