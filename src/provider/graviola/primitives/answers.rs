//! The known answers that graviola's primitives give before they are used.

use crate::{
    error::Error,
    provider::{Aead, Kem, Random, SignatureScheme, self_test::hex},
};

/// A key agreement of two sides, one of which is seen from inside.
struct Agreement<const SECRET: usize, const PUBLIC: usize> {
    private: [u8; SECRET],
    public: [u8; PUBLIC],
    peer: [u8; PUBLIC],
    shared: [u8; SECRET],
}

/// RFC 7748 §6.1.
const X25519: Agreement<32, 32> = Agreement {
    private: hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
    public: hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"),
    peer: hex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
    shared: hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"),
};

/// RFC 5903 §8.2.
const P384: Agreement<48, 97> = Agreement {
    private: hex("099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655\
                  e35b538041e649ee3faef896783ab194"),
    public: hex("04\
                 667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6\
                 de3ac808acb4bdb4c88732aee95f41aa\
                 9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38e\
                 eb9fcff3c2c947dae69b4c634573a81c"),
    peer: hex("04\
               e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d\
               0d1ac43a0336def96fda41d0774a3571\
               dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1ff\
               f83fa40142209dff5eaad96db9e6386c"),
    shared: hex("11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4\
                 d603135569b9e9d09cf5d4a270f59746"),
};

/// RFC 6979 §A.2.6, with SHA-384 and the message "sample".
const SIGNING_KEY: [u8; 48] = hex("6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa4774078713\
                                   7d896d5724e4c70a825f872c9ea60d2edf5");
const VERIFYING_KEY: [u8; 97] = hex("04\
                                     ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64\
                                     def8f0ea9055866064a254515480bc13\
                                     8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1\
                                     288b231c3ae0d4fe7344fd2533264720");
const SIGNATURE: [u8; 96] = hex("94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c\
                                 81a648152e44acf96e36dd1e80fabe46\
                                 99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f\
                                 a329c145786e679e7b82c71a38628ac8");

/// Both sides, and encapsulation too: the ephemeral key is given.
fn agrees<const SECRET: usize, const PUBLIC: usize>(
    kem: &(impl Kem + ?Sized),
    answer: &Agreement<SECRET, PUBLIC>,
) -> Result<bool, Error> {
    let pair = kem.key_pair(&answer.private)?;
    let mut decapsulated = [0; SECRET];
    pair.decapsulator.decapsulate(&answer.peer, &mut decapsulated)?;

    let mut ephemeral = |bytes: &mut [u8]| {
        bytes.copy_from_slice(&answer.private);
        Ok(())
    };
    let mut ciphertext = [0; PUBLIC];
    let mut encapsulated = [0; SECRET];
    kem.encapsulator(&answer.peer)?.encapsulate(
        &mut Random::Given(&mut ephemeral),
        &mut ciphertext,
        &mut encapsulated,
    )?;

    Ok(pair.encapsulation_key == answer.public
        && ciphertext == answer.public
        && decapsulated == answer.shared
        && encapsulated == answer.shared)
}

pub(super) fn x25519(kem: &(impl Kem + ?Sized)) -> Result<bool, Error> {
    agrees(kem, &X25519)
}

pub(super) fn p384(kem: &(impl Kem + ?Sized)) -> Result<bool, Error> {
    agrees(kem, &P384)
}

/// A signature has random parts, so its own is verified.
pub(super) fn ecdsa_p384(scheme: &(impl SignatureScheme + ?Sized)) -> Result<bool, Error> {
    let pair = scheme.key_pair(&SIGNING_KEY)?;
    let signature = pair.signer.sign(b"", b"sample")?;
    let verifies = |message, signature| pair.verifier.verify(b"", message, signature).is_ok();
    Ok(pair.verifying_key == VERIFYING_KEY
        && verifies(b"sample", &SIGNATURE)
        && verifies(b"sample", &signature)
        && !verifies(b"simple", &SIGNATURE))
}

/// Long enough for the widest code, 16 blocks at once, and for what is left over at each width.
pub(super) fn aes_256_gcm(aead: &(impl Aead + ?Sized)) -> Result<bool, Error> {
    /// Of the `aes-gcm` crate and AWS-LC.
    const TAG: [u8; 16] = hex("9439b34bce6b3e1b5f0f165c116202f2");
    const LENGTH: usize = (16 + 8 + 7) * 16 + 5;

    let key = aead.key(&[0x2b; 32])?;
    let (nonce, aad) = ([0x07; 12], [0x61; 21]);
    let message: [u8; LENGTH] = std::array::from_fn(|index| index as u8);
    let mut buffer = message;
    let tag = key.seal_in_place(&nonce, &aad, &mut buffer)?;
    let ciphertext = buffer;
    key.open_in_place(&nonce, &aad, &mut buffer, &tag)?;

    let mut forged = ciphertext;
    forged[LENGTH - 1] ^= 1;
    let refused = key.open_in_place(&nonce, &aad, &mut forged, &tag).is_err();
    Ok(tag == TAG && buffer == message && refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::PORTABLE;

    /// What graviola is compared with does not come from graviola.
    #[test]
    fn the_portable_provider_gives_the_same_answers() {
        assert_eq!(x25519(PORTABLE.x25519), Ok(true));
        assert_eq!(p384(PORTABLE.p384), Ok(true));
        assert_eq!(ecdsa_p384(PORTABLE.ecdsa_p384), Ok(true));
        assert_eq!(aes_256_gcm(PORTABLE.aes_256_gcm), Ok(true));
    }
}
