"""Cases of tests/testkit: sealed stores."""

import hashlib

from checks import flipped, pattern
from formats import CHUNK, header_and_body_key, seal_body, u16
from kit_cases import joined
from kit_envelopes import header, stanza, unknown
from kit_material import CONTEXT, KEM_KEYS, SIGNERS, sign, stream
from stores import SEALED_IN, SIGNED_IN, Keys, input_key, pin_of, seal_object, u32

PATH = "runs/7/model.bin"


class Stores:
    def __init__(self):
        draw = stream("store")
        self.store_id, self.content_key, self.salt, self.object_salt = draw(16), draw(32), draw(24), draw(24)
        self.store_keys = {epoch: draw(32) for epoch in (1, 2, 3)}
        self.context, self.owner = CONTEXT.encode(), SIGNERS["sign"]
        self.first = self.keys(1, ["kem-0001"], [1])
        self.fingerprint = hashlib.sha384(self.first.encode(self.owner.verifying_key)).digest()
        self.second = self.keys(2, ["kem-0001", "kem-0051"], [1, 2])

    def keys(self, serial, recipients, epochs, history=None, store_id=None):
        history = history or [self.fingerprint for _ in range(serial - 1)]
        named = [(KEM_KEYS[name].suite, KEM_KEYS[name].ek) for name in recipients]
        return Keys(store_id or self.store_id, history, named, {epoch: self.store_keys.get(epoch, bytes(32)) for epoch in epochs})

    def signed(self, plaintext, owner=None, vk=None, context=None, label=SIGNED_IN):
        owner = owner or self.owner
        return plaintext + sign(owner, label, plaintext + (owner.verifying_key if vk is None else vk) + (self.context if context is None else context))

    def sealed(self, plaintext, recipients=("kem-0001",), context=SEALED_IN, more=()):
        stanzas = [stanza(name, self.content_key) for name in recipients]
        body = seal_body(header_and_body_key(self.content_key)[1], self.salt, context, plaintext)
        return header(self.content_key, [*stanzas, *more]) + body

    def whole(self, keys, recipients=("kem-0001",), **changed):
        owner = changed.get("owner") or self.owner
        return self.sealed(self.signed(keys.encode(owner.verifying_key), **changed), recipients)


def stores(kit):
    s = Stores()
    vk = s.owner.verifying_key
    both = ("kem-0001", "kem-0051")
    first = kit.shared("store-keys-1", s.whole(s.first))
    second = kit.shared("store-keys-2", s.whole(s.second, both))
    pins = [pin_of(s.first, s.fingerprint), pin_of(s.second, hashlib.sha384(s.second.encode(vk)).digest())]

    def case(name, expect, why, *objects, key="kem-0001", owner="sign", context=CONTEXT, pin=None, new_pin=None, read=None, oldest=None, plaintext=None):
        fields = [("key", key), ("owner", owner), ("context", context)]
        fields += [("pin", pin)] if pin else []
        fields += [("oldest-epoch", str(oldest))] if oldest else []
        for path, content in objects:
            fields += [("object", path), *joined("content", content)]
        fields += [("read", read)] if read else []
        if expect == "success":
            fields += [("new-pin", new_pin)] if new_pin else []
            if plaintext is not None:
                fields += [("plaintext-length", str(len(plaintext))), ("plaintext-sha384", hashlib.sha384(plaintext).hexdigest())] if len(plaintext) > 200 else [("plaintext", plaintext.decode())]
        kit.add("store", name, expect, why, *fields)

    def at(serial):
        return f".twinseal/keys/{serial:010}"

    u, m, no = "unauthentic", "malformed", "refused"
    case("keys-1", "success", "The first keys of a store, without a pin.", (at(1), first), new_pin=pins[0])
    case("keys-2", "success", "The second keys, from the pin of the first.", (at(1), first), (at(2), second), pin=pins[0], new_pin=pins[1])
    case("keys-2-0051", "success", "The second keys, by a reader of suite 0x0051.", (at(1), first), (at(2), second), key="kem-0051", new_pin=pins[1])
    case("keys-2-alone", "success", "Older keys need not be there.", (at(2), second), pin=pins[0], new_pin=pins[1])
    case("same-pin", "success", "The pin is that of these keys.", (at(2), second), pin=pins[1], new_pin=pins[1])
    names = ["0000000000", "0000065537", "000000003", "00000000003", "+000000003", " 000000003", "0000000003.bak", "x"]
    case("nested-name", "success", "An object under a name of 10 digits is not keys.", (at(1), first), (at(2) + "/x", b"text"), new_pin=pins[0])
    case("pin-white-space", "success", "White space around a pin is ignored.", (at(2), second), pin=f" {pins[0]} ", new_pin=pins[1])
    case("other-names", "success", "Names that are not 10 decimal digits with a value from 1 to 65536 are ignored.", (at(1), first), *((f".twinseal/keys/{name.replace(' ', '_')}", b"text") for name in names), new_pin=pins[0])

    # Which keys count
    case("no-keys", no, "There are no keys.")
    case("only-other-names", no, "There is no name of 10 digits.", (".twinseal/keys/1", first))
    case("newest-damaged", m, "Only the newest keys count: these are cut off, and those before are not taken in their place.", (at(1), first), (at(2), second.content[:1000]))
    case("newest-empty", m, "The newest keys are empty.", (at(1), first), (at(3), b""))
    case("newest-old-copy", no, "The first keys are there once more, as the third.", (at(1), first), (at(2), second), (at(3), first))
    case("serial-of-name", no, "The serial is not that of the name.", (at(2), first))

    # Steps 1 to 8
    case("not-a-reader", "not-for-us", "The reader was not granted yet.", (at(1), first), key="kem-0051")
    case("flipped-tag", u, "A bit of the envelope's tag is changed.", (at(1), flipped(first.content, 1700)))
    case("flipped-body", u, "A bit of the envelope's body is changed.", (at(1), flipped(first.content, 3000)))
    case("trailing", u, "A byte follows.", (at(1), first.content + b"\0"))
    case("sealed-in-callers-context", u, "The envelope is sealed in the store's context.", (at(1), s.sealed(s.signed(s.first.encode(vk)), context=s.context)))
    case("other-context", u, "It is a store of another context.", (at(1), first), context=CONTEXT[:-1] + "2")
    case("other-owner", u, "Another owner is expected.", (at(1), first), owner="sign-other")
    case("signed-by-reader", u, "Another one signed, and names itself.", (at(1), s.whole(s.first, owner=SIGNERS["sign-other"])))
    case("claimed-owner", u, "Another one signed, but it says that it was the owner.", (at(1), s.sealed(s.first.encode(vk) + s.signed(s.first.encode(vk), owner=SIGNERS["sign-other"])[len(s.first.encode(vk)) :])))
    case("signed-without-vk", u, "The signature does not cover the owner's key.", (at(1), s.whole(s.first, vk=b"")))
    case("signed-without-context", u, "The signature does not cover the context.", (at(1), s.whole(s.first, context=b"")))
    case("signed-in-callers-context", u, "The signature is in the store's context, not in that of stores.", (at(1), s.whole(s.first, label=s.context)))
    plain = s.first.encode(vk)

    def malformed(name, why, plaintext, outcome=m):
        case(name, outcome, why, (at(1), s.sealed(plaintext)))

    signed = s.signed(plain)
    malformed("magic", "Another magic.", s.signed(b"twinStor" + plain[8:]))
    malformed("version-2", "Version 2.", s.signed(plain[:8] + b"\2" + plain[9:]))
    malformed("serial-0", "Serial 0.", s.signed(plain[:25] + u32(0) + plain[29:]))
    malformed("serial-65537", "Serial 65537.", s.signed(plain[:25] + u32(65537) + plain[29:]))
    malformed("no-recipients", "No recipients.", s.signed(Keys(s.store_id, [], [], {1: bytes(32)}).encode(vk)))
    malformed("recipients-1001", "The number of recipients is 1001.", s.signed(plain[:29] + u16(1001) + plain[31:]))
    malformed("recipient-suite", "A recipient of an unknown suite.", s.signed(plain[:31] + u16(2) + plain[33:]))
    malformed("no-epochs", "No epochs.", s.signed(s.keys(1, ["kem-0001"], []).encode(vk)))
    malformed("epochs-2", "Two epochs, with serial 1.", s.signed(s.keys(1, ["kem-0001"], [1, 2]).encode(vk)))
    malformed("truncated", "The plaintext ends within the store key.", plain[:-20])
    malformed("empty", "The plaintext is empty.", b"")
    malformed("owner-suite", "An unknown signature suite.", plain[:-18] + u16(2) + plain[-16:] + signed[len(plain) :])
    malformed("no-signature", "There is no signature.", plain, u)
    malformed("signature-short", "The last byte of the signature is missing.", signed[:-1], u)
    malformed("signature-trailing", "A byte follows the signature.", signed + b"\0", u)
    malformed("epoch-0", "Epoch 0.", s.signed(s.keys(1, ["kem-0001"], [0]).encode(vk)))
    malformed("epoch-above-serial", "Epoch 2, with serial 1.", s.signed(s.keys(1, ["kem-0001"], [2]).encode(vk)))
    low = Keys(s.store_id, [], [(KEM_KEYS["kem-0001"].suite, KEM_KEYS["kem-0001"].ek[:1568] + bytes(32))], {1: bytes(32)})
    malformed("recipient-low-order", "A recipient's key is of low order.", s.signed(low.encode(vk)))

    def second_keys(name, why, recipients, epochs, sealed_to=both, outcome=m):
        keys = s.keys(2, recipients, epochs)
        case(name, outcome, why, (at(2), s.whole(keys, sealed_to)))

    second_keys("recipients-descending", "The recipients are in descending order.", both[::-1], [1, 2])
    second_keys("recipient-twice", "A recipient is there twice.", ["kem-0001", "kem-0001"], [1, 2])
    second_keys("epochs-descending", "The epochs are in descending order.", both, [2, 1])
    second_keys("sealed-to-more", "It is sealed to a reader whom the owner did not sign.", ["kem-0001"], [1, 2], both, no)
    second_keys("sealed-to-fewer", "It is not sealed to all whom the owner signed.", both, [1, 2], ["kem-0001"], no)
    second_keys("sealed-to-another", "It is sealed to another reader than the one whom the owner signed.", sorted(["kem-0001", "kem-0001-other"], key=lambda name: KEM_KEYS[name].recipient), [1, 2], both, no)
    more = s.sealed(s.signed(plain), more=[unknown(1, 0)])
    case("sealed-to-unknown-suite", no, "It is also sealed to a recipient of an unknown suite.", (at(1), more))
    case("pin-older", no, "The keys are older than the pin: somebody hides a change.", (at(1), first), pin=pins[1])
    case("pin-other-store", no, "The pin is that of another store.", (at(1), first), pin="00" * 16 + pins[0][32:])
    case("pin-replaced", no, "The keys of the pin's serial are others.", (at(1), first), pin=pins[0][:-1] + ("0" if pins[0][-1] != "0" else "1"))
    replaced = s.keys(2, both, [1, 2], [bytes(48)])
    case("pin-other-history", no, "The history has other keys of the pin's serial.", (at(2), s.whole(replaced, both)), pin=pins[0])
    for what, (why, pin) in {
        "upper-case": ("A pin in upper case.", pins[0].upper()),
        "leading-zero": ("The serial of a pin has a leading zero.", pins[0].replace(".1.", ".01.")),
        "serial-0": ("The serial of a pin is 0.", pins[0].replace(".1.", ".0.")),
        "serial-65537": ("The serial of a pin is 65537.", pins[0].replace(".1.", ".65537.")),
        "short": ("The fingerprint of a pin is cut off.", pins[0][:-1]),
        "text": ("Not a pin.", "first use"),
        "inner-white-space": ("White space inside a pin.", pins[0].replace(".1.", ". 1.")),
    }.items():
        case(f"pin-{what}", m, why, (at(1), first), pin=pin)
    objects(case, s, second, at)


def objects(case, s, second, at):
    keys = (at(2), second)

    def sealed(epoch=2, path=PATH, plaintext=b"a tensor", store_id=None, context=None, named=None):
        key = input_key(s.store_keys[epoch], store_id or s.store_id, epoch)
        made = seal_object(key, epoch, s.object_salt, context or s.context, path.encode(), plaintext)
        return made if named is None else made[:9] + u32(named) + made[13:]

    def read(name, expect, why, content, path=PATH, plaintext=b"a tensor", **more):
        case(f"object-{name}", expect, why, keys, (path, content), read=path, plaintext=plaintext, **more)

    u, m, no = "unauthentic", "malformed", "refused"
    good = sealed()
    read("good", "success", "An object under the newest epoch.", good)
    read("older-epoch", "success", "An object under an older epoch.", sealed(1))
    read("empty", "success", "An empty object has 85 bytes.", sealed(plaintext=b""), plaintext=b"")
    read("deep-path", "success", "A path of UTF-8 and percent signs, as the inner store is given it.", sealed(path="a/%2F/\u00fc/b.c"), path="a/%2F/\u00fc/b.c")
    read("percent-path", "success", "Percent-encoding in a path is not decoded.", sealed(path="a%20b"), path="a%20b")
    read("oldest-allowed", "success", "An epoch that is just not too old.", good, oldest=2)
    read("too-old", no, "An epoch that is older than the reader accepts.", sealed(1), oldest=2)
    read("unknown-epoch", no, "An epoch that the keys do not have.", sealed(3))
    read("epoch-0", no, "Epoch 0.", sealed(named=0))
    read("wrong-epoch", u, "The object says that it is under another epoch.", sealed(named=1))
    read("other-path", u, "The object was moved from another path.", sealed(path="runs/8/model.bin"))
    read("context-boundary", u, "Context and path are cut elsewhere.", sealed(path=CONTEXT[-1] + PATH, context=s.context[:-1]))
    read("other-context", u, "The object of a store with another context.", sealed(context=b"example.com/testkit/v2"))
    read("other-store", u, "The object of another store with the same store keys.", sealed(store_id=bytes(16)))
    read("magic", m, "Another magic.", b"twinObjt" + good[8:])
    read("version-2", m, "Version 2.", good[:8] + b"\2" + good[9:])
    read("envelope", m, "An envelope in the place of an object.", second)
    read("length-84", m, "84 bytes.", sealed(plaintext=b"")[:-1])
    read("no-bytes", m, "No bytes.", b"")
    full = sealed(plaintext=pattern(CHUNK))
    read("impossible-length", m, "A length that no object has: the last chunk has no tag.", full[:-1])
    read("truncated", u, "The last byte is missing.", good[:-1])
    read("trailing", u, "A byte follows.", good + b"\0")
    for what, place in (("salt", 13), ("commitment", 37), ("chunk", 69), ("tag", len(good) - 1)):
        read(f"flipped-{what}", u, f"A bit of the {what} is changed.", flipped(good, place))
