"""docs/promises.md is what the tables say, and each promise has a test that is there."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from tests.inputs.promises import DOCUMENT, PROMISES, document


def test_the_page_is_what_the_tables_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "python -m tests.inputs.promises writes it"


@pytest.mark.parametrize("test", [test for promises in PROMISES.values() for _, test in promises])
def test_the_test_of_a_promise_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    text = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(" if name else r"^def test_", text, re.MULTILINE), test


def test_every_promise_is_one_sentence() -> None:
    for promises in PROMISES.values():
        for promise, _ in promises:
            assert promise.endswith(".") and promise.count(". ") == 0 and promise[0].isupper()
