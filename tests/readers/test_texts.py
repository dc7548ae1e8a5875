"""Texts as bytes, and the places of names, against what Python's own strings and dicts say."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xentcli.readers import texts as module
from xentcli.readers.texts import LONGEST, Texts, Vocabulary, alike

modest = settings(deadline=None, max_examples=80)
NAMES = (
    st.text(max_size=10)
    .filter(lambda text: len(text.encode(errors="replace")) <= LONGEST)
    .map(lambda text: text.encode(errors="replace").decode())
)
LISTS = st.lists(NAMES | st.sampled_from(["", "a", "b", "\0", "a\0", "x" * LONGEST, "é" * (LONGEST // 2)]), max_size=30)


def texts_of(names: Sequence[str]) -> Texts:
    encoded = [name.encode() for name in names]
    width = max(1, -(-max(map(len, encoded), default=0) // 8))
    data = b"".join(name.ljust(8 * width, b"\0") for name in encoded)
    words = np.frombuffer(data, "<u8").reshape(len(names), width).T
    return Texts(np.ascontiguousarray(words), np.array([len(name) for name in encoded], dtype=np.int64))


@modest
@given(LISTS)
def test_texts_are_those_they_were_made_of(names: list[str]) -> None:
    texts = texts_of(names)
    assert list(texts) == names == [texts[place] for place in range(len(texts))] == texts[:]
    assert list(texts.take(np.arange(len(names))[::-1])) == names[::-1]
    assert list(pickle.loads(pickle.dumps(texts))) == names


@modest
@given(LISTS.filter(bool))
@example(["a", "a\0", "a"])
def test_texts_that_are_alike_share_a_code(names: list[str]) -> None:
    found = alike(texts_of(names))
    assert found is not None
    first, codes = found
    assert [names[first[code]] for code in codes.tolist()] == names
    assert len(first) == len(set(names))


@pytest.mark.parametrize("count", [1, 5, 1000, 20_000, 100_000])
def test_however_many_differ(count: int) -> None:
    names = [f"user-{n % count}" for n in range(100_000)]
    found = alike(texts_of(names))
    assert found is not None and len(found[0]) == count
    assert [names[place] for place in found[0][found[1]].tolist()] == names


Adds = list[tuple[Sequence[Any], bool]]
ADDS = st.lists(st.tuples(LISTS, st.booleans()), max_size=6)


def hold(adds: Adds) -> Vocabulary:
    """Add names as texts or as strings; each must keep its place, and no two may share one."""
    vocabulary = Vocabulary()
    places: dict[Any, int] = {}
    for names, as_texts in adds:
        found = vocabulary.add(texts_of(names) if as_texts else names)
        assert found.dtype == np.int64
        for name, place in zip(names, found.tolist(), strict=True):
            assert places.setdefault(name, place) == place
        assert len(vocabulary) == len(places)
        assert sorted(places.values()) == list(range(len(places)))
    assert list(vocabulary.names) == sorted(places, key=places.__getitem__)
    return vocabulary


@modest
@given(ADDS)
def test_a_name_has_one_place_however_it_comes(adds: Adds) -> None:
    hold(adds)


def test_a_vocabulary_grows_with_its_names_and_their_length() -> None:
    some = [f"{n}" for n in range(3000)]
    more = [f"a much longer name than those before it, of which {n} is one" for n in range(5000)]
    vocabulary = hold([(some[:10], True), (some, True), (more, True), (some[::-1], True), (more[2000:4000], True)])
    assert len(vocabulary) == 8000


def test_names_of_other_kinds_have_places_too() -> None:
    hold([([("a", "x"), ("b", "x")], False), ([("b", "x"), ("b", "y")], False)])


def test_texts_made_to_fall_together_are_told_apart_in_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Texts, "mixed", lambda self: np.zeros(len(self), dtype=np.uint64))
    names = [f"n{n}" for n in range(module._PROBES + 10)]
    assert alike(texts_of(names)) is None
    few = alike(texts_of(names[: module._ROUNDS] * 2))
    assert few is not None and len(few[0]) == module._ROUNDS
    hold([(names[:20], True), (names, True), (names[::-1], True), (["n1", "other"], True)])
