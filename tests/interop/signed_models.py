"""SPEC.md's "Signed models", written only from SPEC.md."""

import base64
import binascii
import hashlib
import json
import re
from decimal import Decimal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from formats import SPKI_START, to_pem, verify
from key_text import one_document, sign_public
from refusals import Malformed, Refused, Unauthentic

PAYLOAD_TYPE = "application/vnd.in-toto+json"
GIT = (".git", ".gitattributes", ".github", ".gitignore")


def pae(payload):
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


class TrustedKey:
    """A composite key, or one of ECDSA on P-384."""

    def __init__(self, label, der):
        if label != "PUBLIC KEY":
            raise Malformed("label")
        if der.startswith(SPKI_START):
            self.key, self.pem = sign_public(label, der), to_pem(label, der)
        else:
            try:
                self.key = load_der_public_key(der)
            except ValueError:
                raise Malformed("key") from None
            if not isinstance(self.key, ec.EllipticCurvePublicKey) or not isinstance(self.key.curve, ec.SECP384R1):
                raise Malformed("kind of key")
            self.pem = self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.hint = hashlib.sha256(self.pem.encode()).hexdigest()

    def verify(self, message, signature):
        if isinstance(self.key, bytes):
            return verify(self.key, b"", message, signature)
        return self.key.verify(signature, message, ec.ECDSA(hashes.SHA384()))


def members(pairs):
    if len(pairs) > 1024:
        raise Malformed("too many members")
    if len({name for name, _ in pairs}) != len(pairs):
        raise Malformed("a member twice")
    return dict(pairs)


def constant(text):
    raise Malformed(text)


def parse_json(content):
    if len(content) > 256 * 2**20:
        raise Malformed("longer than 256 MiB")
    try:
        text = content.decode()
        value = json.loads(text, object_pairs_hook=members, parse_float=Decimal, parse_constant=constant)
        json.dumps(value, default=str, ensure_ascii=False).encode()
    except (UnicodeError, json.JSONDecodeError, RecursionError):
        raise Malformed("JSON") from None
    if depth(value) > 32:
        raise Malformed("too deep")
    return value


def depth(value):
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(depth, inside), default=0)


def an_object(value, required, optional=(), others=False):
    if not isinstance(value, dict) or not set(required) <= value.keys():
        raise Malformed(f"not an object with {required}")
    if not others and not value.keys() <= {*required, *optional}:
        raise Malformed("an unknown member")
    return value


def a_text(value):
    if not isinstance(value, str):
        raise Malformed("not a string")
    return value


def a_list(value):
    if not isinstance(value, list):
        raise Malformed("not an array")
    return value


def unbase64_all(texts):
    """All of one alphabet."""
    if not any("+" in text or "/" in text for text in map(a_text, texts)):
        texts = [text.replace("-", "+").replace("_", "/") for text in texts]
    return [unbase64(text) for text in texts]


def unbase64(plain):
    try:
        content = base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("base64") from None
    if base64.b64encode(content).decode() != plain:
        raise Malformed("base64")
    return content


class Bundle:
    def __init__(self, content):
        bundle = an_object(parse_json(content), ("mediaType", "verificationMaterial", "dsseEnvelope"))
        if bundle["mediaType"] != "application/vnd.dev.sigstore.bundle.v0.3+json":
            raise Malformed("media type")
        if content[:1] != b"{" or content.removesuffix(b"\n")[-1:] != b"}":
            raise Malformed("white space around it")
        material = an_object(bundle["verificationMaterial"], ("publicKey",), ("tlogEntries", "timestampVerificationData"))
        for entry in a_list(material.get("tlogEntries", [])):
            an_object(entry, (), others=True)
        stamps = an_object(material.get("timestampVerificationData", {}), (), ("rfc3161Timestamps",))
        for stamp in a_list(stamps.get("rfc3161Timestamps", [])):
            an_object(stamp, (), ("signedTimestamp",))
        self.public_key = an_object(material["publicKey"], (), ("hint", "rawBytes", "keyDetails"))
        envelope = an_object(bundle["dsseEnvelope"], ("payload", "payloadType", "signatures"))
        if envelope["payloadType"] != PAYLOAD_TYPE:
            raise Malformed("payload type")
        if len(a_list(envelope["signatures"])) != 1:
            raise Malformed("number of signatures")
        signed = an_object(envelope["signatures"][0], ("sig",), ("keyid",))
        if signed.get("keyid") not in (None, ""):
            raise Malformed("keyid")
        raw = self.public_key.get("rawBytes")
        texts = [envelope["payload"], signed["sig"], *([] if raw is None else [raw])]
        self.payload, self.signature, *raw = unbase64_all(texts)
        self.read_key(raw)
        self.read_statement(an_object(parse_json(self.payload), ("_type", "subject", "predicateType", "predicate")))

    def read_key(self, raw):
        """`hint` is a text or None, and `own` the key that is there itself, or None."""
        self.hint, self.own = self.public_key.get("hint"), None
        if self.public_key.get("keyDetails") not in (None, "PKIX_ECDSA_P384_SHA_384") or self.hint is None and not raw:
            raise Malformed("no key, or its details")
        if self.hint is not None and re.match(r"[^:]+:[0-9A-Fa-f]+\Z", a_text(self.hint)):
            raise Malformed("another algorithm")
        if raw:
            document = one_document(raw[0]) if raw[0].startswith(b"-----") else ("PUBLIC KEY", raw[0])
            self.own = TrustedKey(*document).hint

    def is_by(self, key):
        is_named = self.hint in (None, key.hint) and self.own in (None, key.hint)
        return is_named and not ("keyDetails" in self.public_key and isinstance(key.key, bytes))

    def read_statement(self, statement):
        if statement["_type"] != "https://in-toto.io/Statement/v1":
            raise Malformed("statement type")
        if statement["predicateType"] != "https://model_signing/signature/v1.0":
            raise Malformed("predicate type")
        if len(a_list(statement["subject"])) != 1:
            raise Malformed("number of subjects")
        subject = an_object(statement["subject"][0], ("name", "digest"), others=True)
        self.name = a_text(subject["name"])
        root = sha256(an_object(subject["digest"], ("sha256",))["sha256"])
        predicate = an_object(statement["predicate"], ("resources", "serialization"))
        how = an_object(predicate["serialization"], ("method", "hash_type", "allow_symlinks"), ("shard_size", "ignore_paths"))
        if how["method"] not in ("files", "shards") or how["hash_type"] != "sha256" or how["allow_symlinks"] is not False:
            raise Malformed("method, digests or links")
        self.shard_size = shard_size(how["shard_size"]) if "shard_size" in how else None
        if (self.shard_size is None) != (how["method"] == "files"):
            raise Malformed("shard size")
        resources = a_list(predicate["resources"])
        if not 1 <= len(resources) <= 2**20:
            raise Malformed("number of resources")
        self.files, digests = {}, []
        for resource in resources:
            an_object(resource, ("name", "digest", "algorithm"), others=True)
            digests.append(sha256(resource["digest"]))
            self.add(a_text(resource["name"]), resource["algorithm"], digests[-1])
        if self.shard_size is not None:
            self.files = {name: self.whole(shards) for name, shards in self.files.items()}
        if hashlib.sha256(b"".join(digests)).digest() != root:
            raise Malformed("root digest")
        self.ignored = [a_path(path) for path in a_list(how.get("ignore_paths", []))]
        check_ignored(self.ignored, self.files)

    def add(self, name, algorithm, digest):
        size = self.shard_size
        if size is None:
            if algorithm != "sha256":
                raise Malformed("algorithm")
            if name != ".":
                a_path(name)
            if name in self.files:
                raise Malformed("a resource twice")
            self.files[name] = digest
            return
        found = re.match(r"(?s)(.*):(0|[1-9][0-9]*):(0|[1-9][0-9]*)\Z", name, re.ASCII)
        if algorithm not in ("sha256", f"sha256-sharded-{size}") or not found:
            raise Malformed("algorithm, or name of a shard")
        if found[1] != ".":
            a_path(found[1])
        shards = self.files.setdefault(found[1], {})
        start = int(found[2])
        if start in shards:
            raise Malformed("a resource twice")
        shards[start] = int(found[3]), digest

    def whole(self, shards):
        """Start, end and digest of each."""
        found, at = [], 0
        for start, (end, digest) in sorted(shards.items()):
            if start != at or not start < end <= start + self.shard_size:
                raise Malformed("shards")
            found.append((start, end, digest))
            at = end
        if any(end - start != self.shard_size for start, end, _ in found[:-1]):
            raise Malformed("shards")
        return found

    def verify(self, trusted):
        key = next((key for key in trusted if self.is_by(key)), None)
        if key is None:
            raise Refused("another key")
        try:
            key.verify(pae(self.payload), self.signature)
        except (Malformed, InvalidSignature):
            raise Unauthentic("signature") from None

    def check(self, files, ignored=()):
        """`files` are names and contents, of a directory."""
        check_ignored([a_path(path) for path in ignored], self.files)
        left_out = [*GIT, *self.ignored, *ignored]
        for name in self.files.keys() - files.keys():
            raise Refused(f"{name} is missing")
        for name, content in files.items():
            if any(name == path or name.startswith(path + "/") for path in left_out) and name not in self.files:
                continue
            if name not in self.files or not self.is_as_signed(self.files[name], content):
                raise Refused(f"{name} is not as it was signed")

    def is_as_signed(self, signed, content):
        if self.shard_size is None:
            return hashlib.sha256(content).digest() == signed
        parts = [(start, end, hashlib.sha256(content[start:end]).digest()) for start, end, _ in signed]
        return parts == signed and signed[-1][1] == len(content)


def sha256(text):
    if not re.match(r"[0-9a-f]{64}\Z", a_text(text)):
        raise Malformed("digest")
    return bytes.fromhex(text)


def shard_size(value):
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise Malformed("shard size")
    if value != int(value) or not 1 <= value <= 2**53:
        raise Malformed("shard size")
    return int(value)


def a_path(text):
    parts = a_text(text).split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise Malformed("path")
    return text


def check_ignored(ignored, files):
    if any(name == path or name.startswith(path + "/") for path in ignored for name in files):
        raise Malformed("an ignored path covers a resource")
