"""The options of library calls as mypy, editors and help() see them, held to the table of options."""

from __future__ import annotations

import inspect
import io
import pydoc
import subprocess
import sys
from contextlib import redirect_stdout
from typing import Any

import pytest

import xentcli
from tests.conftest import ROOT
from tests.typing.stub import COMMAND, STUB, text
from xentcli.errors import UsageError
from xentcli.settings import OPTIONS, Settings

FUNCTIONS = {name: getattr(xentcli, name) for name in ("score", "check", "compare", "calibration", "explain", "losses")}
Q = [[0.8, 0.2], [0.4, 0.6]]


def test_the_stub_is_what_the_options_say() -> None:
    assert STUB.read_text(encoding="utf-8") == text(), f"the options changed: {COMMAND}"


def test_mypy_accepts_right_calls_and_refuses_wrong_ones() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "tests/typing/calls.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_signature_has_the_options_of_the_command_with_their_defaults(name: str) -> None:
    parameters = inspect.signature(FUNCTIONS[name]).parameters
    assert "options" not in parameters
    command = {"losses": "score"}.get(name, name)
    taken = {option for option, row in OPTIONS.items() if command in row.commands}
    if name == "losses":
        assert {"by", "worst", "confidence", "metrics", "hash", "bytes"}.isdisjoint(parameters)
    else:
        assert taken <= parameters.keys()
    for option in OPTIONS.keys() & parameters.keys():
        assert parameters[option].default == OPTIONS[option].default
        assert parameters[option].kind is inspect.Parameter.KEYWORD_ONLY


def test_help_shows_the_options_with_their_types() -> None:
    out = io.StringIO()
    with redirect_stdout(out):
        pydoc.Helper(output=out)(xentcli.score)
    shown = out.getvalue()
    assert "clip: float | None = None" in shown
    assert "kind: Literal['probs', 'logits'" in shown
    assert "predictions: Any" in shown


TYPOS = [
    ("score", "knd", "kind"),
    ("score", "klass", "classes"),
    ("score", "byclass", "by_class"),
    ("score", "by-class", "by_class"),
    ("score", "thread", "threads"),
    ("score", "metric_needed", "metrics_needed"),
    ("score", "class_weights", "class_weight"),
    ("check", "limit", "limits"),
    ("compare", "eech", "each"),
    ("calibration", "bin", "bins"),
    ("losses", "tempreature", "temperature"),
    ("explain", "rows", "row"),
]


@pytest.mark.parametrize(("name", "typo", "meant"), TYPOS)
def test_a_typo_names_the_nearest_option(name: str, typo: str, meant: str) -> None:
    options: dict[str, Any] = {typo: 1}
    with pytest.raises(UsageError, match=f"did you mean {meant}") as caught:
        FUNCTIONS[name](Q, [0, 1], **options)
    assert repr(typo) in str(caught.value)


def test_a_name_like_no_option_says_where_they_are() -> None:
    options: dict[str, Any] = {"zzz": 1}
    with pytest.raises(UsageError, match=r"help\(xentcli.score\)"):
        xentcli.score(Q, [0, 1], **options)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("calibration", {"worst": 2}),
        ("compare", {"show": "site", "worst": 1}),
        ("compare", {"hash": True}),
        ("explain", {"worst": 2}),
        ("explain", {"by_class": True}),
        ("losses", {"confidence": 0.9}),
    ],
)
def test_options_of_other_commands_are_refused_alone_and_in_settings(name: str, options: dict[str, Any]) -> None:
    data: tuple[Any, ...] = ({"a": Q, "b": Q}, [0, 1]) if name == "compare" else (Q, [0, 1])
    for given in (options, {"settings": Settings(**options)}):
        with pytest.raises(UsageError, match=f"does not go with {name}"):
            FUNCTIONS[name](*data, **given)


def test_explain_takes_by_without_a_row_alone() -> None:
    with pytest.raises(UsageError, match="--by"):
        xentcli.explain(Q, [0, 1], row=1, by="site")
