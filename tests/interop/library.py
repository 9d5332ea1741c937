"""What PyPI's `cryptography` has of these formats itself, from version 50 on: HPKE and Cobblestone-256."""

try:
    from cryptography.cobblestone import Cobblestone256Decryptor
except ImportError:
    Cobblestone256Decryptor = None
try:
    from cryptography.hazmat.bindings._rust import openssl
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM1024P384PrivateKey, Suite

    # The public functions take no aad, and every message has its type in it.
    decrypt_with_aad = openssl.hpke._decrypt_with_aad
except (ImportError, AttributeError):
    decrypt_with_aad = None

from formats import p384_private


def hpke_open(key, core, context, message, aad):
    """The first message of a session with suite 0x0051, or None if the library has no HPKE."""
    if decrypt_with_aad is None:
        return None
    suite = Suite(KEM.MLKEM1024_P384, KDF.HKDF_SHA384, AEAD.AES_256_GCM)
    private = MLKEM1024P384PrivateKey(key.ml_kem, p384_private(key.traditional))
    info = b"twinseal/session/v1" + core + context
    return decrypt_with_aad(suite, core[-1665:] + message[1:], private, info, message[:1] + aad)


def cobblestone_open(body_key, context, body):
    """A body, or None if the library has no Cobblestone-256."""
    if Cobblestone256Decryptor is None:
        return None
    decryptor = Cobblestone256Decryptor(body_key, context)
    return bytes(decryptor.update(body)) + bytes(decryptor.finalize() or b"")
