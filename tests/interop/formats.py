"""SPEC.md's keys, signatures, key files and envelopes, written only from SPEC.md."""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from refusals import Malformed, NotForUs, Refused, Unauthentic
from vectors import vectors


# SPEC.md, "Conventions"


def hkdf_sha384(ikm, info, length):
    return HKDF(hashes.SHA384(), length, salt=None, info=info).derive(ikm)


def u16(number):
    return number.to_bytes(2, "big")


def check_context(context):
    if not 1 <= len(context) <= 255 or context.startswith(b"twinseal/"):
        raise Refused("context")


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
            raise Malformed("ML-KEM modulus check")


def check_x25519(u):
    if int.from_bytes(u, "little") >= P255 or u in LOW_ORDER:
        raise Malformed("X25519 public key")


def x25519_exchange(scalar, u):
    check_x25519(u)
    private = x25519.X25519PrivateKey.from_private_bytes(scalar)
    return private.exchange(x25519.X25519PublicKey.from_public_bytes(u))


def x25519_public(scalar):
    return x25519.X25519PrivateKey.from_private_bytes(scalar).public_key().public_bytes_raw()


def p384_private(scalar):
    number = int.from_bytes(scalar, "big")
    if not 0 < number < P384_ORDER:
        raise Malformed("P-384 scalar")
    return ec.derive_private_key(number, ec.SECP384R1())


def p384_load(point):
    if len(point) != 97 or point[0] != 4:
        raise Malformed("P-384 point")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), point)
    except ValueError:
        raise Malformed("P-384 point") from None


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


def kem_recipient(suite, ek):
    """Suite and key id."""
    return u16(suite.id) + hashlib.sha384(b"twinseal/key-id/kem/v1" + u16(suite.id) + ek).digest()[:16]


def check_encapsulation_key(suite, ek):
    if len(ek) != suite.key_length:
        raise Malformed("encapsulation key length")
    check_ml_kem_key(ek)
    if suite is Suite0001:
        check_x25519(ek[1568:])
    else:
        p384_load(ek[1568:])


class KemKey:
    def __init__(self, suite, seed):
        self.seed = seed
        self.load(suite, *suite.expand(seed))

    @classmethod
    def of_halves(cls, suite, seed_m, traditional):
        """A key without a seed."""
        key = cls.__new__(cls)
        key.seed = None
        key.load(suite, seed_m, traditional)
        return key

    def load(self, suite, seed_m, traditional):
        self.suite, self.traditional = suite, traditional
        self.d, self.z = seed_m[:32], seed_m[32:]
        self.ml_kem = mlkem.MLKEM1024PrivateKey.from_seed_bytes(seed_m)
        self.ek = self.ml_kem.public_key().public_bytes_raw() + suite.public(self.traditional)
        check_ml_kem_key(self.ek)
        self.recipient = kem_recipient(suite, self.ek)
        self.key_id = self.recipient[2:]

    def decapsulate(self, ct):
        """Gives ss_M, ss_X or ss_T, and ss."""
        if len(ct) != self.suite.ciphertext_length:
            raise Malformed("ciphertext length")
        ss_t = self.suite.exchange(self.traditional, ct[1568:])
        ss_m = self.ml_kem.decapsulate(ct[:1568])
        return ss_m, ss_t, self.suite.combine(ss_m, ss_t, self.ek, ct)


# SPEC.md, "Signature suites" and "Key files"

SIGN_LABEL = b"COMPSIG-MLDSA87-ECDSA-P384-SHA512"
EC_START = bytes.fromhex("303e0201010430")
EC_END = bytes.fromhex("a00706052b81040022")
PKCS8_START = bytes.fromhex("3071020100300a06082b060105050706310460")
SPKI_START = bytes.fromhex("30820a92300a06082b0601050507063103820a8200")
KEM_PKCS8_START = bytes.fromhex("308192020100300a06082b0601050507063f048180")
KEM_SPKI_START = bytes.fromhex("30820692300a06082b0601050507063f0382068200")


def message_representative(context, message):
    return (
        b"CompositeAlgorithmSignatures2025"
        + SIGN_LABEL
        + bytes([len(context)])
        + context
        + hashlib.sha512(message).digest()
    )


def external_mu(verifying_key, representative):
    key_hash = hashlib.shake_256(verifying_key[:2592]).digest(64)
    label = bytes([len(SIGN_LABEL)]) + SIGN_LABEL
    return hashlib.shake_256(key_hash + b"\x00" + label + representative).digest(64)


class SigningKey:
    def __init__(self, bytes96):
        seed, ec_private = bytes96[:32], bytes96[32:]
        scalar = ec_private[7:55]
        if len(bytes96) != 96 or ec_private != EC_START + scalar + EC_END:
            raise Malformed("signing key")
        self.bytes = bytes96
        self.ecdsa = p384_private(scalar)
        self.ml_dsa = mldsa.MLDSA87PrivateKey.from_seed_bytes(seed)
        self.verifying_key = self.ml_dsa.public_key().public_bytes_raw() + p384_public(scalar)

    def sign(self, context, message):
        """Hedged, so different each time."""
        representative = message_representative(context, message)
        ecdsa = self.ecdsa.sign(representative, ec.ECDSA(hashes.SHA384()))
        return self.ml_dsa.sign(representative, SIGN_LABEL) + ecdsa


def check_verifying_key(verifying_key):
    if len(verifying_key) != 2689:
        raise Malformed("verifying key")
    p384_load(verifying_key[2592:])


def check_signature(signature):
    """The checks of its encoding."""
    if not 4635 <= len(signature) <= 4731:
        raise Malformed("signature length")
    numbers, rest = [], signature[4629:]
    if signature[4627] != 0x30 or signature[4628] != len(rest):
        raise Malformed("ECDSA-Sig-Value")
    while rest:
        length = rest[1] if len(rest) > 1 else 0
        integer = rest[2 : 2 + length]
        if rest[0] != 2 or not 1 <= length <= 127 or len(integer) != length:
            raise Malformed("INTEGER")
        if integer[0] >= 128 or (integer[0] == 0 and length > 1 and integer[1] < 128):
            raise Malformed("INTEGER is negative or padded")
        numbers.append(int.from_bytes(integer, "big"))
        rest = rest[2 + length :]
    if len(numbers) != 2 or not all(0 < number < P384_ORDER for number in numbers):
        raise Malformed("r or s")


def verify(verifying_key, context, message, signature):
    check_verifying_key(verifying_key)
    check_signature(signature)
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
        raise Malformed("PEM label")
    return base64.b64decode("".join(lines[1:-1]), validate=True)


def kem_pkcs8(key):
    return KEM_PKCS8_START + key.d + key.z + EC_START + key.traditional + EC_END


def read_kem_pkcs8(content):
    halves = content[len(KEM_PKCS8_START) :]
    key = KemKey.of_halves(Suite0051, halves[:64], halves[71:119])
    if content != kem_pkcs8(key):
        raise Malformed("PKCS#8")
    return key


def kem_pem(key):
    if key.suite is Suite0051:
        return to_pem("PRIVATE KEY", kem_pkcs8(key)), to_pem("PUBLIC KEY", KEM_SPKI_START + key.ek)
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
    if len(body) < 56:
        raise Unauthentic("truncated")
    salt, commitment, chunks = body[:24], body[24:56], body[56:]
    key, base_nonce, expected = chunk_keys(body_key, salt, context)
    if not hmac.compare_digest(commitment, expected):
        raise Unauthentic("commitment")
    plaintext = b""
    for index in range(len(chunks) // (CHUNK + 16) + 1):
        chunk = chunks[index * (CHUNK + 16) : (index + 1) * (CHUNK + 16)]
        plaintext += AESGCM(key).decrypt(chunk_nonce(base_nonce, index), chunk, None)
    return plaintext


def open_part(body_key, context, body, offset, length):
    """A part of the plaintext, by opening the chunks that it is in, and the last one."""
    if len(body) < 56:
        raise Unauthentic("truncated")
    key, base_nonce, expected = chunk_keys(body_key, body[:24], context)
    if not hmac.compare_digest(body[24:56], expected):
        raise Unauthentic("commitment")
    whole, last = divmod(len(body) - 56, CHUNK + 16)
    if last < 16:
        raise Unauthentic("truncated")

    def chunk(index):
        sealed = body[56 + index * (CHUNK + 16) :][: CHUNK + 16]
        return AESGCM(key).decrypt(chunk_nonce(base_nonce, index), sealed, None)

    chunk(whole)
    if offset + length > whole * CHUNK + last - 16:
        raise Refused("beyond the end")
    first, end = offset // CHUNK, (offset + length - 1) // CHUNK
    plaintext = b"".join(chunk(index) for index in range(first, end + 1))
    return plaintext[offset - first * CHUNK :][:length]


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
    check_context(context)
    body_key, _, body = open_header(key, sealed)
    return open_body(body_key, context, body)


def as_list(one_or_several):
    return [*one_or_several] if isinstance(one_or_several, (list, tuple)) else [one_or_several]


def open_envelope_part(keys, context, sealed, offset, length):
    check_context(context)
    body_key, _, body = open_header(keys, sealed)
    return open_part(body_key, context, body, offset, length)


def open_header(keys, sealed):
    """Steps 1 to 5 of "Opening": the body key, suite and key id of each recipient, and the body."""
    content_key, header, recipients, body = unwrap_header(keys, sealed)
    return header_and_body_key(content_key)[1], recipients, body


def unwrap_header(keys, sealed):
    """Steps 1 to 5 of "Opening": the content key, the header, suite and key id of each recipient, and the body."""
    position, recipients = 0, []

    def take(length):
        nonlocal position
        field = sealed[position : position + length]
        if len(field) != length:
            raise Malformed("truncated")
        position += length
        return field

    if take(10) != b"twinseal\x01\x01":
        raise Malformed("magic, version or body")
    count = int.from_bytes(take(2), "big")
    if not 1 <= count <= 1000:
        raise Malformed("number of recipients")
    previous, stanzas = None, {}
    for index in range(count):
        order = take(18)
        length = int.from_bytes(take(2), "big")
        if position + length + 48 + 68 * (count - index - 1) + 32 > 4194304:
            raise Malformed("header length")
        known = {suite.id: suite for suite in (Suite0001, Suite0051)}.get(int.from_bytes(order[:2], "big"))
        if length != known.ciphertext_length if known else length > 8192:
            raise Malformed("ciphertext length")
        if previous is not None and order <= previous:
            raise Malformed("order")
        previous, stanzas[order] = order, (take(length), take(48))
        recipients.append(order)
    header = sealed[:position]
    tag = take(32)
    body = sealed[position:]
    key = next((key for key in as_list(keys) if key.recipient in stanzas), None)
    if key is None:
        raise NotForUs("not a recipient")
    ct, wrapped = stanzas[key.recipient]
    ss = key.decapsulate(ct)[2]
    wrap_key, nonce, aad = wrapping(key.suite.id, key.key_id, ss)
    content_key = AESGCM(wrap_key).decrypt(nonce, wrapped, aad)
    header_key, _ = header_and_body_key(content_key)
    if not hmac.compare_digest(tag, hmac.digest(header_key, header, "sha384")[:32]):
        raise Unauthentic("header tag")
    return content_key, header + tag, recipients, body
