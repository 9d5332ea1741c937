//! Help, the version, and errors of the command line.

use std::process::ExitCode;

use clap::{
    Error,
    builder::StyledStr,
    error::{ContextKind, ContextValue},
};

use crate::{
    console::Console,
    escape,
    failure::Failure,
    output::{Content, Output, Sources},
};

pub(crate) fn answer(answer: Error, console: &Console) -> Result<ExitCode, Failure> {
    if answer.use_stderr() {
        let code = u8::try_from(answer.exit_code()).unwrap_or(u8::MAX);
        console.usage(&without_harmful_tip(escaped(answer)).to_string());
        return Ok(ExitCode::from(code));
    }
    let text = answer.to_string();
    Output::create(None, Content::Text, &Sources::default())?.write_whole(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Options that take protection away. Nobody who mistyped another option should be led to one of them.
const HARMFUL: &[&str] = &["--no-passphrase", "--unauthenticated", "--to-terminal"];

fn without_harmful_tip(mut error: Error) -> Error {
    let (Some(ContextValue::String(tip)), Some(ContextValue::String(typed))) =
        (error.get(ContextKind::SuggestedArg), error.get(ContextKind::InvalidArg))
    else {
        return error;
    };
    // An option that was only cut off is meant.
    if !HARMFUL.contains(&tip.as_str()) || tip.starts_with(typed) {
        return error;
    }
    let is_about_passphrases = typed.contains("passphrase");
    error.remove(ContextKind::SuggestedArg);
    error.remove(ContextKind::Usage); // which names the option, too
    if is_about_passphrases {
        let tip = "`passwd` asks for the passphrases on the terminal, without an option".into();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

/// Escapes the arguments in an error, so that a line end in one cannot start a line of the message.
fn escaped(mut error: Error) -> Error {
    let context: Vec<_> = error.context().map(|(kind, value)| (kind, value.clone())).collect();
    for (kind, value) in context {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(escape::line(&text)),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(|text| escape::line(text)).collect())
            }
            // The usage has lines of its own, and no arguments.
            ContextValue::StyledStr(text) if kind != ContextKind::Usage => {
                ContextValue::StyledStr(plain(&text))
            }
            ContextValue::StyledStrs(texts) => {
                ContextValue::StyledStrs(texts.iter().map(plain).collect())
            }
            other => other,
        };
        error.insert(kind, value);
    }
    error
}

fn plain(text: &StyledStr) -> StyledStr {
    escape::line(&text.to_string()).into()
}
