#!/usr/bin/env python3
"""Reads tests/testkit, and says where this implementation of SPEC.md disagrees with it.

    testkit.py [PART OF A PATH ...]

Prints a line for each case whose outcome is another one, and exits with 1 if there is one. How an outcome is compared
is in tests/testkit/README.md.
"""

import functools
import hashlib
import os
import sys

sys.dont_write_bytecode = True

import certificates
import imports
import key_text
import requests_answers
import signed_models
import stores
from formats import (
    Suite0001,
    Suite0051,
    check_context,
    check_encapsulation_key,
    check_verifying_key,
    kem_recipient,
    open_envelope,
    open_envelope_part,
    open_header,
    unwrap_header,
    verify,
    write_header,
)
from der import Reader
from kit_cases import KIT, as_bytes, read_cases
from kit_material import encapsulate_from
from library import cobblestone_open, hpke_open
from refusals import Malformed, class_of
from sessions import Direction, Replies, Schedule, accept, accept_framed, hello_core, sign_key_id

SUITES = {f"{suite.id:#06x}": suite for suite in (Suite0001, Suite0051)}


@functools.cache
def kem_key(name):
    return key_text.read_key("kem-private", (KIT / f"keys/{name}.pem").read_bytes())


@functools.cache
def verifying_key(name):
    return key_text.read_key("sign-public", (KIT / f"keys/{name}-public.pem").read_bytes())


def kem_keys(case):
    return [kem_key(name) for name in case.all("key")]


def signers(case):
    return [verifying_key(name) for name in case.all("signer")] or None


def expected(case, name, found):
    wanted = case.get(name)
    if wanted is not None and wanted != found:
        raise AssertionError(f"{name} is {found}")


# A function for each format. It raises a refusal, or checks what the case says about success.


def decapsulation(case):
    secret = kem_key(case.get("key")).decapsulate(case.bytes("ciphertext"))[2]
    expected(case, "secret", secret.hex())


def encapsulation_key(case):
    suite = SUITES.get(case.get("suite"))
    if suite is None:
        raise Malformed("suite")
    ek = case.bytes("bytes")
    check_encapsulation_key(suite, ek)
    expected(case, "key-id", kem_recipient(suite, ek)[2:].hex())


def signature(case):
    context = case.bytes("context")
    check_context(context)
    verify(verifying_key(case.get("signer")), context, case.bytes("message"), case.bytes("signature"))


def verifying_key_case(case):
    if case.get("suite") != "0x0001":
        raise Malformed("suite")
    check_verifying_key(case.bytes("bytes"))
    expected(case, "key-id", sign_key_id(case.bytes("bytes")).hex())


def key_file(case):
    kind = case.get("kind")
    expected(case, "key-id", key_text.key_id_of(kind, key_text.read_key(kind, case.bytes("text"))).hex())


def imported(case):
    kind = case.get("kind")
    if case.get("bytes") is not None:
        key = imports.import_bytes(kind, case.bytes("bytes"))
    elif case.get("der") is not None:
        key = imports.import_der(kind, case.bytes("der"))
    else:
        key = imports.import_text(kind, case.bytes("text"))
    expected(case, "key-id", key_text.key_id_of(kind, key).hex())


def encrypted_key(case):
    kind = case.get("kind")
    key = key_text.read_encrypted_key(kind, case.bytes("text"), case.bytes("passphrase"))
    expected(case, "key-id", key_text.key_id_of(kind, key).hex())


def encrypted_import(case):
    kind = case.get("kind")
    key = imports.import_encrypted(kind, case.bytes("text"), case.bytes("passphrase"), case.get("whose"))
    expected(case, "key-id", key_text.key_id_of(kind, key).hex())


def all_expected(case, name, found):
    if case.all(name) and case.all(name) != found:
        raise AssertionError(f"{name} are {found}")


def keyring(case):
    if case.get("kind") == "kem-private":
        ids = [key.key_id.hex() for key in key_text.read_bundle(case.bytes("text"))]
    else:
        ids = sorted(sign_key_id(key).hex() for key in key_text.read_verifying_bundle(case.bytes("text")))
    all_expected(case, "key-id", ids)


def key_directory(case):
    files = list(zip(case.all("file"), map(as_bytes, case.all("content"))))
    if case.get("kind") == "kem-private":
        all_expected(case, "key-id", [key.key_id.hex() for key in key_text.read_directory(files)])
    else:
        all_expected(case, "name", sorted(key_text.read_signers(files)))


def plaintext_expected(case, found):
    if case.bytes("plaintext", found) != found:
        raise AssertionError(f"the plaintext is {found!r}")
    expected(case, "plaintext-length", str(len(found)))
    expected(case, "plaintext-sha384", hashlib.sha384(found).hexdigest())


def envelope(case):
    keys, context, sealed = kem_keys(case), case.bytes("context"), case.bytes("input")
    plaintext = open_envelope(keys, context, sealed)
    body_key, _, body = open_header(keys, sealed)
    if cobblestone_open(body_key, context, body) not in (None, plaintext):
        raise AssertionError("the library's own Cobblestone-256 opens another body")
    plaintext_expected(case, plaintext)


def envelope_part(case):
    offset, length = int(case.get("offset")), int(case.get("length"))
    part = open_envelope_part(kem_keys(case), case.bytes("context"), case.bytes("input"), offset, length)
    expected(case, "part-sha384", hashlib.sha384(part).hexdigest())


def rewrap(case):
    content_key, _, _, body = unwrap_header(kem_keys(case), case.bytes("input"))
    to = kem_key(case.get("to"))
    ct, ss = encapsulate_from(to.suite, to.ek, os.urandom(32 + to.suite.ephemeral))
    moved = write_header(content_key, [(to.suite.id, to.key_id, ct, ss)]) + body
    then, result = class_of(open_envelope, to, case.bytes("context"), moved)
    expected(case, "then", then)
    if then == "success":
        plaintext_expected(case, result)


class Incomplete(Exception):
    """The messages end before the last one."""


def steps(case):
    """The fields `message` and `r`, each with those that belong to it."""
    found = []
    for field, value in case.fields:
        if field in ("message", "r"):
            found.append({"is": field, "value": as_bytes(value)})
        elif field in ("aad", "refused", "plaintext"):
            found[-1][field] = as_bytes(value)
    return found


def take_steps(case, direction, begin=None):
    """What becomes of each message. `begin` makes the direction of a reply of its r."""
    for step in steps(case):
        wanted = step.get("refused", b"success").decode()
        if step["is"] == "r":
            found, result = class_of(begin, step["value"])
            direction = result if found == "success" else direction
        else:
            found, result = class_of(direction.open, step.get("aad", b""), step["value"])
        if found != wanted or step.get("plaintext", result) != result:
            raise AssertionError(f"{found} and not {wanted}: {result!r}")
    if direction is None or not direction.finished:
        raise Incomplete


def try_hpke(case):
    """The first message of a session with suite 0x0051 is HPKE's."""
    key, hello, first = kem_keys(case)[0], case.bytes("hello"), steps(case)[:1]
    if hello[16:32] == key.key_id and key.suite is Suite0051 and first and "plaintext" in first[0]:
        core = hello[: 1665 + (50 if hello[15] else 32)]
        opened = hpke_open(key, core, case.bytes("context"), first[0]["value"], first[0].get("aad", b""))
        if opened not in (None, first[0]["plaintext"]):
            raise AssertionError("the library's own HPKE opens another message")


def session(case):
    schedule = accept(kem_keys(case), case.bytes("context"), case.bytes("hello"), signers(case))
    expected(case, "session-id", schedule.session_id.hex())
    try_hpke(case)
    take_steps(case, Direction(schedule.key, schedule.base_nonce))


def reply(case):
    key = kem_key(case.get("key"))
    ct, ss = encapsulate_from(key.suite, key.ek, case.bytes("randomness"))
    expected(case, "secret", ss.hex())
    core = hello_core(key.suite.id, key.key_id, None, ct)
    replies = Replies(Schedule(key.suite.id, ss, core, case.bytes("context")))
    take_steps(case, None, replies.begin)


def framed_session(case):
    bound = int(case.get("bound", 2**20))
    found = accept_framed(kem_keys(case), case.bytes("context"), case.bytes("input"), signers(case), bound)
    if found != [as_bytes(text) for text in case.all("plaintext")]:
        raise AssertionError(f"the plaintexts are {found}")


def request(case):
    keys, context, input, by = kem_keys(case), case.bytes("context"), case.bytes("input"), signers(case)
    if case.get("now") is None:
        admit = lambda id, time: expected(case, "time", str(time))
    else:
        begun = case.get("begun")
        admit = requests_answers.Guard(begun and int(begun)).admit(int(case.get("now")))
    plaintext, id, answer_secret = requests_answers.accept(keys, context, input, by, admit)
    expected(case, "request-id", id.hex())
    expected(case, "answer-secret", answer_secret.hex())
    plaintext_expected(case, plaintext)
    if case.get("again"):
        expected(case, "again", class_of(requests_answers.accept, keys, context, input, by, admit)[0])


def detached_signature(case):
    if case.get("verb") == "detach":
        result, _ = requests_answers.detach(case.bytes("input"))
    else:
        result = requests_answers.attach(case.bytes("input"), case.bytes("signature"))
    expected(case, "result-sha384", hashlib.sha384(result).hexdigest())


def answer_secret(case):
    """From the maker's randomness, as it is in the case."""
    key, by = kem_key(case.get("key")), case.get("signer")
    ct, ss = encapsulate_from(key.suite, key.ek, case.bytes("randomness"))
    vk = verifying_key(by) if by else b""
    core = requests_answers.request_core(key.suite.id, key.key_id, by and (1, sign_key_id(vk)), int(case.get("time")), ct)
    found = requests_answers.RequestKeys(ss, core, key.ek, vk, case.bytes("context")).answer_secret
    expected(case, "answer-secret", found.hex())
    return found


def answer(case):
    plaintext_expected(case, requests_answers.open_answer(answer_secret(case), case.bytes("context"), case.bytes("input")))


def answer_in_pieces(case):
    bound = int(case.get("bound", 2**20))
    found = requests_answers.open_pieces(answer_secret(case), case.bytes("input"), bound)
    if found != [as_bytes(text) for text in case.all("plaintext")]:
        raise AssertionError(f"the plaintexts are {found}")


def store(case):
    there = dict(zip(case.all("object"), map(as_bytes, case.all("content"))))
    context, pin = case.bytes("context"), case.get("pin")
    if pin is not None:
        stores.parse_pin(pin)
    start = ".twinseal/keys/"
    under_keys = {path[len(start) :]: content for path, content in there.items() if path.startswith(start)}
    keys, fingerprint = stores.open_newest(under_keys, kem_keys(case), context, verifying_key(case.get("owner")))
    if pin is not None:
        stores.check_pin(pin, keys, fingerprint)
    expected(case, "new-pin", stores.pin_of(keys, fingerprint))
    path = case.get("read")
    if path is not None:
        oldest = int(case.get("oldest-epoch", 0))
        plaintext_expected(case, stores.open_object(keys, context, path.encode(), there[path], oldest)[1])


def all_certificates(der):
    """Of a concatenation."""
    reader, found = Reader(der), []
    while reader.rest:
        found.append(certificates.Certificate(reader.value()[2]))
    return found


def certificate(case):
    use, now = case.get("use"), int(case.get("time"))
    chain = [certificates.Certificate(case.bytes("certificate")), *all_certificates(case.bytes("between", b""))]
    anchors = case.bytes("anchors")
    anchors = None if anchors is None else all_certificates(anchors)
    name = tuple(case.get("name", "").split(":", 1))
    key = certificates.key_of(chain, anchors, use, now, name, case.get("purpose"))
    key_id = sign_key_id(key) if use == "signer" else kem_recipient(*key)[2:]
    expected(case, "key-id", key_id.hex())


def model(case):
    trusted = [(KIT / f"keys/{name}-public.pem").read_bytes() for name in case.all("signer")]
    trusted += map(as_bytes, case.all("trusted"))
    bundle = signed_models.Bundle(case.bytes("bundle"))
    bundle.verify([signed_models.TrustedKey(*key_text.one_document(text)) for text in trusted])
    files = dict(zip(case.all("file"), map(as_bytes, case.all("content"))))
    if files:
        bundle.check(files, case.all("ignore"))


FORMATS = {
    "model": model,
    "certificate": certificate,
    "store": store,
    "request": request,
    "detached-signature": detached_signature,
    "answer": answer,
    "answer-in-pieces": answer_in_pieces,
    "session": session,
    "reply": reply,
    "framed-session": framed_session,
    "envelope": envelope,
    "envelope-part": envelope_part,
    "rewrap": rewrap,
    "import": imported,
    "encrypted-key": encrypted_key,
    "encrypted-import": encrypted_import,
    "keyring": keyring,
    "key-directory": key_directory,
    "decapsulation": decapsulation,
    "encapsulation-key": encapsulation_key,
    "signature": signature,
    "verifying-key": verifying_key_case,
    "key-file": key_file,
}


def disagreement(case):
    """None, or how the outcome differs."""
    try:
        outcome, error = class_of(FORMATS[case.get("format")], case)
    except Incomplete:
        outcome, error = "incomplete", None
    except AssertionError as wrong:
        return f"{wrong}"
    except Exception as failure:
        return f"fails with {failure!r}"
    if outcome != case.get("expect"):
        return f"expect: {case.get('expect')}, but here {outcome}: {error!r}"
    return None


def main(parts):
    count, failed = 0, 0
    for case in read_cases():
        if parts and not any(part in case.path for part in parts):
            continue
        count += 1
        wrong = disagreement(case)
        if wrong:
            failed += 1
            print(f"{case.path}: {wrong}")
    print(f"{count} cases, {failed} of them with another outcome")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
