"""Strict DER: a value of each tag in turn, and nothing in another encoding."""

from refusals import Malformed


class Reader:
    def __init__(self, data):
        self.rest = data

    def peek(self):
        return self.rest[0] if self.rest else None

    def value(self):
        """The whole next value: its tag, its content and all of its bytes."""
        data = self.rest
        if len(data) < 2 or data[0] & 31 == 31:
            raise Malformed("DER: no value")
        start, length = 2, data[1]
        if length >= 128:
            size = length - 128
            start += size
            length = int.from_bytes(data[2:start], "big")
            if size == 0 or len(data) < start or length < 128 or length.bit_length() <= 8 * (size - 1):
                raise Malformed("DER: length")
        end = start + length
        if len(data) < end:
            raise Malformed("DER: it ends early")
        self.rest = data[end:]
        return data[0], data[start:end], data[:end]

    def take(self, tag):
        found, content, _ = self.value()
        if found != tag:
            raise Malformed(f"DER: tag {found:#x} and not {tag:#x}")
        return content

    def optional(self, tag):
        return self.take(tag) if self.peek() == tag else None

    def inside(self, tag):
        return Reader(self.take(tag))

    def integer(self):
        """One that is not negative."""
        content = self.take(2)
        if not content or content[0] >= 128 or (len(content) > 1 and content[0] == 0 and content[1] < 128):
            raise Malformed("DER: INTEGER")
        return int.from_bytes(content, "big")

    def bits(self, tag=3):
        """A BIT STRING of whole bytes."""
        content = self.take(tag)
        if content[:1] != b"\0":
            raise Malformed("DER: BIT STRING")
        return content[1:]

    def end(self):
        if self.rest:
            raise Malformed("DER: trailing bytes")


def whole(data, tag=0x30):
    outer = Reader(data)
    inner = outer.inside(tag)
    outer.end()
    return inner
