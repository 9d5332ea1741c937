"""SPEC.md's sessions and keyring files, written only from SPEC.md."""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from formats import (
    KemKey,
    Suite0001,
    Suite0051,
    check_context,
    chunk_nonce,
    from_pem,
    read_kem_pkcs8,
    u16,
    verify,
)

SUITES = {suite.id: suite for suite in (Suite0001, Suite0051)}
SESSION = b"twinseal/session/v1"
MORE, LAST = 0, 1
MAX_MESSAGE, MAX_DIRECTION = 2**30, 2**40


class Schedule:
    def __init__(self, suite_id, ss, core, context):
        self.suite_id = (b"HPKE" if suite_id == 0x0051 else b"twinseal") + u16(suite_id) + u16(2) + u16(2)
        self.psk_id_hash = self.extract(b"", b"psk_id_hash", b"")
        self.info_hash = self.extract(b"", b"info_hash", SESSION + core + context)
        self.secret = self.extract(ss, b"secret", b"")
        schedule_context = b"\0" + self.psk_id_hash + self.info_hash
        self.key = self.expand(self.secret, b"key", schedule_context, 32)
        self.base_nonce = self.expand(self.secret, b"base_nonce", schedule_context, 12)
        self.exporter_secret = self.expand(self.secret, b"exp", schedule_context, 48)
        self.session_id = self.export(b"twinseal/session-id/v1", 32)

    def extract(self, salt, label, ikm):
        return hmac.digest(salt, b"HPKE-v1" + self.suite_id + label + ikm, "sha384")

    def expand(self, prk, label, info, length):
        message = u16(length) + b"HPKE-v1" + self.suite_id + label + info + b"\1"
        return hmac.digest(prk, message, "sha384")[:length]

    def export(self, context, length):
        return self.expand(self.exporter_secret, b"sec", context, length)

    def reply(self, r):
        keys = self.export(b"twinseal/reply/v1" + r, 44)
        return Direction(keys[:32], keys[32:])


class Direction:
    """Seals or opens, not both."""

    def __init__(self, key, base_nonce):
        self.key, self.base_nonce = key, base_nonce
        self.number, self.used, self.finished = 0, 0, False

    def count(self, aad, length):
        used = self.used + length + len(aad) + 32
        if self.finished or length > MAX_MESSAGE or used > MAX_DIRECTION:
            raise ValueError("finished, too long, or used up")
        return used

    def advance(self, kind, used):
        self.number, self.used, self.finished = self.number + 1, used, kind == LAST

    def seal(self, kind, aad, plaintext):
        used = self.count(aad, len(plaintext))
        nonce = chunk_nonce(self.base_nonce, self.number)
        sealed = bytes([kind]) + AESGCM(self.key).encrypt(nonce, plaintext, bytes([kind]) + aad)
        self.advance(kind, used)
        return sealed

    def open(self, aad, message):
        if len(message) < 17 or message[0] not in (MORE, LAST):
            raise ValueError("message")
        used = self.count(aad, len(message) - 17)
        nonce = chunk_nonce(self.base_nonce, self.number)
        plaintext = AESGCM(self.key).decrypt(nonce, message[1:], message[:1] + aad)
        self.advance(message[0], used)
        return plaintext


def hello_core(suite_id, recipient, signer, ct):
    """`signer` is None, or a signature suite and a key id."""
    start = b"twinsess\1" + u16(suite_id) + u16(2) + u16(2)
    signed = b"\0" if signer is None else b"\1"
    return start + signed + recipient + (b"" if signer is None else u16(signer[0]) + signer[1]) + ct


def accept(key, context, hello, verifying_key=None):
    """The steps of "Accepting a hello": the key schedule."""
    check_context(context)
    if hello[:9] != b"twinsess\1" or hello[11:15] != u16(2) + u16(2) or len(hello) < 32:
        raise ValueError("magic, version, KDF, AEAD or length")
    suite = SUITES.get(int.from_bytes(hello[9:11], "big"))
    if suite is None or hello[15] not in (0, 1):
        raise ValueError("suite or flags")
    is_signed = hello[15] == 1
    start = 50 if is_signed else 32
    if is_signed and hello[32:34] != u16(0x0001):
        raise ValueError("signature suite")
    core, signature = hello[: start + suite.ciphertext_length], hello[start + suite.ciphertext_length :]
    ct = core[start:]
    if len(ct) != suite.ciphertext_length or (signature and not is_signed):
        raise ValueError("length")
    if (suite, hello[16:32]) != (key.suite, key.key_id):
        raise ValueError("for another key")
    if is_signed != (verifying_key is not None):
        raise ValueError("signed or unsigned")
    if is_signed:
        if hello[34:50] != sign_key_id(verifying_key):
            raise ValueError("another signer")
        verify(verifying_key, SESSION, core + key.ek + verifying_key + context, signature)
    return Schedule(suite.id, key.decapsulate(ct)[2], core, context)


def sign_key_id(verifying_key):
    return hashlib.sha384(b"twinseal/key-id/sign/v1" + u16(0x0001) + verifying_key).digest()[:16]


def read_kem_key(text):
    if text.startswith("-----BEGIN PRIVATE KEY-----"):
        return read_kem_pkcs8(from_pem("PRIVATE KEY", text))
    content = from_pem("TWINSEAL KEM PRIVATE KEY", text)
    if content[:2] != u16(0x0001):
        raise ValueError("suite")
    return KemKey(Suite0001, content[2:])


def read_bundle(text):
    """The keys of a keyring, the primary one first."""
    keys, lines = [], []
    for line in text.splitlines():
        if not lines and not line.strip(" \t\f"):
            continue
        lines.append(line)
        if line.startswith("-----END "):
            keys.append(read_kem_key("\n".join(lines)))
            lines = []
    if lines or not keys or len({key.key_id for key in keys}) != len(keys):
        raise ValueError("bundle")
    return keys
