"""Cases of tests/testkit: signed models."""

import base64
import hashlib

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from formats import sign_pem
from kit_keys import shown
from kit_material import SIGNERS, ecdsa, sign, signing_key
from signed_models import PAYLOAD_TYPE, pae

FILES = {"a": b"alpha", "d/b": b"beta"}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def resource(name, content, algorithm="sha256"):
    return f'{{"name":"{name}","digest":"{sha256(content)}","algorithm":"{algorithm}"}}'


def shards(name, content, size):
    return [resource(f"{name}:{at}:{min(at + size, len(content))}", content[at : at + size]) for at in range(0, len(content), size)]


def root_of(resources):
    return sha256(b"".join(bytes.fromhex(one.split('"digest":"')[1][:64]) for one in resources))


def statement(resources, serialization='"method":"files","hash_type":"sha256","allow_symlinks":false,"ignore_paths":[".git"]', root=None, name="model"):
    subject = f'{{"name":"{name}","digest":{{"sha256":"{root or root_of(resources)}"}}}}'
    return (
        f'{{"_type":"https://in-toto.io/Statement/v1","subject":[{subject}],"predicateType":"https://model_signing/signature/v1.0",'
        f'"predicate":{{"resources":[{",".join(resources)}],"serialization":{{{serialization}}}}}}}'
    )


def models(kit):
    p384 = signing_key("models")
    p384_pem = p384.ecdsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    hint = sha256(p384_pem.encode())

    def bundle(payload, signature=None, hint=hint, sig=None):
        payload = payload.encode() if isinstance(payload, str) else payload
        signature = base64.b64encode(signature or ecdsa(p384, pae(payload))).decode()
        return (
            '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"publicKey":'
            f'{{"hint":"{hint}"}},"tlogEntries":[]}},"dsseEnvelope":{{"payload":"{base64.b64encode(payload).decode()}",'
            f'"payloadType":"{PAYLOAD_TYPE}","signatures":[{{"sig":"{sig or signature}","keyid":""}}]}}}}\n'
        )

    def case(name, expect, why, text, files=(), ignore=(), signers=(), trusted=True):
        fields = [("signer", signer) for signer in signers] + ([("trusted", p384_pem)] if trusted else [])
        fields += [("ignore", path) for path in ignore]
        fields += [field for path, content in dict(files).items() for field in (("file", path), ("content", content))]
        kit.add("model", name, expect, why, *fields, ("bundle", shown(text)))

    m, u, no = "malformed", "unauthentic", "refused"
    resources = [resource(name, content) for name, content in FILES.items()]
    plain = statement(resources)
    good = bundle(plain)
    key = SIGNERS["sign"]
    own_hint = sha256(sign_pem(key)[1].encode())
    signature = sign(key, b"", pae(plain.encode()))
    case("composite", "success", "A model of two files, signed with suite 0x0001.", bundle(plain, signature, own_hint), FILES, signers=["sign"], trusted=False)
    case("p384", "success", "Signed with ECDSA on P-384, as other software does.", good, FILES)
    sharded = [*shards("a", FILES["a"], 2), *shards("d/b", FILES["d/b"], 2)]
    by_shards = '"method":"shards","hash_type":"sha256","shard_size":2,"allow_symlinks":false,"ignore_paths":[]'
    case("shards", "success", "By shards of 2 bytes.", bundle(statement(sharded, by_shards)), FILES)
    case("shard-size-2.0", "success", "The shard size is written as 2.0.", bundle(statement(sharded, by_shards.replace(":2,", ":2.0,"))), FILES)
    case("other-order", "success", "The resources are in another order, and the root digest is in that order.", bundle(statement(resources[::-1])), FILES)
    case("git", "success", "What belongs to git is left out.", good, {**FILES, ".gitignore": b"x", ".git/config": b"x"})
    case("left-out", "success", "The caller leaves a path out.", good, {**FILES, "logs/1": b"x"}, ["logs"])
    ignoring = plain.replace('[".git"]', '[".git","logs"]')
    case("ignored", "success", "The signer left a path out.", bundle(ignoring), {**FILES, "logs/1": b"x"})
    case("pattern", "success", "* in ignore_paths is an ordinary character.", bundle(plain.replace('[".git"]', '["*"]')), FILES)
    case("no-ignore-paths", "success", "ignore_paths is absent.", bundle(plain.replace(',"ignore_paths":[".git"]', "")), FILES)
    case("keyid-null", "success", "keyid is null.", good.replace('"keyid":""', '"keyid":null'), FILES)
    case("more-in-resource", "success", "A resource has a member that is not defined.", bundle(plain.replace('"algorithm":"sha256"}', '"algorithm":"sha256","size":5}', 1)), FILES)
    url = good.split('"sig":"')[1].split('"')[0]
    case("base64url", "success", "The signature is in base64url.", good.replace(url, url.replace("+", "-").replace("/", "_")), FILES)
    raw = good.replace(f'"hint":"{hint}"', '"rawBytes":"RAW"')
    case("raw-pem", "success", "The key is there itself, as PEM.", raw.replace("RAW", base64.b64encode(p384_pem.encode()).decode()), FILES)
    case("raw-der", "success", "The key is there itself, as DER.", raw.replace("RAW", "".join(p384_pem.splitlines()[1:-1])), FILES)
    other_der = "".join(sign_pem(SIGNERS["sign-other"])[1].splitlines()[1:-1])
    case("raw-other", "refused", "The key that is there is not trusted.", raw.replace("RAW", other_der), FILES)
    case("log", "success", "What a log says is not judged.", good.replace('"tlogEntries":[]', '"tlogEntries":[{"logIndex":"1","x":[{}]}]'), FILES)
    def with_log(entries):
        return good.replace('"tlogEntries":[]', f'"tlogEntries":{entries}')

    case("members-1024", "success", "An object with 1024 members.", with_log("[{" + ",".join(f'"{i}":0' for i in range(1024)) + "}]"))
    case("members-1025", "malformed", "An object with 1025 members.", with_log("[{" + ",".join(f'"{i}":0' for i in range(1025)) + "}]"))
    own_raw = base64.b64encode(p384_pem.encode()).decode()
    case("hint-and-raw", "success", "Hint and key name the same key.", good.replace('"hint"', f'"rawBytes":"{own_raw}","hint"'))
    case("hint-and-other-raw", "refused", "The hint names the trusted key, and the key that is there is another one.", good.replace('"hint"', f'"rawBytes":"{other_der}","hint"'))
    details = '"keyDetails":"PKIX_ECDSA_P384_SHA_384",'
    case("details", "success", "keyDetails is that of P-384.", good.replace('"hint"', details + '"hint"'))
    case("details-p256", "malformed", "keyDetails is that of P-256.", good.replace('"hint"', details.replace("P384_SHA_384", "P256_SHA_256") + '"hint"'))
    case("details-of-composite", "refused", "keyDetails is that of P-384, and the key is a composite one.", bundle(plain, signature, own_hint).replace('"hint"', details + '"hint"'), signers=["sign"], trusted=False)
    case("hint-other-form", "refused", "A hint that is no hash.", good.replace(hint, "alice"))
    case("valid-for", "malformed", "The key has validFor.", good.replace('"hint"', '"validFor":{},"hint"'))
    case("space-before", "malformed", "A space before the JSON.", " " + good)
    case("two-line-feeds", "malformed", "Two line feeds behind the JSON.", good + "\n")
    case("no-line-feed", "success", "No line feed behind the JSON.", good.removesuffix("\n"), FILES)
    slashed = plain.replace('[".git"]', '["?~?"]')
    assert "/" in base64.b64encode(slashed.encode()).decode()
    mixed = bundle(slashed)
    url = mixed.split('"sig":"')[1].split('"')[0]
    case("two-alphabets", "malformed", "The payload is in base64, and the signature in base64url.", mixed.replace(url, url.replace("+", "-").replace("/", "_")))
    case("timestamps-more", "malformed", "Timestamps have a member that is not defined.", good.replace('"tlogEntries":[]', '"timestampVerificationData":{"x":0}'))
    case("timestamp-more", "malformed", "A timestamp has a member that is not defined.", good.replace('"tlogEntries":[]', '"timestampVerificationData":{"rfc3161Timestamps":[{"x":0}]}'))
    stamped = '"tlogEntries":[],"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"AA=="}]}'
    case("timestamps", "success", "Timestamps are not judged.", good.replace('"tlogEntries":[]', stamped), FILES)
    case("no-keyid", "success", "keyid is absent.", good.replace(',"keyid":""', ""), FILES)
    case("shard-size-exponent", "success", "The shard size is written as 20e-1, which is 2.", bundle(statement(sharded, by_shards.replace(":2,", ":20e-1,"))), FILES)
    case("depth-32", "success", "32 levels, with those of the bundle.", good.replace('"tlogEntries":[]', f'"tlogEntries":[{{"a":{"[" * 28}{"]" * 28}}}]'), FILES)
    case("depth-33", "malformed", "33 levels.", good.replace('"tlogEntries":[]', f'"tlogEntries":[{{"a":{"[" * 29}{"]" * 29}}}]'), FILES)
    case("hint-algorithm", "malformed", "The hint names another algorithm.", good.replace(hint, "mldsa65:" + hint), FILES)
    case("byte-order-mark", "malformed", "The bundle begins with a byte order mark.", "\ufeff" + good, FILES)
    case("surrogate", "malformed", "Half of a surrogate pair in a name that is not judged.", good.replace('"tlogEntries":[]', '"tlogEntries":[{"a":"\\ud800"}]'), FILES)
    case("member-twice-escaped", "malformed", "A member is there twice, once with an escape.", bundle(plain.replace('"name":"a"', '"name":"a","n\\u0061me":"a"')), FILES)
    case("white-space", "success", "White space in the JSON of the bundle.", good.replace(",", " ,\n "), FILES)

    # The directory
    case("missing", no, "A file is missing.", good, {"a": b"alpha"})
    case("changed", no, "A file was changed.", good, {**FILES, "a": b"alphA"})
    case("longer", no, "A file is longer.", good, {**FILES, "a": b"alpha\0"})
    case("additional", no, "There is a file that was not signed.", good, {**FILES, "setup.py": b"x"})
    case("empty-additional", no, "There is an empty file that was not signed.", good, {**FILES, "d/__init__.py": b""})
    case("git-below", no, "What belongs to git is left out at the root only.", good, {**FILES, "d/.gitignore": b"x"})
    case("shard-longer", no, "A file of shards is longer.", bundle(statement(sharded, by_shards)), {**FILES, "a": b"alphabet"})
    case("left-out-signed", m, "The caller leaves a signed file out.", good, FILES, ["d"])

    # The signature
    flipped = base64.b64encode(b"\x30" + ecdsa(p384, pae(plain.encode()))[1:-1] + b"\0").decode()
    case("flipped", u, "The last byte of the signature is another one.", bundle(plain, sig=flipped))
    case("of-other-payload", u, "The signature of another statement.", bundle(plain, ecdsa(p384, pae(ignoring.encode()))))
    case("of-payload", u, "The signature is over the payload, and not over what DSSE signs.", bundle(plain, ecdsa(p384, plain.encode())))
    case("composite-flipped", u, "A bit of the composite signature is changed.", bundle(plain, bytes([signature[0] ^ 1]) + signature[1:], own_hint), signers=["sign"], trusted=False)
    with_context = sign(key, b"example.com", pae(plain.encode()))
    case("composite-context", u, "The composite signature has a context.", bundle(plain, with_context, own_hint), signers=["sign"], trusted=False)
    case("half", u, "Only the ECDSA half of a composite signature.", bundle(plain, signature[4627:], own_hint), signers=["sign"], trusted=False)
    case("other-key", no, "The hint names a key that is not trusted.", bundle(plain, signature, own_hint), signers=["sign-other"])
    case("claimed-key", u, "The hint names the trusted key, but another one signed.", bundle(plain, ecdsa(signing_key("another"), pae(plain.encode()))))

    # The envelope
    for name, why, old, new in (
        ("media-type", "Version 0.2 of Sigstore's bundles.", "bundle.v0.3+json", "bundle.v0.2+json"),
        ("payload-type", "Another payload type.", "vnd.in-toto+json", "vnd.in-toto+xml"),
        ("keyid", "The signature has a keyid.", '"keyid":""', '"keyid":"1"'),
        ("unknown-member", "The bundle has a member that is not defined.", '"dsseEnvelope"', '"more":1,"dsseEnvelope"'),
        ("member-twice", "A member is there twice.", '"keyid":""', '"keyid":"","keyid":""'),
        ("no-signatures", "There is no signature.", "[{\"sig\"", "[],\"x\":[{\"sig\""),
        ("not-json", "A comma is missing.", ',"dsseEnvelope"', '"dsseEnvelope"'),
        ("no-key", "The bundle does not say which key signed.", f'"hint":"{hint}"', ""),
        ("certificate", "A certificate takes the place of the key.", '"publicKey":', '"certificate":'),
    ):
        assert good.count(old) == 1, (name, good.count(old))
        case(f"envelope-{name}", m, why, good.replace(old, new))
    case("envelope-two-signatures", m, "There are two signatures.", good.replace('{"sig"', '{"sig":"AA==","keyid":""},{"sig"'))
    case("envelope-trailing", m, "Something follows the JSON.", good + "{}\n")
    case("envelope-not-utf-8", m, "The bundle is not UTF-8.", good.encode().replace(b"keyid", b"keyi\xff"))
    case("envelope-padding", m, "The base64 of the payload has no padding.", good.replace('=","payloadType"', '","payloadType"') if '=","payloadType"' in good else bundle(plain + " ").replace('=","payloadType"', '","payloadType"'))
    case("envelope-log-entry", m, "An entry of the log is no object.", good.replace('"tlogEntries":[]', '"tlogEntries":[1]'))

    # The statement
    for name, why, old, new in (
        ("type", "Another type of statement.", "in-toto.io/Statement/v1", "in-toto.io/Statement/v0.1"),
        ("predicate", "Another predicate type.", "model_signing/signature/v1.0", "model_signing/signature/v1.1"),
        ("links", "The signer allowed symbolic links.", '"allow_symlinks":false', '"allow_symlinks":true'),
        ("hash", "The digests are BLAKE3.", '"hash_type":"sha256"', '"hash_type":"blake3"'),
        ("subject-hash", "The subject has another digest, too.", '{"sha256":"', '{"sha512":"00","sha256":"'),
        ("unknown-member", "The predicate has a member that is not defined.", '"serialization":', '"more":1,"serialization":'),
        ("member-twice", "A member is there twice.", '"name":"a"', '"name":"a","name":"a"'),
        ("shard-size", "There is a shard size, but no shards.", '"method":"files"', '"method":"files","shard_size":10'),
        ("method", "Another method.", '"method":"files"', '"method":"trees"'),
        ("ignores-resource", "An ignored path covers a resource.", '[".git"]', '["d"]'),
        ("ignores-outside", "An ignored path leaves the model.", '[".git"]', '["../x"]'),
        ("ignores-all", "An ignored path is the model.", '[".git"]', '["."]'),
        ("resource-twice", "A resource is listed twice.", '"name":"d/b"', '"name":"a"'),
        ("resource-algorithm", "A resource has another algorithm.", f'{sha256(b"alpha")}","algorithm":"sha256"', f'{sha256(b"alpha")}","algorithm":"sha512"'),
    ):
        assert plain.count(old) == 1, (name, plain.count(old))
        case(f"statement-{name}", m, why, bundle(plain.replace(old, new)))
    for name, path in (("absolute", "/a"), ("parent", "../a"), ("parent-inside", "d/../a"), ("dot", "./a"), ("empty", ""), ("two-slashes", "d//a"), ("nul", "a\\u0000"), ("slash-at-end", "a/")):
        case(f"name-{name}", m, f"A resource is named {path or 'by an empty string'}.", bundle(statement([resource(path, b"alpha"), resources[1]])))
    case("statement-root", m, "The root digest is another one.", bundle(statement(resources, root="00" * 32)))
    case("statement-root-order", m, "The root digest is that of another order.", bundle(statement(resources, root=root_of(resources[::-1]))))
    case("statement-empty", m, "There are no resources.", bundle(statement([])))
    case("statement-two-subjects", m, "There are two subjects.", bundle(plain.replace('"subject":[', '"subject":[{"name":"x","digest":{"sha256":"' + "00" * 32 + '"}},')))

    def of_shards(name, why, listed, size="2"):
        case(f"shards-{name}", m, why, bundle(statement(listed, by_shards.replace(":2,", f":{size},"))))

    of_shards("gap", "A shard is missing.", [sharded[0], *sharded[2:]])
    of_shards("first-missing", "The first shard is missing.", sharded[1:])
    of_shards("twice", "A shard is listed twice.", [*sharded, sharded[0]])
    of_shards("overlap", "Shards overlap.", [resource("a:0:2", b"al"), resource("a:1:3", b"lp")])
    of_shards("short", "A shard before the last is too short.", [resource("a:0:1", b"a"), resource("a:1:3", b"lp")])
    of_shards("long", "A shard is longer than the shard size.", [resource("a:0:3", b"alp")])
    of_shards("empty", "A shard is empty.", [resource("a:0:0", b"")])
    of_shards("no-range", "The name of a shard has no range.", [resource("a", b"al")])
    of_shards("leading-zero", "A range has a leading zero.", [resource("a:00:2", b"al")])
    for size in ("0", "-2", "2.5", "9007199254740993", "true", '"2"', "1e400"):
        of_shards(f"size-{size.strip(chr(34)) if size[0] != chr(34) else 'string'}", f"The shard size is {size}.", sharded, size)
