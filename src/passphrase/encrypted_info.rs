//! The structure EncryptedPrivateKeyInfo (RFC 5958 §3): what is encrypted under a passphrase, and how.

use pkcs5::{
    AlgorithmIdentifierRef, EncryptionScheme,
    der::{
        Decode, Encode,
        asn1::{AnyRef, OctetStringRef},
    },
    pbes2::{self, Parameters, Salt},
};

use super::{
    Scrypt, der,
    parameters::{self, invalid, malformed, sequence},
};
use crate::{error::Error, random::Random, secret::SecretBuffer};

/// Length of the salts that are written, in bytes.
const SALT: usize = 16;

/// AES has blocks of so many bytes, and CBC an IV of one block.
const BLOCK: usize = 16;

/// The structure with parameters that are within bounds. Nothing has been computed yet.
#[derive(Debug)]
pub(super) struct EncryptedInfo<'a> {
    parameters: Parameters,
    data: &'a [u8],
}

impl<'a> EncryptedInfo<'a> {
    /// The one form that is written: scrypt with a salt of 16 bytes and no key length, and AES-256-CBC.
    pub(super) fn canonical(der: &'a [u8]) -> Result<Self, Error> {
        let info = Self::foreign(der)?;
        let is_ours = match (&info.parameters.kdf, info.parameters.encryption) {
            (pbes2::Kdf::Scrypt(kdf), pbes2::EncryptionScheme::Aes256Cbc { .. }) => {
                kdf.salt.as_bytes().len() == SALT
            }
            _ => false,
        };
        // A key length, for one, is gone after parsing.
        if is_ours && info.to_der() == der {
            Ok(info)
        } else {
            Err(invalid("it is not encrypted as this crate does it; import_encrypted_pem reads it"))
        }
    }

    /// Every form that is read, see [`parameters::read`].
    pub(super) fn foreign(der: &'a [u8]) -> Result<Self, Error> {
        let outer = AnyRef::from_der(der).map_err(malformed)?;
        let (algorithm, data) = sequence(outer, |reader| {
            let algorithm = AlgorithmIdentifierRef::decode(reader)?;
            Ok((algorithm, <&OctetStringRef>::decode(reader)?.as_bytes()))
        })?;
        if data.is_empty() || data.len() % BLOCK != 0 {
            return Err(invalid("its encrypted content is cut off: it is not whole blocks"));
        }
        Ok(Self { parameters: parameters::read(&algorithm)?, data })
    }

    /// The content. Its padding was right, which one wrong passphrase in 256 achieves, too.
    pub(super) fn decrypt(&self, passphrase: &[u8]) -> Result<SecretBuffer, Error> {
        let mut buffer = SecretBuffer::with_capacity(self.data.len());
        buffer.extend_from_slice(self.data);
        let decrypted = self.parameters.decrypt_in_place(not_empty(passphrase)?, &mut buffer);
        let length = decrypted.map_err(|_| Error::Passphrase)?.len();
        buffer.as_mut_vec().truncate(length);
        Ok(buffer)
    }

    fn to_der(&self) -> Vec<u8> {
        let scheme = EncryptionScheme::from(self.parameters.clone());
        let data = OctetStringRef::new(self.data).and_then(|data| data.to_der());
        let invariant = "a key fits DER";
        der::sequence(&[&scheme.to_der().expect(invariant), &data.expect(invariant)])
    }
}

/// The DER of the canonical form, with a random salt and IV.
pub(super) fn encrypt(content: &[u8], passphrase: &[u8], scrypt: Scrypt) -> Result<Vec<u8>, Error> {
    encrypt_with(content, passphrase, scrypt, &mut Random::System)
}

/// [`encrypt`] with a given salt, then a given IV.
pub(crate) fn encrypt_with(
    content: &[u8],
    passphrase: &[u8],
    scrypt: Scrypt,
    random: &mut Random<'_>,
) -> Result<Vec<u8>, Error> {
    let passphrase = not_empty(passphrase)?;
    let salt = Salt::new(*random.array::<SALT>()?).expect("a salt has up to 32 bytes");
    let iv = *random.array::<BLOCK>()?;
    let parameters = Parameters {
        kdf: scrypt.with_salt(salt).into(),
        encryption: pbes2::EncryptionScheme::Aes256Cbc { iv },
    };
    // PKCS#7 padding has 1 to 16 bytes.
    let padded = (content.len() / BLOCK + 1) * BLOCK;
    let mut buffer = SecretBuffer::with_capacity(padded);
    buffer.extend_from_slice(content);
    buffer.as_mut_vec().resize(padded, 0);
    let data = parameters
        .encrypt_in_place(passphrase, &mut buffer, content.len())
        .expect("the parameters are within bounds, and the buffer has room for the padding");
    Ok(EncryptedInfo { parameters: parameters.clone(), data }.to_der())
}

fn not_empty(passphrase: &[u8]) -> Result<&[u8], Error> {
    match passphrase {
        [] => Err(Error::Misuse { what: "passphrase", reason: "it is empty" }),
        _ => Ok(passphrase),
    }
}
