"""Checks VECTORS.md's requests and answers, and those that this implementation makes itself."""

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from checks import check, flipped, pattern, refuses
from formats import SigningKey, message_representative, seal_body, u16
from requests_answers import (
    REQUEST,
    RequestKeys,
    accept,
    answer_key,
    attach,
    detach,
    make,
    open_answer,
    open_pieces,
    pieces_direction,
    request_core,
    request_id,
    seal_answer,
    seal_pieces,
    split,
)
from sessions import sign_key_id
from vectors import vectors


def check_request(name, key, kem, signer):
    v, kem = vectors(name), vectors(kem)
    context, time, plaintext = v["context"], int.from_bytes(v["time"], "big"), v["plaintext"]
    request, vk = v["request"], signer.verifying_key if signer else b""
    core = request_core(key.suite.id, key.key_id, signer and (0x0001, sign_key_id(vk)), time, kem["ct"])
    check(f"{name}: core", request[: len(core)] == core)
    check(f"{name}: request id", request_id(core) == v["request_id"])
    keys = RequestKeys(kem["ss"], core, key.ek, vk, context)
    for value in ("transcript", "body_key", "answer_secret"):
        check(f"{name}: {value}", getattr(keys, value) == v[value])
    head = core
    if signer:
        head += check_signature(name, core + key.ek + vk + context, split(request)[3], signer)
    check(f"{name}: every byte, sealed here", head + seal_body(keys.body_key, v["salt"], context, plaintext) == request)
    opened = accept(key, context, request, signer and vk)
    check(f"{name}: opens", opened == (plaintext, v["request_id"], v["answer_secret"]))
    check_refusals(name, key, context, request, len(head), signer)
    if signer:
        check_detached(name, key, context, request, vk)
    check_answers(name, context, v["answer_secret"])


def check_signature(name, signed, signature, signer):
    """The signature with its length, the ECDSA half made here."""
    v = vectors(name)
    check(f"{name}: what is signed", hashlib.sha512(signed).digest() == v["signed_sha512"])
    representative = message_representative(REQUEST, signed)
    ecdsa = signer.ecdsa.sign(representative, ec.ECDSA(hashes.SHA384(), deterministic_signing=True))
    return u16(4627 + len(ecdsa)) + signature[:4627] + ecdsa


def check_refusals(name, key, context, request, head, signer):
    vk = signer and signer.verifying_key

    def refused(changed):
        return refuses(accept, key, context, changed, vk)

    places = [*range(100), *range(100, head, 41), *range(head, len(request))]
    check(f"{name}: a changed one is refused", all(refused(flipped(request, i)) for i in places))
    check(f"{name}: one cut off is refused", all(refused(request[:i]) for i in places) and refused(request + b"\0"))
    check(f"{name}: another context is refused", refuses(accept, key, b"other", request, vk))

    def full(id, time):
        raise ValueError("the guard refuses")

    check(f"{name}: nothing comes out if the guard refuses", refuses(accept, key, context, request, vk, full))
    at = 54 - 8 if signer else 36 - 8
    latest, later = (2**53 - 1).to_bytes(8, "big"), (2**53).to_bytes(8, "big")
    times = [refuses(split, request[:at] + time + request[at + 8 :]) for time in (latest, later)]
    check(f"{name}: a time of 2^53 is refused when it is read", times == [False, True])
    if signer:
        other = SigningKey(flipped(signer.bytes, 0)).verifying_key
        check(f"{name}: another signer is refused", refuses(accept, key, context, request, other))
        check(f"{name}: signed is refused where no signer was named", refuses(accept, key, context, request))
        _, _, core, _, body = split(request)
        stripped = core[:9] + b"\0" + core[10:28] + core[46:] + body
        check(f"{name}: without its signature it has other keys", refuses(accept, key, context, stripped))
    else:
        other = SigningKey(vectors("sign-0001")["signing_key"]).verifying_key
        check(f"{name}: unsigned is refused where a signer was named", refuses(accept, key, context, request, other))


def check_detached(name, key, context, request, vk):
    without, signature = detach(request)
    check(f"{name}: detached", hashlib.sha384(without).digest() == vectors(name)["detached_sha384"])
    check(f"{name}: attached again", attach(without, signature) == request)
    check(f"{name}: without its signature it is refused", refuses(accept, key, context, without, vk) and refuses(accept, key, context, without))
    check(f"{name}: detached or attached twice is refused", refuses(detach, without) and refuses(attach, request, signature))
    lengths = [refuses(attach, without, signature[:n].ljust(n, b"\0")) for n in (0, 4634, 4635, 4731, 4732)]
    check(f"{name}: lengths of signatures", lengths == [True, True, False, False, True])


def check_answers(name, context, answer_secret):
    v = vectors(name)
    answer = seal_answer(answer_secret, v["answer_salt"], context, v["answer_plaintext"])
    check(f"{name}: key of the whole answer", answer_key(answer_secret) == v["answer_key"])
    check(f"{name}: whole answer, sealed here", answer == v["answer"])
    check(f"{name}: whole answer opens", open_answer(answer_secret, context, answer) == v["answer_plaintext"])

    pieces = [v[f"piece_{i}"] for i in range(3)]
    direction = pieces_direction(answer_secret, v["r"])
    check(f"{name}: keys of the pieces", (direction.key, direction.base_nonce) == (v["pieces_key"], v["pieces_base_nonce"]))
    check(f"{name}: pieces, sealed here", seal_pieces(answer_secret, v["r"], pieces) == v["pieces"])
    check(f"{name}: pieces open", open_pieces(answer_secret, v["pieces"]) == pieces)

    def whole(changed):
        return refuses(open_answer, answer_secret, context, changed)

    def in_pieces(changed):
        return refuses(open_pieces, answer_secret, changed)

    for form, refused in (("answer", whole), ("pieces", in_pieces)):
        bytes_ = v[form]
        every = all(refused(flipped(bytes_, i)) and refused(bytes_[:i]) for i in range(len(bytes_)))
        check(f"{name}: {form}, changed anywhere, cut or longer, is refused", every and refused(bytes_ + b"\0"))
    check(f"{name}: each form is refused as the other", whole(v["pieces"]) and in_pieces(v["answer"]))
    check(f"{name}: another request's secret is refused", refuses(open_pieces, flipped(answer_secret, 0), v["pieces"]))
    start, ends = v["pieces"][:42], [42]
    for piece in pieces:
        ends.append(ends[-1] + 21 + len(piece))
    first, second, last = (v["pieces"][a:b] for a, b in zip(ends, ends[1:]))
    orders = (second + first + last, first + last, first + first + second + last, first + second + last + last)
    check(f"{name}: pieces swapped, dropped or repeated are refused", all(in_pieces(start + order) for order in orders))
    check(f"{name}: a piece above the bound is refused", refuses(open_pieces, answer_secret, v["pieces"], max(map(len, pieces)) - 1))


def check_made_here(key1, key51, signer):
    """Fresh ones, of every length and kind."""
    context, secrets = b"example.com/spec/v1", set()
    for key in (key1, key51):
        for by in (None, signer):
            kind = f"{key.suite.id:#06x}, {'signed' if by else 'unsigned'}"
            opened = []
            for length in (0, 1, 16383, 16384, 16385):
                request, secret = make(key, context, 2**53 - 1, pattern(length), by)
                plaintext, _, same = accept(key, context, request, by and by.verifying_key)
                answer = seal_answer(same, bytes(24), context, plaintext)
                again = open_answer(secret, context, answer)
                in_pieces = open_pieces(secret, seal_pieces(same, bytes(32), [plaintext, b"", plaintext]))
                opened.append(again == pattern(length) and in_pieces == [again, b"", again])
                secrets.add(secret)
            check(f"made here: {kind}", all(opened))
    check("made here: each has its own answer secret", len(secrets) == 20)


def accumulate_accepted(draw, outputs, new_key):
    """The accumulated vector `request-accept`, see VECTORS.md."""
    for _ in range(200):
        key = new_key()
        ct_m = draw(1568)
        ct = ct_m + key.suite.public(draw(key.suite.ephemeral))
        context = draw(1 + draw(1)[0] % 255)
        time = int.from_bytes(draw(8), "big") % 2**53
        core = request_core(key.suite.id, key.key_id, None, time, ct)
        keys = RequestKeys(key.decapsulate(ct)[2], core, key.ek, b"", context)
        salt, plaintext = draw(24), draw(draw(1)[0])
        request = core + seal_body(keys.body_key, salt, context, plaintext)
        opened, id, answer_secret = accept(key, context, request)
        assert opened == plaintext
        answer_salt, r = draw(24), draw(32)
        answer, piece = draw(draw(1)[0]), draw(draw(1)[0])
        outputs.update(request + id + seal_answer(answer_secret, answer_salt, context, answer))
        outputs.update(seal_pieces(answer_secret, r, [piece, b""]))
