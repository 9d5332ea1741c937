#!/usr/bin/env python3
"""Would the tests notice a broken line? Mutants of src/, all in one build, each tested alone.

CONTRIBUTING.md ("Mutants") says what it needs, how to run it, and the score. In short:

    target/mutants/venv/bin/python tests/mutants/run.py --results FILE

cargo-mutants lists the mutants. This takes a seeded sample of each group of modules, copies the tree, writes the sample
into the copy with a switch for each mutant, and builds once. A run without a mutant records how long each test takes and
which mutants it reaches. Then each mutant is on for a run of the tests that reach it, the quickest first; if those of the
first seconds pass, the others follow, and then the modules of tests that groups.py names for the group.
Results are lines of JSON. A later run with the same FILE goes on after the last.
"""

import argparse
import collections
import datetime
import functools
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True

import schemata
from groups import GROUPS, SKIPPED, group_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = {"lib": ["--lib"], "it": ["--test", "it"], "wiping": ["--test", "wiping"]}
ALLOWED = "#![allow(warnings, missing_docs, unsafe_code, arithmetic_overflow, unconditional_panic)]\n"
WRAPPER = """\
#!/bin/sh
case " $* " in
*" --crate-name it "*) exec "$@" -C opt-level=0 ;;
*) exec "$@" ;;
esac
"""
# A mutant may loop or allocate without end. Deadlines count its own time: the machine may be busy, or asleep.
MEMORY = 6 << 30
DISK = 4 << 30
IDLE = 30
EVERY = 5
# A wrong line mostly fails the first tests that reach it.
FEW = 8
WALL = 900


def log(*words):
    print(datetime.datetime.now().strftime("%H:%M:%S"), *words, flush=True)


def digest(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def listed(seed, path):
    """All mutants of src/ without the tool, in the order in which the seed draws them."""
    command = ["cargo", "mutants", "--config", "tests/mutants/mutants.toml", "--package", "twinseal", "--list", "--json"]
    text = path.read_text() if path else subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    mutants = []
    seen = collections.Counter()
    for mutant in json.loads(text):
        if (group := group_of(mutant["file"])) is None:
            continue
        # Without line and column: a change elsewhere in the file changes neither the sample nor the list of equivalents.
        key = f"{mutant['file']}: {mutant['name'].split(': ', 1)[1]}"
        seen[key] += 1
        mutant["key"] = key if seen[key] == 1 else f"{key} ({seen[key]})"
        mutant["group"] = group
        mutant.pop("diff", None)
        mutants.append(mutant)
    return sorted(mutants, key=lambda mutant: digest(seed, mutant["key"]))


def without_tool(manifest):
    """The manifest without the tool: cargo would build it for the integration tests, of which only `cli` runs it."""
    text = re.sub(r"\[\[bin\]\]\n(?:.+\n)+", "", manifest.decode())
    return text.replace("autobenches = false", "autobenches = false\nautobins = false").encode()


@functools.cache
def library():
    paths = (ROOT / "src").rglob("*.rs")
    return {str(path.relative_to(ROOT)) for path in paths if ROOT / "src/bin" not in path.parents}


class Tree:
    """A copy of the working tree with mutants in it."""

    def __init__(self, work):
        self.path = work / "tree"
        self.target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", work / "target"))
        self.files = {}

    def copy(self):
        """What git knows or does not ignore, without the library. Unchanged files keep their times."""
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, stdout=subprocess.PIPE
        ).stdout
        for name in filter(None, names.decode().split("\0")):
            if (ROOT / name).is_file() and name not in library():
                content = (ROOT / name).read_bytes()
                self.write(name, without_tool(content) if name == "Cargo.toml" else content)

    def write(self, name, content):
        to = self.path / name
        if not to.is_file() or to.read_bytes() != content:
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(content)

    def mutate(self, mutants):
        """Writes the library with the mutants, by number, into the copy."""
        by_file = collections.defaultdict(dict)
        for number, mutant in mutants.items():
            by_file[mutant["file"]][number] = mutant
        for name in library():
            text = (ROOT / name).read_bytes()
            if by_file[name]:
                source = schemata.File(text)
                text = source.render({number: source.edit(mutant) for number, mutant in by_file[name].items()}).encode()
            if name == "src/lib.rs":
                text = ALLOWED.encode() + text + b"\nmod mutants_switch;\n"
            self.files[name] = text
            self.write(name, text)
        self.write("src/mutants_switch.rs", schemata.SWITCH.encode())

    def cargo(self, *arguments):
        """Runs cargo, and returns its messages and whether it succeeded."""
        command = ["cargo", *arguments, "--all-features", "--message-format", "json", "--jobs", "1"]
        # Nobody debugs the copy.
        command += ["--config", "profile.dev.package.twinseal.debug=false"]
        environment = os.environ | {"CARGO_TARGET_DIR": str(self.target), "CARGO_INCREMENTAL": "0"}
        # What takes longest is to optimise tests/it, which spends its time in the library.
        wrapper = self.path.parent / "rustc"
        wrapper.write_text(WRAPPER)
        wrapper.chmod(0o755)
        environment["RUSTC_WORKSPACE_WRAPPER"] = str(wrapper)
        run = subprocess.run(command, cwd=self.path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return [json.loads(line) for line in run.stdout.splitlines() if line.startswith(b"{")], run.returncode == 0, run.stderr

    def culprits(self, messages):
        """The mutants that errors belong to: those that do not compile, and those that only the switch breaks."""
        unviable, inexpressible = set(), set()
        for message in messages:
            if message.get("reason") != "compiler-message" or message["message"]["level"] != "error":
                continue
            spans = sorted(message["message"]["spans"], key=lambda span: not span["is_primary"])
            for span in [*spans, *(outer for span in spans for outer in expansions(span))]:
                text = self.files.get(span["file_name"])
                found, own = schemata.owners(text, span["byte_start"], span["byte_end"]) if text else (set(), False)
                if found:
                    (unviable if own else inexpressible).update(found)
                    break
            else:
                if spans:
                    sys.exit(f"no mutant at an error:\n{message['message']['rendered']}")
        return unviable, inexpressible - unviable

    def compile(self, mutants, *arguments):
        """Builds, and takes out what does not compile until it does. Returns what cargo said, and what was taken out."""
        removed = {}
        while True:
            self.mutate(mutants)
            messages, built, errors = self.cargo(*arguments)
            if built:
                return messages, removed
            unviable, inexpressible = self.culprits(messages)
            if not unviable | inexpressible:
                sys.exit(f"the copy does not build:\n{errors.decode()}")
            log(f"{len(unviable)} do not compile, {len(inexpressible)} not behind a switch")
            removed |= dict.fromkeys(unviable, "unviable") | dict.fromkeys(inexpressible, "inexpressible")
            for number in unviable | inexpressible:
                del mutants[number]


def sampled(tree, everything, quota):
    """Draws until each group has its quota of mutants that compile. Returns them by number, and why others are not."""
    drawn = collections.defaultdict(list)
    why_not = {}
    sources = {}
    for number, mutant in enumerate(everything):
        name = mutant["file"]
        if name not in sources:
            sources[name] = schemata.File((ROOT / name).read_bytes())
        edit = sources[name].edit(mutant)
        if isinstance(edit, str):
            why_not[number] = edit
        drawn[mutant["group"]].append(number)
    # Some will not compile: twice as many are tried, and what is left over is not used.
    chosen = {
        number: everything[number]
        for numbers in drawn.values()
        for number in [number for number in numbers if number not in why_not][: 2 * quota]
    }
    log(f"{len(chosen)} mutants in the copy")
    _, removed = tree.compile(chosen, "check", "--lib")
    why_not |= removed
    sample, left_out = {}, {}
    for group, numbers in drawn.items():
        viable = 0
        for number in numbers:
            if number in why_not:
                left_out[number] = why_not[number]
            elif viable < quota and number in chosen:
                sample[number] = everything[number]
                viable += 1
            if viable == quota:
                break
        log(f"{group}: {viable} of {len(numbers)}")
    return sample, left_out


def expansions(span):
    """The calls of macros that a span is in."""
    while span := (span["expansion"] or {}).get("span"):
        yield span


class Limits:
    """Runs a program of tests under limits, until its end or its first failure."""

    def __init__(self, tree, temporary):
        self.tree, self.temporary = tree, temporary

    def run(self, program, arguments, environment, cpu, on_line=lambda line: None):
        """Returns the exit code, or a sentence that says why it was ended."""
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(parents=True)

        def limits():
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))

        child = subprocess.Popen(
            [program, *arguments, "--test-threads", "2"],
            cwd=self.tree.path,
            env=os.environ | {"TMPDIR": str(self.temporary), "CARGO_MANIFEST_DIR": str(self.tree.path)} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=limits,
        )
        why = []
        ended = threading.Event()
        watch = threading.Thread(target=self.watch, args=(child.pid, ended, why))
        watch.start()
        try:
            for line in child.stdout:
                if (reason := on_line(line.decode(errors="replace"))) is not None:
                    why.append(reason)
                    break
            else:
                child.wait(WALL)
        finally:
            ended.set()
            watch.join()
            kill(child.pid)
            code = child.wait()
        if -code in (signal.SIGXCPU, signal.SIGKILL) and not why:
            return "timeout: processor time"
        return why[0] if why else code

    def watch(self, group, ended, why):
        """Ends a run that does nothing for long: one that waits, not one that is paused or not scheduled."""
        idle, before, start = 0, None, time.monotonic()
        while not ended.wait(EVERY):
            states, used = activity(group)
            idle = idle + EVERY if used == before and set(states) <= {"S"} else 0
            before = used
            # Sparse files may be as long as they like.
            if disk_use(self.temporary) > DISK:
                why.append("fills the disk")
                return kill(group)
            if idle > IDLE or time.monotonic() - start > WALL:
                why.append("timeout: waits" if idle > IDLE else "timeout")
                return kill(group)


def disk_use(directory):
    """In bytes. Files may come and go meanwhile."""
    used = 0
    for parent, _, names in os.walk(directory):
        for name in names:
            try:
                used += os.lstat(os.path.join(parent, name)).st_blocks * 512
            except OSError:
                continue
    return used


def kill(group):
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass


def activity(group):
    """The states of all threads of a process group, and the processor time they used."""
    states, used = [], 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) != group:
                continue
            for task in (stat.parent / "task").iterdir():
                fields = (task / "stat").read_text().rpartition(")")[2].split()
                states.append(fields[0])
                used += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return states, used


def programs(messages, wanted):
    """The test programs of this package in what cargo built."""
    found = {}
    for message in messages:
        if message.get("reason") == "compiler-artifact" and message["executable"] and message["profile"]["test"]:
            name = message["target"]["name"]
            if "lib" in message["target"]["kind"] and name == "twinseal":
                found["lib"] = message["executable"]
            elif name in wanted:
                found[name] = message["executable"]
    missing = wanted - found.keys()
    return sys.exit(f"cargo built no {missing}") if missing else found


def modules(program, cwd):
    """The tests of a program, by the first part of their names."""
    text = subprocess.run([program, "--list"], cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = collections.defaultdict(list)
    for line in text.splitlines():
        if line.endswith(": test"):
            test = line.removesuffix(": test")
            if not any(f"{test}::".startswith(f"{module}::") for module in SKIPPED):
                found[test.split("::")[0]].append(test)
    return found


def recorded(limits, tests, work, path, written, wanted):
    """What passes without a mutant: each test's time, and the mutants that it reaches."""
    baseline = json.loads(path.read_text()) if path.exists() else {}
    if baseline.get("programs") != written:
        baseline = {"programs": written, "passed": [], "seconds": {}, "reached": {}, "unnamed": {}}
    seconds, reached, unnamed = baseline["seconds"], baseline["reached"], baseline["unnamed"]
    for binary, program in tests.items():
        for module, names in modules(program, limits.tree.path).items():
            if f"{binary} {module}" in baseline["passed"] or (wanted is not None and module not in wanted):
                continue
            record = work / "reached"
            record.unlink(missing_ok=True)
            failed = []

            def line(text):
                event = json.loads(text) if text.startswith("{ \"type\"") and text.endswith("}\n") else {}
                if event.get("type") == "test" and event["event"] in ("ok", "failed"):
                    seconds[f"{binary} {event['name']}"] = event["exec_time"]
                    if event["event"] == "failed":
                        failed.append(event["name"])

            # The times of tests are an unstable option of their program.
            options = ["-Z", "unstable-options", "--format", "json", "--report-time"]
            environment = {"RUSTC_BOOTSTRAP": "1", "MUTANTS_REACHED": str(record)}
            ended = limits.run(program, [*options, "--exact", *names], environment, 3600, line)
            if ended != 0:
                sys.exit(f"without a mutant, {binary} {module} fails: {ended} {failed}")
            for entry in record.read_text().splitlines() if record.exists() else []:
                number, _, thread = entry.partition(" ")
                of, name = (reached, thread) if f"{binary} {thread}" in seconds else (unnamed, f"{module}::")
                names = of.setdefault(number, [])
                if f"{binary} {name}" not in names:
                    names.append(f"{binary} {name}")
            log(f"{binary} {module} passes without a mutant")
            baseline["passed"].append(f"{binary} {module}")
            path.write_text(json.dumps(baseline))
    return baseline


def tested(number, mutant, limits, tests, baseline, first_seconds, last_stage):
    """Turns one mutant on. Returns what came of it."""
    seconds, unnamed = baseline["seconds"], baseline["unnamed"].get(str(number), [])
    reaching = sorted(baseline["reached"].get(str(number), []), key=seconds.get)
    sums = [sum(seconds[test] for test in reaching[: end + 1]) for end in range(len(reaching))]
    soon = [test for test, sum_ in zip(reaching, sums) if sum_ <= first_seconds] or reaching[:1]
    wide = [f"it {module}::" for module in GROUPS[mutant["group"]][1]]

    def in_any(filters):
        return [test for test in seconds if any(test.startswith(filter) for filter in filters)]

    stages = [reaching[:FEW], soon, sorted({*reaching, *in_any(unnamed)}, key=seconds.get), sorted(in_any(wide), key=seconds.get)]
    done = set()
    started = time.monotonic()
    for stage, names in enumerate(stages[:last_stage], 1):
        names = [name for name in names if name not in done]
        for binary in tests:
            of_binary = [name.removeprefix(f"{binary} ") for name in names if name.startswith(f"{binary} ")]
            if not of_binary:
                continue
            expected = sum(seconds[f"{binary} {name}"] for name in of_binary)

            def failure(line):
                return line.split()[1] if line.startswith("test ") and line.rstrip().endswith("FAILED") else None

            environment = {"MUTANT": str(number)}
            ended = limits.run(tests[binary], ["--exact", *of_binary], environment, 15 + int(2 * expected), failure)
            if ended != 0:
                by = ended if isinstance(ended, str) else f"exit code {ended}"
                outcome = "timeout" if by.startswith("timeout") else "caught"
                return {"outcome": outcome, "by": f"{binary} {by}", "stage": stage, "seconds": round(time.monotonic() - started, 1)}
        done.update(names)
    return {"outcome": "survived", "by": f"{len(done)} tests", "stage": last_stage, "seconds": round(time.monotonic() - started, 1)}


def read_results(path):
    """The last line for each mutant that was tested, in any order."""
    latest = {}
    if path.exists():
        for line in path.read_text().splitlines():
            result = json.loads(line)
            latest[result["mutant"]] = result
    return latest


def equivalents():
    """The mutants that change nothing that can be seen, by name, from equivalent.md beside this file."""
    lines = (pathlib.Path(__file__).with_name("equivalent.md")).read_text().splitlines()
    return {line.split("``")[1].strip() for line in lines if line.startswith("- ``")}


def score(sample, left_out, everything, results):
    """A table of groups, and what survived."""
    equivalent = equivalents()
    print("\n| group | listed | tested | caught | of these by a deadline | equivalent | not caught | score |")
    print("|---|---|---|---|---|---|---|---|")
    total = collections.Counter()
    survivors = []
    for group in [*GROUPS, "all"]:
        counts = collections.Counter() if group != "all" else total
        if group != "all":
            counts["listed"] = sum(mutant["group"] == group for mutant in everything)
            for mutant in sample.values():
                if mutant["group"] != group or mutant["key"] not in results:
                    continue
                counts["tested"] += 1
                outcome = results[mutant["key"]]["outcome"]
                if outcome == "survived" and mutant["key"] in equivalent:
                    outcome = "equivalent"
                counts[outcome] += 1
                if outcome == "survived":
                    survivors.append((mutant["key"], mutant["span"]["start"]["line"], results[mutant["key"]]))
            total += counts
        good = counts["caught"] + counts["timeout"] + counts["equivalent"]
        percent = f"{100 * good / counts['tested']:.1f} %" if counts["tested"] else "-"
        caught = counts["caught"] + counts["timeout"]
        row = [group, counts["listed"], counts["tested"], caught, counts["timeout"], counts["equivalent"], counts["survived"], percent]
        print("|", " | ".join(map(str, row)), "|")
    print(f"\nSampled and not tested yet: {sum(mutant['key'] not in results for mutant in sample.values())}.")
    print("Drawn and left out:", dict(collections.Counter(left_out.values())))
    print(f"\nNot caught ({len(survivors)}):")
    for key, line, result in sorted(survivors, key=lambda survivor: survivor[0]):
        print(f"- {key} (line {line}; {result['by']})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--list", type=pathlib.Path, help="what `cargo mutants --list --json` printed, if it is there")
    parser.add_argument("--quota", type=int, default=33, help="mutants that compile, for each group")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "target/mutants/results.jsonl")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "target/mutants", help="for the copy and what is built")
    parser.add_argument("--first-seconds", type=float, default=10, help="sum of the tests' times in the first run of a mutant")
    parser.add_argument("--stages", type=int, default=4, choices=[1, 2, 3, 4])
    parser.add_argument("--again", action="store_true", help="test survivors again, with the tests of now")
    parser.add_argument("--programs", nargs="+", default=list(BINARIES), choices=list(BINARIES), help="of tests")
    parser.add_argument("--modules", nargs="*", help="of tests that may be recorded now: only what is caught becomes a result")
    parser.add_argument("--built", action="store_true", help="the programs of the last run, as they are")
    parser.add_argument("--baseline", action="store_true", help="only record what passes without a mutant")
    parser.add_argument("--only", help="mutants whose name contains this")
    parser.add_argument("--score", action="store_true", help="only print what there is")
    options = parser.parse_args()

    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    tree = Tree(work)
    state = work / "sample.json"
    hashes = {name: digest((ROOT / name).read_text())[:16] for name in library()}
    settings = {"seed": options.seed, "quota": options.quota, "sources": digest(*sorted(hashes.values()))}

    saved = json.loads(state.read_text()) if state.exists() else {}
    if options.score and not saved:
        sys.exit(f"nothing is measured yet: there is no {state}")
    if options.score or saved.get("settings") == settings:
        everything = saved["everything"]
        sample = {int(number): everything[int(number)] for number in saved["sample"]}
        left_out = saved["left_out"]
    else:
        everything = listed(options.seed, options.list)
        log(f"{len(everything)} mutants listed")
        tree.copy()
        sample, left_out = sampled(tree, everything, options.quota)
        saved = {"settings": settings, "everything": everything, "sample": sorted(sample), "left_out": left_out}
        state.write_text(json.dumps(saved))
    results = read_results(options.results)
    if options.score:
        return score(sample, left_out, everything, results)

    built = work / "programs.json"
    if not options.built:
        tree.copy()
        arguments = [argument for binary in options.programs for argument in BINARIES[binary]]
        messages, removed = tree.compile(dict(sample), "test", "--no-run", *arguments)
        if removed:
            sys.exit(f"checked, but not built: {removed}")
        built.write_text(json.dumps(programs(messages, set(options.programs))))
    tests = json.loads(built.read_text())
    limits = Limits(tree, work / f"temporary-{os.getpid()}")
    written = hashlib.sha256("".join(f"{p}{os.stat(p).st_mtime_ns}" for p in tests.values()).encode()).hexdigest()
    baseline = recorded(limits, tests, work, work / "baseline.json", written, options.modules)

    if options.baseline:
        return
    def first_seconds(number):
        times = (baseline["seconds"][test] for test in baseline["reached"].get(str(number), []))
        return sum(sorted(times)[:FEW])

    for number in sorted(sample, key=first_seconds):
        mutant = sample[number]
        before = results.get(mutant["key"])
        if before and before["source"] != hashes[mutant["file"]]:
            before = None
        if options.only and options.only not in mutant["name"]:
            continue
        survived = before and before["outcome"] == "survived"
        if before and not (survived and (options.again or before["stage"] < options.stages)):
            continue
        result = {"mutant": mutant["key"], "group": mutant["group"], "source": hashes[mutant["file"]]}
        result |= tested(number, mutant, limits, tests, baseline, options.first_seconds, options.stages)
        if result["outcome"] == "survived" and options.modules is not None:
            continue
        results[mutant["key"]] = result
        with options.results.open("a") as file:
            file.write(json.dumps(result) + "\n")
        log(result["outcome"], mutant["name"], result["by"], f"{result['seconds']} s")
    score(sample, left_out, everything, results)


main()
