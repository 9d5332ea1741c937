//! The names of keys in tokens: PKCS#11 URIs (RFC 7512).

use std::{path::PathBuf, str::FromStr};

use crate::{Failure, KeyName, Module, Pin, Token, TokenName};

/// Which key, in which token, behind which module, and where the PIN is:
///
/// ```text
/// pkcs11:token=hsm-a;object=alice?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/secrets/pin
/// ```
///
/// Of the path, `token`, `serial`, `manufacturer`, `model`, `object`, `id` and `type=private` are understood, of the
/// query `module-path` and `pin-source`; of the latter, `env:NAME` is an environment variable, `file:/path` and
/// `/path` are files, and without it the token has a keyboard. Anything else would be ignored, and is refused. Characters
/// that RFC 7512 does not allow are written as in `%20`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uri {
    /// The token.
    pub token: TokenName,
    /// The key.
    pub key: KeyName,
    /// The file of the module.
    pub module: PathBuf,
    /// Where the PIN is.
    pub pin: Pin,
}

/// The text is not such a URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid PKCS#11 URI: {0}")]
pub struct UriError(String);

impl Uri {
    /// What a PKCS#11 URI starts with.
    pub const SCHEME: &str = "pkcs11:";

    /// The token, with its module loaded.
    ///
    /// # Errors
    ///
    /// Same as [`Module::load`].
    pub fn open(&self) -> Result<Token, Failure> {
        let module = Module::load(&self.module)?;
        Ok(Token::new(module, self.token.clone(), self.pin.clone()))
    }
}

impl FromStr for Uri {
    type Err = UriError;

    fn from_str(text: &str) -> Result<Self, UriError> {
        let rest = text
            .strip_prefix(Self::SCHEME)
            .ok_or_else(|| error("it does not start with pkcs11:"))?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut token = TokenName::default();
        let mut key = KeyName::default();
        let mut seen = Vec::new();
        for (name, value) in attributes(path, ';', &mut seen)? {
            match name {
                "token" => token.label = string(name, value)?,
                "serial" => token.serial = string(name, value)?,
                "manufacturer" => token.manufacturer = string(name, value)?,
                "model" => token.model = string(name, value)?,
                "object" => key.label = string(name, value)?,
                "id" => key.id = value,
                "type" if value == b"private" => {}
                "type" => return Err(error("type= must be private")),
                _ => return Err(error(format!("{name}= is not supported"))),
            }
        }
        let mut module = None;
        let mut pin = Pin::Keyboard;
        for (name, value) in attributes(query, '&', &mut seen)? {
            match name {
                "module-path" => module = Some(string(name, value)?),
                "pin-source" => pin = source(&string(name, value)?)?,
                "pin-value" => {
                    return Err(error(
                        "pin-value= would show the PIN to all who see the URI; use pin-source=",
                    ));
                }
                _ => return Err(error(format!("{name}= is not supported"))),
            }
        }
        if token == TokenName::default() {
            return Err(error("it names no token: add token="));
        }
        if key == KeyName::default() {
            return Err(error("it names no key: add object="));
        }
        let module = module.ok_or_else(|| error("it names no module: add ?module-path="))?;
        Ok(Self { token, key, module: module.into(), pin })
    }
}

fn source(text: &str) -> Result<Pin, UriError> {
    if let Some(variable) = text.strip_prefix("env:") {
        return Ok(Pin::Variable(variable.to_owned()));
    }
    if text.starts_with('|') {
        return Err(error("pin-source= must not be a program"));
    }
    let path = text.strip_prefix("file:").unwrap_or(text);
    let path = path
        .strip_prefix("//")
        .map_or(path, |local| local.strip_prefix("localhost").unwrap_or(local));
    Ok(Pin::File(path.into()))
}

/// The attributes of one part, decoded. An attribute that is there twice, or is empty, means nothing.
fn attributes<'a>(
    part: &'a str,
    separator: char,
    seen: &mut Vec<&'a str>,
) -> Result<Vec<(&'a str, Vec<u8>)>, UriError> {
    let mut attributes = Vec::new();
    for attribute in part.split(separator).filter(|attribute| !attribute.is_empty()) {
        let (name, value) =
            attribute.split_once('=').ok_or_else(|| error(format!("{attribute:?} has no =")))?;
        if seen.contains(&name) {
            return Err(error(format!("{name}= is there twice")));
        }
        seen.push(name);
        let value = decode(name, value)?;
        if value.is_empty() {
            return Err(error(format!("{name}= is empty")));
        }
        attributes.push((name, value));
    }
    Ok(attributes)
}

/// RFC 3986's unreserved characters, and what RFC 7512 §2.3 adds for both parts. `&` in the path and `|` in the query
/// are allowed in one only.
fn decode(name: &str, text: &str) -> Result<Vec<u8>, UriError> {
    let mut value = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        value.push(match byte {
            b'%' => {
                let digits = [bytes.next(), bytes.next()]
                    .map(|digit| char::from(digit.unwrap_or(0)).to_digit(16));
                let [Some(high), Some(low)] = digits else {
                    return Err(error(format!("{name}= has a % without two hexadecimal digits")));
                };
                (high << 4 | low) as u8
            }
            b'-' | b'.' | b'_' | b'~' | b':' | b'[' | b']' | b'@' | b'!' | b'$' | b'\'' | b'('
            | b')' | b'*' | b'+' | b',' | b'=' | b'&' | b'/' | b'|' => byte,
            _ if byte.is_ascii_alphanumeric() => byte,
            _ => {
                let letter = char::from(byte);
                return Err(error(format!(
                    "{name}= has {letter:?}, which must be written as %{byte:02X}"
                )));
            }
        });
    }
    Ok(value)
}

fn string(name: &str, value: Vec<u8>) -> Result<String, UriError> {
    String::from_utf8(value).map_err(|_| error(format!("{name}= is not UTF-8")))
}

fn error(reason: impl Into<String>) -> UriError {
    UriError(reason.into())
}

#[cfg(test)]
mod tests {
    use super::{Pin, Uri};

    fn parse(text: &str) -> Result<Uri, String> {
        text.parse().map_err(|error: super::UriError| error.to_string())
    }

    #[test]
    fn all_parts() {
        let uri = parse(
            "pkcs11:token=The%20Software%20PKCS%2311;serial=42;manufacturer=M;model=v2;object=my%3Bkey;id=%00%fF\
             ;type=private?pin-source=file:/etc/pin&module-path=/usr/lib/x.so",
        );
        let uri = uri.unwrap();
        assert_eq!(uri.token.label, "The Software PKCS#11");
        let token = uri.token;
        assert_eq!([token.serial, token.manufacturer, token.model], ["42", "M", "v2"]);
        assert_eq!((uri.key.label.as_str(), &uri.key.id[..]), ("my;key", &[0, 255][..]));
        assert_eq!(uri.module.to_str(), Some("/usr/lib/x.so"));
        assert_eq!(uri.pin, Pin::File("/etc/pin".into()));
    }

    #[test]
    fn sources_of_pins() {
        for (source, pin) in [
            ("?module-path=m", Pin::Keyboard),
            ("?module-path=m&pin-source=env:PIN", Pin::Variable("PIN".into())),
            ("?module-path=m&pin-source=pin.txt", Pin::File("pin.txt".into())),
            ("?module-path=m&pin-source=file:///run/pin", Pin::File("/run/pin".into())),
            ("?module-path=m&pin-source=file://localhost/run/pin", Pin::File("/run/pin".into())),
        ] {
            assert_eq!(parse(&format!("pkcs11:token=t;object=o{source}")).unwrap().pin, pin);
        }
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        for (text, reason) in [
            ("", "does not start with pkcs11:"),
            ("PKCS11:token=t", "does not start with pkcs11:"),
            ("pkcs11:", "names no token"),
            ("pkcs11:token=t?module-path=m", "names no key"),
            ("pkcs11:token=t;object=o", "names no module"),
            ("pkcs11:token=t;token=u;object=o?module-path=m", "token= is there twice"),
            ("pkcs11:token=;object=o?module-path=m", "token= is empty"),
            ("pkcs11:token;object=o?module-path=m", "\"token\" has no ="),
            ("pkcs11:token=t;object=o;type=public?module-path=m", "type= must be private"),
            ("pkcs11:token=t;object=o;slot-id=1?module-path=m", "slot-id= is not supported"),
            ("pkcs11:token=t;object=o?module-name=m", "module-name= is not supported"),
            ("pkcs11:token=t;object=o?module-path=m&pin-value=1", "pin-value= would show"),
            ("pkcs11:token=t;object=o?module-path=m&pin-source=|cat", "must not be a program"),
            ("pkcs11:token=a b;object=o?module-path=m", "written as %20"),
            ("pkcs11:token=%ff;object=o?module-path=m", "token= is not UTF-8"),
            ("pkcs11:token=%f;object=o?module-path=m", "% without two"),
            ("pkcs11:token=%+1;object=o?module-path=m", "% without two"),
            ("pkcs11:token=é;object=o?module-path=m", "written as %C3"),
            ("pkcs11:token=a?b=c?d", "written as %3F"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
