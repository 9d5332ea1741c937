//! Is a character seen on a terminal? The library and the tool both have this file.

/// Whether the standard library counts a character as printable: not those of the Unicode categories Cc, Cf, Cn, Co, Zl,
/// Zp, and Zs but for the space. An accent is printable after another character. Those that Unicode lets a terminal
/// ignore (Default_Ignorable_Code_Point) are not visible, nor two that are blank.
pub(crate) fn is_visible(character: char) -> bool {
    match character {
        '\'' | '"' | '\\' => true,
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{3164}' => false,
        '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{16fe4}' | '\u{e0000}'..='\u{e0fff}' => false,
        '\u{2800}' | '\u{1d159}' => false,
        _ => format!("x{character}").escape_debug().nth(2).is_none(),
    }
}
