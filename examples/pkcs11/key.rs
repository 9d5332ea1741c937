//! A private key in a token, and the sessions in which it is used.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use cryptoki::{
    object::{Attribute, AttributeType, ObjectClass, ObjectHandle},
    session::Session,
};
use zeroize::Zeroizing;

use crate::{Algorithm, Failure, Fault, Token, algorithm::length, confinement, token::Access};

/// Which key of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct KeyName {
    /// Its label, CKA_LABEL. Empty if it is named only by its id.
    pub label: String,
    /// Its id, CKA_ID. Empty if it is named only by its label.
    pub id: Vec<u8>,
}

/// A private key in a token. Each use has a session of its own, which is kept for the next one.
pub struct TokenKey {
    token: Token,
    name: KeyName,
    algorithm: Algorithm,
    idle: Mutex<Vec<Opened>>,
}

/// A session and the key in it.
struct Opened {
    session: Session,
    key: ObjectHandle,
}

/// How many sessions wait for the next use. HSMs have some hundred, for all processes.
const IDLE: usize = 4;

impl TokenKey {
    /// Finds a private key, and checks that it is for the algorithm and for nothing else, and cannot be read out. So
    /// does each session that is opened later.
    ///
    /// # Errors
    ///
    /// Any [`Fault`]: the token is missing or refuses the PIN, or there is not exactly one such key;
    /// [`Fault::Unconfined`] if it can be read out or used for something else.
    pub fn find(token: Token, name: KeyName, algorithm: Algorithm) -> Result<Self, Failure> {
        let key = Self { token, name, algorithm, idle: Mutex::default() };
        let opened = key.open().map_err(|fault| key.failure(fault))?;
        key.keep(opened);
        Ok(key)
    }

    /// Uses the key. After a failure its session is not used again, and all others are closed, too, unless it is clear
    /// that they have nothing to do with it: the next use then opens a session and logs in.
    pub(crate) fn with<T>(
        &self,
        operation: impl FnOnce(&Session, ObjectHandle) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let opened = match idle {
            Some(opened) => opened,
            None => self.open()?,
        };
        let answer = operation(&opened.session, opened.key);
        match &answer {
            Ok(_) => self.keep(opened),
            // Whoever sends wrong ciphertexts must not cause a login for each.
            Err(fault) if fault.blames_ciphertext() => self.keep(opened),
            Err(_) => self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear(),
        }
        answer
    }

    pub(crate) fn failure(&self, fault: Fault) -> Failure {
        Failure::at(self.to_string(), fault)
    }

    fn open(&self) -> Result<Opened, Fault> {
        let session = self.token.session(Access::Read)?;
        let key = find(&session, ObjectClass::PRIVATE_KEY, self.algorithm, &self.name)?;
        Ok(Opened { session, key })
    }

    fn keep(&self, opened: Opened) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(opened);
        }
    }
}

impl fmt::Display for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.token, self.name)
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({self}, {})", self.algorithm)
    }
}

impl KeyName {
    /// The key of that label.
    pub fn label(label: impl Into<String>) -> Self {
        Self { label: label.into(), id: Vec::new() }
    }

    /// The attributes that a key of that name has.
    pub(crate) fn attributes(&self) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        if !self.label.is_empty() {
            attributes.push(Attribute::Label(self.label.clone().into_bytes()));
        }
        if !self.id.is_empty() {
            attributes.push(Attribute::Id(self.id.clone()));
        }
        attributes
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("key")?;
        if !self.label.is_empty() {
            write!(f, " {:?}", self.label)?;
        }
        if !self.id.is_empty() {
            f.write_str(" with the id ")?;
            self.id.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        }
        Ok(())
    }
}

/// Finds the one key of that class and name, and checks it. Without the check of its parameters, a token's complaint about a
/// ciphertext that is too long for its key could be taken for one about the ciphertext.
pub(crate) fn find(
    session: &Session,
    class: ObjectClass,
    algorithm: Algorithm,
    name: &KeyName,
) -> Result<ObjectHandle, Fault> {
    let kind = if class == ObjectClass::PRIVATE_KEY { "private" } else { "public" };
    let mut template = name.attributes();
    if template.is_empty() {
        return Err(Fault::NoKey(kind));
    }
    template.extend([Attribute::Class(class), Attribute::Token(true)]);
    let found = session.find_objects(&template)?;
    let [key] = found[..] else {
        return Err(if found.is_empty() { Fault::NoKey(kind) } else { Fault::SeveralKeys(kind) });
    };
    // Asked for one by one: some tokens fail for an attribute that a key of another type does not have.
    let is = |attribute: Attribute| -> Result<bool, Fault> {
        let found = session.get_attributes(key, &[attribute.attribute_type()])?;
        Ok(found.contains(&attribute))
    };
    if !is(Attribute::KeyType(algorithm.key_type()))? || !is(algorithm.parameters())? {
        return Err(Fault::WrongKey(algorithm.name()));
    }
    if class == ObjectClass::PRIVATE_KEY {
        confinement::check(session, key, algorithm)?;
    }
    Ok(key)
}

/// The value of a secret that exists in this session only. The token forgets it.
///
/// `cryptoki` reads it into a buffer of its own first, which it does not wipe.
pub(crate) fn take_secret(
    session: &Session,
    secret: ObjectHandle,
    expected: usize,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let value = session.get_attributes(secret, &[AttributeType::Value]);
    let destroyed = session.destroy_object(secret);
    let value = value?.into_iter().find_map(|attribute| match attribute {
        Attribute::Value(value) => Some(Zeroizing::new(value)),
        _ => None,
    });
    let value = value.ok_or(Fault::Hidden("shared secret"))?;
    destroyed?;
    length("shared secret", expected, &value)?;
    Ok(value)
}

/// The attributes of such a secret: it can be read, and lasts as long as the session at most.
pub(crate) fn session_secret(len: usize) -> Result<Vec<Attribute>, Fault> {
    use cryptoki::object::KeyType;
    Ok(vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::Token(false),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
        Attribute::ValueLen(len.try_into()?),
    ])
}
