"""What the checks are made of: each prints one line."""

from cryptography.exceptions import InvalidSignature, InvalidTag

FAILED = []


def check(what, passed):
    print(f"{'ok  ' if passed else 'FAIL'} {what}")
    if not passed:
        FAILED.append(what)


def refuses(function, *arguments):
    try:
        function(*arguments)
    except (ValueError, InvalidTag, InvalidSignature):
        return True
    return False


def flipped(data, index):
    return data[:index] + bytes([data[index] ^ 1]) + data[index + 1 :]


def pattern(length):
    return bytes(i % 251 for i in range(length))
