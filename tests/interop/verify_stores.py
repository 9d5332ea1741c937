"""Checks VECTORS.md's sealed store, and what a reader of one must refuse."""

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from checks import check, flipped, pattern, refuses
from formats import EC_END, EC_START, KemKey, SigningKey, Suite0001, Suite0051, message_representative, write_header
from stores import (
    SIGNED_IN,
    Keys,
    bound,
    check_pin,
    input_key,
    open_keys,
    open_object,
    pin_of,
    seal_keys,
    seal_object,
)
from vectors import vectors


def check_store(key1, key51, owner):
    v, vk = vectors("store-keys"), owner.verifying_key
    context, readers, made = v["context"], (key1, key51), []
    keys, fingerprints = Keys(v["store_id"], [], [], {}), []
    for n, key in enumerate(readers, start=1):
        keys = Keys(v["store_id"], fingerprints[:], [*keys.recipients, (key.suite, key.ek)], {**keys.epochs, n: v[f"store_key_{n}"]})
        signed = keys.encode(vk)
        fingerprints.append(hashlib.sha384(signed).digest())
        check(f"store-keys: fingerprint {n}", fingerprints[-1] == v[f"fingerprint_{n}"])
        check(f"store-keys: what is signed, {n}", hashlib.sha512(signed + vk + context).digest() == v[f"signed_sha512_{n}"])
        representative = message_representative(SIGNED_IN, signed + vk + context)
        ecdsa = owner.ecdsa.sign(representative, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
        check(f"store-keys: ECDSA half of signature {n}, recomputed by RFC 6979", v[f"signature_{n}"][4627:] == ecdsa)
        content_key, salt = v[f"content_key_{n}"], v[f"salt_{n}"]
        header = write_header(content_key, [stanza(reader) for reader in readers[:n]])
        sealed = seal_keys(content_key, header, salt, signed + v[f"signature_{n}"])
        check(f"store-keys: length of keys object {n}", len(sealed) == int.from_bytes(v[f"keys_{n}_length"], "big"))
        check(f"store-keys: keys object {n}, every byte, sealed here", hashlib.sha384(sealed).digest() == v[f"keys_{n}_sha384"])
        made.append((keys, sealed))
        for reader in readers[:n]:
            opened, fingerprint = open_keys(reader, context, sealed, n, vk)
            same = (opened.encode(vk), fingerprint) == (signed, fingerprints[-1])
            check(f"store-keys: keys object {n} opens with a key of suite {reader.suite.id:#06x}", same)
    check_refused_keys(key1, key51, owner, context, made)
    check_pins(made, fingerprints)
    check_objects(keys, context)


def stanza(key):
    kem = vectors(f"kem-{key.suite.id:04x}")
    return key.suite.id, key.key_id, kem["ct"], kem["ss"]


def check_refused_keys(key1, key51, owner, context, made):
    v, vk = vectors("store-keys"), owner.verifying_key
    (first, sealed_1), (second, sealed_2) = made
    opens = (key1, context, sealed_1, 1, vk)
    check("store-keys: another serial than the name's is refused", refuses(open_keys, *opens[:3], 2, vk))
    check("store-keys: another context is refused", refuses(open_keys, key1, b"other", *opens[2:]))
    other = SigningKey(flipped(owner.bytes, 0))
    check("store-keys: another owner is refused", refuses(open_keys, *opens[:4], other.verifying_key))
    check("store-keys: a reader who is not granted yet is refused", refuses(open_keys, key51, *opens[1:]))
    places = range(0, len(sealed_1), 37)
    every = all(refuses(open_keys, key1, context, flipped(sealed_1, i), 1, vk) for i in places)
    check("store-keys: changed anywhere is refused", every)
    every = all(refuses(open_keys, key1, context, sealed_1[:i], 1, vk) for i in places)
    check("store-keys: cut off is refused", every)

    content_key, salt = v["content_key_1"], v["salt_1"]
    signed = first.encode(vk) + v["signature_1"]
    rewrapped = write_header(content_key, [stanza(key1), stanza(key51)])
    check("store-keys: a recipient whom the owner did not sign is refused", refuses(open_keys, key1, context, seal_keys(content_key, rewrapped, salt, signed), 1, vk))
    header = write_header(content_key, [stanza(key1)])

    def sealed(keys, signer=owner, context_=context, with_key=True):
        encoded = keys.encode(signer.verifying_key)
        message = encoded + (signer.verifying_key if with_key else b"") + context_
        return seal_keys(content_key, header, salt, encoded + signer.sign(SIGNED_IN, message))

    def refused(sealed_, serial=1):
        return refuses(open_keys, key1, context, sealed_, serial, vk)

    check("store-keys: keys that are signed here open", not refused(sealed(first)))
    check("store-keys: keys that a reader signed are refused", refused(sealed(first, other)))
    check("store-keys: signed in another context is refused", refused(sealed(first, context_=b"other")))
    check("store-keys: signed without the owner's key is refused", refused(sealed(first, with_key=False)))
    one, two = (Suite0001, key1.ek), (Suite0051, key51.ek)
    wrong = {
        "an epoch above the serial": Keys(first.store_id, [], [one], {2: bytes(32)}),
        "epoch 0": Keys(first.store_id, [], [one], {0: bytes(32)}),
        "no epoch": Keys(first.store_id, [], [one], {}),
        "no recipient": Keys(first.store_id, [], [], {1: bytes(32)}),
        "a recipient twice": Keys(first.store_id, [], [one, one], {1: bytes(32)}),
        "recipients out of order": Keys(first.store_id, [], [two, one], {1: bytes(32)}),
        "a key that no suite accepts": Keys(first.store_id, [], [(Suite0001, key1.ek[:1568] + bytes(32))], {1: bytes(32)}),
    }
    for what, keys in wrong.items():
        check(f"store-keys: {what} is refused", refused(sealed(keys)))
    keys = Keys(first.store_id, [bytes(48)], [one], {2: bytes(32), 1: bytes(32)})
    check("store-keys: epochs out of order are refused", refused(sealed(keys), 2))


def check_pins(made, fingerprints):
    (first, _), (second, _) = made
    pins = [pin_of(keys, fingerprint) for (keys, _), fingerprint in zip(made, fingerprints)]
    check("store-keys: both follow pin 1", not any(refuses(check_pin, pins[0], keys, f) for (keys, _), f in zip(made, fingerprints)))
    check("store-keys: pin 2 refuses keys object 1", refuses(check_pin, pins[1], first, fingerprints[0]))
    another = Keys(bytes(16), [], first.recipients, first.epochs)
    check("store-keys: a pin refuses another store", refuses(check_pin, pins[0], another, fingerprints[0]))
    replaced = Keys(second.store_id, [bytes(48)], second.recipients, second.epochs)
    check("store-keys: a pin refuses another history", refuses(check_pin, pins[0], replaced, fingerprints[1]))
    check("store-keys: a pin refuses other keys of its serial", refuses(check_pin, pins[1], second, bytes(48)))


def check_objects(keys, context):
    v = vectors("store-objects")
    path, salt = v["path"], v["salt"]
    for epoch in (1, 2):
        key = keys.input_key(epoch)
        check(f"store-objects: input key of epoch {epoch}", key == v[f"input_key_{epoch}"])
        sealed = seal_object(key, epoch, salt, context, path, v["plaintext"])
        check(f"store-objects: every byte under epoch {epoch}, sealed here", sealed == v[f"object_{epoch}"])
        check(f"store-objects: opens under epoch {epoch}", open_object(keys, context, path, sealed) == (epoch, v["plaintext"]))
    check("store-objects: context of the body", bound(context, path) == v["bound"])
    first = keys.input_key(1)
    check("store-objects: an empty object", seal_object(first, 1, salt, context, path, b"") == v["object_1_empty"])
    check("store-objects: 85 bytes are the shortest", len(v["object_1_empty"]) == 85)
    for length in (16383, 16384, 16385):
        sealed = seal_object(first, 1, salt, context, path, pattern(length))
        same = hashlib.sha384(sealed).digest() == v[f"object_1_sha384_{length}"]
        check(f"store-objects: {length} bytes", same and open_object(keys, context, path, sealed) == (1, pattern(length)))
    sealed = v["object_1"]

    def refused(changed, keys=keys, context=context, path=path):
        return refuses(open_object, keys, context, path, changed)

    check("store-objects: changed anywhere is refused", all(refused(flipped(sealed, i)) for i in range(len(sealed))))
    check("store-objects: cut off anywhere is refused", all(refused(sealed[:i]) for i in range(len(sealed))))
    check("store-objects: another path is refused", refused(sealed, path=b"runs/7/8/model"))
    check("store-objects: another context is refused", refused(sealed, context=b"other"))
    check("store-objects: context and path cannot be cut elsewhere", refused(sealed, context=context[:-1], path=context[-1:] + path))
    another = Keys(bytes(16), keys.history, keys.recipients, keys.epochs)
    check("store-objects: another store with the same keys is refused", refused(sealed, keys=another))
    check("store-objects: another epoch is refused", refused(sealed[:12] + b"\2" + sealed[13:]))
    retired = Keys(keys.store_id, keys.history, keys.recipients, {2: keys.epochs[2]})
    check("store-objects: an epoch that was retired is refused", refused(sealed, keys=retired))


def accumulate_stores(draw, outputs):
    """The accumulated vector `store`, see VECTORS.md."""

    def byte():
        return draw(1)[0]

    for _ in range(50):
        context = draw(1 + byte() % 255)
        owner = SigningKey(draw(32) + EC_START + draw(48) + EC_END)
        recipients = [KemKey((Suite0001, Suite0051)[byte() % 2], draw(32)) for _ in range(1 + byte() % 3)]
        recipients.sort(key=lambda key: (key.suite.id, key.key_id))
        store_id = draw(16)
        history = [draw(48) for _ in range(byte() % 4)]
        serial = len(history) + 1
        numbers = [n for n in range(1, serial + 1) if byte() % 2 == 0] or [serial]
        epochs = {n: draw(32) for n in numbers}
        keys = Keys(store_id, history, [(key.suite, key.ek) for key in recipients], epochs)
        outputs.update(keys.encode(owner.verifying_key))
        for n in numbers:
            first = draw(1 + byte() % 16).hex()
            path = f"{first}/{draw(1 + byte() % 16).hex()}".encode()
            salt = draw(24)
            plaintext = draw(byte() * 256 + byte())
            sealed = seal_object(input_key(epochs[n], store_id, n), n, salt, context, path, plaintext)
            assert open_object(keys, context, path, sealed) == (n, plaintext)
            outputs.update(sealed)
