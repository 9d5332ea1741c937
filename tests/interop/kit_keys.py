"""Cases of tests/testkit: KEMs, signatures and key files."""

import base64

from cryptography.hazmat.primitives import hashes

from encrypted_keys import encode, encrypt, integer, pkcs8_content, seed_content, tlv
from formats import (
    EC_END,
    EC_START,
    KEM_PKCS8_START,
    KEM_SPKI_START,
    LOW_ORDER,
    P384_ORDER,
    PKCS8_START,
    SPKI_START,
    KemKey,
    SigningKey,
    Suite0001,
    Suite0051,
    kem_pem,
    kem_pkcs8,
    kem_recipient,
    message_representative,
    sign_pem,
    to_pem,
    u16,
)
from imports import compressed
from kit_cases import joined
from kit_material import CONTEXT, KEM_KEYS, SIGNERS, ecdsa, encapsulation, ml_dsa, sign
from sessions import sign_key_id

P384_P = 2**384 - 2**128 - 2**96 + 2**32 - 1
P384_B = int("b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef", 16)


def low_point():
    """A point whose x is so small that x + p fits into 48 bytes."""
    for x in range(2, 100):
        square = (x**3 - 3 * x + P384_B) % P384_P
        y = pow(square, (P384_P + 1) // 4, P384_P)
        if y * y % P384_P == square:
            return x, y
    raise AssertionError


def bad_points(point):
    """Why, and 97 bytes that are no P-384 point."""
    x, y = low_point()
    return {
        "off-curve": ("The point is not on the curve: a bit of Y is changed.", point[:96] + bytes([point[96] ^ 1])),
        "zero": ("(0, 0) is not on the curve.", b"\4" + bytes(96)),
        "x-above-p": ("X is x + p, for a point on the curve.", b"\4" + (x + P384_P).to_bytes(48, "big") + y.to_bytes(48, "big")),
        "infinity": ("The point at infinity has no encoding of this length.", bytes(97)),
        "hybrid": ("The point has the hybrid form of X9.62, 06 or 07.", bytes([6 | point[96] & 1]) + point[1:]),
        "compressed-tag": ("The point begins with the byte of a compressed one, 02.", b"\2" + point[1:]),
    }


def bad_x25519():
    p = 2**255 - 19
    found = {f"low-order-{i}": (f"The X25519 half is of low order: number {i} of the list in SPEC.md.", u) for i, u in enumerate(LOW_ORDER, 1)}
    found["p"] = ("The X25519 half is p, which is not below p.", p.to_bytes(32, "little"))
    found["p-plus-9"] = ("The X25519 half is 9 + p, another encoding of the base point.", (p + 9).to_bytes(32, "little"))
    found["high-bit"] = ("The X25519 half is 9 with the highest bit set.", (9 + 2**255).to_bytes(32, "little"))
    found["ones"] = ("All bits of the X25519 half are set.", b"\xff" * 32)
    return found


def bad_halves(suite, good):
    return bad_x25519() if suite is Suite0001 else bad_points(good)


def some_bad_halves(suite, good):
    """The others are in the cases of decapsulation."""
    return {what: bad for what, bad in bad_halves(suite, good).items() if what in ("low-order-4", "p-plus-9", "off-curve", "x-above-p")}


def coefficient(ek, index, value):
    """`ek` with another coefficient of its ML-KEM half."""
    at = index // 2 * 3
    number = int.from_bytes(ek[at : at + 3], "little")
    shift = 12 * (index % 2)
    number = number & ~(4095 << shift) | value << shift
    return ek[:at] + number.to_bytes(3, "little") + ek[at + 3 :]


def decapsulation(kit):
    for name in ("kem-0001", "kem-0051"):
        key = KEM_KEYS[name]
        _, ct, ss = encapsulation(name)

        def case(what, expect, why, ct, secret=None):
            kit.add("decapsulation", f"{name}-{what}", expect, why, key=name, ciphertext=ct, secret=secret and secret.hex())

        case("good", "success", "A ciphertext and its shared secret.", ct, ss)
        changed = bytes([ct[0] ^ 1]) + ct[1:]
        case("implicit-rejection", "success", "ct_M was not made for this key: another secret comes out, and no error.", changed, key.decapsulate(changed)[2])
        zeros = bytes(1568) + ct[1568:]
        case("zeros", "success", "ct_M is all zero, which is a ciphertext like any other.", zeros, key.decapsulate(zeros)[2])
        other = encapsulation(f"{name}-other")[1]
        moved = ct[:1568] + other[1568:]
        case("other-half", "success", "The second half is another ciphertext's: the secret is another one.", moved, key.decapsulate(moved)[2])
        case("empty", "malformed", "A ciphertext of 0 bytes.", b"")
        case("short", "malformed", "The last byte is missing.", ct[:-1])
        case("long", "malformed", "A byte follows.", ct + b"\0")
        foreign = encapsulation("kem-0051" if name == "kem-0001" else "kem-0001")[1]
        case("other-suite", "malformed", "The ciphertext is of the other suite.", foreign)
        for what, (why, half) in bad_halves(key.suite, ct[1568:]).items():
            case(what, "malformed", why, ct[:1568] + half)
        if name == "kem-0051":
            case("compressed", "malformed", "The point is compressed, so the ciphertext has 48 bytes less.", ct[:1568] + compressed(ct[1568:]))


def encapsulation_keys(kit):
    for name in ("kem-0001", "kem-0051"):
        key = KEM_KEYS[name]
        suite, ek = key.suite, key.ek

        def case(what, expect, why, ek, suite_id=None):
            key_id = kem_recipient(suite, ek)[2:].hex() if expect == "success" else None
            kit.add("encapsulation-key", f"{name}-{what}", expect, why, suite=f"{suite_id or suite.id:#06x}", bytes=ek, key_id=key_id)

        case("good", "success", "An encapsulation key and its key id.", ek)
        case("rho", "success", "The last 32 bytes of ek_M may be anything.", ek[:1536] + bytes(32) + ek[1568:])
        case("coefficient-3328", "success", "A coefficient of 3328 is the greatest.", coefficient(ek, 5, 3328))
        for index in (0, 1, 1022, 1023):
            case(f"coefficient-{index}-3329", "malformed", f"Coefficient {index} is 3329, which FIPS 203 §7.2 refuses.", coefficient(ek, index, 3329))
        case("coefficient-4095", "malformed", "A coefficient is 4095.", coefficient(ek, 511, 4095))
        case("short", "malformed", "The last byte is missing.", ek[:-1])
        case("long", "malformed", "A byte follows.", ek + b"\0")
        case("swapped", "malformed", "The halves are in the other order.", ek[1568:] + ek[:1568])
        case("unknown-suite", "malformed", "No such suite.", ek, 0x0002)
        for what, (why, half) in bad_halves(suite, ek[1568:]).items():
            case(what, "malformed", why, ek[:1568] + half)
        if name == "kem-0051":
            case("compressed", "malformed", "The point is compressed, which only imports take.", ek[:1568] + compressed(ek[1568:]))


def sig_value(r, s):
    return tlv(0x30, integer(r), integer(s))


def r_and_s(der):
    r_length = der[3]
    r = int.from_bytes(der[4 : 4 + r_length], "big")
    s = int.from_bytes(der[6 + r_length :], "big")
    assert sig_value(r, s) == der
    return r, s


def signatures(kit):
    key, other = SIGNERS["sign"], SIGNERS["sign-other"]
    context, message = CONTEXT.encode(), b"signed by twinseal"
    good = sign(key, context, message)
    pq, der = good[:4627], good[4627:]
    r, s = r_and_s(der)
    representative = message_representative(context, message)

    half = kit.shared("ml-dsa-half", pq)

    def case(what, expect, why, signature, signer="sign", context=CONTEXT, message=message):
        parts = joined("signature", half, signature[4627:]) if signature.startswith(pq) else [("signature", signature)]
        kit.add("signature", what, expect, why, ("signer", signer), ("context", context), ("message", message.decode()), *parts)

    case("good", "success", "Both halves verify.", good)
    case("empty-message", "success", "The message is empty.", sign(key, context, b""), message=b"")
    longest = "example.com/" + "x" * 243
    case("longest-context", "success", "A context of 255 bytes.", sign(key, longest.encode(), message), context=longest)
    case("high-s", "success", "s is above n / 2: n - s is as good as s.", pq + sig_value(r, P384_ORDER - s))
    case("reserved-context", "refused", "A context that starts with twinseal/ is reserved.", sign(key, b"twinseal/tests", message), context="twinseal/tests")
    case("long-context", "refused", "A context of 256 bytes.", good, context=longest + "x")

    u = "unauthentic"
    case("other-message", u, "It is the signature of another message.", good, message=b"signed by Twinseal")
    case("other-context", u, "It is the signature of another context.", good, context=CONTEXT[:-1] + "2")
    case("context-boundary", u, "A byte has moved from the context to the message.", good, context=CONTEXT[:-1], message=b"1" + message)
    case("other-key", u, "It is the signature of another key.", good, signer="sign-other")
    for what, at in (("c-tilde", 0), ("z", 100), ("z-end", 4543), ("hint", 4544), ("hint-end", 4626)):
        case(f"flipped-{what}", u, f"A bit is changed in the ML-DSA half, at byte {at}.", good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
    for what, changed in (("r", sig_value(r ^ 1, s)), ("s", sig_value(r, s ^ 1)), ("r-and-s-swapped", sig_value(s, r))):
        case(f"ecdsa-{what}", u, f"The ECDSA half is well formed, but wrong: {what.replace('-', ' ')}.", pq + changed)
    case("ecdsa-s-1", u, "s is 1.", pq + sig_value(r, 1))
    case("ecdsa-r-n-minus-1", u, "r is n - 1.", pq + sig_value(P384_ORDER - 1, s))
    case("shortest", u, "The shortest signature that may be looked at: 4635 bytes, with r and s of 1.", pq + sig_value(1, 1))
    case("ml-dsa-half-of-other", u, "The ML-DSA half is another key's.", sign(other, context, message)[:4627] + der)
    case("ecdsa-half-of-other", u, "The ECDSA half is another key's.", pq + sign(other, context, message)[4627:])
    case("halves-of-two-messages", u, "Each half signs another message.", pq + sign(key, context, b"another")[4627:])
    case("ml-dsa-without-label", u, "The ML-DSA half has an empty context in place of the label.", ml_dsa(key, representative, b"") + der)
    case("ml-dsa-of-message", u, "The ML-DSA half signs the message and not M'.", ml_dsa(key, message) + der)
    case("ecdsa-sha512", u, "The ECDSA half is made with SHA-512.", pq + ecdsa(key, representative, hashes.SHA512))
    case("ecdsa-of-message", u, "The ECDSA half signs the message and not M'.", pq + ecdsa(key, message))
    bare = representative[32:]
    case("without-prefix", u, "Both halves sign M' without its prefix.", ml_dsa(key, bare) + ecdsa(key, bare))
    unhashed = representative[:-64] + message
    case("not-hashed", u, "Both halves sign M' with the message in place of its SHA-512.", ml_dsa(key, unhashed) + ecdsa(key, unhashed))
    hint = pq[:-1] + b"\x4c"
    case("hint-count", u, "The last count of the hint is above omega: not what FIPS 204 decodes.", hint + der)
    case("zeros-ml-dsa", u, "The ML-DSA half is all zero.", bytes(4627) + der)

    m = "malformed"
    case("empty", m, "No bytes.", b"")
    case("only-ml-dsa", m, "Only the ML-DSA half.", pq)
    case("short", m, "4634 bytes: an ECDSA half of 7 bytes.", pq + bytes.fromhex("30050201010200"))
    case("truncated", m, "The last byte is missing.", good[:-1])
    case("trailing", m, "A byte follows.", good + b"\0")
    case("long", m, "4732 bytes.", pq + bytes(105))
    case("swapped", m, "The halves are in the other order.", der + pq)
    fixed = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    case("raw-ecdsa", m, "The ECDSA half is r || s, without DER.", pq + fixed)
    padded = tlv(0x30, tlv(2, b"\0" + integer(r)[2:]), integer(s))
    case("padded-r", m, "r has a zero byte too many.", pq + padded)
    case("negative-r", m, "r is negative.", pq + tlv(0x30, tlv(2, b"\x80" + bytes(47)), integer(s)))
    case("long-form-length", m, "The length of the SEQUENCE has its long form.", pq + b"\x30\x81" + der[1:])
    case("inner-trailing", m, "A byte follows s inside the SEQUENCE.", pq + tlv(0x30, integer(r), integer(s), b"\0"))
    case("three-integers", m, "There is a third INTEGER.", pq + tlv(0x30, integer(r), integer(s), integer(1)))
    case("empty-integer", m, "r has no bytes.", pq + tlv(0x30, tlv(2), integer(s)))
    case("set", m, "A SET in place of the SEQUENCE.", pq + b"\x31" + der[1:])
    case("octet-string", m, "r is an OCTET STRING.", pq + tlv(0x30, tlv(4, integer(r)[2:]), integer(s)))
    for what, bad in (("zero", 0), ("n", P384_ORDER), ("n-plus-1", P384_ORDER + 1)):
        case(f"r-{what}", m, f"r is {what.replace('-', ' ')}.", pq + sig_value(bad, s))
        case(f"s-{what}", m, f"s is {what.replace('-', ' ')}.", pq + sig_value(r, bad))


def verifying_keys(kit):
    key = SIGNERS["sign"].verifying_key

    def case(what, expect, why, bytes_, suite="0x0001"):
        key_id = sign_key_id(bytes_).hex() if expect == "success" else None
        kit.add("verifying-key", what, expect, why, suite=suite, bytes=bytes_, key_id=key_id)

    case("good", "success", "A verifying key and its key id.", key)
    case("any-ml-dsa", "success", "Any 2592 bytes are an ML-DSA key.", b"\xff" * 2592 + key[2592:])
    case("short", "malformed", "The last byte is missing.", key[:-1])
    case("long", "malformed", "A byte follows.", key + b"\0")
    case("swapped", "malformed", "The halves are in the other order.", key[2592:] + key[:2592])
    case("compressed", "malformed", "The point is compressed, which only imports take.", key[:2592] + compressed(key[2592:]))
    case("unknown-suite", "malformed", "No such suite.", key, "0x0051")
    for what, (why, point) in bad_points(key[2592:]).items():
        case(what, "malformed", why, key[:2592] + point)


def shown(text):
    """Text as it is, if it is whole lines of printable ASCII; else its bytes."""
    if isinstance(text, str) and text.endswith("\n") and all(" " <= c <= "~" or c == "\n" for c in text):
        return text
    return text if isinstance(text, bytes) else text.encode()


def key_files(kit):
    key1, key51, signer = KEM_KEYS["kem-0001"], KEM_KEYS["kem-0051"], SIGNERS["sign"]
    ids = {"kem-private": key1.key_id, "kem-public": key1.key_id, "sign-private": sign_key_id(signer.verifying_key), "sign-public": sign_key_id(signer.verifying_key)}

    def case(what, kind, expect, why, text, key_id=None):
        key_id = (key_id or ids[kind]).hex() if expect == "success" else None
        kit.add("key-file", what, expect, why, kind=kind, text=shown(text), key_id=key_id)

    private1, public1 = kem_pem(key1)
    private51, public51 = kem_pem(key51)
    private_s, public_s = sign_pem(signer)
    case("kem-0001-private", "kem-private", "success", "A private key of KEM suite 0x0001.", private1)
    case("kem-0001-public", "kem-public", "success", "A public key of KEM suite 0x0001.", public1)
    case("kem-0051-private", "kem-private", "success", "A private key of KEM suite 0x0051.", private51, key51.key_id)
    case("kem-0051-public", "kem-public", "success", "A public key of KEM suite 0x0051.", public51, key51.key_id)
    case("sign-private", "sign-private", "success", "A private key of signature suite 0x0001.", private_s)
    case("sign-public", "sign-public", "success", "A public key of signature suite 0x0001.", public_s)

    # "Reading the text"
    body = private1.splitlines()[1]
    one = "\n".join
    begin, end = private1.splitlines()[0], private1.splitlines()[2]
    good = {
        "crlf": ("Lines end in CR LF.", private1.replace("\n", "\r\n")),
        "cr": ("Lines end in CR.", private1.replace("\n", "\r")),
        "bom": ("A byte order mark at the start is skipped.", "\ufeff" + private1),
        "no-last-line-feed": ("The last line has no line feed.", private1[:-1]),
        "white-space": ("White space around lines and inside the base64 has no meaning.", f"\v{begin}\f\n \t{body[:10]} {body[10:]}\t\n\n  {end} \n"),
        "text-around": ("Text before and after a document is skipped.", f"Key of the backup service\nkey: one\n\n{private1}\nas of 2026\n"),
        "short-lines": ("Lines may have any length.", one([begin, *(body[i : i + 4] for i in range(0, len(body), 4)), end, ""])),
        "one-line": ("The base64 of a public key in one line.", None),
        "text-39": ("A line of 39 base64 characters is text.", "A" * 39 + "\n" + private1),
        "text-spaced": ("A line of 40 base64 characters with a space among them is text.", "A" * 20 + " " + "A" * 20 + "\n" + private1),
        "text-padding": ("A line of 40 characters = is padding, and no base64.", "=" * 40 + "\n" + private1),
        "nel": ("U+0085 and U+2028 are no ends of lines and no white space.", "a\u0085" + "A" * 40 + "\u2028b\n" + private1),
        "four-hyphens": ("Four hyphens in a row are text.", "---- a note ----\n" + private1),
        "other-alphabet-outside": ("A line of 44 characters is text if one of them is not base64.", "A" * 43 + "-\n" + private1),
    }
    lines = public1.splitlines()
    for what, (why, text) in good.items():
        if what == "one-line":
            case("text-one-line", "kem-public", "success", why, one([lines[0], "".join(lines[1:-1]), lines[-1], ""]))
        else:
            case(what if what.startswith("text") else f"text-{what}", "kem-private", "success", why, text)
    spare = body[:-3] + chr(ord(body[-3]) + 1) + "=="
    assert body.endswith("==") and base64.b64decode(spare) == base64.b64decode(body)
    bad = {
        "empty": ("An empty file.", ""),
        "no-document": ("Text without a document.", "a note\n"),
        "nul": ("A NUL in the text.", "a\0b\n" + private1),
        "not-utf-8": ("The text is not UTF-8.", b"\xff\n" + private1.encode()),
        "utf-16": ("The text is UTF-16.", private1.encode("utf-16")),
        "no-end": ("The last line is missing.", one([begin, body, ""])),
        "no-begin": ("The first line is missing.", one([body, end, ""])),
        "other-end": ("The last line has another label.", private1.replace("-----END TWINSEAL KEM PRIVATE KEY", "-----END TWINSEAL KEM PUBLIC KEY")),
        "two-begins": ("There are two first lines.", one([begin, begin, body, end, ""])),
        "damaged-begin": ("The first line has four hyphens at its start, so the base64 could be a damaged key.", one([begin[1:], body, end, ""])),
        "hyphens-in-text": ("A line of text has five hyphens in a row.", "----- a note\n" + private1),
        "base64-in-text": ("A line of text is 40 base64 characters.", "A" * 40 + "\n" + private1),
        "spaces-in-label": ("The label has two spaces.", private1.replace("KEM PRIVATE", "KEM  PRIVATE")),
        "space-after-label": ("A space follows the label.", private1.replace("KEY-----", "KEY -----")),
        "end-alone": ("A last line without a first one, behind a document.", private1 + end + "\n"),
        "padded-base64-in-text": ("A line of text is 40 base64 characters and padding.", "A" * 40 + "==\n" + private1),
        "header-field": ("Header fields, as RFC 1421 has them.", one([begin, "Proc-Type: 4,ENCRYPTED", "", body, end, ""])),
        "no-padding": ("The base64 has no padding.", one([begin, body.rstrip("="), end, ""])),
        "too-much-padding": ("The base64 has too much padding.", one([begin, body + "=", end, ""])),
        "spare-bits": ("The spare bits of the base64 are not zero.", one([begin, spare, end, ""])),
        "url-alphabet": ("The base64 has a character of base64url.", one([begin, body[:4] + "-" + body[5:], end, ""])),
        "no-content": ("The document is empty.", one([begin, end, ""])),
        "two-documents": ("Two documents, where one key was asked for.", private1 + private1),
        "text-on-begin": ("Text follows on the first line.", one([begin + " #", body, end, ""])),
        "no-break-space": ("A no-break space is no white space.", one([begin, "\u00a0" + body, end, ""])),
    }
    for what, (why, text) in bad.items():
        case(f"text-{what}", "kem-private", "malformed", why, text)

    # The content
    seed = base64.b64decode(body)

    def pem1(content, label="TWINSEAL KEM PRIVATE KEY"):
        return to_pem(label, content)

    m = "malformed"
    case("label-public-for-private", "kem-private", m, "A public key, where a private one was asked for.", public1)
    case("label-private-for-public", "kem-public", m, "A private key, where a public one was asked for.", private1)
    case("label-sign-for-kem", "kem-private", m, "A signing key, where a KEM key was asked for.", private_s)
    case("label-kem-for-sign", "sign-private", m, "A KEM key, where a signing key was asked for.", private51)
    case("label-sign-for-kem-public", "kem-public", m, "A verifying key, where an encapsulation key was asked for.", public_s)
    case("label-kem-for-sign-public", "sign-public", m, "An encapsulation key, where a verifying key was asked for.", public51)
    case("label-certificate", "sign-public", m, "A certificate's label.", to_pem("CERTIFICATE", SPKI_START + signer.verifying_key))
    case("label-lower-case", "kem-private", m, "The label is in lower case.", pem1(seed, "twinseal kem private key"))
    case("label-rsa", "sign-private", m, "The label RSA PRIVATE KEY.", to_pem("RSA PRIVATE KEY", PKCS8_START + signer.bytes))
    case("suite-0001-as-pkcs8", "kem-private", m, "The content of suite 0x0001 under the standard label.", pem1(seed, "PRIVATE KEY"))
    case("suite-unknown", "kem-private", m, "No such suite.", pem1(b"\0\2" + seed[2:]))
    case("suite-0051-own-label", "kem-private", m, "A seed of suite 0x0051 under twinseal's label: only imports take it.", pem1(b"\0\x51" + seed[2:]))
    case("suite-0051-own-label-public", "kem-public", m, "ek of suite 0x0051 under twinseal's label: only imports take it.", to_pem("TWINSEAL KEM PUBLIC KEY", b"\0\x51" + key51.ek))
    case("seed-short", "kem-private", m, "A seed of 31 bytes.", pem1(seed[:-1]))
    case("seed-long", "kem-private", m, "A seed of 33 bytes.", pem1(seed + b"\0"))
    case("suite-only", "kem-private", m, "One byte.", pem1(b"\0"))
    case("ek-short", "kem-public", m, "An ek of 1599 bytes.", to_pem("TWINSEAL KEM PUBLIC KEY", u16(1) + key1.ek[:-1]))
    case("ek-low-order", "kem-public", m, "The X25519 half is of low order.", to_pem("TWINSEAL KEM PUBLIC KEY", u16(1) + key1.ek[:1568] + bytes(32)))
    case("ek-coefficient", "kem-public", m, "A coefficient is 3329.", to_pem("TWINSEAL KEM PUBLIC KEY", u16(1) + coefficient(key1.ek, 3, 3329)))
    case("ek-0051-off-curve", "kem-public", m, "The P-384 half is not on the curve.", to_pem("PUBLIC KEY", KEM_SPKI_START + key51.ek[:-1] + bytes([key51.ek[-1] ^ 1])))
    case("vk-off-curve", "sign-public", m, "The P-384 half is not on the curve.", to_pem("PUBLIC KEY", SPKI_START + signer.verifying_key[:-1] + bytes([signer.verifying_key[-1] ^ 1])))
    oid_sign, oid_kem = SPKI_START[6:16], KEM_SPKI_START[6:16]
    spki = SPKI_START + signer.verifying_key
    structures = {
        "spki-trailing": ("A byte follows the structure.", spki + b"\0"),
        "spki-truncated": ("The last byte is missing.", spki[:-1]),
        "spki-null-parameters": ("The algorithm has NULL as its parameters.", tlv(0x30, tlv(0x30, oid_sign, tlv(5)), tlv(3, b"\0" + signer.verifying_key))),
        "spki-unused-bits": ("The BIT STRING has unused bits.", spki[: len(SPKI_START) - 1] + b"\1" + signer.verifying_key),
        "spki-indefinite": ("The length of the outer SEQUENCE is indefinite.", b"\x30\x80" + spki[4:] + b"\0\0"),
        "spki-long-length": ("The length of the outer SEQUENCE has a byte too many.", b"\x30\x83\0" + spki[2:]),
        "spki-wrapped": ("The key is inside an OCTET STRING inside the BIT STRING.", tlv(0x30, tlv(0x30, oid_sign), tlv(3, b"\0" + tlv(4, signer.verifying_key)))),
        "spki-oid-draft": ("The object identifier of another composite, 1.3.6.1.5.5.7.6.48.", replace_oid(spki, oid_sign, 48)),
        "spki-oid-kem": ("The object identifier is that of the KEM.", spki.replace(oid_sign, oid_kem)),
        "spki-compressed": ("The point is compressed: only imports take it.", tlv(0x30, tlv(0x30, oid_sign), tlv(3, b"\0" + signer.verifying_key[:2592] + compressed(signer.verifying_key[2592:])))),
    }
    for what, (why, der) in structures.items():
        case(what, "sign-public", m, why, to_pem("PUBLIC KEY", der))
    p8, p51 = PKCS8_START + signer.bytes, kem_pkcs8(key51)
    algorithm = tlv(0x30, oid_sign)
    n = P384_ORDER.to_bytes(48, "big")
    point = signer.verifying_key[2592:]
    with_point = tlv(0x30, integer(1), tlv(4, signer.bytes[39:87]), EC_END, tlv(0xA1, tlv(3, b"\0" + point)))
    structures = {
        "pkcs8-trailing": ("A byte follows the structure.", p8 + b"\0"),
        "pkcs8-version-1": ("The version is 1 (v2), without a public key.", p8.replace(b"\x02\x01\x00", b"\x02\x01\x01", 1)),
        "pkcs8-with-public-key": ("The version is 1 and the public key is there: only imports take it.", tlv(0x30, integer(1), algorithm, tlv(4, signer.bytes), tlv(0x81, b"\0" + signer.verifying_key))),
        "pkcs8-attributes": ("There is a localKeyId, which is for encrypted keys.", pkcs8_content(p8, sign_key_id(signer.verifying_key))),
        "pkcs8-nested": ("The private key is inside a second OCTET STRING.", tlv(0x30, integer(0), algorithm, tlv(4, tlv(4, signer.bytes)))),
        "pkcs8-null-parameters": ("The algorithm has NULL as its parameters.", tlv(0x30, integer(0), tlv(0x30, oid_sign, tlv(5)), tlv(4, signer.bytes))),
        "pkcs8-scalar-zero": ("The scalar is 0.", PKCS8_START + signer.bytes[:39] + bytes(48) + EC_END),
        "pkcs8-scalar-n": ("The scalar is n.", PKCS8_START + signer.bytes[:39] + n + EC_END),
        "pkcs8-curve": ("The named curve is P-256.", tlv(0x30, integer(0), algorithm, tlv(4, signer.bytes[:32], tlv(0x30, integer(1), tlv(4, signer.bytes[39:87]), tlv(0xA0, bytes.fromhex("06082a8648ce3d030107")))))),
        "pkcs8-no-curve": ("ECPrivateKey does not name its curve: only imports take it.", tlv(0x30, integer(0), algorithm, tlv(4, signer.bytes[:32], tlv(0x30, integer(1), tlv(4, signer.bytes[39:87]))))),
        "pkcs8-ec-public-key": ("ECPrivateKey has its public key: only imports take it.", tlv(0x30, integer(0), algorithm, tlv(4, signer.bytes[:32], with_point))),
        "pkcs8-oid-kem": ("The object identifier is that of the KEM, but the content is a signing key.", p8.replace(oid_sign, oid_kem)),
        "pkcs8-bare-scalar": ("The scalar in place of ECPrivateKey: only imports take it.", tlv(0x30, integer(0), algorithm, tlv(4, signer.bytes[:32], signer.bytes[39:87]))),
    }
    for what, (why, der) in structures.items():
        case(what, "sign-private", m, why, to_pem("PRIVATE KEY", der))
    structures = {
        "kem-pkcs8-trailing": ("A byte follows the structure.", p51 + b"\0"),
        "kem-pkcs8-seed": ("The seed of 32 bytes, as HPKE has it: only imports take it.", tlv(0x30, integer(0), tlv(0x30, oid_kem), tlv(4, key51.seed))),
        "kem-pkcs8-scalar-zero": ("The scalar is 0.", KEM_PKCS8_START + key51.d + key51.z + EC_START + bytes(48) + EC_END),
        "kem-pkcs8-scalar-n": ("The scalar is n.", KEM_PKCS8_START + key51.d + key51.z + EC_START + n + EC_END),
        "kem-pkcs8-no-z": ("z is missing.", tlv(0x30, integer(0), tlv(0x30, oid_kem), tlv(4, key51.d, EC_START + key51.traditional + EC_END))),
    }
    for what, (why, der) in structures.items():
        case(what, "kem-private", m, why, to_pem("PRIVATE KEY", der))
    encrypted = encrypt(seed_content(key1), b"passphrase", bytes(16), bytes(16), 2, 1, 1)
    case("encrypted", "kem-private", m, "A key under a passphrase, where none was given.", to_pem("TWINSEAL ENCRYPTED KEM PRIVATE KEY", encrypted))
    case("halves-independent", "kem-private", "success", "d, z and scalar do not come from one seed: other software draws them independently.", to_pem("PRIVATE KEY", KEM_PKCS8_START + b"\1" * 32 + b"\2" * 32 + EC_START + b"\3" * 48 + EC_END), KemKey.of_halves(Suite0051, b"\1" * 32 + b"\2" * 32, b"\3" * 48).key_id)
    case("scalar-1", "sign-private", "success", "The smallest scalar, 1.", to_pem("PRIVATE KEY", PKCS8_START + bytes(32) + EC_START + bytes(47) + b"\1" + EC_END), sign_key_id(SigningKey(bytes(32) + EC_START + bytes(47) + b"\1" + EC_END).verifying_key))
    top = (P384_ORDER - 1).to_bytes(48, "big")
    case("scalar-n-minus-1", "sign-private", "success", "The greatest scalar, n - 1.", to_pem("PRIVATE KEY", PKCS8_START + bytes(32) + EC_START + top + EC_END), sign_key_id(SigningKey(bytes(32) + EC_START + top + EC_END).verifying_key))


def replace_oid(der, oid, last):
    return der.replace(oid, oid[:-1] + bytes([last]), 1)
