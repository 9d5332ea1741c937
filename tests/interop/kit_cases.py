"""Reads and writes the cases of tests/testkit, whose README.md describes them."""

import base64
import functools
import pathlib

KIT = pathlib.Path(__file__).resolve().parents[1] / "testkit"


class Shared:
    """Bytes that several cases have in common: a file of the kit."""

    def __init__(self, path, content):
        self.path, self.content = path, content

    def text(self):
        return "".join(line + "\n" for line in base64_lines(self.content))


def base64_lines(content):
    encoded = base64.b64encode(content).decode()
    return [encoded[i : i + 100] for i in range(0, len(encoded), 100)]


def joined(name, *parts):
    """Fields for the concatenation of bytes and shared files."""
    return [(f"{name}-file", part.path) if isinstance(part, Shared) else (name, part) for part in parts]


class Case:
    """`fields` are (name, value) in order: str for text, bytes for what is written in base64."""

    def __init__(self, path, fields):
        self.path, self.fields = path, fields

    def all(self, name):
        return [value for field, value in self.fields if field == name]

    def get(self, name, default=None):
        found = self.all(name)
        if len(found) > 1:
            raise KeyError(f"{self.path}: {name} is there {len(found)} times")
        return found[0] if found else default

    def bytes(self, name, default=None):
        value = self.get(name)
        return default if value is None else as_bytes(value)

    def text(self):
        lines = []
        for name, value in self.fields:
            if isinstance(value, bytes):
                lines.append(f"{name}::")
                lines += [" " + line for line in base64_lines(value)]
            elif "\n" in value:
                if not value.endswith("\n") or "\r" in value:
                    raise ValueError(f"{self.path}: {name} is not whole lines")
                lines += [f"{name}:", *(" " + line for line in value.removesuffix("\n").split("\n"))]
            else:
                lines.append(f"{name}: {value}" if value else f"{name}:")
        return "\n".join(lines) + "\n"


@functools.cache
def shared(path):
    return base64.b64decode((KIT / path).read_text(), validate=False)


def as_bytes(value):
    return value if isinstance(value, bytes) else value.encode()


def parse(path, text):
    fields = []
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith(" "):
            fields[-1][2].append(line[1:])
            continue
        name, _, value = line.partition(":")
        is_base64 = value.startswith(":")
        fields.append((name, is_base64, [], value.removeprefix(" ")))
    found, was_file = [], False
    for name, is_base64, lines, value in fields:
        if is_base64:
            value = base64.b64decode("".join(lines), validate=True)
        elif lines:
            value = "\n".join(lines) + "\n"
        is_file = name.endswith("-file")
        if is_file:
            name, value = name.removesuffix("-file"), shared(value)
        if (is_file or was_file) and found and found[-1][0] == name:
            found[-1] = name, as_bytes(found[-1][1]) + as_bytes(value)
        else:
            found.append((name, value))
        was_file = is_file
    return Case(path, found)


def read_cases(root=KIT):
    """All cases of the kit, by path."""
    for directory in ("cases", "written"):
        for path in sorted((root / directory).rglob("*.txt")):
            yield parse(path.relative_to(root).as_posix(), path.read_bytes().decode())
