"""Cases of tests/testkit: imported and encrypted keys, and keyrings."""

import hashlib

from cryptography.hazmat.primitives import padding

from encrypted_keys import OID_AES_256_CBC, OID_PBES2, OID_SCRYPT, aes, derive, encode, encrypt, integer, pkcs8_content, seed_content, tlv
from formats import (
    KEM_SPKI_START,
    PKCS8_START,
    SPKI_START,
    KemKey,
    Suite0001,
    Suite0051,
    kem_pem,
    kem_pkcs8,
    sign_pem,
    to_pem,
    u16,
)
from imports import CIPHERS, HASHES, OID_PBKDF2, P384_B, P384_P, SECP384R1, compressed, expanded
from kit_keys import bad_points, shown
from kit_material import KEM_KEYS, SIGNERS, stream
from sessions import sign_key_id

PASSPHRASE = "correct horse battery staple"


class Pieces:
    """A private key of either kind, in pieces."""

    def __init__(self, family):
        self.family = family
        if family == "kem":
            key = KEM_KEYS["kem-0051"]
            self.seed, self.scalar, self.public, self.key_id = key.d + key.z, key.traditional, key.ek, key.key_id
            self.at, self.spki_start = 1568, KEM_SPKI_START
        else:
            key = SIGNERS["sign"]
            self.seed, self.scalar, self.public, self.key_id = key.bytes[:32], key.bytes[39:87], key.verifying_key, sign_key_id(key.verifying_key)
            self.at, self.spki_start = 2592, SPKI_START
        self.point = self.public[self.at :]
        self.algorithm = tlv(0x30, self.spki_start[6:16])

    def ec(self, curve=SECP384R1, point=None, version=1, scalar=None):
        parts = [integer(version), tlv(4, scalar or self.scalar)]
        parts += [tlv(0xA0, curve)] if curve else []
        parts += [tlv(0xA1, tlv(3, b"\0" + point))] if point else []
        return tlv(0x30, *parts)

    def both(self):
        return tlv(0x30, tlv(4, self.seed), tlv(4, expanded(self.family, self.seed)))

    def post_quantum(self):
        return {"seed": self.seed, "context-0": tlv(0x80, self.seed), "seed-and-expanded": self.both()}

    def traditional(self):
        small = compressed(self.point)
        return {
            "ec": self.ec(),
            "scalar": self.scalar,
            "ec-bare": self.ec(None),
            "ec-point": self.ec(point=self.point),
            "ec-compressed": self.ec(point=small),
            "ec-no-curve-point": self.ec(None, self.point),
            "ec-no-curve-compressed": self.ec(None, small),
        }

    def pkcs8(self, octets, version=0, *more):
        return tlv(0x30, integer(version), self.algorithm, tlv(4, octets), *more)

    def spki(self, public):
        return tlv(0x30, self.algorithm, tlv(3, b"\0" + public))


def imports(kit):
    for family in ("kem", "sign"):
        import_family(kit, Pieces(family), Pieces("sign" if family == "kem" else "kem"))


def import_family(kit, own, foreign):
    private, public = f"{own.family}-private", f"{own.family}-public"
    suite = "0x0051" if own.family == "kem" else "0x0001"

    def case(what, kind, expect, why, key_id=None, **fields):
        key_id = (key_id or own.key_id).hex() if expect == "success" else None
        kit.add("import", f"{own.family}-{what}", expect, why, kind=kind, **fields, key_id=key_id)

    first, second = own.post_quantum(), own.traditional()
    canonical = first["seed"] + second["ec"]
    for name, octets in first.items():
        case(f"pq-{name}", private, "success", f"The post-quantum half as {name.replace('-', ' ')}.", der=own.pkcs8(octets + second["ec"]))
    for name, octets in second.items():
        case(f"p384-{name}", private, "success", f"The P-384 half as {name.replace('-', ' ')}.", der=own.pkcs8(first["seed"] + octets))
    case("smallest", private, "success", "Both halves in their other forms.", der=own.pkcs8(first["context-0"] + second["ec-no-curve-compressed"]))
    case("bytes", private, "success", "Octets with a suite named beside them.", suite=suite, bytes=first["context-0"] + second["scalar"])
    case("pem", private, "success", "PEM around PKCS#8.", text=to_pem("PRIVATE KEY", own.pkcs8(first["seed"] + second["scalar"])))
    case("v2", private, "success", "PKCS#8 version 2, with the public key.", der=own.pkcs8(canonical, 1, tlv(0x81, b"\0" + own.public)))
    small = own.public[: own.at] + compressed(own.point)
    case("v2-compressed", private, "success", "PKCS#8 version 2, with the public key, its point compressed.", der=own.pkcs8(canonical, 1, tlv(0x81, b"\0" + small)))
    attributes = tlv(0xA0, tlv(0x30, bytes.fromhex("06092a864886f70d010914"), tlv(0x31, tlv(0x1E, b"\0k"))))
    case("attributes", private, "success", "Attributes are not used.", der=own.pkcs8(canonical, 0, attributes))
    case("public", public, "success", "A SubjectPublicKeyInfo.", der=own.spki(own.public))
    case("public-compressed", public, "success", "The point is compressed.", der=own.spki(small))
    case("public-bytes", public, "success", "The octets of a public key, with a compressed point and a suite beside them.", suite=suite, bytes=small)
    case("public-pem", public, "success", "PEM around a SubjectPublicKeyInfo with a compressed point.", text=to_pem("PUBLIC KEY", own.spki(small)))
    m = "malformed"
    bad_x = next(x for x in range(1, 100) if not is_on_curve(x))
    refused = {
        "public-compressed-off-curve": ("No point has this x.", own.public[: own.at] + b"\2" + bad_x.to_bytes(48, "big")),
        "public-compressed-x-p": ("x is not below p.", own.public[: own.at] + b"\2" + b"\xff" * 48),
        "public-hybrid": ("A point that begins with 06 or 07.", own.public[: own.at] + bytes([6 | own.point[96] & 1]) + own.point[1:]),
        "public-off-curve": ("The point is not on the curve.", own.public[: own.at] + bad_points(own.point)["off-curve"][1]),
        "public-short": ("A byte is missing.", own.public[:-1]),
        "public-length-49-with-04": ("49 bytes that begin with 04.", own.public[: own.at] + own.point[:49]),
    }
    for name, (why, octets) in refused.items():
        case(name, public, m, why, der=own.spki(octets))
    case("public-other-algorithm", public, m, "The algorithm identifier of the other kind of keys.", der=foreign.spki(foreign.public))
    case("public-trailing", public, m, "A byte follows.", der=own.spki(own.public) + b"\0")
    other_pq = expanded(own.family, bytes(len(own.seed)))
    refused = {
        "expanded-of-another": ("The expanded key is that of another seed.", tlv(0x30, tlv(4, own.seed), tlv(4, other_pq)) + second["ec"]),
        "expanded-changed": ("A bit of the expanded key is changed.", own.both()[:-9] + bytes([own.both()[-9] ^ 1]) + own.both()[-8:] + second["ec"]),
        "expanded-alone": ("Only the expanded key, without its seed.", expanded(own.family, own.seed) + second["ec"]),
        "ec-version-2": ("ECPrivateKey has version 2.", own.seed + own.ec(version=2)),
        "ec-curve-p256": ("ECPrivateKey names P-256.", own.seed + own.ec(bytes.fromhex("06082a8648ce3d030107"))),
        "ec-other-point": ("The public key is not that of the scalar.", own.seed + own.ec(point=foreign.point)),
        "ec-other-compressed": ("The compressed public key has the other sign.", own.seed + own.ec(point=bytes([compressed(own.point)[0] ^ 1]) + compressed(own.point)[1:])),
        "ec-scalar-zero": ("The scalar is 0.", own.seed + own.ec(scalar=bytes(48))),
        "ec-short-scalar": ("The scalar has 47 bytes.", own.seed + own.ec(scalar=b"\1" * 47)),
        "seed-short": ("The seed has a byte less.", own.seed[:-1] + second["ec"]),
        "seed-long": ("The seed has a byte more.", own.seed + b"\0" + second["ec"]),
        "swapped": ("The halves are in the other order.", second["ec"] + own.seed),
        "context-1": ("[1] in place of [0].", tlv(0x81, own.seed) + second["ec"]),
        "explicit": ("[0] EXPLICIT.", tlv(0xA0, tlv(4, own.seed)) + second["ec"]),
        "wrapped": ("The octets are inside another OCTET STRING.", tlv(4, canonical)),
        "only-pq": ("Only the post-quantum half.", own.seed),
    }
    for name, (why, octets) in refused.items():
        case(name, private, m, why, der=own.pkcs8(octets))
    whole = {
        "trailing": ("A byte follows.", own.pkcs8(canonical) + b"\0"),
        "truncated": ("The last byte is missing.", own.pkcs8(canonical)[:-1]),
        "v2-without-key": ("Version 2 without a public key.", own.pkcs8(canonical, 1)),
        "v1-with-key": ("Version 1 with a public key.", own.pkcs8(canonical, 0, tlv(0x81, b"\0" + own.public))),
        "v3": ("Version 3.", own.pkcs8(canonical, 2)),
        "v2-other-key": ("The public key is another key's.", own.pkcs8(canonical, 1, tlv(0x81, b"\0" + own.public[:-98] + bytes([own.public[-98] ^ 1]) + own.point))),
        "after-public-key": ("Something follows [1].", own.pkcs8(canonical, 1, tlv(0x81, b"\0" + own.public), tlv(0x82, b"\0"))),
        "other-algorithm": ("The algorithm identifier of the other kind of keys.", foreign.pkcs8(canonical)),
        "parameters": ("The algorithm has NULL as parameters.", tlv(0x30, integer(0), tlv(0x30, own.spki_start[6:16], tlv(5)), tlv(4, canonical))),
        "indefinite": ("An indefinite length.", b"\x30\x80" + tlv(0x30, integer(0), own.algorithm, tlv(4, canonical))[2 if own.family == "sign" else 3 :] + b"\0\0"),
    }
    for name, (why, der) in whole.items():
        case(name, private, m, why, der=der)
    if own.family == "kem":
        key = KEM_KEYS["kem-0051"]
        case("seed", private, "success", "The seed of 32 bytes, as HPKE has it.", der=own.pkcs8(key.seed))
        case("earlier-private", private, "success", "A file of an earlier version: suite and seed.", text=to_pem("TWINSEAL KEM PRIVATE KEY", u16(0x51) + key.seed))
        case("earlier-public", public, "success", "A file of an earlier version: suite and ek.", text=to_pem("TWINSEAL KEM PUBLIC KEY", u16(0x51) + key.ek))
        case("earlier-short", private, m, "A file of an earlier version whose seed has 31 bytes.", text=to_pem("TWINSEAL KEM PRIVATE KEY", u16(0x51) + key.seed[:-1]))


def is_on_curve(x):
    return pow((x**3 - 3 * x + P384_B) % P384_P, (P384_P - 1) // 2, P384_P) == 1


def padded(content):
    pad = padding.PKCS7(128).padder()
    return pad.update(content) + pad.finalize()


def encrypted_keys(kit):
    key1, key51, signer = KEM_KEYS["kem-0001"], KEM_KEYS["kem-0051"], SIGNERS["sign"]
    own, standard = "TWINSEAL ENCRYPTED KEM PRIVATE KEY", "ENCRYPTED PRIVATE KEY"
    sign_id = sign_key_id(signer.verifying_key)
    contents = {
        "kem-0001": ("kem-private", own, seed_content(key1), key1.key_id),
        "kem-0051": ("kem-private", standard, pkcs8_content(kem_pkcs8(key51), key51.key_id), key51.key_id),
        "sign": ("sign-private", standard, pkcs8_content(PKCS8_START + signer.bytes, sign_id), sign_id),
    }
    salt, iv = stream("salt")(16), stream("iv")(16)
    costs = (2, 1, 1)

    def case(what, expect, why, der, of="kem-0001", passphrase=PASSPHRASE, label=None, kind=None):
        its_kind, its_label, _, key_id = contents[of]
        text = to_pem(label or its_label, der)
        kit.add("encrypted-key", what, expect, why, kind=kind or its_kind, passphrase=passphrase, text=text, key_id=key_id.hex() if expect == "success" else None)

    def encrypted(content, costs=costs, passphrase=PASSPHRASE, salt=salt, iv=iv):
        return encrypt(content, passphrase.encode(), salt, iv, *costs)

    def unpadded(blocks):
        """These bytes, with whatever padding they have."""
        encryptor = aes(derive(PASSPHRASE.encode(), salt, *costs), iv).encryptor()
        return encode(salt, iv, *costs, encryptor.update(blocks) + encryptor.finalize())

    u, m = "unauthentic", "malformed"
    for of, (_, _, content, _) in contents.items():
        good = encrypted(content)
        case(f"{of}-good", "success", "A key under a passphrase, with the smallest cost: N = 2.", good, of)
        case(f"{of}-passphrase", u, "The wrong passphrase.", good, of, PASSPHRASE + " ")
        case(f"{of}-key-id", u, "The key id inside is another key's.", encrypted(content[:-1] + bytes([content[-1] ^ 1])), of)
        case(f"{of}-content-trailing", u, "A byte follows inside.", encrypted(content + b"\0"), of)
        case(f"{of}-content-short", u, "The last byte is missing inside.", encrypted(content[:-1]), of)
        flipped = good[:-1] + bytes([good[-1] ^ 1])
        case(f"{of}-last-byte", u, "A bit of the last block is changed.", flipped, of)
        at = len(good) - len(padded(content))
        case(f"{of}-first-block", u, "A bit of the first block is changed.", good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :], of)
        iv_at = good.index(iv)
        case(f"{of}-iv", u, "A bit of the IV is changed.", good[: iv_at + 15] + bytes([good[iv_at + 15] ^ 1]) + good[iv_at + 16 :], of)
    content1, content51, content_s = (contents[of][2] for of in contents)
    good = encrypted(content1)
    case("scrypt-cost", "success", "N = 2^14, r = 8 and p = 2.", encrypted(content1, (2**14, 8, 2)))
    case("passphrase-bytes", "success", "A passphrase is used as it is: UTF-8 that is not normalised.", encrypted(content1, passphrase="Schlu\u0308"), passphrase="Schlu\u0308")
    composed = encrypted(content1, passphrase="\u00fc")
    case("passphrase-normalised", u, "A passphrase of two characters which normalisation makes the right one.", composed, passphrase="u\u0308")
    case("suite-inside", u, "The suite inside is 0x0051.", encrypted(b"\0\x51" + content1[2:]))
    case("content-of-other-label", u, "What is encrypted is a key of suite 0x0051, under the label of suite 0x0001.", encrypted(content51))
    case("own-content-standard-label", u, "What is encrypted is a key of suite 0x0001, under the standard label.", good, label=standard)
    case("sign-for-kem", m, "A signing key, where a KEM key was asked for: its key id is right, so this may be told.", encrypted(content_s), "sign", kind="kem-private")
    case("kem-for-sign", m, "A KEM key, where a signing key was asked for: its key id is right, so this may be told.", encrypted(content51), "kem-0051", kind="sign-private")
    case("without-id", u, "PKCS#8 without localKeyId: only imports take it.", encrypted(PKCS8_START + signer.bytes), "sign")
    case("padding-0", u, "The padding is 0.", unpadded(padded(content1)[:-1] + b"\0"))
    case("padding-17", u, "The padding is 17.", unpadded(padded(content1)[:-1] + b"\x11"))
    case("padding-unequal", u, "The bytes of the padding are not all the same.", unpadded(padded(content1)[:-2] + b"\1" + padded(content1)[-1:]))
    case("other-content", u, "What is encrypted is no key.", encrypted(b"no key"))
    case("empty-content", u, "What is encrypted is empty.", encrypted(b""))

    ciphertext = good[good.index(iv) + 16 + 2 :]
    assert encode(salt, iv, *costs, ciphertext) == good

    def with_costs(*costs):
        return encode(salt, iv, *costs, ciphertext)

    case("label-plain", m, "The label of a key that is not encrypted.", good, label="TWINSEAL KEM PRIVATE KEY")
    case("label-own-for-sign", m, "The label of an encrypted KEM key, where a signing key was asked for.", good, kind="sign-private")
    case("n-0", m, "N = 0.", with_costs(0, 1, 1))
    case("n-1", m, "N = 1.", with_costs(1, 1, 1))
    case("n-3", m, "N is no power of two.", with_costs(3, 1, 1))
    case("n-2-16-r-1", m, "N = 2^16 with r = 1: it must be less than 2^(16 r).", with_costs(2**16, 1, 1))
    case("n-2-64", m, "N = 2^64.", with_costs(2**64, 8, 1))
    case("memory", m, "N = 2^18 and r = 9 take more than 2^28 bytes.", with_costs(2**18, 9, 1))
    case("work", m, "N r p is above 2^21.", with_costs(2**17, 8, 3))
    case("r-0", m, "r = 0.", with_costs(2, 0, 1))
    case("r-33", m, "r = 33.", with_costs(2, 33, 1))
    case("p-0", m, "p = 0.", with_costs(2, 1, 0))
    case("p-17", m, "p = 17.", with_costs(2, 1, 17))
    case("no-ciphertext", m, "No ciphertext.", encode(salt, iv, *costs, b""))
    case("ciphertext-15", m, "The ciphertext is not whole blocks.", encode(salt, iv, *costs, ciphertext[:-1]))
    case("salt-8", m, "A salt of 8 bytes: only imports take it.", encrypted(content1, salt=salt[:8]))
    case("trailing", m, "A byte follows.", good + b"\0")
    case("truncated", m, "The last byte is missing.", good[:-1])
    kdf = tlv(0x30, OID_SCRYPT, tlv(0x30, tlv(4, salt), *map(integer, costs), integer(32)))
    cipher = tlv(0x30, OID_AES_256_CBC, tlv(4, iv))
    case("key-length", m, "scrypt's parameters have a keyLength: only imports take it.", tlv(0x30, tlv(0x30, OID_PBES2, tlv(0x30, kdf, cipher)), tlv(4, ciphertext)))
    kdf = tlv(0x30, OID_SCRYPT, tlv(0x30, tlv(4, salt), *map(integer, costs)))
    aes128 = tlv(0x30, [*CIPHERS][0], tlv(4, iv))
    case("aes-128", m, "AES-128: only imports take it.", tlv(0x30, tlv(0x30, OID_PBES2, tlv(0x30, kdf, aes128)), tlv(4, ciphertext)))
    padded_n = tlv(0x30, OID_SCRYPT, tlv(0x30, tlv(4, salt), b"\x02\x02\x00\x02", integer(1), integer(1)))
    case("padded-n", m, "N has a zero byte too many.", tlv(0x30, tlv(0x30, OID_PBES2, tlv(0x30, padded_n, cipher)), tlv(4, ciphertext)))


def encrypted_imports(kit):
    signer, key51 = SIGNERS["sign"], KEM_KEYS["kem-0051"]
    sign_id = sign_key_id(signer.verifying_key)
    salt, iv = stream("import salt")(16), stream("import iv")(16)
    pieces, kem = Pieces("sign"), Pieces("kem")
    plain = PKCS8_START + signer.bytes
    with_id = pkcs8_content(plain, sign_id)
    v2 = pieces.pkcs8(signer.bytes, 1, tlv(0x81, b"\0" + signer.verifying_key))
    names = {"sha256": 0, "sha384": 1, "sha512": 2}

    def pbkdf2(content, hash="sha256", iterations=2, size=32, salt=salt, length=None, passphrase=PASSPHRASE):
        prf = [*HASHES][names[hash]]
        numbers = tlv(0x30, tlv(4, salt), integer(iterations), *([integer(length)] if length else []), tlv(0x30, prf))
        return enclose(content, OID_PBKDF2, numbers, hashlib.pbkdf2_hmac(hash, passphrase.encode(), salt, iterations, size), size)

    def enclose(content, kdf, numbers, key, size):
        oid = next(oid for oid, length in CIPHERS.items() if length == size)
        encryptor = aes(key, iv).encryptor()
        ciphertext = encryptor.update(padded(content)) + encryptor.finalize()
        scheme = tlv(0x30, OID_PBES2, tlv(0x30, tlv(0x30, kdf, numbers), tlv(0x30, oid, tlv(4, iv))))
        return tlv(0x30, scheme, tlv(4, ciphertext))

    def case(what, expect, why, der, whose="stated", kind="sign-private", key_id=sign_id, label="ENCRYPTED PRIVATE KEY"):
        kit.add("encrypted-import", what, expect, why, kind=kind, whose=whose, passphrase=PASSPHRASE, text=to_pem(label, der), key_id=key_id.hex() if expect == "success" else None)

    u, m = "unauthentic", "malformed"
    for hash in names:
        for size in (16, 24, 32):
            if (hash, size) in (("sha256", 16), ("sha384", 24), ("sha512", 32)):
                case(f"{hash}-aes-{size * 8}", "success", f"PBKDF2 with HMAC-{hash.upper()} and AES-{size * 8}.", pbkdf2(with_id, hash, size=size))
    scrypt_key = hashlib.scrypt(PASSPHRASE.encode(), salt=salt[:8], n=16, r=1, p=1, dklen=16)
    numbers = tlv(0x30, tlv(4, salt[:8]), integer(16), integer(1), integer(1), integer(16))
    case("scrypt-key-length", "success", "scrypt with a short salt and a keyLength, and AES-128.", enclose(with_id, OID_SCRYPT, numbers, scrypt_key, 16))
    case("salt-32", "success", "A salt of 32 bytes.", pbkdf2(with_id, salt=stream("long")(32)))
    case("key-length", "success", "A keyLength that is the cipher's.", pbkdf2(with_id, length=32))
    case("version-2", "success", "The public key inside says whose it is.", pbkdf2(v2))
    case("named", "success", "Nothing inside says whose it is, but the caller named the key.", pbkdf2(plain), whose=sign_id.hex())
    case("unauthenticated", "success", "Nothing says whose it is, and the caller does without.", pbkdf2(plain), whose="unauthenticated")
    short_id = plain_with_id(pieces, signer.bytes, sign_id[:8])
    case("id-of-8-bytes", "success", "A localKeyId of another length has another meaning.", pbkdf2(short_id), whose="unauthenticated")
    case("id-of-8-bytes-stated", u, "A localKeyId of another length does not say whose key it is.", pbkdf2(short_id))
    case("kem-seed", "success", "A KEM key as its seed.", pbkdf2(kem.pkcs8(key51.seed)), whose="unauthenticated", kind="kem-private", key_id=key51.key_id)
    case("not-stated", u, "Nothing inside says whose it is, and the caller asks for that.", pbkdf2(plain))
    case("other-named", u, "The caller named another key.", pbkdf2(with_id), whose=key51.key_id.hex())
    case("other-id", u, "The localKeyId is another key's, which nothing excuses.", pbkdf2(pkcs8_content(plain, bytes(16))), whose="unauthenticated")
    case("other-public-key", u, "The public key inside is another key's.", pbkdf2(pieces.pkcs8(signer.bytes, 1, tlv(0x81, b"\0" + SIGNERS["sign-other"].verifying_key))), whose="unauthenticated")
    case("passphrase", u, "The wrong passphrase.", pbkdf2(with_id, passphrase="wrong"))
    case("unknown-algorithm", u, "What is encrypted is a key of RSA: its name is not told.", pbkdf2(tlv(0x30, integer(0), tlv(0x30, bytes.fromhex("06092a864886f70d010101"), tlv(5)), tlv(4, bytes(40)))), whose="unauthenticated")
    case("kem-for-sign", u, "A KEM key, where a signing key was asked for.", pbkdf2(kem.pkcs8(key51.seed)), whose="unauthenticated")
    case("iterations-0", m, "PBKDF2 with 0 iterations.", pbkdf2(with_id).replace(integer(2) + tlv(0x30, [*HASHES][0]), integer(0) + tlv(0x30, [*HASHES][0])))
    good = pbkdf2(with_id, iterations=70000)
    assert good.count(integer(70000)) == 1
    case("iterations-above", m, "More than 10^6 iterations.", good.replace(integer(70000), integer(1_000_001)))
    case("sha1", m, "PBKDF2 with HMAC-SHA-1.", pbkdf2(with_id).replace([*HASHES][0], bytes.fromhex("06082a864886f70d02070500")))
    case("salt-33", m, "A salt of 33 bytes.", pbkdf2(with_id, salt=stream("long")(33)))
    case("wrong-key-length", m, "A keyLength that is not the cipher's.", pbkdf2(with_id, length=16))
    case("ofb", m, "AES in OFB.", replace_cipher(pbkdf2(with_id)))
    case("trailing", m, "A byte follows.", pbkdf2(with_id) + b"\0")
    case("label", m, "The label of a key that is not encrypted.", pbkdf2(with_id), label="PRIVATE KEY")


def replace_cipher(der):
    """Another object identifier of the same length: AES-256 in OFB."""
    return der.replace(OID_AES_256_CBC, OID_AES_256_CBC[:-1] + b"\x2b")


def plain_with_id(pieces, octets, key_id):
    attribute = tlv(0x30, bytes.fromhex("06092a864886f70d010915"), tlv(0x31, tlv(4, key_id)))
    return pieces.pkcs8(octets, 0, tlv(0xA0, attribute))


def keyrings(kit):
    key1, key51 = KEM_KEYS["kem-0001"], KEM_KEYS["kem-0051"]
    p1, p51 = kem_pem(key1)[0], kem_pem(key51)[0]
    other1 = kem_pem(KEM_KEYS["kem-0001-other"])[0]
    signer, other = SIGNERS["sign"], SIGNERS["sign-other"]
    s, o = sign_pem(signer)[1], sign_pem(other)[1]
    vk, other_vk = signer.verifying_key, other.verifying_key

    def case(what, kind, expect, why, text, ids=()):
        fields = [("key-id", key_id.hex()) for key_id in ids]
        kit.add("keyring", what, expect, why, ("kind", kind), ("text", shown(text)), *fields)

    m = "malformed"
    case("one", "kem-private", "success", "A bundle of one key.", p1, [key1.key_id])
    case("two", "kem-private", "success", "The primary key comes first.", p51 + p1, [key51.key_id, key1.key_id])
    case("text-between", "kem-private", "success", "Text between the documents is skipped.", f"new\n{p51}\nold\n{p1}\n", [key51.key_id, key1.key_id])
    case("empty", "kem-private", m, "No key.", "")
    case("twice", "kem-private", m, "A key is there twice.", p1 + p51 + p1)
    case("public-among", "kem-private", m, "A public key among private ones.", p1 + kem_pem(key51)[1])
    case("signing-among", "kem-private", m, "A signing key among KEM keys.", p1 + sign_pem(signer)[0])
    case("damaged-second", "kem-private", m, "The first line of the second document is damaged.", p1 + other1.replace("-----BEGIN", "----BEGIN"))
    case("cut-off", "kem-private", m, "The second document is cut off.", p1 + p51[: len(p51) // 2])
    shared = KemKey.of_halves(Suite0051, key51.d + key51.z, b"\5" * 48)
    case("equal-ml-kem", "kem-private", m, "Two different keys have the same ML-KEM half.", p51 + kem_pem(shared)[0])
    shared = KemKey.of_halves(Suite0051, bytes(64), key51.traditional)
    case("equal-p384", "kem-private", m, "Two different keys have the same P-384 half.", p51 + kem_pem(shared)[0])
    seed_m, _ = Suite0001.expand(key1.seed)
    shared = KemKey.of_halves(Suite0051, seed_m, key51.traditional)
    case("equal-across-suites", "kem-private", m, "Keys of two suites have the same ML-KEM half.", p1 + kem_pem(shared)[0])

    ids = sorted([sign_key_id(vk), sign_key_id(other_vk)])
    case("signers", "sign-public", "success", "Two verifying keys, none of which is primary; key ids are given in ascending order.", s + o, ids)
    case("signers-twice", "sign-public", "success", "A verifying key that is there twice may count once.", s + s, [sign_key_id(vk)])
    mixed = to_pem("PUBLIC KEY", SPKI_START + vk[:2592] + other_vk[2592:])
    case("signers-equal-ml-dsa", "sign-public", m, "Two different keys have the same ML-DSA half.", s + mixed)
    case("signers-equal-p384", "sign-public", m, "Two different keys have the same P-384 half.", o + mixed)
    case("signers-kem-among", "sign-public", m, "A KEM key among verifying keys.", s + kem_pem(key51)[1])
    case("signers-private-among", "sign-public", m, "A private key among verifying keys.", s + sign_pem(other)[0])

    def directory(what, kind, expect, why, files, ids=(), names=()):
        fields = [field for name, text in files for field in (("file", name), ("content", shown(text)))]
        fields += [("key-id", key_id.hex()) for key_id in ids] + [("name", name) for name in names]
        kit.add("key-directory", what, expect, why, ("kind", kind), *fields)

    both = sorted([key51.key_id, KEM_KEYS["kem-0001-other"].key_id])
    directory("primary", "kem-private", "success", "The primary key is in primary.pem; the ids of the others are given in ascending order.", [("a.pem", p51), ("primary.pem", p1), ("z.pem", other1)], [key1.key_id, *both])
    directory("primary-twice", "kem-private", "success", "A key in two files counts once, as the primary one if one is primary.pem.", [("2026.pem", p1), ("primary.pem", p1), ("2025.pem", p51)], [key1.key_id, key51.key_id])
    directory("ignored", "kem-private", "success", "Files with another ending, and those that start with a dot, are ignored.", [("primary.pem", p1), (".hidden.pem", "not a key\n"), ("notes.txt", "text\n"), ("old.pem.bak", p51)], [key1.key_id])
    directory("no-primary", "kem-private", m, "There is no primary.pem.", [("a.pem", p1)])
    directory("not-a-key", "kem-private", m, "A file is no key.", [("primary.pem", p1), ("a.pem", "text\n")])
    directory("bundle-inside", "kem-private", m, "A file has two keys.", [("primary.pem", p1), ("a.pem", p51 + other1)])
    directory("equal-half", "kem-private", m, "Keys in two files have the same ML-KEM half.", [("primary.pem", p1), ("a.pem", kem_pem(shared)[0])])
    directory("names", "sign-public", "success", "The names of files are those of signers.", [("alice.pem", s), ("bob.example.com.pem", o)], names=("alice", "bob.example.com"))
    directory("no-names", "sign-public", "success", "A verifying keyring may have no file.", [])
    directory("two-names", "sign-public", m, "Two names for one verifying key.", [("alice.pem", s), ("bob.pem", s)])
    directory("signers-equal-half", "sign-public", m, "Two signers have the same ML-DSA half.", [("alice.pem", s), ("bob.pem", mixed)])
