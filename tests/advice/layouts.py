"""Advice about layouts of other tools: the folders of tests/cases that alone provoke it."""

from __future__ import annotations

from tests.advice.follow import Case
from tests.cases.table import CASES as TRIES
from tests.cases.test_cases import HERE

__all__ = ["CASES"]

_FOLDERS = {
    "89-vw-tags",
    "91-classlabel",
    "92-near-ids",
    "93-long-json",
    "95-julia",
    "96-prompts",
    "97-confidence",
    "98-one-hot",
    "99-beside",
    "101-mlr3",
    "102-stata",
    "103-kaldi",
    "104-headless",
    "108-limits",
    "109-rekognition",
    "111-adult-test",
    "112-tagged",
    "113-texts",
}

CASES = {
    f"{one.folder}: {one.args}": Case(
        one.args,
        {path.name: path.read_bytes() for path in (HERE / one.folder).iterdir()},
        (one.line,),
        one.cost,
        dict(one.fill),
    )
    for one in TRIES
    if one.line and one.folder in _FOLDERS
}
