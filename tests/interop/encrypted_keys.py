"""SPEC.md's "Encrypted private keys", written only from SPEC.md: scrypt is hashlib's, AES is OpenSSL's."""

import hashlib

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from checks import check, flipped, refuses
from formats import PKCS8_START, from_pem, kem_pkcs8, u16
from refusals import Malformed, Unauthentic
from vectors import pem_text, vectors

LOCAL_KEY_ID = bytes.fromhex("a021301f06092a864886f70d01091531120410")
OID_PBES2 = bytes.fromhex("06092a864886f70d01050d")
OID_SCRYPT = bytes.fromhex("06092b06010401da47040b")
OID_AES_256_CBC = bytes.fromhex("060960864801650304012a")


def tlv(tag, *content):
    content = b"".join(content)
    length = len(content)
    size = (length.bit_length() + 7) // 8
    return bytes([tag]) + (bytes([length]) if length < 128 else bytes([128 + size]) + length.to_bytes(size, "big")) + content


def integer(number):
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def take(data, tag):
    """The content of the value at the start, and the rest."""
    if len(data) < 2 or data[0] != tag:
        raise Malformed("DER")
    start, length = 2, data[1]
    if length >= 128:
        start += length - 128
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise Malformed("DER")
    return data[start : start + length], data[start + length :]


def prefixed(data, prefix):
    if not data.startswith(prefix):
        raise Malformed("another algorithm")
    return data[len(prefix) :]


def derive(passphrase, salt, n, r, p):
    return hashlib.scrypt(passphrase, salt=salt, n=n, r=r, p=p, maxmem=512 << 20, dklen=32)


def aes(key, iv):
    return Cipher(algorithms.AES(key), modes.CBC(iv))


def encrypt(content, passphrase, salt, iv, n, r, p):
    pad = padding.PKCS7(128).padder()
    padded = pad.update(content) + pad.finalize()
    encryptor = aes(derive(passphrase, salt, n, r, p), iv).encryptor()
    return encode(salt, iv, n, r, p, encryptor.update(padded) + encryptor.finalize())


def encode(salt, iv, n, r, p, ciphertext):
    kdf = tlv(0x30, OID_SCRYPT, tlv(0x30, tlv(4, salt), integer(n), integer(r), integer(p)))
    cipher = tlv(0x30, OID_AES_256_CBC, tlv(4, iv))
    scheme = tlv(0x30, OID_PBES2, tlv(0x30, kdf, cipher))
    return tlv(0x30, scheme, tlv(4, ciphertext))


def numbers(der):
    """Salt, IV, N, r, p and the ciphertext, out of the one encoding that there is."""
    body, _ = take(der, 0x30)
    scheme, rest = take(body, 0x30)
    ciphertext, _ = take(rest, 4)
    parameters, _ = take(prefixed(scheme, OID_PBES2), 0x30)
    kdf, rest = take(parameters, 0x30)
    cipher, _ = take(rest, 0x30)
    iv, _ = take(prefixed(cipher, OID_AES_256_CBC), 4)
    kdf, _ = take(prefixed(kdf, OID_SCRYPT), 0x30)
    salt, kdf = take(kdf, 4)
    costs = []
    while kdf:
        number, kdf = take(kdf, 2)
        costs.append(int.from_bytes(number, "big"))
    if len(costs) != 3:
        raise Malformed("scrypt's parameters")
    found = (salt, iv, *costs, ciphertext)
    if len(salt) != 16 or len(iv) != 16 or encode(*found) != der:
        raise Malformed("encoding")
    return found


def check_bounds(n, r, p, ciphertext):
    if not 1 <= r <= 32 or not 1 <= p <= 16 or n < 2 or n & (n - 1) or n.bit_length() > 16 * r:
        raise Malformed("N, r or p")
    if 128 * n * r > 2**28 or n * r * p > 2**21:
        raise Malformed("too much memory or time")
    if not ciphertext or len(ciphertext) % 16:
        raise Malformed("blocks")


def decrypt_info(der, passphrase):
    salt, iv, n, r, p, ciphertext = numbers(der)
    check_bounds(n, r, p, ciphertext)
    if not passphrase:
        raise Malformed("an empty passphrase")
    return unpad(aes(derive(passphrase, salt, n, r, p), iv), ciphertext)


def unpad(cipher, ciphertext):
    decryptor, pad = cipher.decryptor(), padding.PKCS7(128).unpadder()
    padded = decryptor.update(ciphertext) + decryptor.finalize()
    try:
        return pad.update(padded) + pad.finalize()
    except ValueError:
        raise Unauthentic("padding") from None


def decrypt(der, passphrase):
    content = decrypt_info(der, passphrase)
    salt, iv, n, r, p, _ = numbers(der)
    if encrypt(content, passphrase, salt, iv, n, r, p) != der:
        raise Malformed("encoding")
    return content


def pkcs8_content(pkcs8, key_id):
    elements, _ = take(pkcs8, 0x30)
    return tlv(0x30, elements, LOCAL_KEY_ID, key_id)


def seed_content(key):
    return u16(key.suite.id) + key.seed + key.key_id


def check_encrypted_keys(key1, key51, signer):
    v, sign_id = vectors("encrypted-keys"), vectors("sign-0001")["key_id"]
    costs = [int.from_bytes(v[name], "big") for name in ("N", "r", "p")]
    check("encrypted-keys: scrypt", derive(v["passphrase"], v["salt"], *costs) == v["key"])
    contents = {
        "kem_0001": seed_content(key1),
        "kem_0051": pkcs8_content(kem_pkcs8(key51), key51.key_id),
        "sign_0001": pkcs8_content(PKCS8_START + signer.bytes, sign_id),
    }
    for name, content in contents.items():
        der = v[f"{name}_encrypted"]
        check(f"encrypted-keys: {name}, content", content == v[f"{name}_content"])
        check(f"encrypted-keys: {name}", encrypt(content, v["passphrase"], v["salt"], v["iv"], *costs) == der)
        check(f"encrypted-keys: {name}, decrypted", decrypt(der, v["passphrase"]) == content)
        wrong = flipped(v["passphrase"], 0)
        check(f"encrypted-keys: {name}, another passphrase", refuses(decrypt, der, wrong) or decrypt(der, wrong) != content)
    text = pem_text("kem-0001-encrypted")
    check("encrypted-keys: own label", from_pem("TWINSEAL ENCRYPTED KEM PRIVATE KEY", text) == v["kem_0001_encrypted"])
    text = pem_text("sign-0001-encrypted")
    check("encrypted-keys: standard label", from_pem("ENCRYPTED PRIVATE KEY", text) == v["sign_0001_encrypted"])
