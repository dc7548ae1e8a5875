"""Every piece of advice, followed to the letter, leads to the right number; none is missing from the table."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

from tests.advice.follow import Followed, follow
from tests.advice.sites import sites
from tests.advice.table import CASES, NOT_FOLLOWED
from tests.conftest import Call, posix_only

pytestmark = posix_only
_FOLLOWED: dict[str, Followed] = {}


def _followed(name: str, folder: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> Followed:
    if name not in _FOLLOWED:
        folder.mkdir()
        monkeypatch.chdir(folder)
        _FOLLOWED[name] = follow(CASES[name], folder, call)
    return _FOLLOWED[name]


@pytest.mark.parametrize("name", CASES)
def test_advice_followed_to_the_letter_gives_the_right_number(
    name: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    assert 1 <= len(case.lines) <= 3
    done = _followed(name, tmp_path / "case", call, monkeypatch)
    assert done.code == 0, done.err
    if case.cost is not None:
        assert float(done.out) == pytest.approx(case.cost, rel=1e-9)


def test_all_advice_of_the_package_is_in_the_table(tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    for place, name in enumerate(CASES):
        with contextlib.suppress(AssertionError):
            # A case that fails has its own test.
            lines += _followed(name, tmp_path / str(place), call, monkeypatch).lines
    missing = [
        str(site)
        for site in sites()
        if not any(site.pattern.search(line) for line in lines)
        and not any(re.search(pattern, site.text) for pattern in NOT_FOLLOWED)
    ]
    assert not missing, "\n".join(missing)
