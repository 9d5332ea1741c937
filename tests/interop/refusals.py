"""The classes of refusals in SPEC.md, "Errors", as tests/testkit/README.md names them."""

from cryptography.exceptions import InvalidSignature, InvalidTag


class Refusal(ValueError):
    """One of the classes below."""


class Malformed(Refusal):
    """Public data breaks a rule of its format."""


class Unauthentic(Refusal):
    """What SPEC.md has only one error for, after a secret or a signature was used."""


class NotForUs(Refusal):
    """It is addressed to another key."""


class Refused(Refusal):
    """It is not what the reader asked for: its signer, serial, name, time, order of calls."""


def class_of(function, *arguments, **named):
    """"success" and the result, or the class of the refusal and its error."""
    try:
        return "success", function(*arguments, **named)
    except (Unauthentic, InvalidTag, InvalidSignature) as error:
        return "unauthentic", error
    except Malformed as error:
        return "malformed", error
    except NotForUs as error:
        return "not-for-us", error
    except Refused as error:
        return "refused", error
