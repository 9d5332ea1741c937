"""Cases of tests/testkit: keys out of certificates, as they are and by a chain."""

import time

from encrypted_keys import integer, tlv
from formats import KEM_SPKI_START, SPKI_START
from imports import compressed
from kit_material import KEM_KEYS, SIGNERS, sign, signing_key
from kit_requests import TIME
from sessions import sign_key_id

NOW, DAY = TIME // 1000, 86400
SUITE = tlv(0x30, SPKI_START[6:16])
ECDSA_SHA384 = tlv(0x30, bytes.fromhex("06082a8648ce3d040303"))
DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_ENCIPHERMENT, DATA_ENCIPHERMENT, KEY_CERT_SIGN = 0, 1, 2, 3, 5
ALICE = "dns:alice.example.com"
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"


def named(common_name, *more):
    attribute = tlv(0x31, tlv(0x30, bytes.fromhex("0603550403"), tlv(0x0C, common_name.encode())))
    return tlv(0x30, attribute, *more)


def extension(last, value, critical=False):
    return tlv(0x30, bytes.fromhex("0603551d") + bytes([last]), tlv(1, b"\xff") if critical else b"", tlv(4, value))


def usage(*numbers):
    octets = bytearray(max(numbers) // 8 + 1)
    for number in numbers:
        octets[number // 8] |= 128 >> number % 8
    return extension(15, tlv(3, bytes([7 - max(numbers) % 8]) + bytes(octets)), True)


def authority(path_length=None, ca=True):
    return extension(19, tlv(0x30, tlv(1, b"\xff") if ca else b"", integer(path_length) if path_length is not None else b""), True)


def alternative(*names, critical=False):
    return extension(17, tlv(0x30, *(tlv(0x80 | kind, content) for kind, content in names)), critical)


def purposes(*lasts):
    return extension(37, tlv(0x30, *(bytes.fromhex("06082b060105050703") + bytes([last]) for last in lasts)))


def name_constraints(permitted=(), excluded=()):
    parts = [tlv(tag, *(tlv(0x30, tlv(kind, content)) for kind, content in trees)) for tag, trees in ((0xA0, permitted), (0xA1, excluded)) if trees]
    return extension(30, tlv(0x30, *parts), True)


def utc(seconds):
    return tlv(0x17, time.strftime("%y%m%d%H%M%SZ", time.gmtime(seconds)).encode())


def spki(key):
    return tlv(0x30, tlv(0x30, SPKI_START[6:16]), tlv(3, b"\0" + key))


class Draft:
    """A certificate that is changed by its fields."""

    def __init__(self, common_name, spki, issuer, signer, *extensions, **changed):
        self.subject, self.spki, self.issuer, self.signer, self.extensions = named(common_name), spki, named(issuer), signer, [*extensions]
        self.not_before, self.not_after, self.version, self.algorithm, self.inner = NOW - DAY, NOW + DAY, 2, SUITE, None
        self.signature = None
        self.__dict__.update(changed)

    def tbs(self):
        version = tlv(0xA0, integer(self.version)) if self.version is not None else b""
        extensions = tlv(0xA3, tlv(0x30, *self.extensions)) if self.extensions else b""
        validity = tlv(0x30, utc(self.not_before), utc(self.not_after))
        return tlv(0x30, version, integer(1), self.inner or self.algorithm, self.issuer, validity, self.subject, self.spki, extensions)

    def der(self):
        tbs = self.tbs()
        signature = self.signature if self.signature is not None else sign(self.signer, b"", tbs)
        return tlv(0x30, tbs, self.algorithm, tlv(3, b"\0" + signature))


def certificates(kit):
    root_key, middle_key, alice = signing_key("root"), signing_key("middle"), SIGNERS["sign"]
    alice_spki, bob = spki(alice.verifying_key), KEM_KEYS["kem-0051"]
    bob_spki = tlv(0x30, tlv(0x30, KEM_SPKI_START[6:16]), tlv(3, b"\0" + bob.ek))
    dns = alternative((2, b"alice.example.com"))

    def root(*extensions, **changed):
        return Draft("Root", spki(root_key.verifying_key), "Root", root_key, *(extensions or (authority(), usage(KEY_CERT_SIGN))), **{"signature": b"", **changed}).der()

    def middle(*extensions, **changed):
        return Draft("Middle", spki(middle_key.verifying_key), "Root", root_key, *(extensions or (authority(), usage(KEY_CERT_SIGN))), **changed).der()

    def of_alice(*extensions, issuer="Root", signer=root_key, **changed):
        return Draft("Alice", alice_spki, issuer, signer, *(extensions or (dns, usage(DIGITAL_SIGNATURE))), **changed).der()

    anchor = root()
    kit.share("certificate-root", anchor)
    good, through = of_alice(), of_alice(issuer="Middle", signer=middle_key)
    good_middle = middle()
    kit.share("certificate-middle", good_middle)
    kit.share("root-ml-dsa-key", root_key.verifying_key[:2592])
    kit.share("middle-ml-dsa-key", middle_key.verifying_key[:2592])
    ids = {"signer": sign_key_id(alice.verifying_key), "recipient": bob.key_id}

    def case(name, expect, why, certificate, anchors=None, between=b"", use="signer", time=NOW, who=ALICE, purpose=None):
        by_chain = anchors is not None
        fields = {"use": use, "time": str(time), "name": who if by_chain else None, "purpose": purpose, "certificate": certificate, "between": between or None, "anchors": anchors, "key-id": ids[use].hex() if expect == "success" else None}
        kit.add("certificate", name, expect, why, *((name, value) for name, value in fields.items() if value is not None))

    no, m, u = "refused", "malformed", "unauthentic"

    # As it is: nothing is verified
    def as_it_is(name, expect, why, *extensions, time=NOW, use="recipient", **changed):
        draft = Draft("Bob", changed.pop("key", bob_spki), "Root", None, *extensions, **{"signature": b"", **changed})
        case(f"as-it-is-{name}", expect, why, draft.der(), use=use, time=time)

    key = usage(KEY_ENCIPHERMENT)
    as_it_is("good", "success", "A certificate of a recipient.", key)
    as_it_is("no-usage", "success", "Without keyUsage.", alternative((2, b"bob.example.com")))
    as_it_is("first-second", "success", "The first second of the validity.", key, time=NOW - DAY)
    as_it_is("last-second", "success", "The last second of the validity.", key, time=NOW + DAY)
    as_it_is("before", no, "A second before the validity.", key, time=NOW - DAY - 1)
    as_it_is("after", no, "A second after the validity.", key, time=NOW + DAY + 1)
    as_it_is("version-1", no, "A certificate of version 1.", version=None)
    as_it_is("version-2", no, "A certificate of version 2.", version=1)
    as_it_is("usage-more", no, "The keyUsage of a recipient has dataEncipherment, too.", usage(KEY_ENCIPHERMENT, DATA_ENCIPHERMENT))
    as_it_is("usage-signature", no, "The keyUsage of a recipient is digitalSignature.", usage(DIGITAL_SIGNATURE))
    as_it_is("usage-twice", m, "keyUsage is there twice.", key, key)
    as_it_is("unknown-critical", no, "An unknown critical extension.", key, extension(99, tlv(5), True))
    as_it_is("unknown", "success", "An unknown extension that is not critical.", key, extension(99, tlv(5)))
    as_it_is("no-names", m, "An empty subjectAltName.", key, alternative())
    as_it_is("critical-other-names", no, "A critical subjectAltName whose only name is of another type.", key, alternative((8, b"\x2a\x03"), critical=True))
    as_it_is("name-constraints", m, "A recipient has no nameConstraints.", key, name_constraints([(0x82, b"example.com")]))
    as_it_is("malformed-usage", m, "keyUsage is no BIT STRING.", extension(15, tlv(4, b"\2")))
    as_it_is("ca-false", "success", "basicConstraints with FALSE, which DER leaves out and much software writes.", key, extension(19, tlv(0x30, tlv(1, b"\0"))))
    as_it_is("critical-false", "success", "An extension says that it is not critical, which DER leaves out.", key, tlv(0x30, bytes.fromhex("0603551d63"), tlv(1, b"\0"), tlv(4, tlv(5))))
    as_it_is("ca-one", m, "A BOOLEAN of 1.", key, extension(19, tlv(0x30, tlv(1, b"\1"))))
    as_it_is("33-extensions", m, "33 extensions.", *(extension(100 + i, tlv(5)) for i in range(33)))
    as_it_is("compressed", "success", "The point of the key is compressed.", key, key=tlv(0x30, tlv(0x30, KEM_SPKI_START[6:16]), tlv(3, b"\0" + bob.ek[:1568] + compressed(bob.ek[1568:]))))
    as_it_is("other-key", m, "A verifying key, where a recipient's key was asked for.", key, key=alice_spki)
    as_it_is("low-coefficient", m, "A coefficient of the key is 3329.", key, key=bob_spki.replace(bob.ek[:3], b"\x01\x0d\x00"))
    draft = Draft("Bob", bob_spki, "Root", None, key, signature=b"").der()
    case("as-it-is-trailing", m, "A byte follows.", draft + b"\0", use="recipient")
    case("as-it-is-truncated", m, "The last byte is missing.", draft[:-1], use="recipient")
    case("as-it-is-signer", "success", "A certificate of a signer.", good)

    # By a chain
    ca = usage(KEY_CERT_SIGN)
    case("chain-good", "success", "Issued by the anchor.", good, anchor)
    case("chain-middle", "success", "Issued by an authority under the anchor.", through, anchor, good_middle)
    case("chain-recipient", "success", "A recipient's certificate, issued by the anchor.", Draft("Bob", bob_spki, "Root", root_key, alternative((2, b"bob.example.com")), key).der(), anchor, use="recipient", who="dns:bob.example.com")
    case("chain-upper-case", "success", "A dNSName is compared without regard to case.", good, anchor, who="dns:ALICE.Example.com")
    case("chain-subject", "success", "The name is the subject.", good, anchor, who=f"subject:{named('Alice').hex()}")
    everything = alternative((1, b"alice@example.com"), (6, b"https://example.com/alice"), (7, bytes([192, 0, 2, 1])), (7, bytes(15) + b"\1"), (8, b"\x2a\x03"))
    named_alice = of_alice(everything)
    for kind, who in (("email", "alice@example.com"), ("uri", "https://example.com/alice"), ("ip", "192.0.2.1"), ("ip", "::1")):
        case(f"chain-{kind}{'-6' if who == '::1' else ''}", "success", f"A name of the type {kind}.", named_alice, anchor, who=f"{kind}:{who}")
    case("chain-email-case", no, "An rfc822Name is compared with regard to case.", named_alice, anchor, who="email:Alice@example.com")
    constrained = root(authority(), ca, name_constraints([(0x86, b".example.com")]))
    case("anchor-uri", no, "The anchor constrains URIs, and there is one.", named_alice, constrained, who="ip:192.0.2.1")
    case("anchor-uri-not-below", "success", "The anchor constrains URIs, and there is none.", good, constrained)
    subject = named("Alice", tlv(0x31, tlv(0x30, bytes.fromhex("06092a864886f70d010901"), tlv(0x16, b"alice@example.com"))))
    with_email, constrained = of_alice(subject=subject), root(authority(), ca, name_constraints([(0x81, b"example.com")]))
    case("anchor-email-subject", no, "The anchor constrains addresses of mail, and the subject has one.", with_email, constrained)
    case("chain-email-subject", "success", "The subject has an address of mail, which nobody constrains.", with_email, anchor)
    case("anchor-email-not-below", "success", "The anchor constrains addresses of mail, and there is none.", good, constrained)
    case("anchor-ip", "success", "The anchor permits 192.0.2.0/24 and ::1/128.", named_alice, root(authority(), ca, name_constraints([(0x87, bytes([192, 0, 2, 0, 255, 255, 255, 0])), (0x87, bytes(15) + b"\1" + b"\xff" * 16)])), who="ip:192.0.2.1")
    case("anchor-ip-not-permitted", no, "The anchor permits 192.0.3.0/24.", named_alice, root(authority(), ca, name_constraints([(0x87, bytes([192, 0, 3, 0, 255, 255, 255, 0]))])), who="ip:192.0.2.1")
    case("chain-other-name", no, "The certificate is for another name.", good, anchor, who="dns:bob.example.com")
    case("chain-other-type", no, "The name is of another type.", good, anchor, who="uri:alice.example.com")
    case("chain-empty-name", no, "An empty name.", good, anchor, who="dns:")
    case("chain-wildcard", no, "A name with * is compared whole.", of_alice(alternative((2, b"*.example.com"))), anchor)
    case("chain-other-anchor", no, "Another authority is trusted.", through, anchor)
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    case("chain-flipped-signature", u, "A bit of the signature is changed.", flipped, anchor)
    case("chain-other-signer", u, "Another key signed, in the name of the anchor.", of_alice(signer=middle_key), anchor)
    tbs = Draft("Alice", alice_spki, "Root", root_key, dns, usage(DIGITAL_SIGNATURE)).tbs()
    case("chain-with-context", u, "The signature has a context.", of_alice(signature=sign(root_key, b"example.com", tbs)), anchor)
    case("chain-ecdsa", no, "The certificate is signed with ECDSA alone.", of_alice(algorithm=ECDSA_SHA384, signature=b""), anchor)
    case("chain-two-algorithms", m, "The algorithm inside the certificate is not that outside.", of_alice(inner=ECDSA_SHA384), anchor)
    case("chain-usage", no, "The signer's keyUsage is keyEncipherment.", of_alice(dns, key), anchor)
    case("chain-end-is-authority", no, "The certificate at the end is one of an authority.", of_alice(dns, authority()), anchor)
    case("chain-non-repudiation", "success", "The signer's keyUsage is nonRepudiation.", of_alice(dns, usage(NON_REPUDIATION)), anchor)
    case("chain-purpose", "success", "extKeyUsage has the purpose that was named.", of_alice(dns, purposes(3)), anchor, purpose=CODE_SIGNING)
    case("chain-other-purpose", no, "extKeyUsage has another purpose.", of_alice(dns, purposes(4)), anchor, purpose=CODE_SIGNING)
    case("chain-purpose-unnamed", no, "There is an extKeyUsage, and no purpose was named.", of_alice(dns, purposes(3)), anchor)
    case("chain-any-purpose", no, "anyExtendedKeyUsage does not stand for others.", of_alice(dns, extension(37, tlv(0x30, bytes.fromhex("0604551d2500")))), anchor, purpose=CODE_SIGNING)

    # What an anchor must be; the certificate is the good one
    def anchored(name, expect, why, *extensions, between=b"", certificate=good, **changed):
        case(f"anchor-{name}", expect, why, certificate, root(*extensions, **changed), between)

    anchored("expired", no, "The anchor has expired.", not_after=NOW - 1)
    anchored("no-ca", no, "The anchor has no cA.", authority(ca=False), ca)
    anchored("no-basic-constraints", no, "The anchor has no basicConstraints.", ca)
    anchored("usage", no, "The anchor's keyUsage has no keyCertSign.", authority(), usage(DIGITAL_SIGNATURE))
    anchored("version-1", no, "The anchor is of version 1.", version=None, extensions=[])
    anchored("path-length-0", "success", "A pathLenConstraint of 0, and no authority under the anchor.", authority(0), ca)
    anchored("path-length-0-middle", no, "A pathLenConstraint of 0, and an authority under the anchor.", authority(0), ca, between=good_middle, certificate=through)
    anchored("unknown-critical", no, "The anchor has an unknown critical extension.", authority(), ca, extension(99, tlv(5), True))
    anchored("dns-permitted", "success", "The anchor permits names of example.com.", authority(), ca, name_constraints([(0x82, b"example.com")]))
    anchored("dns-not-permitted", no, "The anchor permits names of example.org.", authority(), ca, name_constraints([(0x82, b"example.org")]))
    anchored("dns-excluded", no, "The anchor excludes alice.example.com.", authority(), ca, name_constraints(excluded=[(0x82, b"alice.example.com")]))
    anchored("directory-name", no, "The anchor constrains directory names.", authority(), ca, name_constraints([(0xA4, named("Alice"))]))
    anchored("other-type-not-below", "success", "A constraint on a type of name that does not occur below.", authority(), ca, name_constraints([(0x87, bytes(8))]))
    case("middle-no-ca", no, "An authority under the anchor has no cA.", through, anchor, middle(authority(ca=False), ca))
    case("middle-expired", no, "An authority under the anchor has expired.", through, anchor, middle(not_after=NOW - 1))
    case("middle-missing", no, "The authority between is not there.", through, anchor)
