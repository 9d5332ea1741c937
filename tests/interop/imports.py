"""SPEC.md's "Importing keys" and other software's encrypted keys, written only from SPEC.md."""

import hashlib

from dilithium_py.ml_dsa import ML_DSA_87
from kyber_py.ml_kem import ML_KEM_1024

from der import Reader, whole
from encrypted_keys import OID_AES_256_CBC, OID_PBES2, OID_SCRYPT, aes, check_bounds, unpad
from formats import (
    EC_END,
    EC_START,
    KEM_SPKI_START,
    P384_ORDER,
    SPKI_START,
    KemKey,
    SigningKey,
    Suite0051,
    check_encapsulation_key,
    check_verifying_key,
    p384_public,
    u16,
)
from key_text import key_id_of, one_document
from refusals import Malformed, Refusal, Unauthentic

P384_P = 2**384 - 2**128 - 2**96 + 2**32 - 1
P384_B = int("b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef", 16)
SECP384R1 = bytes.fromhex("06052b81040022")
ALGORITHM = {"kem": KEM_SPKI_START[6:16], "sign": SPKI_START[6:16]}
POST_QUANTUM = {"kem": 1568, "sign": 2592}
# Of the ECPrivateKey in each form, and of the scalar.
TRADITIONAL = (48, 55, 64, 109, 118, 158, 167)


def compressed(point):
    """SEC 1 §2.3.3."""
    return bytes([2 | point[96] & 1]) + point[1:49]


def decompress(point):
    """97 bytes, from a point in either form."""
    if len(point) == 97 and point[0] == 4:
        return point
    x = int.from_bytes(point[1:], "big")
    if len(point) != 49 or point[0] not in (2, 3) or x >= P384_P:
        raise Malformed("point")
    square = (x**3 - 3 * x + P384_B) % P384_P
    y = pow(square, (P384_P + 1) // 4, P384_P)
    if y * y % P384_P != square:
        raise Malformed("point is not on the curve")
    if y % 2 != point[0] % 2:
        y = P384_P - y
    return b"\4" + point[1:] + y.to_bytes(48, "big")


def public_bytes(family, octets):
    at = POST_QUANTUM[family]
    if len(octets) not in (at + 49, at + 97):
        raise Malformed("length")
    octets = octets[:at] + decompress(octets[at:])
    if family == "kem":
        check_encapsulation_key(Suite0051, octets)
        return Suite0051, octets
    check_verifying_key(octets)
    return octets


def algorithm(family, reader):
    if reader.take(0x30) != ALGORITHM[family]:
        raise Malformed("algorithm")


def public_der(family, der):
    spki = whole(der)
    algorithm(family, spki)
    octets = spki.bits()
    spki.end()
    return public_bytes(family, octets)


def expanded(family, seed):
    if family == "kem":
        return ML_KEM_1024._keygen_internal(seed[:32], seed[32:])[1]
    return ML_DSA_87._keygen_internal(seed)[1]


def post_quantum(family, octets):
    """The seed."""
    length = 64 if family == "kem" else 32
    if len(octets) == length:
        return octets
    if len(octets) == length + 2:
        outer = Reader(octets)
        seed = outer.take(0x80)
        outer.end()
    else:
        both = whole(octets)
        seed, key = both.take(4), both.take(4)
        both.end()
        if len(seed) != length or key != expanded(family, seed):
            raise Malformed("the expanded key is not that of the seed")
    if len(seed) != length:
        raise Malformed("seed")
    return seed


def ec_private_key(octets):
    """The scalar."""
    if len(octets) == 48:
        scalar, point = octets, None
    else:
        reader = whole(octets)
        if reader.integer() != 1:
            raise Malformed("version")
        scalar = reader.take(4)
        curve, point = reader.optional(0xA0), reader.optional(0xA1)
        reader.end()
        if len(scalar) != 48 or curve not in (None, SECP384R1):
            raise Malformed("scalar or curve")
    if not 0 < int.from_bytes(scalar, "big") < P384_ORDER:
        raise Malformed("scalar")
    if point is not None:
        field = Reader(point)
        bits = field.bits()
        field.end()
        if decompress(bits) != p384_public(scalar):
            raise Malformed("the public key is not that of the scalar")
    return scalar


def private_bytes(family, octets):
    if family == "kem" and len(octets) == 32:
        return KemKey(Suite0051, octets)
    firsts = (64, 66, 3242) if family == "kem" else (32, 34, 4938)
    at = next((at for at in firsts if len(octets) - at in TRADITIONAL), None)
    if at is None:
        raise Malformed("length")
    seed, scalar = post_quantum(family, octets[:at]), ec_private_key(octets[at:])
    if family == "kem":
        return KemKey.of_halves(Suite0051, seed, scalar)
    return SigningKey(seed + EC_START + scalar + EC_END)


def private_der(family, der):
    return read_pkcs8(family, der)[0]


def read_pkcs8(family, der):
    """The key, its attributes, and whether its public key is there."""
    info = whole(der)
    version = info.integer()
    algorithm(family, info)
    octets = info.take(4)
    attributes = info.optional(0xA0)
    public = info.bits(0x81) if info.peek() == 0x81 else None
    info.end()
    if version != (public is not None):
        raise Malformed("version")
    key = private_bytes(family, octets)
    if public is not None and public_bytes(family, public) != ((key.suite, key.ek) if family == "kem" else key.verifying_key):
        raise Malformed("the public key is another key's")
    return key, attributes, public is not None


def import_text(kind, content):
    family, half = kind.split("-")
    label, der = one_document(content)
    if label == f"TWINSEAL KEM {half.upper()} KEY" and family == "kem":
        if der[:2] != u16(0x0051) or len(der) != (34 if half == "private" else 1667):
            raise Malformed("suite or length")
        return private_bytes("kem", der[2:]) if half == "private" else public_bytes("kem", der[2:])
    if label != f"{half.upper()} KEY":
        raise Malformed("label")
    return import_der(kind, der)


def import_der(kind, der):
    family, half = kind.split("-")
    return private_der(family, der) if half == "private" else public_der(family, der)


def import_bytes(kind, octets):
    family, half = kind.split("-")
    return private_bytes(family, octets) if half == "private" else public_bytes(family, octets)


# SPEC.md, "Other software's encrypted keys"

OID_PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
CIPHERS = {bytes.fromhex("0609608648016503040102"): 16, bytes.fromhex("0609608648016503040116"): 24, OID_AES_256_CBC: 32}
HASHES = {bytes.fromhex(f"06082a864886f70d02{last}0500"): name for last, name in (("09", "sha256"), ("0a", "sha384"), ("0b", "sha512"))}
LOCAL_KEY_ID = bytes.fromhex("06092a864886f70d010915")


def scheme(reader):
    """Object identifier and parameters of an AlgorithmIdentifier."""
    inner = reader.inside(0x30)
    _, _, oid = inner.value()
    return oid, inner


def foreign(der):
    """A function from a passphrase to the content."""
    info = whole(der)
    oid, parameters = scheme(info)
    ciphertext = info.take(4)
    info.end()
    if oid != OID_PBES2:
        raise Malformed("scheme")
    fields = parameters.inside(0x30)
    parameters.end()
    (kdf, kdf_parameters), (cipher, cipher_parameters) = scheme(fields), scheme(fields)
    fields.end()
    iv = cipher_parameters.take(4)
    cipher_parameters.end()
    if cipher not in CIPHERS or len(iv) != 16:
        raise Malformed("cipher")
    numbers = kdf_parameters.inside(0x30)
    kdf_parameters.end()
    salt = numbers.take(4)
    if len(salt) > 32:
        raise Malformed("salt")
    if kdf == OID_SCRYPT:
        n, r, p = numbers.integer(), numbers.integer(), numbers.integer()
        length = numbers.integer() if numbers.peek() == 2 else None
        check_bounds(n, r, p, ciphertext)
    elif kdf == OID_PBKDF2:
        iterations = numbers.integer()
        length = numbers.integer() if numbers.peek() == 2 else None
        name = HASHES.get(numbers.take(0x30))
        check_bounds(2, 1, 1, ciphertext)
        if name is None or not 1 <= iterations <= 10**6:
            raise Malformed("PBKDF2")
    else:
        raise Malformed("key derivation")
    numbers.end()
    size = CIPHERS[cipher]
    if length not in (None, size):
        raise Malformed("key length")

    def decrypt(passphrase):
        if kdf == OID_SCRYPT:
            key = hashlib.scrypt(passphrase, salt=salt, n=n, r=r, p=p, maxmem=512 << 20, dklen=size)
        else:
            key = hashlib.pbkdf2_hmac(name, passphrase, salt, iterations, size)
        return unpad(aes(key, iv), ciphertext)

    return decrypt


def stated_id(attributes):
    """The localKeyId of 16 bytes, or None."""
    rest = Reader(attributes or b"")
    while rest.rest:
        attribute = rest.inside(0x30)
        _, _, oid = attribute.value()
        values = attribute.inside(0x31)
        if oid == LOCAL_KEY_ID:
            value = values.take(4)
            return value if len(value) == 16 else None
    return None


def import_encrypted(kind, content, passphrase, whose):
    """`whose` is "stated", "unauthenticated" or a key id in hexadecimal."""
    label, der = one_document(content)
    if label != "ENCRYPTED PRIVATE KEY":
        raise Malformed("label")
    decrypt = foreign(der)
    try:
        key, attributes, has_public = read_pkcs8(kind.split("-")[0], decrypt(passphrase))
        stated, own = stated_id(attributes), key_id_of(kind, key)
        if stated not in (None, own):
            raise Unauthentic("another key id")
        if whose == "stated" and stated is None and not has_public or whose not in ("stated", "unauthenticated", own.hex()):
            raise Unauthentic("whose key it is")
    except Refusal:
        raise Unauthentic("content") from None
    return key
