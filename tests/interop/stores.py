"""SPEC.md's sealed stores, written only from SPEC.md: keys objects, pins and objects."""

import hashlib
import pathlib
import re

from cryptography.exceptions import InvalidSignature

from formats import (
    Suite0001,
    Suite0051,
    check_context,
    check_encapsulation_key,
    header_and_body_key,
    hkdf_sha384,
    open_body,
    kem_recipient,
    open_header,
    seal_body,
    u16,
    verify,
)
from refusals import Malformed, Refused, Unauthentic
from sessions import sign_key_id

SUITES = {suite.id: suite for suite in (Suite0001, Suite0051)}
SEALED_IN, SIGNED_IN = b"twinseal/store-keys/v1", b"twinseal/store/v1"
LONGEST = 12 * 2**20


def u32(number):
    return number.to_bytes(4, "big")


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
        raise Malformed("longer than 12 MiB")
    body_key, sealed_to, body = open_header(key, sealed)
    plaintext = open_body(body_key, SEALED_IN, body)

    position = 0

    def take(length):
        nonlocal position
        position += length
        if position > len(plaintext):
            raise Malformed("truncated")
        return plaintext[position - length : position]

    def number(length):
        return int.from_bytes(take(length), "big")

    if take(9) != b"twinstor\1":
        raise Malformed("magic or version")
    store_id, serial = take(16), number(4)
    if not 1 <= serial <= 65536:
        raise Malformed("serial")
    history = [take(48) for _ in range(serial - 1)]
    count = number(2)
    if not 1 <= count <= 1000:
        raise Malformed("number of recipients")
    recipients = []
    for _ in range(count):
        suite = SUITES.get(number(2))
        if suite is None:
            raise Malformed("suite")
        recipients.append((suite, take(suite.key_length)))
    count = number(4)
    if not 1 <= count <= serial:
        raise Malformed("number of epochs")
    epochs = [(number(4), take(32)) for _ in range(count)]
    signer = take(18)
    if signer[:2] != u16(0x0001):
        raise Malformed("suite")
    signed, signature = plaintext[:position], plaintext[position:]

    if signer[2:] != sign_key_id(verifying_key):
        raise Unauthentic("another owner")
    try:
        verify(verifying_key, SIGNED_IN, signed + verifying_key + context, signature)
    except (Malformed, InvalidSignature):
        raise Unauthentic("another owner") from None
    if serial != name:
        raise Refused("another serial")
    ids = []
    for suite, ek in recipients:
        check_encapsulation_key(suite, ek)
        ids.append(kem_recipient(suite, ek))
    numbers = [epoch for epoch, _ in epochs]
    if ids != sorted(set(ids)) or numbers != sorted(set(numbers)) or not 1 <= numbers[0] or numbers[-1] > serial:
        raise Malformed("order")
    if sealed_to != ids:
        raise Refused("other recipients")
    return Keys(store_id, history, recipients, dict(epochs)), hashlib.sha384(signed).digest()


# SPEC.md, "Pins"


def pin_of(keys, fingerprint):
    return f"{keys.store_id.hex()}.{keys.serial}.{fingerprint.hex()}"


PIN = re.compile(r"([0-9a-f]{32})\.([1-9][0-9]{0,4})\.([0-9a-f]{96})\Z")


def check_pin(pin, keys, fingerprint):
    store_id, serial, expected = parse_pin(pin)
    if bytes.fromhex(store_id) != keys.store_id:
        raise Refused("another store")
    if keys.serial < int(serial):
        raise Refused("older than the pin")
    if [*keys.history, fingerprint][int(serial) - 1].hex() != expected:
        raise Refused("not what was pinned")


def parse_pin(pin):
    found = PIN.match(pin.strip(" \t\n\f\r"))
    if not found or int(found[2]) > 65536:
        raise Malformed("not a pin")
    return found.groups()


# SPEC.md, "Objects"


def input_key(store_key, store_id, epoch):
    return hkdf_sha384(store_key, b"twinseal/object/v1" + store_id + u32(epoch), 32)


def bound(context, path):
    return bytes([len(context)]) + context + path


def seal_object(key, epoch, salt, context, path, plaintext):
    return b"twinobjt\1" + u32(epoch) + seal_body(key, salt, bound(context, path), plaintext)


def open_object(keys, context, path, sealed, oldest=0):
    """The epoch and the plaintext."""
    if len(sealed) < 85 or not 16 <= (len(sealed) - 69) % 16400 or sealed[:9] != b"twinobjt\1":
        raise Malformed("length, magic or version")
    epoch = int.from_bytes(sealed[9:13], "big")
    if epoch < oldest:
        raise Refused("an old epoch")
    if epoch not in keys.epochs:
        raise Refused("unknown epoch")
    return epoch, open_body(keys.input_key(epoch), bound(context, path), sealed[13:])


def open_newest(objects, key, context, verifying_key):
    """The keys, of the objects under P/.twinseal/keys/ by name."""
    serials = [int(name) for name in objects if len(name) == 10 and name.isascii() and name.isdigit()]
    newest = max((serial for serial in serials if 1 <= serial <= 65536), default=None)
    if newest is None:
        raise Refused("no keys")
    return open_keys(key, context, objects[f"{newest:010}"], newest, verifying_key)


class Directory:
    """A store whose inner store is a directory."""

    def __init__(self, directory, key, context, verifying_key, pin=None):
        self.root, self.context = pathlib.Path(directory), context
        folder = self.root / ".twinseal/keys"
        self.keys, self.fingerprint = open_newest({p.name: p.read_bytes() for p in folder.iterdir()}, key, context, verifying_key)
        if pin is not None:
            check_pin(pin, self.keys, self.fingerprint)

    def paths(self):
        files = (p.relative_to(self.root).as_posix() for p in self.root.rglob("*") if p.is_file())
        return sorted(p for p in files if ".TWINSEAL" not in p.upper().split("/"))

    def read(self, path):
        return open_object(self.keys, self.context, path.encode(), (self.root / path).read_bytes())
