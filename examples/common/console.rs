//! Makes text from outside safe for terminals and logs: names in files, messages of peers,
//! arguments.

use std::{
    fmt::Display,
    io::{self, Write},
    process,
};

/// The same text on one line. Characters that act on a terminal or cannot be seen are escaped:
/// control characters (`\u{1b}`), and those of the category Cf, which reverse the direction of text
/// or have no width. Visible characters stay as they are.
pub fn printable(text: impl Display) -> String {
    let mut shown = String::new();
    for letter in text.to_string().chars() {
        match letter {
            // The rest of what `escape_debug` escapes can be seen.
            '\\' | '"' | '\'' => shown.push(letter),
            _ => shown.extend(letter.escape_debug()),
        }
    }
    shown
}

/// The arguments of this program. clap repeats an argument that it refuses, so its message is made
/// printable too.
pub fn arguments<Arguments: clap::Parser>() -> Arguments {
    Arguments::try_parse().unwrap_or_else(|error| {
        if !error.use_stderr() {
            error.exit(); // --help and --version
        }
        let text: String =
            error.render().to_string().lines().map(|line| printable(line) + "\n").collect();
        // `eprintln!` panics if standard error is closed.
        let _ = io::stderr().write_all(text.as_bytes());
        process::exit(error.exit_code())
    })
}

/// Prints the error that ends a program. It is one write, because other processes may print there
/// too.
pub fn complain(program: impl Display, error: impl Display) {
    let _ = io::stderr().write_all(format!("{program}: {}\n", printable(error)).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn control_characters_are_escaped_and_visible_ones_are_not() {
        for (text, shown) in [
            ("layer.0.weight", "layer.0.weight"),
            ("größer, 日本語, \"C:\\x\" it's", "größer, 日本語, \"C:\\x\" it's"),
            ("a\x1b[31mb", "a\\u{1b}[31mb"),
            ("two\nlines\r\t", "two\\nlines\\r\\t"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    /// All of category Cf, and the separators of lines and paragraphs.
    #[test]
    fn nothing_invisible_remains() {
        let ranges = [
            (0xad, 0xad),
            (0x600, 0x605),
            (0x61c, 0x61c),
            (0x6dd, 0x6dd),
            (0x70f, 0x70f),
            (0x890, 0x891),
            (0x8e2, 0x8e2),
            (0x180e, 0x180e),
            (0x200b, 0x200f),
            (0x2028, 0x202e),
            (0x2060, 0x2064),
            (0x2066, 0x206f),
            (0xfeff, 0xfeff),
            (0xfff9, 0xfffb),
            (0x1_10bd, 0x1_10bd),
            (0x1_10cd, 0x1_10cd),
            (0x1_3430, 0x1_343f),
            (0x1_bca0, 0x1_bca3),
            (0x1_d173, 0x1_d17a),
            (0xe_0001, 0xe_0001),
            (0xe_0020, 0xe_007f),
        ];
        let controls = (0..0x20).chain(0x7f..0xa0);
        for code in ranges.into_iter().flat_map(|(first, last)| first..=last).chain(controls) {
            let letter = char::from_u32(code).unwrap();
            assert!(printable(letter).starts_with('\\'), "U+{code:04X}");
        }
    }
}
