#!/usr/bin/env python3
"""Checks VECTORS.md with an implementation of SPEC.md that shares no code with the crate.

Everything here is written only from SPEC.md, on top of PyPI's `cryptography` (48 or newer) and
hashlib. It reads the vectors in VECTORS.md, recomputes them, prints one line for each check, and
exits with 1 if one fails. README.md in this directory says how to run it.

`cryptography` has neither ML-KEM encapsulation nor ML-DSA signing from given randomness. Their
results are checked from the other side: ML-KEM's ciphertexts are decapsulated, and ML-DSA's
signatures verified. Everything else is recomputed byte for byte.
"""

import hashlib
import sys

sys.dont_write_bytecode = True

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from checks import FAILED, check, flipped, pattern, refuses
from encrypted_keys import check_encrypted_keys
from formats import (
    EC_END,
    EC_START,
    KEM_SPKI_START,
    LOW_ORDER,
    P255,
    PKCS8_START,
    SPKI_START,
    KemKey,
    SigningKey,
    Suite0001,
    Suite0051,
    check_ml_kem_key,
    check_x25519,
    chunk_keys,
    external_mu,
    from_pem,
    header_and_body_key,
    kem_pem,
    kem_pkcs8,
    message_representative,
    open_envelope,
    read_kem_pkcs8,
    seal_body,
    sign_pem,
    u16,
    verify,
    wrapping,
    write_header,
)
from key_text import read_bundle
from library import cobblestone_open, hpke_open
from sessions import LAST, MORE, Direction, accept, hello_core, sign_key_id
from vectors import pem_text, vectors
from verify_requests import accumulate_accepted, check_made_here, check_request
from verify_stores import accumulate_stores, check_store


def check_kem(suite, name, traditional):
    v = vectors(name)
    key = KemKey(suite, v["seed"])
    check(f"{name}: seed to d, z and the other half's", (key.d, key.z, key.traditional) == (v["d"], v["z"], v[traditional]))
    check(f"{name}: encapsulation key", key.ek == v["ek"])
    check(f"{name}: key id", key.key_id == v["key_id"])
    ephemeral = v["randomness"][32:]
    check(f"{name}: ciphertext's second half, from the randomness", suite.public(ephemeral) == v["ct"][1568:])
    ss_m, ss_t, ss = key.decapsulate(v["ct"])
    second = "ss_X" if suite is Suite0001 else "ss_T"
    check(f"{name}: ss_M, by decapsulation", ss_m == v["ss_M"])
    check(f"{name}: {second}, from both sides", v[second] == ss_t == suite.exchange(ephemeral, key.ek[1568:]))
    if "transcript_hash" in v:
        check(f"{name}: transcript hash", hashlib.sha384(key.ek + v["ct"]).digest() == v["transcript_hash"])
    check(f"{name}: shared secret", ss == v["ss"])
    check(f"{name}: another ciphertext gives another secret", key.decapsulate(flipped(v["ct"], 0))[2] != ss)
    check(f"{name}: a coefficient of 3329 is refused", refuses(check_ml_kem_key, b"\x01\x0d\x00" + key.ek[3:]))
    return key


def check_x25519_list():
    v, scalar = vectors("x25519-refused"), bytes(range(32))
    for name, u in v.items():
        raw = x25519.X25519PublicKey.from_public_bytes(u)
        private = x25519.X25519PrivateKey.from_private_bytes(scalar)
        zero = refuses(private.exchange, raw)  # the library refuses an all-zero result
        expected = u in LOW_ORDER or int.from_bytes(u, "little") % 2**255 % P255 <= 1
        check(f"x25519-refused: {name}", refuses(check_x25519, u) and zero == expected)


def check_sign():
    v = vectors("sign-0001")
    key = SigningKey(v["signing_key"])
    check("sign-0001: signing key", v["signing_key"] == v["ml_dsa_seed"] + EC_START + v["scalar"] + EC_END)
    check("sign-0001: verifying key", key.verifying_key == v["verifying_key"])
    key_id = hashlib.sha384(b"twinseal/key-id/sign/v1" + u16(0x0001) + key.verifying_key).digest()[:16]
    check("sign-0001: key id", key_id == v["key_id"])
    representative = message_representative(v["context"], v["message"])
    check("sign-0001: message representative", representative == v["message_representative"])
    check("sign-0001: its SHA-384", hashlib.sha384(representative).digest() == v["representative_sha384"])
    check("sign-0001: external mu", external_mu(v["verifying_key"], representative) == v["external_mu"])
    arguments = (v["verifying_key"], v["context"], v["message"])
    check("sign-0001: both halves verify", not refuses(verify, *arguments, v["signature"]))
    for half, index in (("ML-DSA-87", 100), ("ECDSA P-384", 4660)):
        check(f"sign-0001: a changed {half} half is refused", refuses(verify, *arguments, flipped(v["signature"], index)))
    check("sign-0001: another context is refused", refuses(verify, arguments[0], b"other", *arguments[2:], v["signature"]))
    ecdsa = key.ecdsa.sign(representative, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
    check("sign-0001: ECDSA half, recomputed by RFC 6979", ecdsa == v["signature"][4627:])
    return key


def check_key_files(key1, key51, signer):
    v = vectors("key-files")
    check("key-files: KEM suite 0x0001", kem_pem(key1) == (pem_text("kem-0001-private"), pem_text("kem-0001-public")))
    private, public = kem_pem(key51)
    check("key-files: KEM suite 0x0051, private", private == pem_text("kem-0051-private"))
    check("key-files: KEM suite 0x0051, PKCS#8", kem_pkcs8(key51) == v["kem_0051_pkcs8"])
    read = read_kem_pkcs8(v["kem_0051_pkcs8"])
    check("key-files: KEM suite 0x0051, a key without its seed is the same key", (read.seed, read.ek) == (None, key51.ek))
    check("key-files: KEM suite 0x0051, SPKI prefix", v["kem_0051_spki_prefix"] == KEM_SPKI_START)
    public_hash = hashlib.sha384(public.encode()).digest()
    check("key-files: KEM suite 0x0051, public", public_hash == v["kem_0051_public_pem_sha384"])
    private, public = sign_pem(signer)
    check("key-files: PKCS#8", from_pem("PRIVATE KEY", pem_text("sign-0001-private")) == v["pkcs8"] == PKCS8_START + signer.bytes)
    check("key-files: PKCS#8 as PEM", private == pem_text("sign-0001-private"))
    check("key-files: SPKI prefix", v["spki_prefix"] == SPKI_START)
    check("key-files: SPKI as PEM", hashlib.sha384(public.encode()).digest() == v["sign_0001_public_pem_sha384"])


def check_envelopes(key1, key51):
    one, kem1, kem51 = vectors("envelope-one"), vectors("kem-0001"), vectors("kem-0051")
    context, sealed = one["context"], one["sealed"]
    wrap_key, nonce, aad = wrapping(0x0001, key1.key_id, kem1["ss"])
    check("envelope-one: wrapping", (wrap_key, nonce, aad) == (one["wrap_key"], one["wrap_nonce"], one["wrap_aad"]))
    wrapped = AESGCM(wrap_key).encrypt(nonce, one["content_key"], aad)
    check("envelope-one: wrapped content key", wrapped == one["wrapped_content_key"])
    keys = header_and_body_key(one["content_key"])
    check("envelope-one: header key and body key", keys == (one["header_key"], one["body_key"]))
    derived = chunk_keys(one["body_key"], one["salt"], context)
    check("envelope-one: chunk key, nonce, commitment", derived == (one["chunk_key"], one["base_nonce"], one["commitment"]))
    header = write_header(one["content_key"], [(0x0001, key1.key_id, kem1["ct"], kem1["ss"])])
    check("envelope-one: header tag", header[-32:] == one["header_tag"])
    body = seal_body(one["body_key"], one["salt"], context, one["plaintext"])
    check("envelope-one: every byte, sealed here", header + body == sealed)
    check("envelope-one: opens", open_envelope(key1, context, sealed) == one["plaintext"])
    check("envelope-one: another context is refused", refuses(open_envelope, key1, b"other", sealed))
    check("envelope-one: another key is refused", refuses(open_envelope, key51, context, sealed))
    every = all(refuses(open_envelope, key1, context, flipped(sealed, i)) for i in range(len(sealed)))
    check("envelope-one: a flipped bit in any byte is refused", every)
    every = all(refuses(open_envelope, key1, context, sealed[:i]) for i in range(len(sealed)))
    check("envelope-one: cut off anywhere is refused", every and refuses(open_envelope, key1, context, sealed + b"\0"))
    opened = cobblestone_open(one["body_key"], context, body)
    if opened is None:
        print("--   envelope-one: body, by the library's own Cobblestone-256: not in this version")
    else:
        check("envelope-one: body, by the library's own Cobblestone-256", opened == one["plaintext"])

    two = vectors("envelope-two")
    recipients = [(0x0051, key51.key_id, kem51["ct"], kem51["ss"]), (0x0001, key1.key_id, kem1["ct"], kem1["ss"])]
    plaintext = pattern(int.from_bytes(two["plaintext_length"], "big"))
    _, body_key = header_and_body_key(two["content_key"])
    sealed = write_header(two["content_key"], recipients)
    sealed += seal_body(body_key, two["salt"], two["context"], plaintext)
    check("envelope-two: length", len(sealed) == int.from_bytes(two["sealed_length"], "big"))
    check("envelope-two: every byte, sealed here", hashlib.sha384(sealed).digest() == two["sealed_sha384"])
    opened = [open_envelope(key, two["context"], sealed) for key in (key1, key51)]
    check("envelope-two: opens for both", opened == [plaintext, plaintext])

    for name, expected in vectors("envelope-lengths").items():
        plaintext = pattern(int(name.removeprefix("sha384_")))
        sealed = header + seal_body(one["body_key"], one["salt"], context, plaintext)
        same = open_envelope(key1, context, sealed) == plaintext
        check(f"envelope-lengths: {name}", same and hashlib.sha384(sealed).digest() == expected)

    for name, expected in vectors("envelope-limits").items():
        outcome, number, length = name.split("_")
        header = b"twinseal\x01\x01" + u16(int(number))
        for recipient in range(int(number)):
            header += b"\x7f\xff" + recipient.to_bytes(16, "big") + u16(int(length)) + bytes(int(length) + 48)
        header += bytes(32)
        check(f"envelope-limits: {name}, the header", hashlib.sha384(header).digest() == expected)
        try:
            open_envelope(key1, b"example.com", header)
        except ValueError as error:
            found = "read" if str(error) == "not a recipient" else "refused"
        check(f"envelope-limits: {name}", found == outcome)


def check_rewrap(key1, key51):
    one, kem51, v = vectors("envelope-one"), vectors("kem-0051"), vectors("rewrap")
    old, sealed = vectors("kem-0001"), one["sealed"]
    old_header = write_header(one["content_key"], [(0x0001, key1.key_id, old["ct"], old["ss"])])
    header = write_header(one["content_key"], [(0x0051, key51.key_id, kem51["ct"], kem51["ss"])])
    check("rewrap: header", header == v["header"])
    moved = header + sealed[len(old_header) :]
    check("rewrap: every byte", hashlib.sha384(moved).digest() == v["sealed_sha384"])
    check("rewrap: opens", open_envelope(key51, one["context"], moved) == one["plaintext"])
    check("rewrap: the old key is refused", refuses(open_envelope, key1, one["context"], moved))


def check_keyring(key1, key51):
    text = pem_text("keyring")
    check("keyring: the text", text == kem_pem(key51)[0] + kem_pem(key1)[0])
    check("keyring: primary key first", [key.key_id for key in read_bundle(text)] == [key51.key_id, key1.key_id])
    check("keyring: white space is accepted", len(read_bundle("\n" + text.replace("-----\n-", "-----\n \t\n-"))) == 2)
    documents = kem_pem(key51)[0], kem_pem(key1)[0]
    around = ["text\n" + text, "text\n".join(documents), text + "text"]
    check("keyring: text around the documents is accepted", all(len(read_bundle(bundle)) == 2 for bundle in around))
    refused = ["", "text", text.replace("-----BEGIN", "----BEGIN", 1), documents[0] * 2, text[:-10]]
    check("keyring: all else is refused", all(refuses(read_bundle, bundle) for bundle in refused))


def check_session(name, key, kem, signer):
    v = vectors(name)
    context, hello, ct = v["context"], v["hello"], vectors(kem)["ct"]
    verifying_key = signer and signer.verifying_key
    named = signer and (0x0001, sign_key_id(verifying_key))
    core = hello_core(key.suite.id, key.key_id, named, ct)
    check(f"{name}: hello, up to its signature", hello[: len(core)] == core and (signer is not None or hello == core))
    if signer:
        signed = core + key.ek + verifying_key + context
        check(f"{name}: what is signed", hashlib.sha512(signed).digest() == v["signed_sha512"])
        representative = message_representative(b"twinseal/session/v1", signed)
        ecdsa = signer.ecdsa.sign(representative, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
        check(f"{name}: ECDSA half of the signature, recomputed by RFC 6979", hello[len(core) + 4627 :] == ecdsa)
        stripped = hello_core(key.suite.id, key.key_id, None, ct)
        taken_off = accept(key, context, stripped)
        check(f"{name}: without its signature it has other keys", taken_off.key != v["key"])
        check(f"{name}: signed is refused where no signer was named", refuses(accept, key, context, hello))
        check(f"{name}: unsigned is refused where one was", refuses(accept, key, context, stripped, verifying_key))
        signed_here = core + signer.sign(b"twinseal/session/v1", signed)
        check(f"{name}: a hello signed here is accepted", accept(key, context, signed_here, verifying_key).key == v["key"])
        parts = (key.ek, context), (verifying_key, context), (context,), (verifying_key, key.ek, context)
        resigned = [core + signer.sign(b"twinseal/session/v1", core + b"".join(part)) for part in parts]
        check(f"{name}: signed without both keys, whole and in order, is refused", all(refuses(accept, key, context, h, verifying_key) for h in resigned))
        other = SigningKey(flipped(signer.bytes, 0)).verifying_key
        check(f"{name}: another signer is refused", refuses(accept, key, context, hello, other))
    schedule = accept(key, context, hello, verifying_key)
    for value in ("suite_id", "psk_id_hash", "info_hash", "secret", "key", "base_nonce", "exporter_secret", "session_id"):
        check(f"{name}: {value}", getattr(schedule, value) == v[value])

    sender = Direction(schedule.key, schedule.base_nonce)
    receiver = Direction(schedule.key, schedule.base_nonce)
    messages = [(MORE, v[f"aad_{i}"], v[f"plaintext_{i}"]) for i in (0, 1)] + [(LAST, b"", b"")]
    for i, (kind, aad, plaintext) in enumerate(messages):
        message = v[f"message_{i}"]
        check(f"{name}: message {i}, sealed here", sender.seal(kind, aad, plaintext) == message)
        bad = [flipped(message, j) for j in range(len(message))] + [message[:j] for j in range(len(message))]
        bad += [v[f"message_{j}"] for j in range(3) if j != i] + [message + b"\0"]
        check(f"{name}: message {i}, changed, cut or out of order, is refused", all(refuses(receiver.open, aad, b) for b in bad))
        check(f"{name}: message {i} opens", receiver.open(aad, message) == plaintext)
    check(f"{name}: nothing comes after the last", refuses(receiver.open, b"", v["message_2"]) and refuses(sender.seal, LAST, b"", b""))
    reply = schedule.reply(v["r"])
    check(f"{name}: keys of the reply", (reply.key, reply.base_nonce) == (v["reply_key"], v["reply_base_nonce"]))
    sealed = reply.seal(LAST, v["reply_aad"], v["reply_plaintext"])
    check(f"{name}: message of the reply", sealed == v["reply_message"])

    def is_lost(changed):
        """Refused at once, or with keys under which the first message does not open."""
        try:
            other = accept(key, context, changed, verifying_key)
        except (ValueError, InvalidSignature):
            return True
        return not signer and refuses(Direction(other.key, other.base_nonce).open, v["aad_0"], v["message_0"])

    places = list(range(100)) + list(range(100, len(hello), 41))
    check(f"{name}: a hello that was changed is lost", all(is_lost(flipped(hello, i)) for i in places))
    check(f"{name}: a hello that was cut is refused", all(refuses(accept, key, context, hello[:i], verifying_key) for i in places))
    check(f"{name}: a longer hello is refused", refuses(accept, key, context, hello + b"\0", verifying_key))
    if signer:
        check(f"{name}: another context is refused", refuses(accept, key, b"other", hello, verifying_key))
    else:
        check(f"{name}: another context has other keys", accept(key, b"other", hello).key != v["key"])


def check_hpke(key51):
    """Message 0 of `session-0051` is HPKE's first message: opened by the library's own HPKE."""
    v = vectors("session-0051")
    opened = hpke_open(key51, v["hello"], v["context"], v["message_0"], v["aad_0"])
    if opened is None:
        print("--   session-0051: message 0, by the library's own HPKE: not in this version")
    else:
        check("session-0051: message 0, by the library's own HPKE", opened == v["plaintext_0"])


def check_accumulated():
    """The accumulated vectors that need no randomness of ML-KEM or ML-DSA."""
    v = vectors("accumulated")

    def inputs(name):
        stream, position = hashlib.shake_128(name.encode()).digest(6_000_000), 0

        def draw(length):
            nonlocal position
            position += length
            return stream[position - length : position]

        return draw

    for suite, name in ((Suite0001, "kem-0001-decapsulate"), (Suite0051, "kem-0051-decapsulate")):
        draw, outputs = inputs(name), hashlib.shake_128()
        for _ in range(1000):
            key = KemKey(suite, draw(32))
            ct_m = draw(1568)
            ct = ct_m + suite.public(draw(suite.ephemeral))
            outputs.update(key.ek + key.decapsulate(ct)[2])
        check(f"accumulated: {name}", outputs.digest(32) == v[name])

    draw, outputs = inputs("key-files"), hashlib.shake_128()
    for _ in range(100):
        for pem in (*kem_pem(KemKey(Suite0001, draw(32))), *kem_pem(KemKey(Suite0051, draw(32)))):
            outputs.update(pem.encode())
        for pem in sign_pem(SigningKey(draw(32) + EC_START + draw(48) + EC_END)):
            outputs.update(pem.encode())
    check("accumulated: key-files", outputs.digest(32) == v["key-files"])

    draw, outputs = inputs("session-accept"), hashlib.shake_128()

    def draw_string():
        return draw(draw(1)[0])

    for _ in range(200):
        key = KemKey((Suite0001, Suite0051)[draw(1)[0] % 2], draw(32))
        ct_m = draw(1568)
        ct = ct_m + key.suite.public(draw(key.suite.ephemeral))
        context = draw(1 + draw(1)[0] % 255)
        schedule = accept(key, context, hello_core(key.suite.id, key.key_id, None, ct))
        reply = schedule.reply(draw(32))
        aad = draw_string()
        outputs.update(schedule.session_id + reply.seal(LAST, aad, draw_string()))
    check("accumulated: session-accept", outputs.digest(32) == v["session-accept"])

    draw, outputs = inputs("request-accept"), hashlib.shake_128()
    accumulate_accepted(draw, outputs, lambda: KemKey((Suite0001, Suite0051)[draw(1)[0] % 2], draw(32)))
    check("accumulated: request-accept", outputs.digest(32) == v["request-accept"])

    draw, outputs = inputs("store"), hashlib.shake_128()
    accumulate_stores(draw, outputs)
    check("accumulated: store", outputs.digest(32) == v["store"])


def main():
    key1 = check_kem(Suite0001, "kem-0001", "x")
    key51 = check_kem(Suite0051, "kem-0051", "scalar")
    check_x25519_list()
    signer = check_sign()
    check_key_files(key1, key51, signer)
    check_encrypted_keys(key1, key51, signer)
    check_envelopes(key1, key51)
    check_rewrap(key1, key51)
    check_keyring(key1, key51)
    check_session("session-0001", key1, "kem-0001", None)
    check_session("session-0051", key51, "kem-0051", None)
    check_session("session-signed", key1, "kem-0001", signer)
    check_hpke(key51)
    check_request("request-0001", key1, "kem-0001", None)
    check_request("request-0051", key51, "kem-0051", None)
    check_request("request-signed", key1, "kem-0001", signer)
    check_request("request-signed-0051", key51, "kem-0051", signer)
    check_made_here(key1, key51, signer)
    check_store(key1, key51, signer)
    check_accumulated()
    print(f"{len(FAILED)} checks failed" if FAILED else "all checks passed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
