"""Writes many mutants into one source file, each behind a switch that the environment sets at run time.

The list of mutants is cargo-mutants' own. It gives the span of what is replaced: an operator, a guard, an arm, or the
statements of a function. Where the operands of an operator begin and end is read from the syntax tree.
"""

import re

import tree_sitter
import tree_sitter_rust

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))

# The module that every switch asks. The tests' threads have the names of their tests, so that a run with `MUTANTS_REACHED`
# tells which test reaches which mutant.
SWITCH = """\
//! Which mutant is on.

use std::{cell::RefCell, collections::BTreeSet, env, fs, io::Write, sync::LazyLock, thread};

static ON: LazyLock<u32> =
    LazyLock::new(|| env::var("MUTANT").ok().and_then(|id| id.parse().ok()).unwrap_or(u32::MAX));
static REACHED: LazyLock<Option<fs::File>> = LazyLock::new(|| {
    let path = env::var_os("MUTANTS_REACHED")?;
    fs::File::options().append(true).create(true).open(path).ok()
});

thread_local! {
    static SEEN: RefCell<BTreeSet<u32>> = const { RefCell::new(BTreeSet::new()) };
}

pub(crate) fn on(id: u32) -> bool {
    if let Some(mut file) = REACHED.as_ref() {
        let seen = SEEN.try_with(|seen| seen.try_borrow_mut().map_or(true, |mut seen| !seen.insert(id)));
        if seen != Ok(true) {
            let thread = thread::current();
            let line = format!("{id} {}\\n", thread.name().unwrap_or("-"));
            let _ = file.write_all(line.as_bytes());
        }
    }
    *ON == id
}
"""

CONDITION = "crate::mutants_switch::on({})"
CONSTANT = {"const_item", "static_item", "const_block", "array_type", "enum_variant", "type_arguments"}
# Not compiled on the system that runs the tests, or not with all features.
ELSEWHERE = re.compile(r"not\(unix\)|not\(feature|not\(any|windows|\(doc\)|^(?!.*x86_64).*aarch64", re.DOTALL)


def offsets(source: bytes):
    """A function from lines and columns, both from 1 on and columns in characters, to offsets in bytes."""
    lines = source.split(b"\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)

    def offset(place):
        line = lines[place["line"] - 1].decode()
        return starts[place["line"] - 1] + len(line[: place["column"] - 1].encode())

    return offset


def is_const(function):
    return any(c.type == "function_modifiers" and b"const" in c.text.split() for c in function.children)


def ancestors(node):
    while node := node.parent:
        yield node


def obstacle(node):
    """Why no switch can stand at this place, or None."""
    for at in ancestors(node):
        attribute = at.prev_named_sibling
        while attribute is not None and attribute.type in ("attribute_item", "line_comment"):
            if attribute.type == "attribute_item" and ELSEWHERE.search(attribute.text.decode()):
                return "not compiled here"
            attribute = attribute.prev_named_sibling
    for at in ancestors(node):
        if at.type in CONSTANT or (at.type == "function_item" and is_const(at)):
            return "evaluated at compile time"
        if at.type in ("closure_expression", "function_item"):
            break
        if at.type == "array_expression" and (length := at.child_by_field_name("length")) is not None:
            if length.start_byte <= node.start_byte < length.end_byte:
                return "evaluated at compile time"
    return None


class File:
    """A source file, and the edits that put mutants into it."""

    def __init__(self, source: bytes):
        self.source = source
        self.offset = offsets(source)
        self.root = PARSER.parse(source).root_node

    def edit(self, mutant):
        """The place and kind of a mutant's edit, and its text. A string says why there is none."""
        start = self.offset(mutant["span"]["start"])
        end = self.offset(mutant["span"]["end"])
        node = self.root.descendant_for_byte_range(start, max(start + 1, end))
        if why := obstacle(node):
            return why
        replacement = mutant["replacement"]
        match mutant["genre"]:
            case "FnValue":
                returns = mutant["function"]["return_type"]
                if re.search(r"\bimpl\b", returns):
                    return "returns an opaque type"
                return start, start, "return", replacement
            case "BinaryOperator" | "UnaryOperator":
                operation = node.parent
                left, right = operation.child_by_field_name("left"), operation.child_by_field_name("right")
                if operation.type in ("binary_expression", "compound_assignment_expr"):
                    if self.condition(operation):
                        return "a chain of `let`"
                    before, after = self.text(left.start_byte, start), self.text(end, right.end_byte)
                    return left.start_byte, right.end_byte, "choose", f"{before}{replacement}{after}"
                if operation.type == "unary_expression":
                    text = self.text(end, operation.end_byte)
                    return operation.start_byte, operation.end_byte, "choose", text
                return "a chain of `let`" if operation.type == "let_chain" else f"in a {operation.type}"
            case "MatchArmGuard":
                return start, end, "choose", replacement
            case "MatchArm":
                arm = self.root.descendant_for_byte_range(start, end)
                while arm is not None and arm.type != "match_arm":
                    arm = arm.parent
                if arm is None:
                    return "no arm in the syntax tree"
                pattern = arm.child_by_field_name("pattern")
                return pattern.end_byte, pattern.end_byte, "guard", ""
        return "a field of a literal with a base"

    def text(self, start, end):
        return self.source[start:end].decode()

    def condition(self, node):
        """Whether a `let` of a condition is among the operands."""
        pending = [node]
        while pending:
            at = pending.pop()
            if at.type in ("let_condition", "let_chain"):
                return True
            if at.type not in ("block", "closure_expression"):
                pending.extend(at.children)
        return False

    def render(self, edits):
        """The file with the edits, a dictionary from a mutant's number to what `edit` returned for it."""
        places = {}
        for number, (start, end, kind, text) in sorted(edits.items()):
            places.setdefault((start, end, kind), []).append((number, text))
        ordered = sorted(places.items(), key=lambda place: (place[0][0], place[0][0] != place[0][1], -place[0][1]))
        text, rest = self.render_range(0, len(self.source), ordered)
        assert not rest, rest
        return text

    def render_range(self, start, end, ordered):
        out = []
        at = start
        while ordered and ordered[0][0][0] <= end and ordered[0][0][1] <= end:
            (first, last, kind), mutants = ordered[0]
            out.append(self.text(at, first))
            inner, ordered = "", ordered[1:]
            if last > first:
                inner, ordered = self.render_range(first, last, ordered)
            at = last
            out.append(WRAP[kind](mutants, inner))
        out.append(self.text(at, end))
        return "".join(out), ordered


# What a mutant alone adds stands between `/*<N*/` and `/*N>*/`: an error of the compiler there is the mutant's own. What is
# written because of it stands between `/*[N*/` and `/*N]*/`.
def choose(mutants, inner):
    opened = "".join(f"/*[{number}*/" for number, _ in mutants)
    closed = "".join(f"/*{number}]*/" for number, _ in reversed(mutants))
    cases = (f"if {CONDITION.format(number)} {{/*<{number}*/ {text} /*{number}>*/}} else " for number, text in mutants)
    return f"{opened}({''.join(cases)}{{ {inner} }}){closed}"


def early_return(mutants, _):
    return "".join(
        f"/*[{number}*/if {CONDITION.format(number)} {{ return /*<{number}*/ {text} /*{number}>*/; }}/*{number}]*/ "
        for number, text in mutants
    )


def guard(mutants, _):
    (number, _), = mutants
    return f"/*[{number}*/ if !{CONDITION.format(number)} /*{number}]*/"


WRAP = {"choose": choose, "return": early_return, "guard": guard}


def owners(text: bytes, start: int, end: int):
    """The mutants to which an error between two offsets belongs, and whether it is their own."""
    for opening, closing, own in ((rb"/\*<(\d+)\*/", b"/*%d>*/", True), (rb"/\*\[(\d+)\*/", b"/*%d]*/", False)):
        found = []
        for mark in re.finditer(opening, text):
            number = int(mark[1])
            last = text.index(closing % number, mark.end())
            if mark.start() <= start and end <= last + len(closing % number):
                found.append((last - mark.start(), number))
        if found:
            return {min(found)[1]}, own
    return set(), False
