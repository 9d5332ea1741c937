"""SPEC.md's "Certificates", written only from SPEC.md and RFC 5280."""

import calendar
import datetime
import ipaddress
import re

from cryptography.exceptions import InvalidSignature

from der import Reader, whole
from formats import SPKI_START, verify
from imports import public_der
from refusals import Malformed, Refused, Unauthentic

KEY_USAGE, ALT_NAME, BASIC, CONSTRAINTS, EXTENDED = ("551d0f", "551d11", "551d13", "551d1e", "551d25")
EMAIL_ADDRESS = bytes.fromhex("2a864886f70d010901")
TYPES = {1: "email", 2: "dns", 6: "uri", 7: "ip"}
SUITE = SPKI_START[6:16]


class Certificate:
    def __init__(self, der):
        if len(der) > 65535:
            raise Malformed("longer than 64 KiB")
        outer = whole(der)
        _, _, self.signed = outer.value()
        self.algorithm = outer.take(0x30)
        self.signature = outer.bits()
        outer.end()
        tbs = whole(self.signed)
        version = tbs.optional(0xA0)
        self.version = 1 if version is None else version_of(version)
        tbs.take(2)
        self.inner_algorithm = tbs.take(0x30)
        self.issuer, _ = name(tbs)
        validity = tbs.inside(0x30)
        self.not_before, self.not_after = time(validity), time(validity)
        validity.end()
        self.subject, self.has_email_subject = name(tbs)
        _, _, self.spki = tbs.value()
        tbs.optional(0x81), tbs.optional(0x82)
        extensions = tbs.optional(0xA3)
        tbs.end()
        self.extensions, self.has_unknown_critical = {}, False
        if extensions is not None:
            self.read_extensions(extensions)
        self.usage = bits(self.get(KEY_USAGE))
        self.names = alternative_names(self.get(ALT_NAME))
        self.is_authority, self.path_length = basic(self.get(BASIC))
        self.purposes = object_identifiers(self.get(EXTENDED))
        self.constraints = constraints(self.get(CONSTRAINTS))
        if self.get(ALT_NAME) is not None and self.extensions[ALT_NAME][0] and not any(kind for kind, _ in self.names):
            self.has_unknown_critical = True

    def get(self, oid):
        return self.extensions[oid][1] if oid in self.extensions else None

    def read_extensions(self, der):
        sequence = whole(der)
        while sequence.rest:
            extension = sequence.inside(0x30)
            oid = extension.take(6).hex()
            critical = extension.optional(1)
            value = extension.take(4)
            extension.end()
            if oid in self.extensions or critical not in (None, b"\0", b"\xff"):
                raise Malformed("an extension twice, or no BOOLEAN")
            critical = critical == b"\xff"
            if critical and oid not in (KEY_USAGE, ALT_NAME, BASIC, CONSTRAINTS, EXTENDED):
                self.has_unknown_critical = True
            self.extensions[oid] = critical, value
        if not 1 <= len(self.extensions) <= 32:
            raise Malformed("number of extensions")

    def check(self, use, now, below=0):
        if self.version != 3:
            raise Refused("version")
        if not self.not_before <= now <= self.not_after:
            raise Refused("validity")
        if self.has_unknown_critical:
            raise Refused("critical extension")
        if use == "authority":
            if not self.is_authority:
                raise Refused("no authority")
            if self.path_length is not None and below > self.path_length:
                raise Refused("path length")
        elif self.constraints is not None:
            raise Malformed("name constraints")
        allowed = {"authority": {5} & set(self.usage or ()), "signer": {0, 1} & set(self.usage or ()), "recipient": self.usage == [2]}
        if self.usage is not None and not allowed[use]:
            raise Refused("key usage")

    def check_purpose(self, purpose):
        if self.purposes is not None and purpose not in self.purposes:
            raise Refused("extended key usage")

    def key(self, use):
        return public_der("sign" if use == "signer" else "kem", self.spki)

    def is_signed_by(self, issuer):
        if self.algorithm != self.inner_algorithm:
            raise Malformed("two algorithms")
        if self.algorithm != SUITE:
            raise Refused("algorithm")
        try:
            verify(issuer.key("signer"), b"", self.signed, self.signature)
        except (Malformed, InvalidSignature):
            raise Unauthentic("signature") from None


def version_of(der):
    reader = Reader(der)
    number = reader.integer()
    reader.end()
    return number + 1


def name(reader):
    """The bytes of a distinguished name, and whether it has an emailAddress."""
    _, _, der = reader.value()
    rdns, has_email = whole(der), False
    while rdns.rest:
        rdn = rdns.inside(0x31)
        while rdn.rest:
            attribute = rdn.inside(0x30)
            has_email |= attribute.take(6) == EMAIL_ADDRESS
            attribute.value()
            attribute.end()
    return der, has_email


def time(reader):
    tag, content, _ = reader.value()
    text = content.decode("ascii", "replace")
    pattern = {0x17: r"(\d\d)", 0x18: r"(\d{4})"}.get(tag)
    found = pattern and re.match(pattern + r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z\Z", text)
    if not found:
        raise Malformed("time")
    year, *rest = map(int, found.groups())
    year += 0 if tag == 0x18 else 1900 if year >= 50 else 2000
    try:
        datetime.datetime(year, *rest)
    except ValueError:
        raise Malformed("time") from None
    return calendar.timegm((year, *rest))


def bits(value):
    """The numbers of the bits that are set, or None."""
    if value is None:
        return None
    outer = Reader(value)
    content = outer.take(3)
    outer.end()
    if not content or content[0] > 7:
        raise Malformed("BIT STRING")
    return [i for i in range(8 * (len(content) - 1) - content[0]) if content[1 + i // 8] >> (7 - i % 8) & 1]


def basic(value):
    if value is None:
        return False, None
    sequence = whole(value)
    authority = sequence.optional(1)
    length = sequence.integer() if sequence.peek() == 2 else None
    sequence.end()
    if authority not in (None, b"\0", b"\xff"):
        raise Malformed("BOOLEAN")
    return authority == b"\xff", length


def object_identifiers(value):
    if value is None:
        return None
    sequence, found = whole(value), []
    while sequence.rest:
        found.append(dotted(sequence.take(6)))
    return found


def dotted(oid):
    numbers, number = [], 0
    for byte in oid:
        number = number << 7 | byte & 127
        if byte < 128:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def alternative_names(value):
    """Type and text of each; the type is None if nobody can ask for it."""
    if value is None:
        return []
    sequence, found = whole(value), []
    while sequence.rest:
        tag, content, _ = sequence.value()
        kind = TYPES.get(tag & 31) if tag < 0xA0 else None
        if tag < 0x80 or tag & 31 > 8:
            raise Malformed("GeneralName")
        found.append((kind, general_name(kind, content) if kind else None))
    if not found:
        raise Malformed("no names")
    return found


def general_name(kind, content):
    if kind == "ip":
        if len(content) not in (4, 16):
            raise Malformed("iPAddress")
        return str(ipaddress.ip_address(content))
    if not content.isascii():
        raise Malformed("IA5String")
    return content.decode()


def constraints(value):
    """Permitted and excluded, each as tags and values."""
    if value is None:
        return None
    sequence, found = whole(value), {}
    for tag in (0xA0, 0xA1):
        trees = sequence.optional(tag)
        if trees is not None:
            reader, found[tag] = Reader(trees), []
            while reader.rest:
                tree = reader.inside(0x30)
                kind, content, _ = tree.value()
                found[tag].append((kind & 31, content))
                tree.end()
            if not found[tag]:
                raise Malformed("no subtrees")
    sequence.end()
    if not found:
        raise Malformed("no constraints")
    return found.get(0xA0, []), found.get(0xA1, [])


def fits(kind, text, content):
    """Whether a name is within a subtree of its type."""
    if kind == "dns":
        base = content.decode().lower()
        return base == "" or text.lower() == base or text.lower().endswith("." + base)
    half = len(content) // 2
    address = ipaddress.ip_address(text).packed
    return len(address) == half and all(a & m == b & m for a, b, m in zip(address, content[:half], content[half:]))


def check_constraints(issuer, below):
    """Of one authority, for all certificates under it."""
    if issuer.constraints is None:
        return
    permitted, excluded = issuer.constraints
    numbers = {kind: number for number, kind in TYPES.items()}
    kinds = {number for number, _ in permitted + excluded}
    if 4 in kinds or (1 in kinds and any(one.has_email_subject for one in below)):
        raise Refused("name constraints")
    for kind, text in (name for one in below for name in one.names):
        if kind is None or numbers[kind] not in kinds:
            continue
        if kind not in ("dns", "ip"):
            raise Refused("name constraints")
        own = [content for number, content in permitted if number == numbers[kind]]
        if own and not any(fits(kind, text, content) for content in own):
            raise Refused("name constraints")
        if any(fits(kind, text, content) for number, content in excluded if number == numbers[kind]):
            raise Refused("name constraints")


def find_path(below, between, anchors, now, purpose):
    """Raises if no path is good; the first reason, of the paths that there are."""
    last, reasons = below[-1], []
    for issuer, is_anchor in [*((one, True) for one in anchors), *((one, False) for one in between)]:
        if issuer.subject != last.issuer or (issuer in below):
            continue
        try:
            last.is_signed_by(issuer)
            issuer.check("authority", now, len(below) - 1)
            issuer.check_purpose(purpose)
            check_constraints(issuer, below)
            if is_anchor:
                return
            if len(below) > 6:
                raise Refused("too many authorities")
            return find_path([*below, issuer], between, anchors, now, purpose)
        except (Refused, Unauthentic, Malformed) as reason:
            reasons.append(reason)
    raise reasons[0] if reasons else Refused("no path")


def key_of(chain, anchors, use, now, expected, purpose):
    """The key in the first certificate. `anchors` is None to take it as it is."""
    subject = chain[0]
    if anchors is None:
        subject.check(use, now)
        return subject.key(use)
    kind, text = expected
    if not text:
        raise Refused("an empty name")
    key = subject.key(use)
    subject.check(use, now)
    if subject.is_authority:
        raise Refused("an authority")
    subject.check_purpose(purpose)
    find_path([subject], chain[1:], anchors, now, purpose)
    if kind == "subject":
        is_named = subject.subject.hex() == text
    elif kind == "dns":
        is_named = any(found == kind and name.lower() == text.lower() for found, name in subject.names)
    else:
        is_named = (kind, text) in subject.names
    if not is_named:
        raise Refused("another name")
    return key
