#!/usr/bin/env python3
"""One side of an exchange of requests and answers with another implementation, over files in a directory.

    exchange.py make   SUITE signed|unsigned DIRECTORY    writes request, secret
    exchange.py accept SUITE signed|unsigned DIRECTORY    reads request; writes plaintext, answer, pieces
    exchange.py open   SUITE signed|unsigned DIRECTORY    reads secret, answer, pieces; writes whole, joined

The keys are those of VECTORS.md, everything else is fresh. tests/it/spec/exchange.rs is the other side.
"""

import os
import pathlib
import sys
import time

sys.dont_write_bytecode = True

from formats import KemKey, SigningKey, Suite0001, Suite0051
from requests_answers import accept, make, open_answer, open_pieces, seal_answer, seal_pieces
from vectors import vectors

CONTEXT = b"example.com/exchange/v1"


def main(verb, suite, kind, directory):
    suite = {"0001": Suite0001, "0051": Suite0051}[suite]
    key = KemKey(suite, vectors(f"kem-{suite.id:04x}")["seed"])
    signer = SigningKey(vectors("sign-0001")["signing_key"]) if kind == "signed" else None
    files = pathlib.Path(directory)

    def read(name):
        return (files / name).read_bytes()

    if verb == "make":
        plaintext = b"made by Python " * 2000
        request, secret = make(key, CONTEXT, int(time.time() * 1000), plaintext, signer)
        written = {"request": request, "secret": secret}
    elif verb == "accept":
        plaintext, _, secret = accept(key, CONTEXT, read("request"), signer and signer.verifying_key)
        answer = seal_answer(secret, os.urandom(24), CONTEXT, b"answered by Python")
        pieces = seal_pieces(secret, os.urandom(32), [b"answered ", b"", b"by Python"])
        written = {"plaintext": plaintext, "answer": answer, "pieces": pieces}
    else:
        secret = read("secret")
        whole = open_answer(secret, CONTEXT, read("answer"))
        written = {"whole": whole, "joined": b"".join(open_pieces(secret, read("pieces")))}
    for name, content in written.items():
        (files / name).write_bytes(content)


if __name__ == "__main__":
    main(*sys.argv[1:])
