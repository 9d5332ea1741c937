"""SPEC.md's sessions and keyring files, written only from SPEC.md."""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from formats import (
    Suite0001,
    Suite0051,
    as_list,
    check_context,
    check_signature,
    check_x25519,
    chunk_nonce,
    p384_load,
    u16,
    verify,
)
from refusals import Malformed, NotForUs, Refused

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
            raise Refused("finished, too long, or used up")
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
            raise Malformed("message")
        used = self.count(aad, len(message) - 17)
        nonce = chunk_nonce(self.base_nonce, self.number)
        plaintext = AESGCM(self.key).decrypt(nonce, message[1:], message[:1] + aad)
        self.advance(message[0], used)
        return plaintext


class Replies:
    """An initiator's side of the replies to its session."""

    def __init__(self, schedule):
        self.schedule, self.opened = schedule, None

    def begin(self, r):
        if self.opened not in (None, r):
            raise Refused("another reply")
        return self.Reply(self, r)

    class Reply:
        def __init__(self, replies, r):
            self.replies, self.r, self.direction = replies, r, replies.schedule.reply(r)

        @property
        def finished(self):
            return self.direction.finished

        def open(self, aad, message):
            if self.replies.opened not in (None, self.r):
                raise Refused("another reply")
            plaintext = self.direction.open(aad, message)
            self.replies.opened = self.r
            return plaintext


def hello_core(suite_id, recipient, signer, ct):
    """`signer` is None, or a signature suite and a key id."""
    start = b"twinsess\1" + u16(suite_id) + u16(2) + u16(2)
    signed = b"\0" if signer is None else b"\1"
    return start + signed + recipient + (b"" if signer is None else u16(signer[0]) + signer[1]) + ct


def check_ciphertext(suite, ct):
    if len(ct) != suite.ciphertext_length:
        raise Malformed("ciphertext length")
    check_x25519(ct[1568:]) if suite is Suite0001 else p384_load(ct[1568:])


def accept(keys, context, hello, verifying_keys=None):
    """The steps of "Accepting a hello": the key schedule. `verifying_keys` are those of the named signers, None if
    the hello has to be unsigned."""
    check_context(context)
    if hello[:9] != b"twinsess\1" or hello[11:15] != u16(2) + u16(2) or len(hello) < 32:
        raise Malformed("magic, version, KDF, AEAD or length")
    suite = SUITES.get(int.from_bytes(hello[9:11], "big"))
    if suite is None or hello[15] not in (0, 1):
        raise Malformed("suite or flags")
    is_signed = hello[15] == 1
    start = 50 if is_signed else 32
    if is_signed and hello[32:34] != u16(0x0001):
        raise Malformed("signature suite")
    core, signature = hello[: start + suite.ciphertext_length], hello[start + suite.ciphertext_length :]
    ct = core[start:]
    check_ciphertext(suite, ct)
    if signature and not is_signed:
        raise Malformed("length")
    key = next((key for key in as_list(keys) if key.recipient == hello[9:11] + hello[16:32]), None)
    if key is None:
        raise NotForUs("for another key")
    if is_signed != (verifying_keys is not None):
        raise Refused("signed or unsigned")
    if is_signed:
        vk = next((vk for vk in as_list(verifying_keys) if hello[34:50] == sign_key_id(vk)), None)
        if vk is None:
            raise Refused("another signer")
        check_signature(signature)
        verify(vk, SESSION, core + key.ek + vk + context, signature)
    return Schedule(suite.id, key.decapsulate(ct)[2], core, context)


def sign_key_id(verifying_key):
    return hashlib.sha384(b"twinseal/key-id/sign/v1" + u16(0x0001) + verifying_key).digest()[:16]


# SPEC.md, "Framed sessions"


def frame(content):
    return len(content).to_bytes(4, "big") + content


class Frames:
    """The frames of one direction of a connection."""

    def __init__(self, stream):
        self.rest = stream

    def next(self, least, most):
        length = int.from_bytes(self.rest[:4], "big")
        if len(self.rest) < 4:
            raise Malformed("the input ends early")
        if not least <= length <= most:
            raise Malformed("length of a frame")
        content, self.rest = self.rest[4 : 4 + length], self.rest[4 + length :]
        if len(content) != length:
            raise Malformed("the input ends early")
        return content

    def messages(self, direction, bound=2**20):
        while not direction.finished:
            yield direction.open(b"", self.next(17, 17 + bound))
        if self.rest:
            raise Malformed("bytes after the last message")


def accept_framed(keys, context, stream, verifying_keys=None, bound=2**20):
    """All messages of the initiator, if the session is complete."""
    frames = Frames(stream)
    schedule = accept(keys, context, frames.next(0, 6446), verifying_keys)
    return [*frames.messages(Direction(schedule.key, schedule.base_nonce), bound)]
