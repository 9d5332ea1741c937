#!/usr/bin/env python3
"""Checks bundles of the tool, with PyPI's `model-signing`, `jsonschema` and `cryptography`, and makes bundles for it.

    models.py DIRECTORY

Each directory in DIRECTORY is a model, and NAME.sig is its bundle by the tool, NAME.shards.sig one with shards of 100
bytes; sign-public.pem is the key. `model-signing` is the reference implementation of OpenSSF Model Signing. It does not
know the composite signature, which formats.py verifies here. It hashes the same trees, and signs them with a P-384 key:
p384-public.pem, NAME.reference.sig and NAME.shards.reference.sig, which tests/cli/other_software.rs has the tool verify.
It prints one line for each check, and exits with 1 if one fails.

The schemas are those of ossf/model-signing-spec, in the directory that TWINSEAL_OMS_VECTORS names.
"""

import base64
import hashlib
import json
import os
import pathlib
import sys

sys.dont_write_bytecode = True

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from model_signing import hashing, signing

from checks import FAILED, check, refuses
from formats import SPKI_START, from_pem, verify

SCHEMAS = "ossf-model-signing-spec/schemas/v1.0"


def schemas():
    """The schemas of bundles and statements, or None."""
    directory = os.environ.get("TWINSEAL_OMS_VECTORS")
    if directory is None:
        print("skipped: the schemas, because TWINSEAL_OMS_VECTORS is not set")
        return None
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    names = ("bundle", "envelope", "statement", "predicate")
    texts = {name: json.loads(pathlib.Path(directory, SCHEMAS, f"{name}.schema.json").read_text()) for name in names}
    registry = Registry().with_resources((text["$id"], Resource.from_contents(text)) for text in texts.values())
    return {name: Draft202012Validator(text, registry=registry) for name, text in texts.items()}


def pae(payload):
    """DSSE's pre-authentication encoding."""
    kind = b"application/vnd.in-toto+json"
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def resources(statement):
    listed = [(item["name"], item["digest"]) for item in statement["predicate"]["resources"]]
    return dict(listed), [digest for _, digest in listed]


def reference(model, config):
    manifest = config.hash(model)
    items = [(item.identifier, item.digest.digest_hex) for item in manifest.resource_descriptors()]
    return dict(items), hashlib.sha256(b"".join(bytes.fromhex(digest) for _, digest in items)).hexdigest()


def config(is_sharded):
    settings = hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=True)
    return settings.use_shard_serialization(shard_size=100) if is_sharded else settings


def check_bundle(directory, model, name, is_sharded, key, public_pem, validators):
    text = (directory / f"{name}.sig").read_text()
    bundle = json.loads(text)
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"], validate=True)
    statement = json.loads(payload)
    if validators is not None:
        for kind, value in (("bundle", bundle), ("statement", statement)):
            errors = [error.message for error in validators[kind].iter_errors(value)]
            check(f"{name}: the schema of a {kind} {errors}", not errors)
    [signed] = bundle["dsseEnvelope"]["signatures"]
    signature = base64.b64decode(signed["sig"], validate=True)
    check(f"{name}: both halves of the signature verify", not refuses(verify, key, b"", pae(payload), signature))
    check(f"{name}: and not over anything else", refuses(verify, key, b"", pae(payload + b" "), signature))
    hint = bundle["verificationMaterial"]["publicKey"]["hint"]
    check(f"{name}: the hint is the SHA-256 of the key's PEM", hint == hashlib.sha256(public_pem).hexdigest())

    ours, order = resources(statement)
    theirs, root = reference(model, config(is_sharded))
    if model.is_file():
        theirs = {item.replace(".", model.name, 1): digest for item, digest in theirs.items()}
    check(f"{name}: the same resources as the reference", ours == theirs)
    digest = hashlib.sha256(b"".join(map(bytes.fromhex, order))).hexdigest()
    [subject] = statement["subject"]
    check(f"{name}: the root digest", subject["digest"]["sha256"] == digest)
    check(f"{name}: the name", subject["name"] == model.name)
    if list(ours) == list(theirs):
        check(f"{name}: the same root digest as the reference", digest == root)
    else:
        print(f"      {name}: the reference has another order")


def main(directory):
    public_pem = (directory / "sign-public.pem").read_bytes()
    key = from_pem("PUBLIC KEY", public_pem.decode()).removeprefix(SPKI_START)
    p384 = ec.generate_private_key(ec.SECP384R1())
    private = directory / "p384.pem"
    private.write_bytes(p384.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = p384.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (directory / "p384-public.pem").write_bytes(public)
    validators = schemas()
    for path in sorted(directory.glob("*.sig")):
        name = path.name.removesuffix(".sig")
        is_sharded = name.endswith(".shards")
        model = directory / name.removesuffix(".shards")
        check_bundle(directory, model, name, is_sharded, key, public_pem, validators)
        signer = signing.Config().use_elliptic_key_signer(private_key=str(private))
        signer.set_hashing_config(config(is_sharded)).sign(model, directory / f"{name}.reference.sig")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
