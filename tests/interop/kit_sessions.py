"""Cases of tests/testkit: sessions, their replies, and sessions over a connection."""

from checks import flipped
from formats import P384_ORDER, u16
from kit_cases import as_bytes
from kit_keys import some_bad_halves, r_and_s, sig_value
from kit_material import CONTEXT, KEM_KEYS, SIGNERS, encapsulation, sign, stream
from sessions import LAST, MORE, SESSION, Direction, Schedule, frame, hello_core, sign_key_id


class Sessions:
    def __init__(self, name="kem-0001", signer=None, context=CONTEXT, label=""):
        self.name, self.key, self.signer = name, KEM_KEYS[name], SIGNERS.get(signer)
        self.context = context.encode()
        self.randomness, self.ct, self.ss = encapsulation(name, label)
        self.core = self.make_core()
        self.schedule = Schedule(self.key.suite.id, self.ss, self.core, self.context)

    def make_core(self, **changed):
        vk = self.signer and self.signer.verifying_key
        parts = {"suite_id": self.key.suite.id, "recipient": self.key.key_id, "signer": vk and (1, sign_key_id(vk)), "ct": self.ct, **changed}
        return hello_core(**parts)

    def signature(self, core=None, by=None, vk=None, ek=None, context=None, label=SESSION):
        by = by or self.signer
        message = (core or self.core) + (self.key.ek if ek is None else ek) + (by.verifying_key if vk is None else vk) + (self.context if context is None else context)
        return sign(by, label, message)

    def signed(self, core=None, **changed):
        """A core and its signature."""
        return (core or self.core) + self.signature(core, **changed)

    @property
    def hello(self):
        return self.signed() if self.signer else self.core

    def sender(self):
        return Direction(self.schedule.key, self.schedule.base_nonce)

    def messages(self, *texts):
        """Messages of these plaintexts, the last of which is the last one."""
        sender = self.sender()
        return [sender.seal(LAST if i == len(texts) - 1 else MORE, b"", as_bytes(text)) for i, text in enumerate(texts)]


def opened(message, plaintext, aad=None):
    return [("message", message), *([("aad", aad)] if aad is not None else []), ("plaintext", plaintext)]


def refused(message, outcome="unauthentic", aad=None):
    return [("message", message), *([("aad", aad)] if aad is not None else []), ("refused", outcome)]


def sessions(kit):
    def case(name, expect, why, hello, *steps, keys=("kem-0001",), signers=(), context=CONTEXT, session=None):
        fields = [("key", key) for key in keys] + [("signer", signer) for signer in signers] + [("context", context), ("hello", hello)]
        fields += [("session-id", session.schedule.session_id.hex())] if session else []
        kit.add("session", name, expect, why, *fields, *(field for step in steps for field in step))

    s1, s51, signed = Sessions(), Sessions("kem-0051"), Sessions(signer="sign")
    signed51 = Sessions("kem-0051", "sign")
    for name, s, signers in (("0001", s1, ()), ("0051", s51, ()), ("0001-signed", signed, ["sign"]), ("0051-signed", signed51, ["sign"])):
        one, two = s.messages("one", "two")
        case(f"{name}-good", "success", "Two messages.", s.hello, opened(one, "one"), opened(two, "two"), keys=[s.name], signers=signers, session=s)
    one, two, three = s1.messages("one", "two", "three")
    hello = s1.hello
    case("one-empty", "success", "One empty message.", hello, opened(s1.messages("")[0], ""))
    sender = s1.sender()
    with_aad = sender.seal(MORE, b"shard 7", b"one"), sender.seal(LAST, b"shard 8", b"")
    case("aad", "success", "Messages with the caller's aad.", hello, opened(with_aad[0], "one", "shard 7"), opened(with_aad[1], "", "shard 8"))
    case("failed-do-not-stop", "success", "Messages that fail do not stop a session.", hello, refused(flipped(one, 3)), refused(two), opened(one, "one"), refused(one), refused(three), opened(two, "two"), opened(three, "three"))
    case("incomplete", "incomplete", "The last message is missing.", hello, opened(one, "one"), opened(two, "two"))
    case("no-messages", "incomplete", "There are no messages.", hello)
    case("after-the-last", "success", "A message after the last is refused.", hello, opened(one, "one"), opened(two, "two"), opened(three, "three"), refused(three, "refused"), refused(one, "refused"))
    case("dropped", "incomplete", "A message was dropped.", hello, opened(one, "one"), refused(three))
    case("swapped", "incomplete", "Two messages are swapped.", hello, refused(two), opened(one, "one"), refused(three), refused(one))
    case("other-aad", "incomplete", "Another aad.", hello, refused(with_aad[0], aad="shard 8"), refused(with_aad[0]))
    moved = with_aad[0]
    case("aad-boundary", "incomplete", "The type is in the aad, before the caller's.", hello, refused(b"\1" + moved[1:], aad="shard 7"))
    case("message-empty", "incomplete", "A message of 0 bytes.", hello, refused(b"", "malformed"))
    case("message-16", "incomplete", "A message of 16 bytes.", hello, refused(one[:16], "malformed"))
    case("message-17", "incomplete", "The first 17 bytes of a message.", hello, refused(one[:17]))
    case("message-truncated", "incomplete", "The last byte is missing.", hello, refused(one[:-1]))
    case("message-trailing", "incomplete", "A byte follows a message.", hello, refused(one + b"\0"))
    case("type-2", "incomplete", "Type 2.", hello, refused(b"\2" + one[1:], "malformed"))
    case("type-255", "incomplete", "Type 255.", hello, refused(b"\xff" + one[1:], "malformed"))
    case("type-more-as-last", "incomplete", "A message that says it is the last, and is not.", hello, refused(b"\1" + one[1:]))
    case("type-last-as-more", "incomplete", "The last message says that more follow.", hello, opened(one, "one"), opened(two, "two"), refused(b"\0" + three[1:]))
    for what, at in (("ciphertext", 1), ("tag", len(one) - 1)):
        case(f"flipped-{what}", "incomplete", f"A bit of the {what} is changed.", hello, refused(flipped(one, at)))
    case("numbered-from-1", "incomplete", "The first message has number 1.", hello, refused(renumbered(s1)))
    case("of-other-session", "incomplete", "A message of another session to the same key.", hello, refused(Sessions(label="another").messages("one")[0]))
    case("reply-message", "incomplete", "A message of the session's reply.", hello, refused(s1.schedule.reply(bytes(32)).seal(LAST, b"", b"one")))
    case("other-context", "incomplete", "Another context: an unsigned hello is accepted, but no message opens.", hello, refused(one), context=CONTEXT[:-1] + "2")
    case("other-ciphertext", "incomplete", "ct_M is changed: the hello is accepted, but no message opens.", flipped(hello, 40), refused(one))
    stripped = Sessions(context=CONTEXT)
    case("signature-stripped", "incomplete", "The signature of a hello was taken off and the flags corrected: no message opens.", stripped.hello, refused(signed.messages("one")[0]))

    case("keyring", "success", "The second key of a keyring.", hello, opened(s1.messages("")[0], ""), keys=["kem-0051", "kem-0001"])
    case("two-signers", "success", "One of two signers.", signed.hello, opened(signed.messages("")[0], ""), signers=["sign-other", "sign"])
    r, s = r_and_s(signed.hello[len(signed.core) + 4627 :])
    high = signed.hello[: len(signed.core) + 4627] + sig_value(r, P384_ORDER - s)
    case("signature-high-s", "success", "The signature is another valid one, with n - s: the session id stays the same.", high, opened(signed.messages("")[0], ""), signers=["sign"], session=signed)

    m, u = "malformed", "unauthentic"
    case("no-bytes", m, "No bytes.", b"")
    for length in (8, 9, 11, 13, 15, 16, 31, 32, 1631):
        case(f"truncated-{length:04}", m, f"Only the first {length} bytes.", hello[:length])
    for length in (33, 49, 50, 1649):
        case(f"signed-truncated-{length:04}", m, f"Only the first {length} bytes of a signed hello.", signed.hello[:length], signers=["sign"])
    case("signed-no-signature", m, "A signed hello that ends where its signature begins.", signed.core, signers=["sign"])
    case("signed-truncated", m, "The last byte is missing.", signed.hello[:-1], signers=["sign"])
    case("signed-trailing", m, "A byte follows the signature.", signed.hello + b"\0", signers=["sign"])
    case("unsigned-trailing", m, "A byte follows an unsigned hello.", hello + b"\0")
    case("magic", m, "Another magic.", b"twinSess" + hello[8:])
    case("version-0", m, "Version 0.", hello[:8] + b"\0" + hello[9:])
    case("version-2", m, "Version 2.", hello[:8] + b"\2" + hello[9:])
    case("suite-0002", m, "An unknown KEM suite.", hello[:9] + u16(2) + hello[11:])
    case("suite-swapped", m, "The suite is 0x0051, and the ciphertext that of 0x0001.", hello[:9] + u16(0x51) + hello[11:])
    case("kdf-1", m, "KDF 0x0001.", hello[:11] + u16(1) + hello[13:])
    case("aead-1", m, "AEAD 0x0001.", hello[:13] + u16(1) + hello[15:])
    case("flags-2", m, "Flags 2.", hello[:15] + b"\2" + hello[16:])
    case("flags-3", m, "Flags 3.", signed.hello[:15] + b"\3" + signed.hello[16:], signers=["sign"])
    case("flags-cleared", m, "The flags of a signed hello say that it is unsigned.", signed.hello[:15] + b"\0" + signed.hello[16:])
    case("signature-suite", m, "An unknown signature suite.", signed.hello[:32] + u16(2) + signed.hello[34:], signers=["sign"])
    for name in ("kem-0001", "kem-0051"):
        own = Sessions(name)
        for what, (why, half) in some_bad_halves(own.key.suite, own.ct[1568:]).items():
            case(f"{name[4:]}-{what}", m, why, own.make_core(ct=own.ct[:1568] + half), keys=[name])
    case("not-for-us", "not-for-us", "The hello is for another key.", hello, keys=["kem-0001-other"])
    case("flipped-key-id", "not-for-us", "A bit of the recipient's key id is changed.", flipped(hello, 20))
    case("other-suite", "not-for-us", "The hello is for a key of the other suite.", hello, keys=["kem-0051"])
    case("signed-unasked", "refused", "It is signed, but no signer was named.", signed.hello)
    case("unsigned-asked", "refused", "It is unsigned, but a signer was named.", hello, signers=["sign"])
    case("other-signer", "refused", "It is by another signer than the one that was named.", signed.hello, signers=["sign-other"])
    case("claimed-signer", u, "It says that it is by the named signer, but another one signed.", signed.signed(by=SIGNERS["sign-other"]), signers=["sign"])
    case("key-id-of-other-signer", "refused", "It is by the named signer, but has the key id of another.", signed.signed(signed.make_core(signer=(1, sign_key_id(SIGNERS["sign-other"].verifying_key)))), signers=["sign"])
    case("signed-other-context", u, "It was signed for another context.", signed.hello, signers=["sign"], context=CONTEXT[:-1] + "2")
    case("signed-reserved-context-missing", u, "The signature is in the caller's context, not in that of hellos.", signed.signed(label=CONTEXT.encode()), signers=["sign"])
    case("signed-as-request", u, "The signature is in the context of requests.", signed.signed(label=b"twinseal/request/v1"), signers=["sign"])
    case("signed-without-ek", u, "The signature does not cover ek.", signed.signed(ek=b""), signers=["sign"])
    case("signed-without-vk", u, "The signature does not cover the verifying key.", signed.signed(vk=b""), signers=["sign"])
    case("signed-without-context", u, "The signature does not cover the context.", signed.signed(context=b""), signers=["sign"])
    case("signed-keys-swapped", u, "The signature covers the verifying key before ek.", signed.signed(ek=SIGNERS["sign"].verifying_key, vk=signed.key.ek), signers=["sign"])
    case("signed-other-ek", u, "It was signed for another recipient's key.", signed.signed(ek=KEM_KEYS["kem-0001-other"].ek), signers=["sign"])
    other_ct = encapsulation("kem-0001", "another")[1]
    case("signature-moved", u, "The signature is that of another hello with another ciphertext.", signed.make_core(ct=other_ct) + signed.hello[len(signed.core) :], signers=["sign"])
    for what, at in (("ct-m", 60), ("ml-dsa", 2000), ("ecdsa-s", len(signed.hello) - 1)):
        case(f"signed-flipped-{what}", u, f"A bit is changed at byte {at}.", flipped(signed.hello, at), signers=["sign"])
    case("signed-only-flags", m, "The flags of an unsigned hello say that it is signed.", hello[:15] + b"\1" + hello[16:], signers=["sign"])
    bad_der = signed.core + signed.hello[len(signed.core) :][:4627] + sig_value(0, s)
    case("signature-encoding", m, "r is 0 in the signature.", bad_der, signers=["sign"])
    case("signature-encoding-for-other", "not-for-us", "The hello is for another key, and its signature is no DER: the key comes first.", bad_der, keys=["kem-0001-other"], signers=["sign"])
    case("signature-encoding-unasked", "refused", "No signer was named, and the signature is no DER: the flags come first.", bad_der)
    case("signature-encoding-other-signer", "refused", "Another signer was named, and the signature is no DER: the signer comes first.", bad_der, signers=["sign-other"])
    low = signed.make_core(ct=signed.ct[:1568] + bytes(32))
    case("low-order-for-other", m, "The hello is for another key, and its ciphertext is of low order: the ciphertext comes first.", low, keys=["kem-0001-other"], signers=["sign"])
    case("reserved-context", "refused", "A context that starts with twinseal/ is reserved.", hello, context="twinseal/session/v1")


def renumbered(session):
    sender = session.sender()
    sender.number = 1
    return sender.seal(MORE, b"", b"one")


def replies(kit):
    for name in ("kem-0001", "kem-0051"):
        s = Sessions(name)
        draw = stream(f"{name} replies")
        r, other = draw(32), draw(32)
        direction = s.schedule.reply(r)
        one, two = direction.seal(MORE, b"", b"one"), direction.seal(LAST, b"", b"two")
        of_other = s.schedule.reply(other).seal(LAST, b"", b"other")

        def case(what, expect, why, *steps, context=CONTEXT):
            fields = [("key", name), ("context", context), ("randomness", s.randomness), ("secret", s.ss.hex())]
            kit.add("reply", f"{name[4:]}-{what}", expect, why, *fields, *(field for step in steps for field in step))

        case("good", "success", "A reply of two messages.", [("r", r)], opened(one, "one"), opened(two, "two"))
        case("forged-r", "success", "A forged r uses nothing up.", [("r", bytes(32))], refused(one), [("r", r)], opened(one, "one"), opened(two, "two"))
        if name != "kem-0001":
            continue
        case("second-r", "success", "After a message has opened, another r is refused.", [("r", r)], opened(one, "one"), [("r", other), ("refused", "refused")], opened(two, "two"))
        case("swapped", "incomplete", "The second message does not open as the first.", [("r", r)], refused(two))
        case("session-message", "incomplete", "A message of the session is none of its reply.", [("r", r)], refused(s.messages("one")[0]))
        case("flipped-r", "incomplete", "A bit of r is changed.", [("r", flipped(r, 31))], refused(one))
        case("message-of-other-reply", "incomplete", "A message of another reply.", [("r", r)], refused(of_other), opened(one, "one"))
        case("after-the-last", "success", "Nothing comes after the last message.", [("r", r)], opened(one, "one"), opened(two, "two"), refused(two, "refused"))
        case("of-other-session", "incomplete", "A reply of another session.", [("r", r)], refused(Sessions(label="another").schedule.reply(r).seal(LAST, b"", b"one")))


def framed(kit):
    s, signed = Sessions(), Sessions(signer="sign")
    texts = ("one", "", "three")
    one, two, three = map(frame, s.messages(*texts))
    hello = frame(s.hello)

    def case(name, expect, why, stream, texts=texts, signers=(), bound=None):
        plaintexts = [("plaintext", text) for text in texts] if expect == "success" else []
        bound = [("bound", str(bound))] if bound is not None else []
        kit.add("framed-session", name, expect, why, ("key", "kem-0001"), *(("signer", signer) for signer in signers), ("context", CONTEXT), *bound, ("input", stream), *plaintexts)

    m, u = "malformed", "unauthentic"
    case("good", "success", "A hello and three messages.", hello + one + two + three)
    case("signed", "success", "A signed hello and one message.", frame(signed.hello) + frame(signed.messages("one")[0]), ("one",), ["sign"])
    case("bound", "success", "A message as long as the bound.", hello + frame(s.messages("12345678")[0]), ("12345678",), bound=8)
    case("above-bound", m, "A message above the bound.", hello + frame(s.messages("123456789")[0]), bound=8)
    case("above-default-bound", m, "The length of a message is 2^20 + 18: its content is not waited for.", hello + (2**20 + 18).to_bytes(4, "big"))
    case("nothing", m, "No bytes.", b"")
    case("length-cut-off", m, "The input ends within a length.", hello + one[:3])
    case("hello-cut-off", m, "The input ends within the hello.", hello[:-1])
    case("message-cut-off", m, "The input ends within a message.", hello + one[:-1])
    case("no-messages", m, "The input ends after the hello.", hello)
    case("last-missing", m, "The input ends before the last message.", hello + one + two)
    case("hello-6447", m, "The hello has 6447 bytes.", (6447).to_bytes(4, "big") + bytes(6447))
    case("hello-empty", m, "The hello has 0 bytes.", bytes(4) + one)
    case("message-16", m, "A message of 16 bytes.", hello + frame(bytes(16)))
    case("message-empty", m, "A message of 0 bytes.", hello + bytes(4))
    case("length-ones", m, "All bits of a length are set.", hello + b"\xff" * 4)
    case("little-endian", m, "The lengths are little-endian.", len(s.hello).to_bytes(4, "little") + s.hello)
    case("length-below", u, "The length of a message is one less, so that a byte of it begins the next.", hello + (len(one) - 5).to_bytes(4, "big") + one[4:] + two + three)
    case("flipped", u, "A bit of a message is changed.", hello + flipped(one, 8) + two + three)
    case("swapped", u, "Two messages are swapped.", hello + two + one + three)
    case("repeated", u, "A message is there twice.", hello + one + one + two + three)
    case("trailing", m, "A byte follows the last message.", hello + one + two + three + b"\0")
    case("hello-for-other", "not-for-us", "The hello is for another key.", frame(Sessions("kem-0001-other").hello) + one)
    case("unsigned", "refused", "The hello is unsigned, but a signer was named.", hello + one + two + three, signers=["sign"])
