//! A distinguished name as text.

use std::fmt::Write;

use spki::der::Decode;
use x509_cert::name::RdnSequence;

use crate::visible::is_visible;

/// The text of RFC 4514. Characters that a terminal would obey, or that are invisible, are written as the
/// hexadecimal pairs of that text, as in `\1b`. Bytes that are not a name are written like a value of
/// unknown type, as `#` and all of them in hexadecimal.
pub(super) fn text(der: &[u8]) -> String {
    let mut shown = String::new();
    match RdnSequence::from_der(der) {
        Ok(name) => {
            for character in name.to_string().chars() {
                if is_visible(character) {
                    shown.push(character);
                } else {
                    push_hexadecimal(
                        &mut shown,
                        "\\",
                        character.encode_utf8(&mut [0; 4]).as_bytes(),
                    );
                }
            }
        }
        Err(_) => {
            shown.push('#');
            push_hexadecimal(&mut shown, "", der);
        }
    }
    shown
}

fn push_hexadecimal(text: &mut String, before: &str, bytes: &[u8]) {
    for byte in bytes {
        write!(text, "{before}{byte:02x}").expect("writing to a string cannot fail");
    }
}
