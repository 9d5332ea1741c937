"""SPEC.md's sealed stores, written only from SPEC.md: keys objects, pins and objects."""

import hashlib
import pathlib

from formats import (
    Suite0001,
    Suite0051,
    check_context,
    check_ml_kem_key,
    check_x25519,
    header_and_body_key,
    hkdf_sha384,
    open_body,
    open_header,
    p384_load,
    seal_body,
    u16,
    verify,
)
from sessions import sign_key_id

SUITES = {suite.id: suite for suite in (Suite0001, Suite0051)}
SEALED_IN, SIGNED_IN = b"twinseal/store-keys/v1", b"twinseal/store/v1"
LONGEST = 12 * 2**20


def u32(number):
    return number.to_bytes(4, "big")


def recipient_id(suite, ek):
    return u16(suite.id) + hashlib.sha384(b"twinseal/key-id/kem/v1" + u16(suite.id) + ek).digest()[:16]


def check_encapsulation_key(suite, ek):
    check_ml_kem_key(ek)
    if suite is Suite0001:
        check_x25519(ek[1568:])
    else:
        p384_load(ek[1568:])


class Keys:
    """The content of a keys object. `recipients` are (suite, ek) in order, `epochs` maps numbers to keys."""

    def __init__(self, store_id, history, recipients, epochs):
        self.store_id, self.history, self.recipients, self.epochs = store_id, history, recipients, epochs

    @property
    def serial(self):
        return len(self.history) + 1

    def encode(self, verifying_key):
        """All bytes before the signature."""
        out = b"twinstor\1" + self.store_id + u32(self.serial) + b"".join(self.history)
        out += u16(len(self.recipients))
        for suite, ek in self.recipients:
            out += u16(suite.id) + ek
        out += u32(len(self.epochs))
        for epoch, key in self.epochs.items():
            out += u32(epoch) + key
        return out + u16(0x0001) + sign_key_id(verifying_key)

    def input_key(self, epoch):
        return input_key(self.epochs[epoch], self.store_id, epoch)


def seal_keys(content_key, header, salt, plaintext):
    """`header` is that of an envelope with this content key."""
    _, body_key = header_and_body_key(content_key)
    return header + seal_body(body_key, salt, SEALED_IN, plaintext)


def open_keys(key, context, sealed, name, verifying_key):
    """The steps of "Opening a keys object": the keys, and their fingerprint."""
    check_context(context)
    if len(sealed) > LONGEST:
        raise ValueError("longer than 12 MiB")
    body_key, sealed_to, body = open_header(key, sealed)
    plaintext = open_body(body_key, SEALED_IN, body)

    position = 0

    def take(length):
        nonlocal position
        position += length
        if position > len(plaintext):
            raise ValueError("truncated")
        return plaintext[position - length : position]

    def number(length):
        return int.from_bytes(take(length), "big")

    if take(9) != b"twinstor\1":
        raise ValueError("magic or version")
    store_id, serial = take(16), number(4)
    if not 1 <= serial <= 65536:
        raise ValueError("serial")
    history = [take(48) for _ in range(serial - 1)]
    count = number(2)
    if not 1 <= count <= 1000:
        raise ValueError("number of recipients")
    recipients = []
    for _ in range(count):
        suite = SUITES.get(number(2))
        if suite is None:
            raise ValueError("suite")
        recipients.append((suite, take(suite.key_length)))
    count = number(4)
    if not 1 <= count <= serial:
        raise ValueError("number of epochs")
    epochs = [(number(4), take(32)) for _ in range(count)]
    signer = take(18)
    signed, signature = plaintext[:position], plaintext[position:]

    if signer != u16(0x0001) + sign_key_id(verifying_key) or not 4635 <= len(signature) <= 4731:
        raise ValueError("another owner")
    verify(verifying_key, SIGNED_IN, signed + verifying_key + context, signature)
    if serial != name:
        raise ValueError("another serial")
    ids = []
    for suite, ek in recipients:
        check_encapsulation_key(suite, ek)
        ids.append(recipient_id(suite, ek))
    numbers = [epoch for epoch, _ in epochs]
    if ids != sorted(set(ids)) or numbers != sorted(set(numbers)) or not 1 <= numbers[0] or numbers[-1] > serial:
        raise ValueError("order")
    if sealed_to != ids:
        raise ValueError("other recipients")
    return Keys(store_id, history, recipients, dict(epochs)), hashlib.sha384(signed).digest()


# SPEC.md, "Pins"


def pin_of(keys, fingerprint):
    return f"{keys.store_id.hex()}.{keys.serial}.{fingerprint.hex()}"


def check_pin(pin, keys, fingerprint):
    store_id, serial, expected = pin.split(".")
    if pin != f"{bytes.fromhex(store_id).hex()}.{int(serial)}.{bytes.fromhex(expected).hex()}":
        raise ValueError("not a pin")
    if bytes.fromhex(store_id) != keys.store_id:
        raise ValueError("another store")
    if keys.serial < int(serial):
        raise ValueError("older than the pin")
    if [*keys.history, fingerprint][int(serial) - 1].hex() != expected:
        raise ValueError("not what was pinned")


# SPEC.md, "Objects"


def input_key(store_key, store_id, epoch):
    return hkdf_sha384(store_key, b"twinseal/object/v1" + store_id + u32(epoch), 32)


def bound(context, path):
    return bytes([len(context)]) + context + path


def seal_object(key, epoch, salt, context, path, plaintext):
    return b"twinobjt\1" + u32(epoch) + seal_body(key, salt, bound(context, path), plaintext)


def open_object(keys, context, path, sealed):
    """The epoch and the plaintext."""
    if sealed[:9] != b"twinobjt\1" or len(sealed) < 85:
        raise ValueError("magic, version or length")
    epoch = int.from_bytes(sealed[9:13], "big")
    if epoch not in keys.epochs:
        raise ValueError("unknown epoch")
    return epoch, open_body(keys.input_key(epoch), bound(context, path), sealed[13:])


class Directory:
    """A store whose inner store is a directory."""

    def __init__(self, directory, key, context, verifying_key, pin=None):
        self.root, self.context = pathlib.Path(directory), context
        names = [p.name for p in (self.root / ".twinseal/keys").iterdir()]
        serials = [int(n) for n in names if len(n) == 10 and n.isascii() and n.isdigit()]
        newest = max((s for s in serials if 1 <= s <= 65536), default=None)
        if newest is None:
            raise ValueError("no keys")
        sealed = (self.root / f".twinseal/keys/{newest:010}").read_bytes()
        self.keys, self.fingerprint = open_keys(key, context, sealed, newest, verifying_key)
        if pin is not None:
            check_pin(pin, self.keys, self.fingerprint)

    def paths(self):
        files = (p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if p.is_file())
        return sorted(p for p in files if ".TWINSEAL" not in p.upper().split("/"))

    def read(self, path):
        return open_object(self.keys, self.context, path.encode(), (self.root / path).read_bytes())
