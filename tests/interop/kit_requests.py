"""Cases of tests/testkit: requests and their answers."""

import hashlib

from checks import flipped, pattern
from formats import CHUNK, P384_ORDER, chunk_keys, seal_body, u16
from kit_cases import joined
from kit_keys import some_bad_halves, r_and_s, sig_value
from kit_material import CONTEXT, KEM_KEYS, SIGNERS, encapsulation, sign, stream
from requests_answers import REQUEST, RequestKeys, answer_key, pieces_direction, request_core, request_id, seal_answer, seal_pieces
from sessions import LAST, sign_key_id

TIME = 1_790_000_000_000


class Request:
    def __init__(self, name="kem-0001", signer=None, time=TIME, label="", context=CONTEXT):
        self.name, self.key, self.signer, self.time = name, KEM_KEYS[name], SIGNERS.get(signer), time
        self.context = context.encode()
        self.randomness, self.ct, self.ss = encapsulation(name, label)
        self.salt = stream("request salt")(24)
        self.core = self.make_core()
        self.id = request_id(self.core)
        self.keys = RequestKeys(self.ss, self.core, self.key.ek, self.vk, self.context)

    @property
    def vk(self):
        return self.signer.verifying_key if self.signer else b""

    def make_core(self, **changed):
        parts = {"suite_id": self.key.suite.id, "recipient": self.key.key_id, "signer": self.vk and (1, sign_key_id(self.vk)) or None, "time": self.time, "ct": self.ct, **changed}
        return request_core(**parts)

    def signature(self, core=None, by=None, vk=None, ek=None, context=None, label=REQUEST):
        by = by or self.signer
        message = (core or self.core) + (self.key.ek if ek is None else ek) + (by.verifying_key if vk is None else vk) + (self.context if context is None else context)
        return sign(by, label, message)

    def head(self, core=None, signature=None, length=None):
        if not self.signer:
            return core or self.core
        signature = self.signature() if signature is None else signature
        return (core or self.core) + u16(len(signature) if length is None else length) + signature

    def body(self, plaintext=b"hello", core=None):
        keys = RequestKeys(self.ss, core, self.key.ek, self.vk, self.context) if core else self.keys
        return seal_body(keys.body_key, self.salt, self.context, plaintext)

    def whole(self, **changed):
        return self.head(**changed) + self.body()


def requests(kit):
    def case(name, expect, why, input, keys=("kem-0001",), signers=(), context=CONTEXT, of=None, plaintext=b"hello", guard=()):
        fields = [("key", key) for key in keys] + [("signer", signer) for signer in signers] + [("context", context), *guard]
        if expect == "success":
            of = of or r
            fields += [("request-id", of.id.hex()), ("answer-secret", of.keys.answer_secret.hex()), ("time", str(of.time))]
            fields += [("plaintext", plaintext.decode())] if len(plaintext) < 200 else [("plaintext-length", str(len(plaintext))), ("plaintext-sha384", hashlib.sha384(plaintext).hexdigest())]
        kit.add("request", name, expect, why, *fields, *joined("input", *(input if isinstance(input, list) else [input])))

    r, r51, s, s51 = Request(), Request("kem-0051"), Request(signer="sign"), Request("kem-0051", "sign")
    u, m = "unauthentic", "malformed"
    for name, of, signers in (("0001", r, ()), ("0051", r51, ()), ("0001-signed", s, ["sign"]), ("0051-signed", s51, ["sign"])):
        case(f"{name}-good", "success", "A request.", of.whole(), [of.name], signers, of=of)
    good, signed = r.whole(), s.whole()
    case("empty", "success", "An empty plaintext.", r.head() + r.body(b""), plaintext=b"")
    big = r.body(pattern(CHUNK + 3))
    chunk = kit.shared("request-chunk", big[56 : 56 + CHUNK + 16])
    start, rest = r.head() + big[:56], big[56 + CHUNK + 16 :]
    case("two-chunks", "success", "Two chunks.", [start, chunk, rest], plaintext=pattern(CHUNK + 3))
    case("two-chunks-last-missing", u, "The last chunk is missing.", [start, chunk])
    case("two-chunks-last-flipped", u, "A bit of the last chunk is changed.", [start, chunk, flipped(rest, 1)])
    first, last = Request(time=0), Request(time=2**53 - 1)
    case("time-0", "success", "Time 0.", first.whole(), of=first)
    case("time-greatest", "success", "Time 2^53 - 1.", last.whole(), of=last)
    case("keyring", "success", "The second key of a keyring.", good, ["kem-0051", "kem-0001"])
    case("two-signers", "success", "One of two signers.", signed, signers=["sign-other", "sign"], of=s)
    signature = s.signature()
    numbers = r_and_s(signature[4627:])
    high = signature[:4627] + sig_value(numbers[0], P384_ORDER - numbers[1])
    case("signature-high-s", "success", "The signature is another valid one, with n - s: the request id stays the same.", s.whole(signature=high), signers=["sign"], of=s)

    case("no-bytes", m, "No bytes.", b"")
    for length in (8, 9, 10, 12, 27, 28, 35, 36, 1635):
        case(f"truncated-{length:04}", m, f"Only the first {length} bytes.", good[:length])
    at = len(s.core)
    for length in (29, 45, 53, 54, at, at + 1, at + 2, at + 100, len(s.head()) - 1):
        case(f"signed-truncated-{length:04}", m, f"Only the first {length} bytes of a signed request.", signed[:length], signers=["sign"])
    case("only-head", u, "Only the head.", r.head())
    case("body-55", u, "The body ends before its chunks.", good[: 1636 + 55])
    case("truncated-last", u, "The last byte is missing.", good[:-1])
    case("trailing", u, "A byte follows.", good + b"\0")
    case("signed-only-head", u, "Only the head of a signed request.", s.head(), signers=["sign"])
    changes = {
        "magic": ("Another magic.", 0, b"twinRqst"),
        "magic-session": ("The magic of a hello.", 0, b"twinsess"),
        "version-0": ("Version 0.", 8, b"\0"),
        "version-2": ("Version 2.", 8, b"\2"),
        "flags-2": ("Flags 2.", 9, b"\2"),
        "suite-0002": ("An unknown KEM suite.", 10, u16(2)),
        "suite-swapped": ("The suite is 0x0051, and the ciphertext that of 0x0001.", 10, u16(0x51)),
        "time-2-53": ("A time of 2^53.", 28, (2**53).to_bytes(8, "big")),
        "time-ones": ("All bits of the time are set.", 28, b"\xff" * 8),
        "flags-set": ("The flags of an unsigned request say that it is signed.", 9, b"\1"),
    }
    for name, (why, offset, new) in changes.items():
        case(name, m, why, good[:offset] + new + good[offset + len(new) :], signers=["sign"] if name == "flags-set" else ())
    case("flags-cleared", u, "The flags of a signed request say that it is unsigned, so time and ciphertext are elsewhere.", signed[:9] + b"\0" + signed[10:])
    case("signature-suite", m, "An unknown signature suite.", signed[:28] + u16(2) + signed[30:], signers=["sign"])
    for name in ("kem-0001", "kem-0051"):
        own = Request(name)
        for what, (why, half) in some_bad_halves(own.key.suite, own.ct[1568:]).items():
            core = own.make_core(ct=own.ct[:1568] + half)
            case(f"{name[4:]}-{what}", m, why, core + own.body(core=core), [name])
    case("not-for-us", "not-for-us", "The request is for another key.", good, ["kem-0001-other"])
    case("flipped-key-id", "not-for-us", "A bit of the recipient's key id is changed.", flipped(good, 20))
    case("other-suite", "not-for-us", "The request is for a key of the other suite.", good, ["kem-0051"])

    for what, at in (("time", 35), ("ct-m", 40), ("salt", 1636), ("commitment", 1660), ("chunk", 1692), ("chunk-tag", len(good) - 1)):
        case(f"flipped-{what}", u, f"A bit is changed at byte {at}.", flipped(good, at))
    case("other-context", u, "It was made in another context.", good, context=CONTEXT[:-1] + "2")
    other = Request(label="another")
    case("body-of-other", u, "The body of another request to the same key.", r.head() + other.body())
    case("envelope-body", u, "The body is sealed with the shared secret itself.", r.head() + seal_body(r.ss[:32], r.salt, r.context, b"hello"))
    salt = flipped(r.salt, 0)
    recommitted = salt + chunk_keys(r.keys.body_key, salt, r.context)[2] + r.body()[56:]
    case("recommitted", u, "Another salt and its commitment, with the chunk of the first.", r.head() + recommitted)
    later = r.make_core(time=TIME + 1)
    case("time-changed", u, "The time is later by a millisecond, with the body of the first.", later + r.body())
    case("reserved-context", "refused", "A context that starts with twinseal/ is reserved.", good, context="twinseal/request/v1")

    by = ["sign"]
    case("signed-unasked", "refused", "It is signed, but no signer was named.", signed)
    case("unsigned-asked", "refused", "It is unsigned, but a signer was named.", good, signers=by)
    case("detached-asked", "refused", "Its signature is missing: the length is 0.", s.core + u16(0) + s.body(), signers=by)
    case("detached-unasked", "refused", "Its signature is missing, and no signer was named.", s.core + u16(0) + s.body())
    case("unknown-signer", u, "It is by another signer than the one that was named: the same error as for a wrong signature.", signed, signers=["sign-other"])
    case("claimed-signer", u, "It says that it is by the named signer, but another one signed.", s.whole(signature=s.signature(by=SIGNERS["sign-other"])), signers=by)
    named_other = s.make_core(signer=(1, sign_key_id(SIGNERS["sign-other"].verifying_key)))
    case("key-id-of-other-signer", u, "It is by the named signer, but has the key id of another.", s.head(named_other, s.signature(named_other)) + s.body(core=named_other), signers=by)
    case("signed-other-context", u, "It was signed for another context.", signed, signers=by, context=CONTEXT[:-1] + "2")
    for name, (why, changed) in {
        "callers-context": ("The signature is in the caller's context, not in that of requests.", {"label": CONTEXT.encode()}),
        "as-session": ("The signature is in the context of hellos.", {"label": b"twinseal/session/v1"}),
        "without-ek": ("The signature does not cover ek.", {"ek": b""}),
        "without-vk": ("The signature does not cover the verifying key.", {"vk": b""}),
        "without-context": ("The signature does not cover the context.", {"context": b""}),
        "other-ek": ("It was signed for another recipient's key.", {"ek": KEM_KEYS["kem-0001-other"].ek}),
    }.items():
        case(f"signed-{name}", u, why, s.whole(signature=s.signature(**changed)), signers=by)
    later = s.make_core(time=TIME + 1)
    case("signature-of-other-time", u, "The time is later by a millisecond, and the body is right for that, but not the signature.", s.head(later) + s.body(core=later), signers=by)
    stripped = s.make_core(signer=None)
    case("signature-stripped", u, "The signature of a request was taken off and the flags corrected.", stripped + s.body())
    resigned = Request(signer="sign-other")
    case("signature-replaced", u, "Another signer signed the core with their own key id, with the first one's body.", resigned.head() + s.body(), signers=["sign-other"])
    case("signed-flipped-ml-dsa", u, "A bit of the ML-DSA half is changed.", flipped(signed, len(s.core) + 2 + 9), signers=by)
    case("signed-flipped-body", u, "A bit of the body is changed.", flipped(signed, len(signed) - 1), signers=by)
    for length in (1, 4634, 4732, 65535):
        given = signature[:length].ljust(length, b"\0")
        case(f"signature-length-{length}", m, f"The length of the signature is {length}.", s.head(signature=given) + s.body() if length < 5000 else s.head(length=length) + s.body(), signers=by)
    case("signature-length-short", m, "The length of the signature is one less than it is.", s.head(length=len(signature) - 1) + s.body(), signers=by)
    bad = signature[:4627] + sig_value(0, numbers[1])
    case("signature-encoding", m, "r is 0 in the signature.", s.whole(signature=bad), signers=by)
    case("signature-encoding-for-other", m, "The request is for another key, and its signature is no DER: the encoding comes first.", s.whole(signature=bad), ["kem-0001-other"], by)
    case("signature-encoding-unasked", m, "No signer was named, and the signature is no DER: the encoding comes first.", s.whole(signature=bad))

    # A guard
    now = TIME + 1000

    def guarded(name, expect, why, of=r, now=now, begun=None, again=None, **more):
        fields = [("now", str(now))] + ([("begun", str(begun))] if begun else []) + ([("again", again)] if again else [])
        case(f"guard-{name}", expect, why, of.whole(), guard=fields, of=of, **more)

    guarded("good", "success", "Within the window.")
    guarded("ahead", "success", "2 s in the future is allowed.", now=TIME - 2000)
    guarded("from-the-future", "refused", "More than 2 s in the future.", now=TIME - 2001)
    guarded("back", "success", "60 s ago is allowed.", now=TIME + 60_000)
    guarded("too-old", "refused", "More than 60 s ago.", now=TIME + 60_001)
    guarded("restarted", "refused", "The guard began 2 s before the request's time, so another may have admitted it.", begun=TIME - 2000)
    guarded("begun-before", "success", "The guard began more than 2 s before the request's time.", begun=TIME - 2001)
    guarded("replayed", "success", "The second time it is refused.", again="refused")

    def detached(name, expect, why, verb, input, signature=None, then=None):
        kit.add("detached-signature", name, expect, why, verb=verb, input=input, signature=signature, result_sha384=then and hashlib.sha384(then).hexdigest())

    without = s.core + u16(0) + s.body()
    detached("detach", "success", "A signature is taken out.", "detach", signed, then=without)
    detached("attach", "success", "A signature is put in.", "attach", without, signature, signed)
    detached("detach-unsigned", "refused", "There is no signature in an unsigned request.", "detach", good)
    detached("detach-twice", "refused", "There is no signature any more.", "detach", without)
    detached("attach-unsigned", "refused", "An unsigned request takes no signature.", "attach", good, signature)
    detached("attach-twice", "refused", "There is a signature already.", "attach", signed, signature)
    detached("attach-empty", m, "A signature of 0 bytes.", "attach", without, b"")
    detached("attach-4634", m, "A signature of 4634 bytes.", "attach", without, signature[:4634])
    detached("attach-4732", m, "A signature of 4732 bytes.", "attach", without, signature.ljust(4732, b"\0"))


def answers(kit):
    r, r51, s = Request(), Request("kem-0051"), Request(signer="sign")
    draw = stream("answers")
    salt, nonce = draw(24), draw(32)

    def material(of):
        by = [("signer", "sign")] if of.signer else []
        return [("key", of.name), *by, ("context", of.context.decode()), ("time", str(of.time)), ("randomness", of.randomness), ("answer-secret", of.keys.answer_secret.hex())]

    def case(name, expect, why, input, of=r, plaintext=b"a cat"):
        kit.add("answer", name, expect, why, *material(of), *([("plaintext", plaintext.decode())] if expect == "success" else []), *joined("input", *(input if isinstance(input, list) else [input])))

    u, m = "unauthentic", "malformed"

    def whole(of, plaintext=b"a cat", context=None):
        return seal_answer(of.keys.answer_secret, salt, context or of.context, plaintext)

    good = whole(r)
    pieces = seal_pieces(r.keys.answer_secret, nonce, [b"a ", b"", b"cat"])
    case("0001-good", "success", "A whole answer.", good)
    case("0051-good", "success", "A whole answer to a request of suite 0x0051.", whole(r51), r51)
    case("signed-good", "success", "A whole answer to a signed request.", whole(s), s)
    case("empty", "success", "An empty answer.", whole(r, b""), plaintext=b"")
    for length in (0, 7, 8, 9):
        case(f"truncated-{length}", m, f"Only the first {length} bytes.", good[:length])
    case("magic", m, "Another magic.", b"twinAnsw" + good[8:])
    case("version-2", m, "Version 2.", good[:8] + b"\2" + good[9:])
    case("form-0", m, "Form 0.", good[:9] + b"\0" + good[10:])
    case("form-3", m, "Form 3.", good[:9] + b"\3" + good[10:])
    case("pieces", m, "An answer in pieces, where a whole one was expected.", pieces)
    case("only-start", u, "Only the first 10 bytes.", good[:10])
    case("body-56", u, "The body has no chunk.", good[:66])
    case("truncated", u, "The last byte is missing.", good[:-1])
    case("trailing", u, "A byte follows.", good + b"\0")
    for what, at in (("salt", 10), ("commitment", 34), ("chunk", 66), ("tag", len(good) - 1)):
        case(f"flipped-{what}", u, f"A bit of the {what} is changed.", flipped(good, at))
    case("of-other-request", u, "The answer to another request.", whole(Request(label="another")))
    case("of-other-time", u, "The answer to a request that differs in its time only.", whole(Request(time=TIME + 1)))
    case("of-signed-request", u, "The answer to a signed request, where the request was unsigned.", whole(s))
    case("other-context", u, "An answer in another context.", whole(r, context=b"example.com/testkit/v2"))
    case("request-body-key", u, "The answer is sealed with the request's body key.", good[:10] + seal_body(r.keys.body_key, salt, r.context, b"a cat"))
    case("request-as-answer", u, "The request's body as its answer.", good[:10] + r.body())
    full = good[:10] + seal_body(answer_key(r.keys.answer_secret), salt, r.context, bytes(CHUNK))
    case("last-chunk-missing", u, "The last chunk is missing.", full[:-16])

    def in_pieces(name, expect, why, input, of=r, texts=("a ", "", "cat"), bound=None):
        plaintexts = [("plaintext", text) for text in texts] if expect == "success" else []
        kit.add("answer-in-pieces", name, expect, why, *material(of), *([("bound", str(bound))] if bound else []), *plaintexts, ("input", input))

    good = pieces
    in_pieces("0001-good", "success", "An answer in three pieces, one of them empty.", good)
    in_pieces("0051-good", "success", "An answer in pieces to a request of suite 0x0051.", seal_pieces(r51.keys.answer_secret, nonce, [b"cat"]), r51, ["cat"])
    in_pieces("signed-good", "success", "An answer in pieces to a signed request.", seal_pieces(s.keys.answer_secret, nonce, [b"cat"]), s, ["cat"])
    in_pieces("one-empty", "success", "One empty piece.", seal_pieces(r.keys.answer_secret, nonce, [b""]), texts=[""])
    in_pieces("bound", "success", "A piece as long as the bound.", seal_pieces(r.keys.answer_secret, nonce, [b"12345678"]), texts=["12345678"], bound=8)
    in_pieces("above-bound", m, "A piece above the bound.", seal_pieces(r.keys.answer_secret, nonce, [b"123456789"]), bound=8)
    start, ends = good[:42], [42]
    for text in (b"a ", b"", b"cat"):
        ends.append(ends[-1] + 21 + len(text))
    first, second, last = (good[a:b] for a, b in zip(ends, ends[1:]))
    for length in (0, 8, 9, 10, 41):
        in_pieces(f"truncated-{length:02}", m, f"Only the first {length} bytes.", good[:length])
    in_pieces("no-pieces", m, "There is no piece.", start)
    in_pieces("last-missing", m, "The last piece is missing.", start + first + second)
    in_pieces("cut-in-length", m, "The answer ends within a length.", start + first + second[:3])
    in_pieces("cut-in-piece", m, "The answer ends within a piece.", good[:-1])
    in_pieces("trailing", m, "A byte follows the last piece.", good + b"\0")
    in_pieces("piece-after-last", m, "A piece follows the last one.", good + last)
    in_pieces("magic", m, "Another magic.", b"twinAnsw" + good[8:])
    in_pieces("version-2", m, "Version 2.", good[:8] + b"\2" + good[9:])
    in_pieces("whole", m, "A whole answer, where one in pieces was expected.", whole(r))
    in_pieces("length-16", m, "A piece of 16 bytes.", start + (16).to_bytes(4, "big") + bytes(16))
    in_pieces("length-0", m, "A piece of 0 bytes.", start + bytes(4) + first)
    in_pieces("length-above", m, "A length of 2^20 + 18.", start + (2**20 + 18).to_bytes(4, "big") + bytes(20))
    in_pieces("type-2", m, "Type 2.", start + first[:4] + b"\2" + first[5:] + second + last)
    in_pieces("type-more-as-last", u, "The first piece says that it is the last.", start + first[:4] + b"\1" + first[5:])
    in_pieces("type-last-as-more", u, "The last piece says that more follow.", start + first + second + last[:4] + b"\0" + last[5:])
    for what, at in (("r", 10), ("ciphertext", 47), ("tag", ends[1] - 1)):
        in_pieces(f"flipped-{what}", u, f"A bit of the {what} is changed.", flipped(good, at))
    in_pieces("flipped-length", u, "The length of the first piece is one less.", start + (len(first) - 5).to_bytes(4, "big") + first[4:] + second + last)
    in_pieces("swapped", u, "Two pieces are swapped.", start + second + first + last)
    in_pieces("dropped", u, "A piece was dropped.", start + first + last)
    in_pieces("repeated", u, "A piece is there twice.", start + first + first + second + last)
    in_pieces("failure-is-final", u, "A forged piece, and then all the right ones: the first failure is final.", start + flipped(first, 8) + first + second + last)
    in_pieces("of-other-request", u, "The answer to another request.", seal_pieces(Request(label="another").keys.answer_secret, nonce, [b"cat"]))
    in_pieces("of-other-r", u, "A piece of an answer with another r.", start + seal_pieces(r.keys.answer_secret, bytes(32), [b"cat"])[42:])
    aad = pieces_direction(r.keys.answer_secret, nonce).seal(LAST, b"aad", b"cat")
    in_pieces("with-aad", u, "A piece with an aad.", start + len(aad).to_bytes(4, "big") + aad)
    in_pieces("numbered-from-1", u, "The first piece has number 1.", start + second + last)
