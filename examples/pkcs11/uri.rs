//! The names of keys in tokens: PKCS#11 URIs (RFC 7512).

use std::{fmt, io, path, path::PathBuf, str::FromStr};

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

    /// The same URI with absolute paths, for those who use it later, in another directory.
    ///
    /// # Errors
    ///
    /// The current directory is unknown, or is not text.
    pub fn absolute(&self) -> io::Result<Self> {
        let absolute = |path: &PathBuf| {
            let path = path::absolute(path)?;
            let text = path.to_str().is_some();
            text.then_some(path).ok_or_else(|| io::Error::other("the current path is not text"))
        };
        let pin = match &self.pin {
            Pin::File(path) => Pin::File(absolute(path)?),
            other => other.clone(),
        };
        Ok(Self { module: absolute(&self.module)?, pin, ..self.clone() })
    }

    /// Do all paths mean the same in every directory?
    pub fn is_absolute(&self) -> bool {
        let pin = match &self.pin {
            Pin::File(path) => path.is_absolute(),
            Pin::Variable(_) | Pin::Keyboard => true,
        };
        pin && self.module.is_absolute()
    }
}

/// As text that can be parsed.
impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = [
            ("token", self.token.label.as_bytes()),
            ("serial", self.token.serial.as_bytes()),
            ("manufacturer", self.token.manufacturer.as_bytes()),
            ("model", self.token.model.as_bytes()),
            ("object", self.key.label.as_bytes()),
            ("id", &self.key.id),
        ];
        f.write_str(Self::SCHEME)?;
        let mut separator = "";
        for (name, value) in path.into_iter().filter(|(_, value)| !value.is_empty()) {
            write!(f, "{separator}{name}={}", encode(value))?;
            separator = ";";
        }
        write!(f, "?module-path={}", encode(self.module.as_os_str().as_encoded_bytes()))?;
        match &self.pin {
            Pin::File(path) => {
                let path = encode(path.as_os_str().as_encoded_bytes());
                // What follows two slashes would be a host.
                write!(
                    f,
                    "&pin-source={}{path}",
                    if path.starts_with('/') { "file://" } else { "" }
                )
            }
            Pin::Variable(name) => write!(f, "&pin-source=env:{}", encode(name.as_bytes())),
            Pin::Keyboard => Ok(()),
        }
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

/// The attributes of one part, decoded. An attribute that is there twice, or is empty, means nothing. No error repeats
/// a value, or text without a name: it could be a PIN.
fn attributes<'a>(
    part: &'a str,
    separator: char,
    seen: &mut Vec<&'a str>,
) -> Result<Vec<(&'a str, Vec<u8>)>, UriError> {
    let mut attributes = Vec::new();
    for attribute in part.split(separator).filter(|attribute| !attribute.is_empty()) {
        let (name, value) =
            attribute.split_once('=').ok_or_else(|| error("an attribute has no ="))?;
        if name == "pin-value" {
            return Err(error(
                "pin-value= would show the PIN to all who see the URI; use pin-source=",
            ));
        }
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

/// Escapes more than it must: what is left is allowed in both parts, and in paths.
fn encode(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for &byte in value {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b'/' => text.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
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
            ("pkcs11:token;object=o?module-path=m", "an attribute has no ="),
            ("pkcs11:token=t;object=o;type=public?module-path=m", "type= must be private"),
            ("pkcs11:token=t;object=o;slot-id=1?module-path=m", "slot-id= is not supported"),
            ("pkcs11:token=t;object=o?module-name=m", "module-name= is not supported"),
            ("pkcs11:token=t;object=o?module-path=m&pin-value=1", "pin-value= would show"),
            ("pkcs11:token=t;object=o?module-path=m&pin-value=7 %7", "pin-value= would show"),
            ("pkcs11:token=t;object=o?module-path=m&7777", "an attribute has no ="),
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
            assert!(!error.contains('7'), "{error}");
        }
    }

    #[test]
    fn it_is_written_as_it_was_read() {
        for text in [
            "pkcs11:token=t;object=o?module-path=m",
            "pkcs11:id=%00%FF;serial=%25%3b?module-path=/a%20b.so&pin-source=env:A%26B",
            "pkcs11:token=%c3%a9;manufacturer=M;model=v2;object=a/b?module-path=m&pin-source=p",
            "pkcs11:token=t;object=o?module-path=/m&pin-source=/run/pin",
            "pkcs11:token=t;object=o?module-path=/m&pin-source=file:////run/pin",
            "pkcs11:token=t;object=o?module-path=//m&pin-source=file:///env:x",
        ] {
            let uri = parse(text).unwrap();
            assert_eq!(parse(&uri.to_string()).as_ref(), Ok(&uri), "{uri}");
            let absolute = uri.absolute().unwrap();
            assert!(absolute.is_absolute());
            assert_eq!(parse(&absolute.to_string()).as_ref(), Ok(&absolute), "{absolute}");
            assert_eq!(uri.is_absolute(), uri == absolute, "{uri}");
        }
        for text in ["?module-path=m&pin-source=/p", "?module-path=/m&pin-source=p"] {
            assert!(!parse(&format!("pkcs11:token=t;object=o{text}")).unwrap().is_absolute());
        }
    }
}
