"""SPEC.md's key files, keyring files and encrypted private keys as text, written only from SPEC.md."""

import base64
import binascii
import re

from encrypted_keys import decrypt_info, pkcs8_content, seed_content
from formats import (
    EC_END,
    EC_START,
    KEM_PKCS8_START,
    KEM_SPKI_START,
    PKCS8_START,
    SPKI_START,
    KemKey,
    SigningKey,
    Suite0001,
    Suite0051,
    check_encapsulation_key,
    check_verifying_key,
    kem_pkcs8,
    kem_recipient,
    u16,
)
from refusals import Malformed, Unauthentic
from sessions import sign_key_id

BOUNDARY = re.compile(r"-----(BEGIN|END) (.+)-----\Z")
WHITE = " \t\n\v\f\r"
BASE64 = re.compile(r"[A-Za-z0-9+/]*\Z")


def documents(content):
    """Label and bytes of each PEM document, by "Reading the text"."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None
    text = text.removeprefix("\ufeff")
    if "\0" in text:
        raise Malformed("NUL")
    found, label, body = [], None, ""
    for line in re.split("\r\n|\n|\r", text):
        line = line.strip(WHITE)
        boundary = BOUNDARY.match(line)
        if label is None:
            if boundary and boundary[1] == "BEGIN":
                label, body = boundary[2], ""
            elif "-----" in line or (len(line.rstrip("=")) >= 40 and BASE64.match(line.rstrip("="))):
                raise Malformed("it could be a damaged key")
        elif boundary:
            if boundary.groups() != ("END", label):
                raise Malformed("another boundary")
            found.append((label, unbase64(body)))
            label = None
        else:
            body += line
    if label is not None:
        raise Malformed("no end")
    if not found:
        raise Malformed("no document")
    return found


def unbase64(text):
    text = text.translate({ord(c): None for c in WHITE})
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("base64") from None
    if not content or base64.b64encode(content).decode() != text:
        raise Malformed("base64")
    return content


def one_document(content):
    found = documents(content)
    if len(found) != 1:
        raise Malformed("several documents")
    return found[0]


# SPEC.md, "Key files": each kind of key, from a document


def kem_private(label, content):
    if label == "TWINSEAL KEM PRIVATE KEY":
        if content[:2] != u16(0x0001) or len(content) != 34:
            raise Malformed("suite or length")
        return KemKey(Suite0001, content[2:])
    if label != "PRIVATE KEY" or len(content) != 149 or not content.startswith(KEM_PKCS8_START):
        raise Malformed("label or structure")
    halves = content[len(KEM_PKCS8_START) :]
    if halves[64:71] != EC_START or halves[119:] != EC_END:
        raise Malformed("ECPrivateKey")
    return KemKey.of_halves(Suite0051, halves[:64], halves[71:119])


def kem_public(label, content):
    """Suite and ek."""
    if label == "TWINSEAL KEM PUBLIC KEY":
        if content[:2] != u16(0x0001):
            raise Malformed("suite")
        suite, ek = Suite0001, content[2:]
    elif label == "PUBLIC KEY" and content.startswith(KEM_SPKI_START):
        suite, ek = Suite0051, content[len(KEM_SPKI_START) :]
    else:
        raise Malformed("label or structure")
    check_encapsulation_key(suite, ek)
    return suite, ek


def sign_private(label, content):
    if label != "PRIVATE KEY" or len(content) != 115 or not content.startswith(PKCS8_START):
        raise Malformed("label or structure")
    return SigningKey(content[len(PKCS8_START) :])


def sign_public(label, content):
    """The verifying key."""
    if label != "PUBLIC KEY" or not content.startswith(SPKI_START):
        raise Malformed("label or structure")
    verifying_key = content[len(SPKI_START) :]
    check_verifying_key(verifying_key)
    return verifying_key


KINDS = {
    "kem-private": (kem_private, lambda key: key.key_id),
    "kem-public": (kem_public, lambda key: kem_recipient(*key)[2:]),
    "sign-private": (sign_private, lambda key: sign_key_id(key.verifying_key)),
    "sign-public": (sign_public, sign_key_id),
}


def read_key(kind, content):
    return KINDS[kind][0](*one_document(content))


def key_id_of(kind, key):
    return KINDS[kind][1](key)


# SPEC.md, "Encrypted private keys"


def read_encrypted_key(kind, content, passphrase):
    label, der = one_document(content)
    labels = {"kem-private": ("ENCRYPTED PRIVATE KEY", "TWINSEAL ENCRYPTED KEM PRIVATE KEY"), "sign-private": ("ENCRYPTED PRIVATE KEY",)}
    if label not in labels[kind]:
        raise Malformed("label")
    found, key = decrypted_key(label, decrypt_info(der, passphrase))
    if found != kind:
        raise Malformed("a key of the other kind")
    return key


def decrypted_key(label, inside):
    """The kind of the key, and the key."""
    readers = {
        "kem-0001": ("kem-private", lambda: kem_private("TWINSEAL KEM PRIVATE KEY", inside[:-16]), seed_content),
        "kem-0051": ("kem-private", lambda: kem_private("PRIVATE KEY", KEM_PKCS8_START + inside[21:149]), lambda key: pkcs8_content(kem_pkcs8(key), key.key_id)),
        "sign": ("sign-private", lambda: sign_private("PRIVATE KEY", PKCS8_START + inside[20:116]), lambda key: pkcs8_content(PKCS8_START + key.bytes, sign_key_id(key.verifying_key))),
    }
    for name in ["kem-0001"] if label.startswith("TWINSEAL") else ["kem-0051", "sign"]:
        kind, read, content = readers[name]
        try:
            key = read()
        except Malformed:
            continue
        if inside == content(key):
            return kind, key
    raise Unauthentic("content")


# SPEC.md, "Keyring files"


def halves(kind, key):
    suite, public = (None, key) if kind.startswith("sign") else (key[0], key[1])
    at = 2592 if suite is None else 1568
    traditional = "p384-sign" if suite is None else suite.id
    return {("post-quantum", public[:at]), (traditional, public[at:])}


def check_distinct(kind, keys):
    """No two different keys have an equal half. `keys` are public."""
    seen = {}
    for key in keys:
        for half in halves(kind, key):
            if seen.setdefault(half, key) != key:
                raise Malformed("an equal half")


def kem_pair(key):
    return key.suite, key.ek


def read_bundle(text):
    """The keys of a KEM keyring, the primary one first."""
    content = text.encode() if isinstance(text, str) else text
    found = documents(content)
    if len(found) > 1000:
        raise Malformed("too many keys")
    keys = [kem_private(*document) for document in found]
    if len({key.recipient for key in keys}) != len(keys):
        raise Malformed("a key is there twice")
    check_distinct("kem", [kem_pair(key) for key in keys])
    return keys


def read_verifying_bundle(content):
    keys = [sign_public(*document) for document in documents(content)]
    check_distinct("sign", keys)
    return list(dict.fromkeys(keys))


def read_directory(files):
    """The KEM keyring in a directory: its primary key, and the others."""
    keys = {name: read_key("kem-private", content) for name, content in key_files(files)}
    primary = keys.get("primary.pem")
    if primary is None:
        raise Malformed("no primary key")
    check_distinct("kem", [kem_pair(key) for key in keys.values()])
    others = {key.key_id: key for key in keys.values() if key.key_id != primary.key_id}
    return [primary, *(others[key_id] for key_id in sorted(others))]


def read_signers(files):
    """The verifying keyring in a directory: names and keys."""
    keys = {name.removesuffix(".pem"): read_key("sign-public", content) for name, content in key_files(files)}
    if len(set(keys.values())) != len(keys):
        raise Malformed("two names for a key")
    check_distinct("sign", keys.values())
    return keys


def key_files(files):
    return [(name, content) for name, content in files if name.endswith(".pem") and not name.startswith(".")]
