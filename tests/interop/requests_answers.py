"""SPEC.md's requests and answers, written only from SPEC.md."""

import hashlib
import os

from formats import (
    Suite0001,
    Suite0051,
    as_list,
    check_context,
    check_signature,
    hkdf_sha384,
    open_body,
    seal_body,
    u16,
    verify,
)
from refusals import Malformed, NotForUs, Refused, Unauthentic
from sessions import LAST, MORE, Direction, check_ciphertext, sign_key_id

SUITES = {suite.id: suite for suite in (Suite0001, Suite0051)}
REQUEST = b"twinseal/request/v1"
WHOLE, PIECES = b"twinansw\1\1", b"twinansw\1\2"
BOUND = 2**20


def request_core(suite_id, recipient, signer, time, ct):
    """`signer` is None, or a signature suite and a key id."""
    flags = b"\0" if signer is None else b"\1"
    named = b"" if signer is None else u16(signer[0]) + signer[1]
    return b"twinrqst\1" + flags + u16(suite_id) + recipient + named + time.to_bytes(8, "big") + ct


def request_id(core):
    return hashlib.sha384(b"twinseal/request-id/v1" + core).digest()[:32]


class RequestKeys:
    """`vk` is empty if the request is unsigned."""

    def __init__(self, ss, core, ek, vk, context):
        self.transcript = hashlib.sha384(core + ek + vk + context).digest()
        keys = hkdf_sha384(ss, REQUEST + self.transcript, 80)
        self.body_key, self.answer_secret = keys[:32], keys[32:]


def make(to, context, time, plaintext, signer=None):
    """A fresh request to the public half of `to`: the request, and the answer secret."""
    check_context(context)
    ss_m, ct_m = to.ml_kem.public_key().encapsulate()
    ephemeral = os.urandom(to.suite.ephemeral)
    ct = ct_m + to.suite.public(ephemeral)
    ss = to.suite.combine(ss_m, to.suite.exchange(ephemeral, to.ek[1568:]), to.ek, ct)
    vk = signer.verifying_key if signer else b""
    core = request_core(to.suite.id, to.key_id, signer and (0x0001, sign_key_id(vk)), time, ct)
    head = core
    if signer:
        signature = signer.sign(REQUEST, core + to.ek + vk + context)
        head += u16(len(signature)) + signature
    keys = RequestKeys(ss, core, to.ek, vk, context)
    return head + seal_body(keys.body_key, os.urandom(24), context, plaintext), keys.answer_secret


def split(request):
    """Step 1 of "Accepting a request", without the ciphertext: suite, time, core, signature (None if the
    request is unsigned) and body."""
    if request[:9] != b"twinrqst\1" or len(request) < 28 or request[9] not in (0, 1):
        raise Malformed("magic, version, flags or length")
    suite = SUITES.get(int.from_bytes(request[10:12], "big"))
    is_signed = request[9] == 1
    if suite is None or (is_signed and request[28:30] != u16(0x0001)):
        raise Malformed("suite")
    start = 54 if is_signed else 36
    time, end = int.from_bytes(request[start - 8 : start], "big"), start + suite.ciphertext_length
    if len(request) < end + 2 * is_signed or time >= 2**53:
        raise Malformed("length or time")
    if not is_signed:
        return suite, time, request[:end], None, request[end:]
    length = int.from_bytes(request[end : end + 2], "big")
    signature, body = request[end + 2 : end + 2 + length], request[end + 2 + length :]
    if len(signature) != length or length and not 4635 <= length <= 4731:
        raise Malformed("signature length")
    return suite, time, request[:end], signature, body


def detach(request):
    """The request without its signature, and the signature."""
    _, _, core, signature, body = split(request)
    if not signature:
        raise Refused("no signature")
    return core + u16(0) + body, signature


def attach(request, signature):
    _, _, core, present, body = split(request)
    if present is None or present:
        raise Refused("unsigned, or a signature is there")
    if not 4635 <= len(signature) <= 4731:
        raise Malformed("its length")
    return core + u16(len(signature)) + signature + body


def accept(keys, context, request, verifying_keys=None, admit=lambda id, time: None):
    """The steps of "Accepting a request": the plaintext, the request id and the answer secret. `verifying_keys` are
    those of the named signers, None if the request has to be unsigned. `admit` raises to refuse the request."""
    check_context(context)
    suite, time, core, signature, body = split(request)
    ct = core[-suite.ciphertext_length :]
    check_ciphertext(suite, ct)
    if signature:
        check_signature(signature)
    key = next((key for key in as_list(keys) if key.recipient == core[10:28]), None)
    if key is None:
        raise NotForUs("for another key")
    if (signature is None) != (verifying_keys is None) or signature == b"":
        raise Refused("signed, unsigned or without its signature")
    vk = b""
    if verifying_keys is not None:
        vk = next((vk for vk in as_list(verifying_keys) if core[30:46] == sign_key_id(vk)), None)
        if vk is None:
            raise Unauthentic("an unknown signer")
        verify(vk, REQUEST, core + key.ek + vk + context, signature)
    keys = RequestKeys(key.decapsulate(ct)[2], core, key.ek, vk, context)
    plaintext = open_body(keys.body_key, context, body)
    admit(request_id(core), time)
    return plaintext, request_id(core), keys.answer_secret


class Guard:
    """SPEC.md, "Replays", for one room and times in milliseconds. Without `begun` nothing was there before."""

    def __init__(self, begun=None, back=60_000, ahead=2_000):
        self.begun, self.back, self.ahead, self.ids = begun, back, ahead, set()

    def admit(self, now):
        def admit(id, time):
            if time > now + self.ahead:
                raise Refused("from the future")
            if time < now - self.back:
                raise Refused("too old")
            if self.begun is not None and time <= self.begun + self.ahead:
                raise Refused("restarted")
            if id in self.ids:
                raise Refused("replayed")
            self.ids.add(id)

        return admit


# SPEC.md, "Answer"


def answer_key(answer_secret):
    return hkdf_sha384(answer_secret, b"twinseal/answer/v1", 32)


def seal_answer(answer_secret, salt, context, plaintext):
    return WHOLE + seal_body(answer_key(answer_secret), salt, context, plaintext)


def open_answer(answer_secret, context, answer):
    if answer[:10] != WHOLE:
        raise Malformed("magic, version or form")
    return open_body(answer_key(answer_secret), context, answer[10:])


def pieces_direction(answer_secret, r):
    keys = hkdf_sha384(answer_secret, b"twinseal/answer-pieces/v1" + r, 44)
    return Direction(keys[:32], keys[32:])


def seal_pieces(answer_secret, r, pieces, bound=BOUND):
    direction, answer = pieces_direction(answer_secret, r), PIECES + r
    for index, piece in enumerate(pieces):
        if len(piece) > bound:
            raise Malformed("bound")
        message = direction.seal(LAST if index == len(pieces) - 1 else MORE, b"", piece)
        answer += len(message).to_bytes(4, "big") + message
    return answer


def open_pieces(answer_secret, answer, bound=BOUND):
    """All pieces, if the answer is complete."""
    if answer[:10] != PIECES or len(answer) < 42:
        raise Malformed("magic, version, form or length")
    direction, rest, pieces = pieces_direction(answer_secret, answer[10:42]), answer[42:], []
    while not direction.finished:
        length = int.from_bytes(rest[:4], "big")
        if not 17 <= length <= 17 + bound or len(rest) < 4 + length:
            raise Malformed("length")
        pieces.append(direction.open(b"", rest[4 : 4 + length]))
        rest = rest[4 + length :]
    if rest:
        raise Malformed("bytes after the last piece")
    return pieces
