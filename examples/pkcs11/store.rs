//! New keys in a token: made there, or imported. No private key can be read out again.

use cryptoki::{
    error::{Error, RvError},
    object::{Attribute, ObjectClass},
    session::Session,
};
use zeroize::Zeroize;

use crate::{
    Algorithm, Failure, Fault, KeyName, Token, algorithm::length, key::find, token::Access,
};

impl Token {
    /// Generates a key pair in the token and returns its public half.
    ///
    /// # Errors
    ///
    /// Any [`Fault`]; [`Fault::Exists`] if there is a key of that name.
    pub fn generate(&self, algorithm: Algorithm, name: &KeyName) -> Result<Vec<u8>, Failure> {
        self.create(name, |session| {
            let public = public_template(algorithm, name);
            let private = private_template(algorithm, name);
            session.generate_key_pair(&algorithm.generation(), &public, &private)?;
            read_public(session, algorithm, name)
        })
    }

    /// Imports a key pair: the private half as [`HalfKey::as_bytes`] returns it, and the public half.
    ///
    /// The token takes them as they are. Use the key before relying on it: [`SplitDecapsulationKey::check`] and
    /// [`SplitSigningKey::check`] do.
    ///
    /// # Errors
    ///
    /// Any [`Fault`]; [`Fault::Exists`] if there is a key of that name; [`Fault::Length`] if a half does not have
    /// the length of the algorithm.
    ///
    /// [`HalfKey::as_bytes`]: twinseal::split::HalfKey::as_bytes
    /// [`SplitDecapsulationKey::check`]: twinseal::split::SplitDecapsulationKey::check
    /// [`SplitSigningKey::check`]: twinseal::split::SplitSigningKey::check
    pub fn import(
        &self,
        algorithm: Algorithm,
        name: &KeyName,
        private: &[u8],
        public: &[u8],
    ) -> Result<(), Failure> {
        self.create(name, |session| {
            length("private half", algorithm.private_len(), private)?;
            length("public half", algorithm.public_len(), public)?;
            let mut template = private_template(algorithm, name);
            template.push(Attribute::Class(ObjectClass::PRIVATE_KEY));
            template.push(Attribute::KeyType(algorithm.key_type()));
            template.push(algorithm.parameters());
            template.push(algorithm.private_value(private));
            let created = session.create_object(&template);
            for attribute in template {
                if let Attribute::Value(mut secret) | Attribute::Seed(mut secret) = attribute {
                    secret.zeroize();
                }
            }
            created?;
            let mut template = public_template(algorithm, name);
            template.push(Attribute::Class(ObjectClass::PUBLIC_KEY));
            template.push(Attribute::KeyType(algorithm.key_type()));
            template.push(algorithm.public_value(public));
            session.create_object(&template)?;
            Ok(())
        })
    }

    /// The public half of a key pair.
    ///
    /// # Errors
    ///
    /// Any [`Fault`]: there is not exactly one public key of that name, or it is for another algorithm.
    pub fn public_half(&self, algorithm: Algorithm, name: &KeyName) -> Result<Vec<u8>, Failure> {
        let read = || read_public(&self.session(Access::Read)?, algorithm, name);
        read().map_err(|fault| self.failure_of(name, fault))
    }

    /// Destroys all objects of that name.
    ///
    /// # Errors
    ///
    /// Any [`Fault`], for the first object that cannot be destroyed.
    pub fn destroy(&self, name: &KeyName) -> Result<(), Failure> {
        let destroy = || destroy_all(&self.session(Access::Write)?, name);
        destroy().map_err(|fault| self.failure_of(name, fault))
    }

    /// Makes objects of a new name. If that fails half-way, they are destroyed again.
    fn create<T>(
        &self,
        name: &KeyName,
        make: impl FnOnce(&Session) -> Result<T, Fault>,
    ) -> Result<T, Failure> {
        let create = || {
            if name.label.is_empty() {
                return Err(Fault::NoLabel);
            }
            let session = self.session(Access::Write)?;
            if !session.find_objects(&name.attributes())?.is_empty() {
                return Err(Fault::Exists);
            }
            let made = make(&session);
            if made.is_err() {
                // What is reported is why it was not made.
                let _ = destroy_all(&session, name);
            }
            made
        };
        create().map_err(|fault| self.failure_of(name, fault))
    }

    fn failure_of(&self, name: &KeyName, fault: Fault) -> Failure {
        Failure::at(format!("{self}, {name}"), fault)
    }
}

/// Private, sensitive and not extractable, for one use.
fn private_template(algorithm: Algorithm, name: &KeyName) -> Vec<Attribute> {
    let mut template = name.attributes();
    template.extend([
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
    ]);
    template.extend(algorithm.private_use());
    template
}

fn public_template(algorithm: Algorithm, name: &KeyName) -> Vec<Attribute> {
    let mut template = name.attributes();
    template.extend([Attribute::Token(true), Attribute::Private(false), algorithm.parameters()]);
    template.extend(algorithm.public_use());
    template
}

fn read_public(session: &Session, algorithm: Algorithm, name: &KeyName) -> Result<Vec<u8>, Fault> {
    let key = find(session, ObjectClass::PUBLIC_KEY, algorithm, name)?;
    let found = session.get_attributes(key, &[algorithm.public_attribute()])?;
    let value = found.into_iter().find_map(|attribute| match attribute {
        Attribute::EcPoint(value) | Attribute::Value(value) => Some(value),
        _ => None,
    });
    algorithm.read_public(value.ok_or(Fault::Hidden("public key"))?)
}

fn destroy_all(session: &Session, name: &KeyName) -> Result<(), Fault> {
    // An empty template would be every object.
    if name.attributes().is_empty() {
        return Err(Fault::NoLabel);
    }
    for object in session.find_objects(&name.attributes())? {
        match session.destroy_object(object) {
            Ok(()) | Err(Error::Pkcs11(RvError::ObjectHandleInvalid, _)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
