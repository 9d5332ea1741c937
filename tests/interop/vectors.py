"""VECTORS.md's blocks (its "Reading the vectors")."""

import pathlib

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "VECTORS.md"


def read_blocks(text):
    """All fenced blocks, as (kind, name) -> lines."""
    blocks, current = {}, None
    for line in text.splitlines():
        if current is not None:
            if line == "```":
                current = None
            else:
                current.append(line)
        elif line.startswith("```") and " " in line:
            kind, name = line[3:].split(" ", 1)
            current = blocks.setdefault((kind, name), [])
    return blocks


def read_vectors(lines):
    values, name = {}, None
    for line in lines:
        if line.startswith("#"):
            continue
        if line.startswith(" "):
            values[name] += bytes.fromhex(line)
        else:
            name, value = line.split(" =", 1)
            values[name] = bytes.fromhex(value)
    return values


BLOCKS = read_blocks(VECTORS.read_text())


def vectors(name):
    return read_vectors(BLOCKS["vectors", name])


def pem_text(name):
    return "\n".join(BLOCKS["pem", name]) + "\n"
