"""Which modules are sampled together, and which tests say most about them.

A group is named by where its sources are. The first group that fits a file has it. Its filters are what runs when the
tests that reach a mutant have all passed: whole modules of tests/it.
"""

GROUPS = {
    "key schedule": (
        ["kdf", "session/key_schedule", "session/start", "session/direction", "session/session_id", "request/secrets"]
        + ["envelope/body_key", "envelope/content_key", "stream/chunk_key", "numbered_key", "kem/combiner"],
        ["spec", "session", "request", "headers", "tamper"],
    ),
    "check": (["check", "policy", "context"], ["input", "providers", "tamper", "keyring", "headers"]),
    "wire": (["wire", "constants", "key_id", "addressee", "half", "plaintext"], ["input", "tamper", "headers", "spec"]),
    "kem": (["kem", "split", "unlock"], ["providers", "split", "external_keys", "hpke_pq", "keyring", "key_events"]),
    "sign": (["sign", "parties"], ["sign", "lamps", "split", "falcon", "providers", "external_keys", "key_events"]),
    "envelope": (["envelope"], ["headers", "rewrap", "tamper", "input", "awaited", "split"]),
    "request": (["request"], ["request", "tamper", "input", "tokio", "awaited"]),
    "session": (["session"], ["session", "tamper", "input", "tokio", "awaited"]),
    "stream": (["stream"], ["stream", "rewrap", "tokio", "async_io", "headers"]),
    "key files": (
        ["key_files", "passphrase", "x509", "ec_private_key"],
        ["key_files", "import", "passphrase", "x509", "ring_files", "pkix", "input", "redaction"],
    ),
    "store": (["store"], ["store", "spec"]),
    "model": (["model"], ["model"]),
    "others": (
        ["error", "keyring", "provider", "random", "retry", "secret", "serde", "tokio", "tracing", "unwind", "lib"],
        ["keyring", "ring_files", "providers", "wycheproof", "tokio", "async_io", "generators", "redaction", "key_events"],
    ),
}

# They look at sources or run other programs: the copy's sources are not what they expect, and no mutant is theirs to catch.
# The search of a process's whole memory takes minutes where the tests are not optimised.
SKIPPED = ["bench_options", "documents", "layers", "misuse", "public_dependencies", "split::memory"]

# What no build with all features has.
NOT_HERE = ["src/tracing/off.rs"]


def group_of(path):
    """The group of `src/…`, or None for what is not measured."""
    if path in NOT_HERE:
        return None
    module = path.removeprefix("src/").removesuffix(".rs")
    for group, (prefixes, _) in GROUPS.items():
        if any(module == prefix or module.startswith(prefix + "/") for prefix in prefixes):
            return group
    return None
