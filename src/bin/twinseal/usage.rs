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
        console.usage(&escaped(answer).to_string());
        return Ok(ExitCode::from(code));
    }
    let text = answer.to_string();
    Output::create(None, Content::Text, &Sources::default())?.write_whole(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
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
