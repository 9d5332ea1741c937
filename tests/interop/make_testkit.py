#!/usr/bin/env python3
"""Makes tests/testkit, or checks it.

    make_testkit.py           writes the cases, the keys and the list of hashes
    make_testkit.py --check   exits with 1 if a file that is there is not the one that would be written

The cases in tests/testkit/written are not made here: the crate wrote them (tests/testkit/README.md). Everything comes
out the same each time. It needs PyPI's `kyber-py` and `dilithium-py` besides `cryptography`.
"""

import hashlib
import sys

sys.dont_write_bytecode = True

import kit_certificates
import kit_envelopes
import kit_imports
import kit_keys
import kit_models
import kit_requests
import kit_sessions
import kit_stores
from formats import kem_pem, sign_pem
from kit_cases import KIT, Case, Shared
from kit_material import KEM_KEYS, SIGNERS, encapsulation

SUMS = "SHA256SUMS"


class Kit:
    def __init__(self):
        self.files, self.common = {}, []

    def add(self, format, name, expect, why, *fields, **named):
        """`named` are fields, too: those that are None are left out, and _ is written as -."""
        path = f"cases/{format}/{name}.txt"
        if path in self.files:
            raise ValueError(f"{path} is there twice")
        named = [(name.replace("_", "-"), value) for name, value in named.items() if value is not None]
        parts = [part for field in [*named, *fields] for part in self.parts(*field)]
        case = Case(path, [("format", format), ("expect", expect), ("why", why), *parts])
        self.files[path] = case.text()

    def parts(self, name, value):
        """A field, or several if it has some of the common values in it."""
        for common in self.common if isinstance(value, bytes) else ():
            before, found, after = value.partition(common.content)
            if found:
                around = [self.parts(name, part) if part else [] for part in (before, after)]
                return [*around[0], (f"{name}-file", common.path), *around[1]]
        return [(name, value)]

    def share(self, name, content):
        """Values that are longer than all else in the cases that have them."""
        self.common.append(self.shared(name, content))

    def shared(self, name, content):
        found = Shared(f"shared/{name}.base64", content)
        self.files[found.path] = found.text()
        return found

    def keys(self):
        for name, key in KEM_KEYS.items():
            self.files[f"keys/{name}.pem"], self.files[f"keys/{name}-public.pem"] = kem_pem(key)
        for name, key in SIGNERS.items():
            self.files[f"keys/{name}.pem"], self.files[f"keys/{name}-public.pem"] = sign_pem(key)


def make():
    kit = Kit()
    kit.keys()
    for name in ("kem-0001", "kem-0051"):
        kit.share(f"{name}-ct-m", encapsulation(name)[1][:1568])
        kit.share(f"{name}-ek-m", KEM_KEYS[name].ek[:1568])
    kit.share("sign-ml-dsa-key", SIGNERS["sign"].verifying_key[:2592])
    kit.share("ml-dsa-half-of-hello", kit_sessions.Sessions(signer="sign").signature()[:4627])
    kit.share("ml-dsa-half-of-request", kit_requests.Request(signer="sign").signature()[:4627])
    for cases in (
        kit_keys.decapsulation,
        kit_keys.encapsulation_keys,
        kit_keys.signatures,
        kit_keys.verifying_keys,
        kit_keys.key_files,
        kit_imports.imports,
        kit_imports.encrypted_keys,
        kit_imports.encrypted_imports,
        kit_imports.keyrings,
        kit_envelopes.envelopes,
        kit_envelopes.parts,
        kit_envelopes.rewrapping,
        kit_sessions.sessions,
        kit_sessions.replies,
        kit_sessions.framed,
        kit_requests.requests,
        kit_requests.answers,
        kit_stores.stores,
        kit_certificates.certificates,
        kit_models.models,
    ):
        cases(kit)
    return kit.files


def sums():
    """Of all files of the kit, also of those that the crate wrote."""
    paths = sorted(p for d in ("cases", "keys", "shared", "written") for p in (KIT / d).rglob("*") if p.is_file())
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(KIT).as_posix()}\n" for p in paths)


def main(arguments):
    files = make()
    there = {p.relative_to(KIT).as_posix() for d in ("cases", "keys", "shared") for p in (KIT / d).rglob("*") if p.is_file()}
    if arguments == ["--check"]:
        wrong = sorted(there ^ files.keys()) + [p for p in files if p in there and (KIT / p).read_bytes() != files[p].encode()]
        if (KIT / SUMS).read_text() != sums():
            wrong.append(SUMS)
        print("\n".join(f"differs: {path}" for path in wrong) or f"{len(files)} files are as they are made here")
        return 1 if wrong else 0
    for path in there - files.keys():
        (KIT / path).unlink()
    for path, text in files.items():
        (KIT / path).parent.mkdir(parents=True, exist_ok=True)
        (KIT / path).write_bytes(text.encode())
    (KIT / SUMS).write_text(sums())
    print(f"{len(files)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
