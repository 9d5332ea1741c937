//! New keys in a token: made there, or imported. No private key can be read out again.

use cryptoki::{
    error::{Error, RvError},
    object::{Attribute, ObjectClass, ObjectHandle},
    session::Session,
};
use zeroize::Zeroize;

use crate::{
    Algorithm, Failure, Fault, KeyName, Token, algorithm::length, key::find, token::Access,
};

/// A key pair that was made just now, as long as it can be taken back.
#[derive(Debug)]
pub struct NewKey {
    public: Vec<u8>,
    objects: Objects,
    place: String,
}

/// What one session made. Objects of tokens keep their handles at least as long as it is open.
#[derive(Debug)]
struct Objects {
    session: Session,
    made: Vec<ObjectHandle>,
}

impl Token {
    /// Generates a key pair in the token.
    ///
    /// # Errors
    ///
    /// Any [`Fault`]; [`Fault::Exists`] if there is a key of that name; [`Fault::Unconfined`] if the token made a
    /// private key that can be read out or used for something else. Then nothing of it remains.
    pub fn generate(&self, algorithm: Algorithm, name: &KeyName) -> Result<NewKey, Failure> {
        self.create(algorithm, name, |objects| {
            let template = public_template(algorithm, name);
            let (public, private) = objects.session.generate_key_pair(
                &algorithm.generation(),
                &template,
                &private_template(algorithm, name),
            )?;
            objects.made = vec![private, public];
            read_public(&objects.session, algorithm, public)
        })
    }

    /// Imports a key pair: the private half as [`HalfKey::secret_bytes`] returns it, and the public half.
    ///
    /// The token takes them as they are. Use the key before relying on it: [`SplitDecapsulationKey::check`] and
    /// [`SplitSigningKey::check`] do.
    ///
    /// # Errors
    ///
    /// Same as [`generate`](Self::generate); [`Fault::Length`] if a half does not have the length of the algorithm.
    ///
    /// [`HalfKey::secret_bytes`]: twinseal::split::HalfKey::secret_bytes
    /// [`SplitDecapsulationKey::check`]: twinseal::split::SplitDecapsulationKey::check
    /// [`SplitSigningKey::check`]: twinseal::split::SplitSigningKey::check
    pub fn import(
        &self,
        algorithm: Algorithm,
        name: &KeyName,
        private: &[u8],
        public: &[u8],
    ) -> Result<NewKey, Failure> {
        self.create(algorithm, name, |objects| {
            length("private half", algorithm.private_len(), private)?;
            length("public half", algorithm.public_len(), public)?;
            let mut template = private_template(algorithm, name);
            template.push(Attribute::Class(ObjectClass::PRIVATE_KEY));
            template.push(Attribute::KeyType(algorithm.key_type()));
            template.push(algorithm.parameters());
            template.push(algorithm.private_value(private));
            let created = objects.session.create_object(&template);
            for attribute in template {
                if let Attribute::Value(mut secret) | Attribute::Seed(mut secret) = attribute {
                    secret.zeroize();
                }
            }
            objects.made.push(created?);
            let mut template = public_template(algorithm, name);
            template.push(Attribute::Class(ObjectClass::PUBLIC_KEY));
            template.push(Attribute::KeyType(algorithm.key_type()));
            template.push(algorithm.public_value(public));
            objects.made.push(objects.session.create_object(&template)?);
            Ok(public.to_vec())
        })
    }

    /// The public half of a key pair.
    ///
    /// # Errors
    ///
    /// Any [`Fault`]: there is not exactly one public key of that name, or it is for another algorithm.
    pub fn public_half(&self, algorithm: Algorithm, name: &KeyName) -> Result<Vec<u8>, Failure> {
        let read = || {
            let session = self.session(Access::Read)?;
            let key = find(&session, ObjectClass::PUBLIC_KEY, algorithm, name)?;
            read_public(&session, algorithm, key)
        };
        read().map_err(|fault| Failure::at(self.place_of(name), fault))
    }

    /// Destroys all objects of that name, whoever made them. What was made just now is taken back by
    /// [`NewKey::destroy`].
    ///
    /// # Errors
    ///
    /// Any [`Fault`], for the first object that cannot be destroyed.
    pub fn destroy(&self, name: &KeyName) -> Result<(), Failure> {
        let destroy = || {
            // An empty template would be every object.
            if name.attributes().is_empty() {
                return Err(Fault::NoLabel);
            }
            let session = self.session(Access::Write)?;
            let made = session.find_objects(&name.attributes())?;
            Objects { session, made }.destroy()
        };
        destroy().map_err(|fault| Failure::at(self.place_of(name), fault))
    }

    /// Makes the two objects of a new name. If that fails half-way, those that were made are destroyed again. Others of
    /// that name are not, since somebody else may have made one after it was looked for.
    fn create(
        &self,
        algorithm: Algorithm,
        name: &KeyName,
        make: impl FnOnce(&mut Objects) -> Result<Vec<u8>, Fault>,
    ) -> Result<NewKey, Failure> {
        let create = || {
            if name.label.is_empty() {
                return Err(Fault::NoLabel);
            }
            let session = self.session(Access::Write)?;
            if !session.find_objects(&name.attributes())?.is_empty() {
                return Err(Fault::Exists);
            }
            let mut objects = Objects { session, made: Vec::new() };
            let made = make(&mut objects).and_then(|public| {
                find(&objects.session, ObjectClass::PRIVATE_KEY, algorithm, name)?;
                Ok(public)
            });
            match made {
                Ok(public) => Ok(NewKey { public, objects, place: self.place_of(name) }),
                Err(fault) => {
                    // What is reported is why it was not made.
                    let _ = objects.destroy();
                    Err(fault)
                }
            }
        };
        create().map_err(|fault| Failure::at(self.place_of(name), fault))
    }

    fn place_of(&self, name: &KeyName) -> String {
        format!("{self}, {name}")
    }
}

impl NewKey {
    /// The public half.
    pub fn public_half(&self) -> &[u8] {
        &self.public
    }

    /// Destroys this key pair, and no other of its name.
    ///
    /// # Errors
    ///
    /// Any [`Fault`], for the first object that cannot be destroyed.
    pub fn destroy(self) -> Result<(), Failure> {
        self.objects.destroy().map_err(|fault| Failure::at(self.place, fault))
    }
}

impl Objects {
    /// Tries all of them, and returns the first failure.
    fn destroy(self) -> Result<(), Fault> {
        let mut result = Ok(());
        for object in self.made {
            match self.session.destroy_object(object) {
                Ok(()) | Err(Error::Pkcs11(RvError::ObjectHandleInvalid, _)) => {}
                Err(error) => result = result.and(Err(error.into())),
            }
        }
        result
    }
}

/// Private, sensitive and not extractable, for one use.
fn private_template(algorithm: Algorithm, name: &KeyName) -> Vec<Attribute> {
    let mut template = name.attributes();
    template.extend([Attribute::Token(true), Attribute::Private(true)]);
    template.extend(algorithm.confinement());
    template
}

fn public_template(algorithm: Algorithm, name: &KeyName) -> Vec<Attribute> {
    let mut template = name.attributes();
    template.extend([Attribute::Token(true), Attribute::Private(false), algorithm.parameters()]);
    template.extend(algorithm.public_use());
    template
}

fn read_public(
    session: &Session,
    algorithm: Algorithm,
    key: ObjectHandle,
) -> Result<Vec<u8>, Fault> {
    let found = session.get_attributes(key, &[algorithm.public_attribute()])?;
    let value = found.into_iter().find_map(|attribute| match attribute {
        Attribute::EcPoint(value) | Attribute::Value(value) => Some(value),
        _ => None,
    });
    algorithm.read_public(value.ok_or(Fault::Hidden("public key"))?)
}
