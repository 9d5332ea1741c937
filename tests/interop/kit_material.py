"""What the cases of tests/testkit are made from: fixed keys, and encapsulations and signatures that can be repeated.

`cryptography` has neither ML-KEM encapsulation nor ML-DSA signatures from given randomness; PyPI's `kyber-py` and
`dilithium-py` have. They are slow and not constant-time, which does not matter for keys that everyone knows.
"""

import functools
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from dilithium_py.ml_dsa import ML_DSA_87
from kyber_py.ml_kem import ML_KEM_1024

from formats import (
    EC_END,
    EC_START,
    SIGN_LABEL,
    KemKey,
    SigningKey,
    Suite0001,
    Suite0051,
    message_representative,
)

CONTEXT = "example.com/testkit/v1"


def stream(name):
    """Bytes that depend on the name only."""
    state, position = hashlib.shake_256(b"twinseal test kit v1: " + name.encode()), 0

    def draw(length):
        nonlocal position
        position += length
        return state.digest(position)[position - length :]

    return draw


def signing_key(name):
    draw = stream(name)
    return SigningKey(draw(32) + EC_START + draw(48) + EC_END)


KEM_KEYS = {name: KemKey(Suite0051 if "0051" in name else Suite0001, stream(name)(32)) for name in ("kem-0001", "kem-0001-other", "kem-0051", "kem-0051-other")}
SIGNERS = {name: signing_key(name) for name in ("sign", "sign-other")}


def encapsulate_from(suite, ek, randomness):
    """ct and ss."""
    ss_m, ct_m = ML_KEM_1024._encaps_internal(ek[:1568], randomness[:32])
    ct = ct_m + suite.public(randomness[32:])
    return ct, suite.combine(ss_m, suite.exchange(randomness[32:], ek[1568:]), ek, ct)


@functools.cache
def encapsulation(name, label=""):
    """To one of the fixed keys: randomness, ct and ss."""
    key = KEM_KEYS[name]
    randomness = stream(f"{name} {label}")(32 + key.suite.ephemeral)
    ct, ss = encapsulate_from(key.suite, key.ek, randomness)
    assert key.decapsulate(ct)[2] == ss
    return randomness, ct, ss


@functools.cache
def expanded(seed):
    return ML_DSA_87._keygen_internal(seed)[1]


def ml_dsa(key, message, context=SIGN_LABEL):
    return ML_DSA_87.sign(expanded(key.bytes[:32]), message, ctx=context, deterministic=True)


def ecdsa(key, message, hash=hashes.SHA384):
    return key.ecdsa.sign(message, ec.ECDSA(hash(), deterministic_signing=True))


def sign(key, context, message):
    """Without randomness: FIPS 204's deterministic variant, and RFC 6979."""
    representative = message_representative(context, message)
    return ml_dsa(key, representative) + ecdsa(key, representative)
