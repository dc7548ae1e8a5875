"""Random command lines of `xent score` against an oracle that shares no code with it.

    python -m tests.fuzz.commands --seconds 3600 --seed 7      an hour
    python -m tests.fuzz.commands --case 7:1234 --keep DIR     one case again, its files kept in DIR

Every case is run with the whole file in one block, and again with other block sizes and
numbers of workers; some in a real process, some by `xent check` with a limit just above and
just below the cost, some once more from the losses that --per-example wrote. The exit code must
be one that the oracle allows, every figure within its rounding, the two reports equal to the bit.
A case that fails is made smaller as long as it fails in the same way, and printed as a command.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import csv
import functools
import io
import json
import math
import os
import random
import re
import shlex
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import started
from tests.forked import ENDING
from tests.fuzz import cases, files
from tests.fuzz.files import Spec
from tests.fuzz.oracle import ALONE, EPS, MP, Expected, Figures, Slice, Value, solve

IN_A_PROCESS = 0.01
"""The share of cases that run in a real process too, which takes as long as ten others."""


ENDED = {128 + number for number in ENDING}


class Find(AssertionError):
    """The command did not do what it must; kind names the sort of failure."""

    def __init__(self, kind: str, text: str, args: list[str]) -> None:
        super().__init__(text)
        self.kind = re.sub(r"\(.*?\)|(?<=worst row )\d+|(?<=class ).*(?= )", "", kind)
        self.command = args


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def place(self) -> str:
        """Where an internal error arose, for telling one from another."""
        return self.err.split(" at ")[-1].split(":")[0] if self.code == 70 else ""


# Running.


def invoke(args: list[str], block_bytes: int | None = None) -> Done:
    """Run the command in this process."""
    from xentcli.analysis import score as evaluation
    from xentcli.cli import main

    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    real = evaluation.score
    evaluation.score = functools.update_wrapper(functools.partial(real, block_bytes=block_bytes), real)
    code: Any = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main.main(args)
            except SystemExit as end:
                code = end.code
    finally:
        evaluation.score = real
    return Done(int(code or 0), _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode()


def in_a_process(args: list[str], stdin: Path | None) -> Done:
    """Run the command as a user does."""
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(stdin.open("rb")) if stdin else None
        done = started(args, Path.cwd(), dict(os.environ), source)
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


# Comparing.


def number(value: Any) -> float:
    """Return a figure of a report, in which infinity is a text."""
    return float(value)


class Comparison:
    """What of a report differs from the figures that are due."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def equal(self, name: str, got: Any, want: Any) -> None:
        if got != want:
            self.wrong.append(f"{name}: got {got!r}, expected {want!r}")

    def figure(self, name: str, got: Any, want: Value | None) -> None:
        if want is not None and MP.isnan(want.value):
            return
        if got is None or want is None:
            if got is not None or want is not None:
                self.wrong.append(f"{name}: got {got!r}, expected {want and MP.nstr(want.value, 17)}")
        elif not want.holds(number(got)):
            self.wrong.append(
                f"{name}: got {got!r}, expected {MP.nstr(want.value, 20)} within {MP.nstr(want.tolerance, 3)}"
            )

    def interval(self, name: str, got: Any, want: tuple[Value, Value] | None) -> None:
        for end, value in zip(("low", "high"), want or (None, None), strict=True):
            self.figure(f"{name}.{end}", None if got is None else got[end], value)


def compare(report: dict[str, Any], want: Figures, spec: Spec) -> list[str]:
    """Return what differs, a line each."""
    found = Comparison()
    for name, value in want.plain.items():
        got = report["row_sum"]["largest_deviation"] if name == "largest_deviation" else report[name]
        found.figure(name, got, value)
    found.interval("interval", report["interval"], want.interval)
    found.equal("examples", report["examples"], want.examples)
    found.equal("infinite.count", report["infinite"]["count"], len(want.infinite_rows))
    found.equal("infinite.rows", report["infinite"]["rows"], want.infinite_rows[:10])
    found.figure("infinite.cost_of_the_rest", report["infinite"]["cost_of_the_rest"], want.infinite_rest)
    if spec.problem.kind not in ALONE:
        found.equal("labels.counts", report["labels"]["counts"], want.counts)
    _compare_clip(found, report["clip"], want)
    _compare_groups(found, report["by"], want)
    if "--by-class" in spec.extra:
        _compare_classes(found, report["by_class"], want)
    if "--worst" in spec.extra:
        _compare_worst(found, report["worst"], want, int(spec.extra[spec.extra.index("--worst") + 1]))
    return found.wrong


def _compare_clip(found: Comparison, got: Any, want: Figures) -> None:
    if want.clip is None or got is None:
        found.equal("clip", got, want.clip)
        return
    for name, value in want.clip.items():
        found.figure(f"clip.{name}", got[name], value)
    if want.clip_count is not None:
        found.equal("clip.count", got["count"], want.clip_count)


def _compare_groups(found: Comparison, got: list[dict[str, Any]], want: Figures) -> None:
    groups = {tuple(map(str, one["group"].values())): one for one in got}
    found.equal("by", sorted(groups), sorted(want.by))
    for key in groups.keys() & want.by.keys():
        _compare_slice(found, f"by {key}", groups[key], want.by[key])


def _compare_classes(found: Comparison, got: list[dict[str, Any]], want: Figures) -> None:
    classes = {one["class"]: one for one in got if one["examples"]}
    due = want.by_class
    if due is None:
        return
    found.equal("by_class", sorted(classes), sorted(due))
    for key in classes.keys() & due.keys():
        _compare_slice(found, f"class {key}", classes[key], due[key])
        if due[key].accuracy is not None:
            found.figure(f"class {key} accuracy", classes[key]["accuracy"], due[key].accuracy)


def _compare_slice(found: Comparison, name: str, got: dict[str, Any], want: Slice) -> None:
    found.equal(f"{name} examples", got["examples"], want.examples)
    found.figure(f"{name} cost", got["cost"], want.cost)
    found.figure(f"{name} share", got["share"], want.share)
    if "standard_error" in got:
        found.figure(f"{name} standard_error", got["standard_error"], want.standard_error)
        found.interval(f"{name} interval", got["interval"], want.interval)


def _compare_worst(found: Comparison, got: list[dict[str, Any]], want: Figures, count: int) -> None:
    due = sorted((row[1] for row in want.losses if row is not None), key=lambda loss: -loss.value)[:count]
    found.equal("worst", len(got), len(due))
    for one, loss in zip(got, due, strict=False):
        shown = Value(loss.value / want.unit, loss.tolerance / want.unit + abs(loss.value) * EPS * 4)
        found.figure(f"worst row {one['row']}", one["loss"], shown if MP.isfinite(loss.value) else loss)


def plain(report: str) -> str:
    """Return a report without what may differ between two runs of one case."""
    values = json.loads(report)
    for name in ("options", "inputs"):
        values.pop(name, None)
    return json.dumps(values)


# A case.


class Runner:
    """Runs cases in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.codes: Counter[int] = Counter()
        self.commands = 0

    def run(self, spec: Spec, seed: str) -> None:
        """Write the files of a case and run it in all its ways; raises Find."""
        for path in self.folder.iterdir():
            path.unlink()
        files.write(self.folder, spec)
        expected = solve(spec.problem)
        r = random.Random(seed + " run")
        args = files.command(spec)
        first = self.score(args)
        self.codes[first.code] += 1
        self.judge(spec, args, first, expected)
        self.again(r, args, first)
        if r.random() < IN_A_PROCESS:
            self.process(r, spec, args, first)
        if first.code == 0 and expected.figures is not None:
            if r.random() < 0.3:
                self.per_example(r, spec, args, expected.figures)
            if r.random() < 0.1:
                self.limits(spec, args, expected.figures)
            if r.random() < 0.05:
                self.alone(args, json.loads(first.out))

    def score(self, args: list[str], block_bytes: int | None = None, threads: int = 1, command: str = "score") -> Done:
        """Run `xent score` for its report in JSON; an internal error is a find."""
        self.commands += 1
        whole = [command, *args, "--format", "json", "--threads", str(threads)]
        done = invoke(whole, block_bytes)
        check_end(done, whole)
        return done

    def judge(self, spec: Spec, args: list[str], done: Done, expected: Expected) -> None:
        """Compare with what is due."""
        codes = expected.codes | {0, 3, 5} if spec.doubt else expected.codes
        if done.code not in codes:
            due = f"exit {sorted(codes)} {expected.why}"
            raise Find(f"exit {done.code} for {sorted(codes)}", f"exit {done.code}, expected {due}\n{done.err}", args)
        if done.code == 0 and expected.figures is not None:
            wrong = compare(json.loads(done.out), expected.figures, spec)
            if wrong:
                raise Find(f"figure {wrong[0].split(':')[0]}", "\n".join(wrong), args)

    def again(self, r: random.Random, args: list[str], first: Done) -> None:
        """Other blocks and more workers change nothing."""
        block, threads = r.choice([1, 16, 64, 100, 300, 1000]), r.choice([1, 1, 2, 3])
        done = self.score(args, block, threads)
        if done.code != first.code:
            text = f"blocks of {block} bytes, {threads} workers: exit {done.code}, not {first.code}\n{first.err}\n{done.err}"
            raise Find("blocks: exit code", text, args)
        if done.code == 0 and plain(done.out) != plain(first.out):
            text = f"blocks of {block} bytes, {threads} workers:\n{first.out}\n{done.out}"
            raise Find("blocks: report", text, args)

    def process(self, r: random.Random, spec: Spec, args: list[str], first: Done) -> None:
        """A real process, also from standard input, says the same."""
        stdin = None
        whole = ["score", *args, "--format", "json"]
        if spec.preds.format in ("csv", "jsonl") and spec.preds.shards == 1 and r.random() < 0.5:
            stdin = self.folder / args[0]
            whole[1] = "-"
            whole += [f"--input-format=predictions={spec.preds.format}"]
        self.commands += 1
        done = in_a_process(whole, stdin)
        check_end(done, whole)
        streamed = stdin is not None and done.code == 3 and "--header" in done.err
        if done.code != first.code and not streamed:
            raise Find("process: exit code", f"exit {done.code}, not {first.code}\n{done.err}", whole)
        if done.code == 0:
            one, two = json.loads(plain(first.out)), json.loads(plain(done.out))
            for name in ("cost", "standard_error", "accuracy", "brier", "by", "by_class"):
                if one[name] != two[name]:
                    raise Find(f"process: {name}", f"{name}: {two[name]}, not {one[name]}", whole)

    def per_example(self, r: random.Random, spec: Spec, args: list[str], want: Figures) -> None:
        """The loss and weight of each row, and the cost of a file of them."""
        whole = [*args, "--per-example", "losses.csv"]
        self.score(whole, r.choice([None, 50]), 1)
        rows = list(csv.DictReader((self.folder / "losses.csv").open(encoding="utf-8")))
        found = Comparison()
        found.equal("per-example rows", len(rows), len(want.losses))
        for i, (row, due) in enumerate(zip(rows, want.losses, strict=False)):
            found.equal("per-example row", row["row"], str(i + 1))
            if due is None:
                if math.isfinite(float(row["loss"])):
                    found.wrong.append(f"per-example loss: row {i + 1} is not scored, got {row['loss']}")
                continue
            found.figure("per-example loss", row["loss"], due[1])
            found.figure("per-example weight", row["weight"], due[2])
        if found.wrong:
            raise Find(f"figure {found.wrong[0].split(':')[0]}", "\n".join(found.wrong), whole)
        if all(due is not None for due in want.losses) and "base" not in spec.problem.options:
            self.from_losses(want)

    def from_losses(self, want: Figures) -> None:
        """A file of losses has the cost of what they were made of."""
        args = ["losses.csv", "--kind", "losses", "--preds", "loss", "--weights", "weight"]
        cost = want.plain["cost"]
        assert cost is not None
        done = self.score(args)
        if cost.value < 0 or any(due is not None and due[1].value < 0 for due in want.losses):
            return
        if done.code or not Value(cost.value, cost.tolerance * 2).holds(number(json.loads(done.out)["cost"])):
            raise Find(
                "losses again", f"exit {done.code}: {done.out[:60]} {done.err}, not {MP.nstr(cost.value, 17)}", args
            )

    def limits(self, spec: Spec, args: list[str], want: Figures) -> None:
        """A limit a little above the cost holds, one below fails."""
        cost = want.plain["cost"]
        assert cost is not None
        if not MP.isfinite(cost.value):
            return
        gap = 2 * cost.tolerance + abs(cost.value) * 1e-12 + 1e-300
        for value, code in ((cost.value + gap, 0), (cost.value - gap, 1)):
            done = self.score([*args, f"--max=cost={float(value)!r}"], command="check")
            if done.code != code:
                raise Find("check: exit code", f"exit {done.code}, expected {code}\n{done.out}\n{done.err}", args)

    def alone(self, args: list[str], report: dict[str, Any]) -> None:
        """--quiet and --get print a figure of the report, all its digits."""
        # A report beside, so that options which a figure does not show are not refused.
        beside = ["-o", "json:/dev/null"]
        for more, name in (
            (["--quiet", *beside], "cost"),
            (["--get", "standard_error", *beside], "standard_error"),
        ):
            if report[name] is None:
                continue
            self.commands += 1
            done = invoke(["score", *args, *more])
            check_end(done, ["score", *args, *more])
            if done.code or float(done.out) != number(report[name]):
                raise Find(f"--quiet: {name}", f"{done.out} {done.err}, not {report[name]}", [*args, *more])


def check_end(done: Done, args: list[str]) -> None:
    """A command never ends in an internal error, nor in warnings of Python."""
    if done.code == 70:
        raise Find(f"exit 70 {done.place}", done.err, args)
    if "Traceback" in done.err or "Warning:" in done.err:
        raise Find("traceback", done.err, args)
    if done.code in ENDED:
        # The signal was for this process, in which the command ran.
        raise SystemExit(done.code)
    if done.code not in (0, 1, 2, 3, 5):
        raise Find(f"exit {done.code}", f"exit {done.code}\n{done.out}\n{done.err}", args)


# Making a find smaller.


def smaller(spec: Spec) -> Iterator[Spec]:
    """Yield the case with one thing taken away or made plainer."""
    yield from _without_rows(spec)
    for name in spec.problem.options.keys() - {"classes", "index_base", "positive", "multilabel"}:
        yield _changed(spec, lambda new, name=name: new.problem.options.pop(name))
    for role in ("weight", "by2", "by", "cluster", "bytes", "note", "id"):
        if spec.problem.has(role):
            yield _changed(spec, lambda new, role=role: _drop(new, role))
    if spec.extra:
        yield _changed(spec, lambda new: new.extra.clear())
    for which in ("preds", "labels"):
        layout = getattr(spec, which)
        if layout is None:
            continue
        for name, value in (("format", "csv"), ("line_end", "\n"), ("fortran", False), ("dtype", "f8")):
            if getattr(layout, name) != value and (layout.named or name != "format"):
                yield _changed(spec, lambda new, w=which, n=name, v=value: setattr(getattr(new, w), n, v))
    yield from _rounded(spec)


def _changed(spec: Spec, change: Any) -> Spec:
    new = copy.deepcopy(spec)
    change(new)
    return new


def _drop(spec: Spec, role: str) -> None:
    for side in (spec.problem.preds, spec.problem.labels):
        if side is not None:
            side.columns.pop(role, None)


def _without_rows(spec: Spec) -> Iterator[Spec]:
    preds = spec.problem.preds
    size = preds.count // 2
    while size:
        for begin in range(0, preds.count, size):
            yield _changed(spec, lambda new, b=begin, s=size: _cut(new, b, s))
        size //= 2


def _cut(spec: Spec, begin: int, size: int) -> None:
    """Leave rows out of both sides, those of the same id or place."""
    preds, labels = spec.problem.preds, spec.problem.labels
    gone = set(preds.columns.get("id", range(preds.count))[begin : begin + size])
    for side in (preds, labels):
        if side is not None:
            kept = [i for i, key in enumerate(side.columns.get("id", range(side.count))) if key not in gone]
            side.columns = {role: [values[i] for i in kept] for role, values in side.columns.items()}


def _rounded(spec: Spec) -> Iterator[Spec]:
    """Shorter numbers, one row at a time."""
    for i, row in enumerate(spec.problem.preds.columns["q"]):
        short = [float(f"{x:.2g}") for x in row]
        if short != row and not any(map(math.isnan, row)):
            yield _changed(spec, lambda new, i=i, s=short: new.problem.preds.columns["q"].__setitem__(i, s))


def shrink(spec: Spec, kind: str, runner: Runner, seed: str, seconds: float = 60) -> tuple[Spec, Find | None]:
    """Return the smallest case found that fails as this one does."""
    end, last = time.monotonic() + seconds, None
    progress = True
    while progress and time.monotonic() < end:
        progress = False
        for new in smaller(spec):
            new.flags = files.header_flags(new)
            found = attempt(runner, new, seed)
            if found is not None and found.kind == kind:
                spec, last, progress = new, found, True
                break
    return spec, last


def attempt(runner: Runner, spec: Spec, seed: str) -> Find | None:
    """Return what a case finds; one that cannot be written finds nothing."""
    try:
        runner.run(spec, seed)
    except Find as find:
        return find
    except Exception:
        return None
    return None


def describe(find: Find, runner: Runner, spec: Spec, seed: str) -> str:
    """Return a find as a person wants to read it: the case, the command, the files, what is wrong."""
    lines = [f"case {seed}: {find.kind}", "xent score " + shlex.join([a for a in find.command if a != "score"])]
    for path in sorted(runner.folder.iterdir()):
        if path.suffix in (".csv", ".tsv", ".jsonl", ".txt") and path.name != "losses.csv":
            lines.append(f"--- {path.name}\n{path.read_text()[:1500].rstrip()}")
        elif path.suffix == ".npy" and path.name != "losses.npy":
            lines.append(f"--- {path.name}\n{np.load(path)!r}"[:1500])
        else:
            lines.append(f"--- {path.name}: {path.stat().st_size} bytes")
    for side, layout in ((spec.problem.preds, spec.preds), (spec.problem.labels, spec.labels)):
        if side is not None and layout is not None and layout.format not in files.TEXT:
            lines.append(f"--- {layout}\n{side.columns}"[:1500])
    return "\n".join([*lines, "---", str(find)[:3000], ""])


# The run.


def campaign(
    seed: int, seconds: float, count: int, runner: Runner, *, shrinking: bool = True, most: int = 20
) -> list[str]:
    """Run cases until the time or their number is up; return the finds, one of each kind."""
    end = time.monotonic() + seconds
    finds: dict[str, str] = {}
    index = 0
    while time.monotonic() < end and index < count and len(finds) < most:
        name = f"{seed}:{index}"
        index += 1
        spec = cases.make(name)
        if cases.left_out(spec):
            continue
        try:
            runner.run(spec, name)
        except Find as find:
            if find.kind in finds:
                continue
            least, last = shrink(spec, find.kind, runner, name) if shrinking else (spec, None)
            final = attempt(runner, least, name) or last or find
            finds[find.kind] = describe(final, runner, least, name)
            print(finds[find.kind], flush=True)
        except Exception as error:
            error.add_note(f"case {name}")
            raise
    print(
        f"{index} cases, {runner.commands} commands, exit codes {dict(sorted(runner.codes.items()))}, {len(finds)} finds"
    )
    return list(finds.values())


def one(name: str, runner: Runner) -> int:
    """Run a single case and print what it finds; 1 where it finds something."""
    spec = cases.make(name)
    find = attempt(runner, spec, name)
    holds = f"case {name} holds: xent score {shlex.join(files.command(spec))}"
    print(describe(find, runner, spec, name) if find else holds)
    return 1 if find else 0


def main() -> int:
    """Run as the arguments say; 1 where something was found."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.commands", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after this time [default: never]")
    parser.add_argument("--cases", type=int, default=sys.maxsize, help="stop after this many cases")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", help="run this one case, such as 7:1234")
    parser.add_argument("--keep", type=Path, help="keep the files of the last case here")
    given = parser.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    runner = Runner(Path.cwd())
    try:
        if given.case:
            return one(given.case, runner)
        return 1 if campaign(given.seed, given.seconds, given.cases, runner) else 0
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
