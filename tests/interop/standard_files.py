#!/usr/bin/env python3
"""Reads the standard files that the tool wrote, with PyPI's `cryptography` and with `openssl`.

    standard_files.py DIRECTORY

Neither knows the two composite algorithms. So `cryptography` parses the structures and decrypts, `openssl` prints
them, and what is in them is compared and verified with the keys of formats.py. tests/cli/other_software.rs has the
tool write them. It prints one line for each check, and exits with 1 if one fails.
"""

import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, load_pem_public_key

from checks import FAILED, check, refuses
from formats import SPKI_START, SigningKey, from_pem, verify

SIGNATURE, KEM = "1.3.6.1.5.5.7.6.49", "1.3.6.1.5.5.7.6.63"


def is_unknown(function, *arguments):
    """Whether a structure was parsed, and then its algorithm was unknown."""
    try:
        function(*arguments)
    except UnsupportedAlgorithm:
        return True
    except ValueError:
        pass
    return False


def check_keys(files):
    for name in ("sign", "kem"):
        private, public = files[f"{name}.pem"], files[f"{name}-public.pem"]
        check(f"{name}: cryptography parses the PKCS#8", is_unknown(load_pem_private_key, private, None))
        check(f"{name}: cryptography parses the SPKI", is_unknown(load_pem_public_key, public))


def check_encrypted(files):
    passphrase = files["passphrase"]
    for name in ("sign", "kem"):
        encrypted = files[f"{name}-encrypted.pem"]
        check(f"{name}: cryptography decrypts the key", is_unknown(load_pem_private_key, encrypted, passphrase))
        wrong = passphrase + b"x"
        check(f"{name}: and not with another passphrase", not is_unknown(load_pem_private_key, encrypted, wrong))


def composite_key(files):
    private = from_pem("PRIVATE KEY", files["sign.pem"].decode())
    return SigningKey(private[-96:]).verifying_key


def check_signed(files, name, load, tbs):
    """A certificate or request of the signing key, signed with it."""
    parsed = load(files[name])
    check(f"{name}: subject", parsed.subject.rfc4514_string() == "CN=signer.example.com")
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    check(f"{name}: name", names.get_values_for_type(x509.DNSName) == ["signer.example.com"])
    usage = parsed.extensions.get_extension_for_class(x509.KeyUsage)
    check(f"{name}: key usage", usage.critical and usage.value.digital_signature and not usage.value.key_cert_sign)
    check(f"{name}: algorithm", parsed.signature_algorithm_oid.dotted_string == SIGNATURE)
    der = parsed.public_bytes(Encoding.DER)
    check(f"{name}: the same bytes when it is written again", der == from_pem(PEM_LABELS[name], files[name].decode()))
    key = composite_key(files)
    signed = tbs(parsed)
    check(f"{name}: public key", SPKI_START + key in signed)
    check(f"{name}: both halves of the signature verify", not refuses(verify, key, b"", signed, parsed.signature))
    check(f"{name}: and not over anything else", refuses(verify, key, b"", signed + b"x", parsed.signature))


PEM_LABELS = {"certificate.pem": "CERTIFICATE", "request.pem": "CERTIFICATE REQUEST"}


def check_openssl(files, directory):
    program = shutil.which("openssl")
    if program is None:
        print("--   openssl: not installed")
        return

    def run(*arguments):
        return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)

    keys = [f"{key}{kind}.pem" for key in ("sign", "kem") for kind in ("", "-public", "-encrypted")]
    for name in keys + list(PEM_LABELS):
        result = run("asn1parse", "-in", str(directory / name))
        algorithm = KEM if name.startswith("kem") else SIGNATURE
        algorithm = ":PBES2" if "encrypted" in name else algorithm
        check(f"{name}: openssl asn1parse", result.returncode == 0 and algorithm in result.stdout)
    for command, name in (("x509", "certificate.pem"), ("req", "request.pem")):
        result = run(command, "-noout", "-text", "-in", str(directory / name))
        check(f"{name}: openssl {command}", "DNS:signer.example.com" in result.stdout)


def main(directory):
    directory = pathlib.Path(directory)
    files = {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}
    check_keys(files)
    check_encrypted(files)
    check_signed(files, "certificate.pem", x509.load_pem_x509_certificate, lambda c: c.tbs_certificate_bytes)
    check_signed(files, "request.pem", x509.load_pem_x509_csr, lambda r: r.tbs_certrequest_bytes)
    check_openssl(files, directory)
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
