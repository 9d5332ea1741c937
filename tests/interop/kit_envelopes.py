"""Cases of tests/testkit: envelopes, parts of them, and rewrapping."""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from checks import flipped, pattern
from formats import CHUNK, as_list, chunk_keys, chunk_nonce, header_and_body_key, seal_body, u16, wrapping
from kit_cases import joined
from kit_keys import some_bad_halves
from kit_material import CONTEXT, KEM_KEYS, encapsulation, stream

MAGIC = b"twinseal"
BODY_START = 56


def stanza(name, content_key, label="", ct=None, **changed):
    """suite, key id, length, ciphertext and wrapped key, of which some may be others."""
    key = KEM_KEYS[name]
    _, its_ct, ss = encapsulation(name, label)
    parts = {"suite": key.suite.id, "key_id": key.key_id, "length": None, "ct": ct or its_ct, "wrapped": None}
    parts.update(changed)
    wrap_key, nonce, aad = wrapping(key.suite.id, key.key_id, ss)
    wrapped = parts["wrapped"] or AESGCM(wrap_key).encrypt(nonce, content_key, aad)
    length = len(parts["ct"]) if parts["length"] is None else parts["length"]
    return u16(parts["suite"]) + parts["key_id"] + u16(length) + parts["ct"] + wrapped


def unknown(number, length, suite=0x7FFF):
    return u16(suite) + number.to_bytes(16, "big") + u16(length) + bytes(length) + bytes(48)


def header(content_key, stanzas, start=MAGIC + b"\1\1", count=None, sort=True):
    """With the right tag, whatever is in it."""
    text = start + u16(len(stanzas) if count is None else count) + b"".join(sorted(stanzas) if sort else stanzas)
    return text + hmac.digest(header_and_body_key(content_key)[0], text, "sha384")[:32]


class Envelopes:
    def __init__(self, kit):
        self.kit = kit
        draw = stream("envelopes")
        self.content_key, self.salt = draw(32), draw(24)
        self.context = CONTEXT.encode()
        self.header_key, self.body_key = header_and_body_key(self.content_key)

    def body(self, plaintext=b"hello", context=None):
        return seal_body(self.body_key, self.salt, context or self.context, plaintext)

    def stanza(self, name="kem-0001", **changed):
        return stanza(name, self.content_key, **changed)

    def header(self, stanzas=None, **changed):
        return header(self.content_key, stanzas or [self.stanza()], **changed)

    def three(self):
        """An envelope of three chunks in four shared pieces. `damaged` are its chunks, each with a changed bit."""
        body, ends = self.body(pattern(2 * CHUNK + 5)), [BODY_START + i * (CHUNK + 16) for i in range(3)]
        chunks = [body[a:b] for a, b in zip(ends, [*ends[1:], len(body)])]
        share = self.kit.shared
        self.damaged = [share(f"envelope-chunk-{i}-damaged", flipped(chunk, 0)) for i, chunk in enumerate(chunks)]
        start = share("envelope-start", self.header() + body[:BODY_START])
        return [start, *(share(f"envelope-chunk-{i}", chunk) for i, chunk in enumerate(chunks))]

    def chunks(self, chunks):
        """A body of these chunks, numbered as given."""
        key, base_nonce, commitment = chunk_keys(self.body_key, self.salt, self.context)
        return self.salt + commitment + b"".join(AESGCM(key).encrypt(chunk_nonce(base_nonce, i), chunk, None) for i, chunk in chunks)

    def add(self, name, expect, why, input, keys=("kem-0001",), context=CONTEXT, plaintext=None):
        fields = [("key", key) for key in keys] + [("context", context)]
        if expect == "success" and plaintext is not None:
            if len(plaintext) > 200:
                fields += [("plaintext-length", str(len(plaintext))), ("plaintext-sha384", hashlib.sha384(plaintext).hexdigest())]
            else:
                fields.append(("plaintext", plaintext.decode()))
        self.kit.add("envelope", name, expect, why, *fields, *joined("input", *as_list(input)))


def envelopes(kit):
    e = Envelopes(kit)
    hello = b"hello"
    good_header, body = e.header(), e.body()
    good = good_header + body
    both = e.header([e.stanza(), e.stanza("kem-0051")])
    e.add("one-0001", "success", "One recipient of suite 0x0001.", good, plaintext=hello)
    only51 = e.header([e.stanza("kem-0051")])
    e.add("one-0051", "success", "One recipient of suite 0x0051.", only51 + body, ["kem-0051"], plaintext=hello)
    for name in KEM_KEYS:
        if "other" not in name:
            e.add(f"two-for-{name[4:]}", "success", "Two recipients, opened by one of them.", both + body, [name], plaintext=hello)
    e.add("empty", "success", "An empty plaintext is one empty chunk.", good_header + e.body(b""), plaintext=b"")
    for length in (1, CHUNK - 1):
        plaintext = pattern(length)
        e.add(f"length-{length}", "success", f"{length} bytes: byte i is i mod 251.", good_header + e.body(plaintext), plaintext=plaintext)
    for length in (CHUNK, CHUNK + 1):
        plaintext = pattern(length)
        start, first, _, _ = e.three()
        assert start.content + first.content == good_header + e.body(plaintext)[: -16 - length + CHUNK]
        e.add(f"length-{length}", "success", f"{length} bytes: byte i is i mod 251.", [start, first, e.body(plaintext)[-16 - length + CHUNK :]], plaintext=plaintext)
    longest = "example.com/" + "x" * 243
    e.add("longest-context", "success", "A context of 255 bytes.", good_header + e.body(context=longest.encode()), context=longest, plaintext=hello)
    skipped = e.header([e.stanza(), unknown(1, 0), unknown(2, 8192)])
    e.add("unknown-recipients", "success", "Recipients of an unknown suite are skipped, with ciphertexts of 0 and of 8192 bytes.", skipped + body, plaintext=hello)
    low = e.header([unknown(1, 7, 0), e.stanza()])
    e.add("suite-0", "success", "Suite 0 is an unknown suite.", low + body, plaintext=hello)
    unknown_999 = [unknown(i, 0) for i in range(999)]
    shared = kit.shared("unknown-recipients", b"".join(unknown_999))
    many = e.header([e.stanza(), *unknown_999])
    e.add("thousand", "success", "1000 recipients, 999 of them of an unknown suite.", [many[: 12 + 1668], shared, many[-32:] + body], plaintext=hello)
    e.add("keyring-second", "success", "A keyring whose second key is the recipient.", good, ["kem-0051", "kem-0001"], plaintext=hello)
    e.add("keyring-both", "success", "A keyring of which both keys are recipients.", both + body, ["kem-0051", "kem-0001"], plaintext=hello)
    damaged = e.stanza("kem-0051", wrapped=bytes(48))
    e.add("keyring-first-damaged", "unauthentic", "A keyring of which both keys are recipients: the first one's stanza is damaged, and no other is tried.", e.header([e.stanza(), damaged]) + body, ["kem-0051", "kem-0001"])
    e.add("keyring-other-damaged", "success", "A damaged stanza of another recipient is not looked at, if the header's tag is right.", e.header([e.stanza(), damaged]) + body, plaintext=hello)
    bad_point = e.stanza("kem-0051", ct=encapsulation("kem-0051")[1][:-1] + b"\0")
    e.add("other-ciphertext-invalid", "success", "The ciphertext of another recipient is not checked.", e.header([e.stanza(), bad_point]) + body, plaintext=hello)

    u, m = "unauthentic", "malformed"
    e.add("not-for-us", "not-for-us", "The reader's key is no recipient.", good, ["kem-0001-other"])
    e.add("not-for-us-other-suite", "not-for-us", "The reader's key is of another suite.", good, ["kem-0051"])
    e.add("not-for-keyring", "not-for-us", "No key of the keyring is a recipient.", good, ["kem-0051", "kem-0001-other"])
    e.add("key-id-of-other", u, "The key id is that of another key than the ciphertext is for.", e.header([e.stanza(key_id=KEM_KEYS["kem-0001-other"].key_id)]) + body, ["kem-0001-other"])
    e.add("reserved-context", "refused", "A context that starts with twinseal/ is reserved.", good, context="twinseal/envelope/v1")
    e.add("context-256", "refused", "A context of 256 bytes.", good, context=longest + "x")
    e.add("empty-context", "refused", "An empty context.", good, context="")

    # The header
    e.add("no-bytes", m, "No bytes.", b"")
    for length in (7, 8, 9, 10, 11, 12, 13, 14, 30, 31, 32, 33, 1000, 1631, 1632, 1633, 1679, 1680, 1681):
        e.add(f"truncated-{length:04}", m, f"Only the first {length} bytes.", good[:length])
    assert len(good_header) == 44 + 68 + 1600
    e.add("truncated-tag", m, "The header's tag ends early.", good[: len(good_header) - 1])
    e.add("truncated-body-0", u, "Only the header.", good_header)
    e.add("truncated-body-55", u, "The body ends before its chunks.", good[: len(good_header) + 55])
    e.add("truncated-body-56", u, "The body has no chunk.", good[: len(good_header) + 56])
    e.add("truncated-body-71", u, "The chunk has 15 bytes.", good[: len(good_header) + 71])
    e.add("truncated-last", u, "The last byte is missing.", good[:-1])
    e.add("trailing", u, "A byte follows the last chunk.", good + b"\0")
    e.add("magic", m, "Another magic.", e.header(start=b"twinSeal\1\1") + body)
    e.add("session-magic", m, "The magic of a hello.", e.header(start=b"twinsess\1\1") + body)
    e.add("version-0", m, "Version 0.", e.header(start=MAGIC + b"\0\1") + body)
    e.add("version-2", m, "Version 2.", e.header(start=MAGIC + b"\2\1") + body)
    e.add("body-id-0", m, "Body id 0.", e.header(start=MAGIC + b"\1\0") + body)
    e.add("body-id-2", m, "Body id 2.", e.header(start=MAGIC + b"\1\2") + body)
    e.add("no-recipients", m, "No recipients.", header(e.content_key, []) + body)
    e.add("count-1001", m, "The number of recipients is 1001.", e.header(count=1001) + body)
    many = e.header([e.stanza(), *unknown_999, unknown(999, 0)])
    e.add("recipients-1001", m, "1001 recipients.", [many[: 12 + 1668], shared, many[-32 - 68 :] + body])
    e.add("count-below", u, "The number of recipients is 1, but there are two: the second one is where tag and body should be.", e.header([e.stanza(), e.stanza("kem-0051")], count=1) + body)
    e.add("count-above", m, "The number of recipients is 2, but there is one: the body is no recipient.", e.header(count=2) + body)
    e.add("descending", m, "The recipients are in descending order.", e.header([e.stanza("kem-0051"), e.stanza()], sort=False) + body)
    e.add("unknown-descending", m, "The order also applies to recipients of unknown suites.", e.header([e.stanza(), unknown(2, 0), unknown(1, 0)], sort=False) + body)
    e.add("duplicate", m, "A recipient is there twice.", e.header([e.stanza(), e.stanza()]) + body)
    second = stanza("kem-0001", e.content_key, label="second")
    e.add("duplicate-other-ciphertext", m, "A recipient is there twice, with another ciphertext.", e.header([e.stanza(), second]) + body)
    e.add("duplicate-unknown", m, "A recipient of an unknown suite is there twice.", e.header([e.stanza(), unknown(1, 0), unknown(1, 5)], sort=False) + body)
    e.add("length-1599", m, "The length of a known suite's ciphertext is another one, and so is the ciphertext.", e.header([e.stanza(ct=encapsulation("kem-0001")[1][:-1])]) + body)
    e.add("length-1665", m, "A ciphertext of suite 0x0001 has the length of suite 0x0051.", e.header([e.stanza(length=1665)]) + body)
    e.add("length-0", m, "The length of a known suite's ciphertext is 0.", e.header([e.stanza(length=0)]) + body)
    e.add("unknown-length-8193", m, "A ciphertext of an unknown suite has 8193 bytes.", e.header([e.stanza(), unknown(1, 8193)]) + body)
    e.add("unknown-length-65535", m, "A ciphertext of an unknown suite says that it has 65535 bytes.", e.header([e.stanza(), u16(0x7FFF) + bytes(16) + b"\xff\xff" + bytes(100)]) + body)
    e.add("stanza-suite", "not-for-us", "The suite of the stanza is unknown, with the right ciphertext.", e.header([e.stanza(suite=0x0002)]) + body)
    for name in ("kem-0001", "kem-0051"):
        for what, (why, half) in some_bad_halves(KEM_KEYS[name].suite, encapsulation(name)[1][1568:]).items():
            ct = encapsulation(name)[1][:1568] + half
            e.add(f"{name[4:]}-{what}", m, why, e.header([e.stanza(name, ct=ct)]) + body, [name])

    # What a secret is used for: one error
    for what, at in (("count", 11), ("key-id", 14), ("ct-m", 32), ("wrapped", 1632), ("wrapped-tag", 1679), ("tag", 1680), ("tag-end", 1711)):
        if what not in ("count", "key-id"):
            e.add(f"flipped-{what}", u, f"A bit is changed at byte {at}.", flipped(good, at))
    e.add("flipped-key-id", "not-for-us", "A bit of the key id is changed.", flipped(good, 14))
    tag = 1712
    for what, at in (("salt", 0), ("commitment", 24), ("chunk", 56), ("chunk-tag", len(body) - 1)):
        e.add(f"flipped-{what}", u, f"A bit of the body is changed at its byte {at}.", flipped(good, tag + at))
    ct = encapsulation("kem-0001")[1]
    retagged = e.header([e.stanza(ct=flipped(ct, 0))]) + body
    e.add("retagged-ct-m", u, "A bit of ct_M is changed, and the header's tag is right again.", retagged)
    e.add("retagged-wrapped", u, "A bit of the wrapped content key is changed, and the header's tag is right again.", e.header([flipped(e.stanza(), 20 + 1600)]) + body)
    other = stream("another content key")(32)
    e.add("wrapped-other", u, "The wrapped content key is another one than the header's tag and the body are made with.", e.header([stanza("kem-0001", other)]) + body)
    e.add("tag-of-other", u, "The tag of another content key, over the same header.", e.header()[:-32] + header(other, [e.stanza()])[-32:] + body)
    e.add("tag-zero", u, "The header's tag is all zero.", good_header[:-32] + bytes(32) + body)
    full = hmac.digest(e.header_key, good_header[:-32], "sha384")
    e.add("tag-end-of-hmac", u, "The tag is the last 32 bytes of the HMAC.", good_header[:-32] + full[-32:] + body)
    added = MAGIC + b"\1\1" + u16(2) + e.stanza() + e.stanza("kem-0051") + good_header[-32:]
    e.add("added-recipient", u, "A recipient was added to a header with its old tag.", added + body)
    removed = MAGIC + b"\1\1" + u16(1) + e.stanza() + both[-32:]
    e.add("removed-recipient", u, "A recipient was taken out of a header with its old tag.", removed + body)
    e.add("unknown-changed", u, "A bit of a recipient of an unknown suite is changed.", flipped(skipped, len(skipped) - 33) + body)
    e.add("ciphertexts-swapped", m, "The ciphertexts of two recipients are swapped, with their lengths.", MAGIC + b"\1\1" + u16(2) + swapped_ciphertexts(e) + both[-32:] + body)

    # The body
    e.add("other-context", u, "It is sealed in another context.", good, context=CONTEXT[:-1] + "2")
    e.add("body-of-other", u, "The body of an envelope with another content key.", good_header + seal_body(header_and_body_key(other)[1], e.salt, e.context, hello))
    changed_salt = flipped(e.salt, 3)
    e.add("salt-of-other", u, "Another salt, with the commitment and the chunks of the first.", good_header + changed_salt + body[24:])
    recommitted = changed_salt + chunk_keys(e.body_key, changed_salt, e.context)[2] + body[56:]
    e.add("recommitted", u, "Another salt and its commitment, with the chunks of the first.", good_header + recommitted)
    start, first, second, last = three = e.three()
    e.add("three-chunks", "success", "Three chunks.", three, plaintext=pattern(2 * CHUNK + 5))
    e.add("last-chunk-missing", u, "The last chunk is missing: the body ends with a full one.", [start, first, second])
    e.add("only-full-chunk", u, "A body of one full chunk, rightly sealed, and no last one.", [start, first])
    e.add("chunk-missing", u, "The second chunk is missing.", [start, first, last])
    e.add("first-chunk-missing", u, "The first chunk is missing.", [start, second, last])
    e.add("chunks-swapped", u, "Two chunks are swapped.", [start, second, first, last])
    e.add("chunk-twice", u, "A chunk is there twice.", [start, first, first, second, last])
    e.add("last-chunk-twice", u, "The last chunk is there twice.", [*three, last.content])
    e.add("last-chunk-first", u, "Only the last chunk.", [start, last])
    e.add("first-chunk-flipped", u, "A bit of the first chunk is changed.", [start, e.damaged[0], second, last])
    e.add("second-chunk-flipped", u, "A bit of the second chunk is changed.", [start, first, e.damaged[1], last])
    e.add("last-chunk-flipped", u, "A bit of the last chunk is changed.", [start, first, second, e.damaged[2]])
    e.add("last-chunk-short", u, "The last byte is missing.", [start, first, second, last.content[:-1]])
    e.add("trailing-after-three", u, "A byte follows.", [*three, b"\0"])
    of_other = seal_body(e.body_key, changed_salt, e.context, pattern(2 * CHUNK + 5))[56 + 2 * (CHUNK + 16) :]
    e.add("chunk-of-other-salt", u, "The last chunk is from a body with another salt.", [start, first, second, of_other])
    e.add("long-chunk", u, "A first chunk of 16385 bytes, rightly sealed.", good_header + e.chunks([(0, pattern(CHUNK + 1))]))
    e.add("renumbered", u, "The only chunk has number 1.", good_header + e.chunks([(1, hello)]))
    e.add("short-first-chunk", u, "A short chunk, and another after it, both rightly sealed.", good_header + e.chunks([(0, hello), (1, hello)]))


def swapped_ciphertexts(e):
    one, two = e.stanza(), e.stanza("kem-0051")
    return one[:18] + two[18 : 20 + 1665] + one[20 + 1600 :] + two[:18] + one[18 : 20 + 1600] + two[20 + 1665 :]


def parts(kit):
    """Parts of an envelope, read at random."""
    e = Envelopes(kit)
    plaintext = pattern(2 * CHUNK + 5)
    start, first, second, last = good = e.three()

    def case(name, expect, why, input, offset, length):
        part = plaintext[offset : offset + length] if expect == "success" else None
        sha384 = part and hashlib.sha384(part).hexdigest()
        kit.add("envelope-part", name, expect, why, ("key", "kem-0001"), ("context", CONTEXT), ("offset", str(offset)), ("length", str(length)), *([("part-sha384", sha384)] if sha384 else []), *joined("input", *as_list(input)))

    case("middle", "success", "A part across two chunks.", good, CHUNK - 3, 6)
    case("last", "success", "The last bytes.", good, 2 * CHUNK, 5)
    case("other-chunk-damaged", "success", "A part whose chunk is right, in a body with another damaged chunk that is not the last.", [start, e.damaged[0], second, last], CHUNK, 10)
    case("its-chunk-damaged", "unauthentic", "The chunk of the part is damaged.", [start, first, e.damaged[1], last], CHUNK, 10)
    case("across-damaged", "unauthentic", "The second chunk of the part is damaged.", [start, first, e.damaged[1], last], CHUNK - 3, 6)
    case("last-damaged", "unauthentic", "The last chunk, which shows the length, is damaged.", [start, first, second, e.damaged[2]], 0, 10)
    case("last-missing", "unauthentic", "The last chunk is missing.", [start, first, second], 0, 10)
    case("beyond", "refused", "The part ends beyond the plaintext.", good, 2 * CHUNK, 6)


def rewrapping(kit):
    e = Envelopes(kit)
    good_header, body = e.header([e.stanza(), unknown(1, 3)]), e.body()

    def case(name, expect, why, input, key="kem-0001", to="kem-0051", context=CONTEXT, then=None):
        kit.add("rewrap", name, expect, why, key=key, to=to, then=then, context=then and context, plaintext="hello" if then == "success" else None, input=input)

    case("good", "success", "Rewrapped for another key, it opens with that.", good_header + body, then="success")
    case("same-key", "success", "Rewrapped for the same key.", good_header + body, to="kem-0001", then="success")
    case("body-damaged", "success", "The body is neither opened nor checked: a damaged one is moved as it is.", flipped(good_header + body, len(good_header) + 60), then="unauthentic")
    case("header-changed", "unauthentic", "A bit of the header's tag is changed.", flipped(good_header + body, len(good_header) - 1))
    case("unknown-changed", "unauthentic", "A bit of a recipient of an unknown suite is changed.", flipped(good_header + body, len(good_header) - 33))
    case("not-for-us", "not-for-us", "The key is no recipient.", good_header + body, key="kem-0001-other")
    case("truncated", "malformed", "The header is cut off.", good_header[:-1])
    case("empty-body", "success", "There is no body, which rewrapping does not notice.", good_header, then="unauthentic")
