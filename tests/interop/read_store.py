#!/usr/bin/env python3
"""Reads a sealed store in a directory: opens its keys, and prints each object.

    read_store.py SUITE PIN DIRECTORY

SUITE is 0001 or 0051: the reader has that key of VECTORS.md. The owner is the signer of VECTORS.md. PIN is the text of
a pin, or "first use". Prints a line for each object, sorted by path: its epoch, the length and SHA-384 of its
plaintext, and its path. tests/it/spec/stored.rs makes the store.
"""

import hashlib
import sys

sys.dont_write_bytecode = True

from formats import KemKey, SigningKey, Suite0001, Suite0051
from stores import Directory
from vectors import vectors

CONTEXT = b"example.com/spec/v1"


def main(suite, pin, directory):
    suite = {"0001": Suite0001, "0051": Suite0051}[suite]
    key = KemKey(suite, vectors(f"kem-{suite.id:04x}")["seed"])
    owner = SigningKey(vectors("sign-0001")["signing_key"]).verifying_key
    try:
        store = Directory(directory, key, CONTEXT, owner, None if pin == "first use" else pin)
    except ValueError as error:
        print(f"refused: {error}")
        return
    lines = []
    for path in store.paths():
        epoch, plaintext = store.read(path)
        lines.append(f"{epoch} {len(plaintext)} {hashlib.sha384(plaintext).hexdigest()} {path}")
    print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])
