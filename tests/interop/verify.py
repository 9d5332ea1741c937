#!/usr/bin/env python3
"""Checks SPEC.md against an implementation of it that shares no code with the crate.

Everything here is written from SPEC.md alone, on top of PyPI's `cryptography` (48 or newer) and
hashlib. It reads the vectors in SPEC.md's appendix, recomputes them, prints one line for each
check, and exits with 1 if one fails. README.md in this folder says how to run it.

`cryptography` has neither ML-KEM encapsulation nor ML-DSA signing from given randomness. What
they make is checked from the other side: ML-KEM's ciphertexts are decapsulated, and ML-DSA's
signatures verified. All else is recomputed byte for byte.
"""

import base64
import hashlib
import hmac
import pathlib
import sys

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SPEC = pathlib.Path(__file__).resolve().parents[2] / "SPEC.md"


# SPEC.md, "Reading the vectors"


def read_blocks(text):
    """All fenced blocks, as (kind, name) -> lines."""
    blocks, current = {}, None
    for line in text.splitlines():
        if current is not None:
            if line == "```":
                current = None
            else:
                current.append(line)
        elif line.startswith("```") and " " in line:
            kind, name = line[3:].split(" ", 1)
            current = blocks.setdefault((kind, name), [])
    return blocks


def read_vectors(lines):
    values, name = {}, None
    for line in lines:
        if line.startswith("#"):
            continue
        if line.startswith(" "):
            values[name] += bytes.fromhex(line)
        else:
            name, value = line.split(" =", 1)
            values[name] = bytes.fromhex(value)
    return values


BLOCKS = read_blocks(SPEC.read_text())


def vectors(name):
    return read_vectors(BLOCKS["vectors", name])


def pem_text(name):
    return "\n".join(BLOCKS["pem", name]) + "\n"


# SPEC.md, "Conventions"


def hkdf_sha384(ikm, info, length):
    return HKDF(hashes.SHA384(), length, salt=None, info=info).derive(ikm)


def u16(number):
    return number.to_bytes(2, "big")


# SPEC.md, "KEM suites"

P255 = 2**255 - 19
P384_ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)
LOW_ORDER = [value for name, value in vectors("x25519-refused").items() if name.startswith("low_order")]


def check_ml_kem_key(ek):
    for i in range(0, 1536, 3):
        a, b, c = ek[i : i + 3]
        if (a | (b & 15) << 8) >= 3329 or (b >> 4 | c << 4) >= 3329:
            raise ValueError("ML-KEM modulus check")


def check_x25519(u):
    if int.from_bytes(u, "little") >= P255 or u in LOW_ORDER:
        raise ValueError("X25519 public key")


def x25519_exchange(scalar, u):
    check_x25519(u)
    private = x25519.X25519PrivateKey.from_private_bytes(scalar)
    return private.exchange(x25519.X25519PublicKey.from_public_bytes(u))


def x25519_public(scalar):
    return x25519.X25519PrivateKey.from_private_bytes(scalar).public_key().public_bytes_raw()


def p384_private(scalar):
    number = int.from_bytes(scalar, "big")
    if not 0 < number < P384_ORDER:
        raise ValueError("P-384 scalar")
    return ec.derive_private_key(number, ec.SECP384R1())


def p384_load(point):
    if len(point) != 97 or point[0] != 4:
        raise ValueError("P-384 point")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), point)


def p384_exchange(scalar, point):
    return p384_private(scalar).exchange(ec.ECDH(), p384_load(point))


def p384_public(scalar):
    return p384_private(scalar).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


class Suite0001:
    id, label, key_length, ciphertext_length, ephemeral = 0x0001, b"twinseal/X25519-ML-KEM-1024/v1", 1600, 1600, 32
    exchange, public = staticmethod(x25519_exchange), staticmethod(x25519_public)

    @staticmethod
    def expand(seed):
        out = hkdf_sha384(seed, b"twinseal/keygen/X25519-ML-KEM-1024/v1", 96)
        return out[:64], out[64:]

    @classmethod
    def combine(cls, ss_m, ss_t, ek, ct):
        return hkdf_sha384(ss_m + ss_t, hashlib.sha384(ek + ct).digest() + cls.label, 64)


class Suite0051:
    id, label, key_length, ciphertext_length, ephemeral = 0x0051, b"MLKEM1024-P384", 1665, 1665, 48
    exchange, public = staticmethod(p384_exchange), staticmethod(p384_public)

    @staticmethod
    def expand(seed):
        out = hashlib.shake_256(seed).digest(112)
        return out[:64], out[64:]

    @classmethod
    def combine(cls, ss_m, ss_t, ek, ct):
        return hashlib.sha3_256(ss_m + ss_t + ct[1568:] + ek[1568:] + cls.label).digest()


class KemKey:
    def __init__(self, suite, seed):
        self.suite, self.seed = suite, seed
        seed_m, self.traditional = suite.expand(seed)
        self.d, self.z = seed_m[:32], seed_m[32:]
        self.ml_kem = mlkem.MLKEM1024PrivateKey.from_seed_bytes(seed_m)
        self.ek = self.ml_kem.public_key().public_bytes_raw() + suite.public(self.traditional)
        check_ml_kem_key(self.ek)
        self.key_id = hashlib.sha384(b"twinseal/key-id/kem/v1" + u16(suite.id) + self.ek).digest()[:16]

    def decapsulate(self, ct):
        """Gives ss_M, ss_X or ss_T, and ss."""
        if len(ct) != self.suite.ciphertext_length:
            raise ValueError("ciphertext length")
        ss_t = self.suite.exchange(self.traditional, ct[1568:])
        ss_m = self.ml_kem.decapsulate(ct[:1568])
        return ss_m, ss_t, self.suite.combine(ss_m, ss_t, self.ek, ct)


# SPEC.md, "Signature suites" and "Key files"

SIGN_LABEL = b"COMPSIG-MLDSA87-ECDSA-P384-SHA512"
EC_START = bytes.fromhex("303e0201010430")
EC_END = bytes.fromhex("a00706052b81040022")
PKCS8_START = bytes.fromhex("3071020100300a06082b060105050706310460")
SPKI_START = bytes.fromhex("30820a92300a06082b0601050507063103820a8200")


def message_representative(context, message):
    return (
        b"CompositeAlgorithmSignatures2025"
        + SIGN_LABEL
        + bytes([len(context)])
        + context
        + hashlib.sha512(message).digest()
    )


class SigningKey:
    def __init__(self, bytes96):
        seed, ec_private = bytes96[:32], bytes96[32:]
        scalar = ec_private[7:55]
        if len(bytes96) != 96 or ec_private != EC_START + scalar + EC_END:
            raise ValueError("signing key")
        self.bytes = bytes96
        self.ecdsa = p384_private(scalar)
        self.verifying_key = mldsa.MLDSA87PrivateKey.from_seed_bytes(
            seed
        ).public_key().public_bytes_raw() + p384_public(scalar)


def verify(verifying_key, context, message, signature):
    representative = message_representative(context, message)
    ml_dsa = mldsa.MLDSA87PublicKey.from_public_bytes(verifying_key[:2592])
    ml_dsa.verify(signature[:4627], representative, SIGN_LABEL)
    p384_load(verifying_key[2592:]).verify(signature[4627:], representative, ec.ECDSA(hashes.SHA384()))


def to_pem(label, content):
    text = base64.b64encode(content).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def from_pem(label, text):
    lines = text.splitlines()
    if lines[0] != f"-----BEGIN {label}-----" or lines[-1] != f"-----END {label}-----":
        raise ValueError("PEM label")
    return base64.b64decode("".join(lines[1:-1]), validate=True)


def kem_pem(key):
    private = to_pem("TWINSEAL KEM PRIVATE KEY", u16(key.suite.id) + key.seed)
    return private, to_pem("TWINSEAL KEM PUBLIC KEY", u16(key.suite.id) + key.ek)


def sign_pem(key):
    private = to_pem("PRIVATE KEY", PKCS8_START + key.bytes)
    return private, to_pem("PUBLIC KEY", SPKI_START + key.verifying_key)


# SPEC.md, "Envelope v1" and "Body"

CHUNK = 16384
COBBLESTONE = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"


def chunk_keys(body_key, salt, context):
    """HKDF-Expand over HMAC-SHA512: 76 bytes, from two blocks."""
    info, out, block = COBBLESTONE + salt + context, b"", b""
    for counter in (1, 2):
        block = hmac.digest(body_key, block + info + bytes([counter]), "sha512")
        out += block
    return out[:32], out[32:44], out[44:76]


def chunk_nonce(base_nonce, index):
    return (int.from_bytes(base_nonce, "big") ^ index).to_bytes(12, "big")


def seal_body(body_key, salt, context, plaintext):
    key, base_nonce, commitment = chunk_keys(body_key, salt, context)
    body = salt + commitment
    for index in range(len(plaintext) // CHUNK + 1):
        chunk = plaintext[index * CHUNK : (index + 1) * CHUNK]
        body += AESGCM(key).encrypt(chunk_nonce(base_nonce, index), chunk, None)
    return body


def open_body(body_key, context, body):
    salt, commitment, chunks = body[:24], body[24:56], body[56:]
    key, base_nonce, expected = chunk_keys(body_key, salt, context)
    if not hmac.compare_digest(commitment, expected):
        raise ValueError("commitment")
    plaintext = b""
    for index in range(len(chunks) // (CHUNK + 16) + 1):
        chunk = chunks[index * (CHUNK + 16) : (index + 1) * (CHUNK + 16)]
        plaintext += AESGCM(key).decrypt(chunk_nonce(base_nonce, index), chunk, None)
    return plaintext


def wrapping(suite_id, key_id, ss):
    okm = hkdf_sha384(ss, b"twinseal/wrap/v1" + u16(suite_id) + key_id, 44)
    return okm[:32], okm[32:], b"twinseal\x01\x01" + u16(suite_id) + key_id


def header_and_body_key(content_key):
    okm = hkdf_sha384(content_key, b"twinseal/envelope/v1\x01\x01", 80)
    return okm[:48], okm[48:]


def write_header(content_key, recipients):
    """`recipients` are (suite id, key id, ct, ss)."""
    header = b"twinseal\x01\x01" + u16(len(recipients))
    for suite_id, key_id, ct, ss in sorted(recipients):
        key, nonce, aad = wrapping(suite_id, key_id, ss)
        header += u16(suite_id) + key_id + u16(len(ct)) + ct + AESGCM(key).encrypt(nonce, content_key, aad)
    header_key, _ = header_and_body_key(content_key)
    return header + hmac.digest(header_key, header, "sha384")[:32]


def open_envelope(key, context, sealed):
    if not 1 <= len(context) <= 255 or context.startswith(b"twinseal/"):
        raise ValueError("context")
    position = 0

    def take(length):
        nonlocal position
        field = sealed[position : position + length]
        if len(field) != length:
            raise ValueError("truncated")
        position += length
        return field

    if take(10) != b"twinseal\x01\x01":
        raise ValueError("magic, version or body")
    count = int.from_bytes(take(2), "big")
    if not 1 <= count <= 1000:
        raise ValueError("number of recipients")
    previous, found = None, None
    for _ in range(count):
        order = take(18)
        length = int.from_bytes(take(2), "big")
        known = {suite.id: suite for suite in (Suite0001, Suite0051)}.get(int.from_bytes(order[:2], "big"))
        if known and length != known.ciphertext_length:
            raise ValueError("ciphertext length")
        if previous is not None and order <= previous:
            raise ValueError("order")
        previous, stanza = order, (take(length), take(48))
        if order == u16(key.suite.id) + key.key_id:
            found = stanza
    header = sealed[:position]
    tag = take(32)
    body = sealed[position:]
    if found is None:
        raise ValueError("not a recipient")
    ct, wrapped = found
    ss = key.decapsulate(ct)[2]
    wrap_key, nonce, aad = wrapping(key.suite.id, key.key_id, ss)
    content_key = AESGCM(wrap_key).decrypt(nonce, wrapped, aad)
    header_key, body_key = header_and_body_key(content_key)
    if not hmac.compare_digest(tag, hmac.digest(header_key, header, "sha384")[:32]):
        raise ValueError("header tag")
    return open_body(body_key, context, body)


# The checks

FAILED = []


def check(what, passed):
    print(f"{'ok  ' if passed else 'FAIL'} {what}")
    if not passed:
        FAILED.append(what)


def refuses(function, *arguments):
    try:
        function(*arguments)
    except (ValueError, InvalidTag, InvalidSignature):
        return True
    return False


def flipped(data, index):
    return data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]


def pattern(length):
    return bytes(i % 251 for i in range(length))


def check_kem(suite, name, traditional):
    v = vectors(name)
    key = KemKey(suite, v["seed"])
    check(f"{name}: seed to d, z and the other half's", (key.d, key.z, key.traditional) == (v["d"], v["z"], v[traditional]))
    check(f"{name}: encapsulation key", key.ek == v["ek"])
    check(f"{name}: key id", key.key_id == v["key_id"])
    ephemeral = v["randomness"][32:]
    check(f"{name}: ciphertext's second half, from the randomness", suite.public(ephemeral) == v["ct"][1568:])
    ss_m, ss_t, ss = key.decapsulate(v["ct"])
    second = "ss_X" if suite is Suite0001 else "ss_T"
    check(f"{name}: ss_M, by decapsulation", ss_m == v["ss_M"])
    check(f"{name}: {second}, from both sides", v[second] == ss_t == suite.exchange(ephemeral, key.ek[1568:]))
    if "transcript_hash" in v:
        check(f"{name}: transcript hash", hashlib.sha384(key.ek + v["ct"]).digest() == v["transcript_hash"])
    check(f"{name}: shared secret", ss == v["ss"])
    check(f"{name}: another ciphertext gives another secret", key.decapsulate(flipped(v["ct"], 0))[2] != ss)
    check(f"{name}: a coefficient of 3329 is refused", refuses(check_ml_kem_key, b"\x01\x0d\x00" + key.ek[3:]))
    return key


def check_x25519_list():
    v, scalar = vectors("x25519-refused"), bytes(range(32))
    for name, u in v.items():
        raw = x25519.X25519PublicKey.from_public_bytes(u)
        private = x25519.X25519PrivateKey.from_private_bytes(scalar)
        zero = refuses(private.exchange, raw)  # the library refuses an all-zero result
        expected = u in LOW_ORDER or int.from_bytes(u, "little") % 2**255 % P255 <= 1
        check(f"x25519-refused: {name}", refuses(check_x25519, u) and zero == expected)


def check_sign():
    v = vectors("sign-0001")
    key = SigningKey(v["signing_key"])
    check("sign-0001: signing key", v["signing_key"] == v["ml_dsa_seed"] + EC_START + v["scalar"] + EC_END)
    check("sign-0001: verifying key", key.verifying_key == v["verifying_key"])
    key_id = hashlib.sha384(b"twinseal/key-id/sign/v1" + u16(0x0001) + key.verifying_key).digest()[:16]
    check("sign-0001: key id", key_id == v["key_id"])
    representative = message_representative(v["context"], v["message"])
    check("sign-0001: message representative", representative == v["message_representative"])
    arguments = (v["verifying_key"], v["context"], v["message"])
    check("sign-0001: both halves verify", not refuses(verify, *arguments, v["signature"]))
    for half, index in (("ML-DSA-87", 100), ("ECDSA P-384", 4660)):
        check(f"sign-0001: a changed {half} half is refused", refuses(verify, *arguments, flipped(v["signature"], index)))
    check("sign-0001: another context is refused", refuses(verify, arguments[0], b"other", *arguments[2:], v["signature"]))
    ecdsa = key.ecdsa.sign(representative, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
    check("sign-0001: ECDSA half, recomputed by RFC 6979", ecdsa == v["signature"][4627:])
    return key


def check_key_files(key1, key51, signer):
    v = vectors("key-files")
    check("key-files: KEM suite 0x0001", kem_pem(key1) == (pem_text("kem-0001-private"), pem_text("kem-0001-public")))
    private, public = kem_pem(key51)
    check("key-files: KEM suite 0x0051, private", private == pem_text("kem-0051-private"))
    public_hash = hashlib.sha384(public.encode()).digest()
    check("key-files: KEM suite 0x0051, public", public_hash == v["kem_0051_public_pem_sha384"])
    private, public = sign_pem(signer)
    check("key-files: PKCS#8", from_pem("PRIVATE KEY", pem_text("sign-0001-private")) == v["pkcs8"] == PKCS8_START + signer.bytes)
    check("key-files: PKCS#8 as PEM", private == pem_text("sign-0001-private"))
    check("key-files: SPKI prefix", v["spki_prefix"] == SPKI_START)
    check("key-files: SPKI as PEM", hashlib.sha384(public.encode()).digest() == v["sign_0001_public_pem_sha384"])


def check_envelopes(key1, key51):
    one, kem1, kem51 = vectors("envelope-one"), vectors("kem-0001"), vectors("kem-0051")
    context, sealed = one["context"], one["sealed"]
    wrap_key, nonce, aad = wrapping(0x0001, key1.key_id, kem1["ss"])
    check("envelope-one: wrapping", (wrap_key, nonce, aad) == (one["wrap_key"], one["wrap_nonce"], one["wrap_aad"]))
    wrapped = AESGCM(wrap_key).encrypt(nonce, one["content_key"], aad)
    check("envelope-one: wrapped content key", wrapped == one["wrapped_content_key"])
    keys = header_and_body_key(one["content_key"])
    check("envelope-one: header key and body key", keys == (one["header_key"], one["body_key"]))
    derived = chunk_keys(one["body_key"], one["salt"], context)
    check("envelope-one: chunk key, nonce, commitment", derived == (one["chunk_key"], one["base_nonce"], one["commitment"]))
    header = write_header(one["content_key"], [(0x0001, key1.key_id, kem1["ct"], kem1["ss"])])
    check("envelope-one: header tag", header[-32:] == one["header_tag"])
    body = seal_body(one["body_key"], one["salt"], context, one["plaintext"])
    check("envelope-one: every byte, sealed here", header + body == sealed)
    check("envelope-one: opens", open_envelope(key1, context, sealed) == one["plaintext"])
    check("envelope-one: another context is refused", refuses(open_envelope, key1, b"other", sealed))
    check("envelope-one: another key is refused", refuses(open_envelope, key51, context, sealed))
    every = all(refuses(open_envelope, key1, context, flipped(sealed, i)) for i in range(len(sealed)))
    check("envelope-one: a flipped bit in any byte is refused", every)
    every = all(refuses(open_envelope, key1, context, sealed[:i]) for i in range(len(sealed)))
    check("envelope-one: cut off anywhere is refused", every and refuses(open_envelope, key1, context, sealed + b"\0"))
    try:
        from cryptography.cobblestone import Cobblestone256Decryptor
    except ImportError:
        print("--   envelope-one: body, by the library's own Cobblestone-256: not in this version")
    else:
        decryptor = Cobblestone256Decryptor(one["body_key"], context)
        opened = bytes(decryptor.update(body)) + bytes(decryptor.finalize() or b"")
        check("envelope-one: body, by the library's own Cobblestone-256", opened == one["plaintext"])

    two = vectors("envelope-two")
    recipients = [(0x0051, key51.key_id, kem51["ct"], kem51["ss"]), (0x0001, key1.key_id, kem1["ct"], kem1["ss"])]
    plaintext = pattern(int.from_bytes(two["plaintext_length"], "big"))
    _, body_key = header_and_body_key(two["content_key"])
    sealed = write_header(two["content_key"], recipients)
    sealed += seal_body(body_key, two["salt"], two["context"], plaintext)
    check("envelope-two: length", len(sealed) == int.from_bytes(two["sealed_length"], "big"))
    check("envelope-two: every byte, sealed here", hashlib.sha384(sealed).digest() == two["sealed_sha384"])
    opened = [open_envelope(key, two["context"], sealed) for key in (key1, key51)]
    check("envelope-two: opens for both", opened == [plaintext, plaintext])

    for name, expected in vectors("envelope-lengths").items():
        plaintext = pattern(int(name.removeprefix("sha384_")))
        sealed = header + seal_body(one["body_key"], one["salt"], context, plaintext)
        same = open_envelope(key1, context, sealed) == plaintext
        check(f"envelope-lengths: {name}", same and hashlib.sha384(sealed).digest() == expected)


def check_accumulated():
    """The accumulated vectors that need no randomness of ML-KEM or ML-DSA."""
    v = vectors("accumulated")

    def inputs(name):
        stream, position = hashlib.shake_128(name.encode()).digest(2_000_000), 0

        def draw(length):
            nonlocal position
            position += length
            return stream[position - length : position]

        return draw

    for suite, name in ((Suite0001, "kem-0001-decapsulate"), (Suite0051, "kem-0051-decapsulate")):
        draw, outputs = inputs(name), hashlib.shake_128()
        for _ in range(1000):
            key = KemKey(suite, draw(32))
            ct_m = draw(1568)
            ct = ct_m + suite.public(draw(suite.ephemeral))
            outputs.update(key.ek + key.decapsulate(ct)[2])
        check(f"accumulated: {name}", outputs.digest(32) == v[name])

    draw, outputs = inputs("key-files"), hashlib.shake_128()
    for _ in range(100):
        for pem in (*kem_pem(KemKey(Suite0001, draw(32))), *kem_pem(KemKey(Suite0051, draw(32)))):
            outputs.update(pem.encode())
        for pem in sign_pem(SigningKey(draw(32) + EC_START + draw(48) + EC_END)):
            outputs.update(pem.encode())
    check("accumulated: key-files", outputs.digest(32) == v["key-files"])


def main():
    key1 = check_kem(Suite0001, "kem-0001", "x")
    key51 = check_kem(Suite0051, "kem-0051", "scalar")
    check_x25519_list()
    signer = check_sign()
    check_key_files(key1, key51, signer)
    check_envelopes(key1, key51)
    check_accumulated()
    print(f"{len(FAILED)} checks failed" if FAILED else "all checks passed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
