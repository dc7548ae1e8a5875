"""Texts as bytes, and the places of names, against what Python's own strings and dicts say."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.laws import settings
from xentcli.columns import vocabulary as module
from xentcli.columns.hashing import TextHash, sum_of_hashes
from xentcli.columns.texts import LONGEST, Texts, joined, same_texts
from xentcli.columns.vocabulary import Vocabulary, alike

modest = settings(deadline=None, max_examples=80)
NAMES = (
    st.text(max_size=10)
    .filter(lambda text: len(text.encode(errors="replace")) <= LONGEST)
    .map(lambda text: text.encode(errors="replace").decode())
)
LISTS = st.lists(NAMES | st.sampled_from(["", "a", "b", "\0", "a\0", "x" * LONGEST, "é" * (LONGEST // 2)]), max_size=30)


@modest
@given(LISTS)
def test_texts_are_those_they_were_made_of(names: list[str]) -> None:
    texts = Texts.of(names)
    assert list(texts) == names == [texts[place] for place in range(len(texts))]
    assert list(texts[1:4]) == names[1:4]
    assert list(texts.take(np.arange(len(names))[::-1])) == names[::-1]
    assert list(pickle.loads(pickle.dumps(texts))) == names


@modest
@given(LISTS.filter(bool))
@example(["a", "a\0", "a"])
def test_texts_that_are_alike_share_a_code(names: list[str]) -> None:
    found = alike(Texts.of(names))
    assert found is not None
    first, codes = found
    assert [names[first[code]] for code in codes.tolist()] == names
    assert len(first) == len(set(names))


@pytest.mark.parametrize("count", [1, 5, 1000, 20_000, 100_000])
def test_however_many_differ(count: int) -> None:
    names = [f"user-{n % count}" for n in range(100_000)]
    found = alike(Texts.of(names))
    assert found is not None and len(found[0]) == count
    assert [names[place] for place in found[0][found[1]].tolist()] == names


Adds = list[tuple[Sequence[Any], bool]]
ADDS = st.lists(st.tuples(LISTS, st.booleans()), max_size=6)


def hold(adds: Adds) -> Vocabulary:
    """Add names as texts or as strings; each must keep its place, and no two may share one."""
    vocabulary = Vocabulary()
    places: dict[Any, int] = {}
    for names, as_texts in adds:
        found = vocabulary.add(Texts.of(names) if as_texts else names)
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


def test_names_of_other_kinds_have_places_too() -> None:
    hold([([("a", "x"), ("b", "x")], False), ([("b", "x"), ("b", "y")], False)])


def test_texts_made_to_fall_together_are_told_apart_in_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Texts, "mixed", lambda self: np.zeros(len(self), dtype=np.uint64))
    names = [f"n{n}" for n in range(module._ROUNDS + 10)]
    assert alike(Texts.of(names)) is None
    few = alike(Texts.of(names[: module._ROUNDS] * 2))
    assert few is not None and len(few[0]) == module._ROUNDS


WORDS = st.text(max_size=10) | st.sampled_from(["x" * LONGEST, "x" * (LONGEST + 1), "é" * LONGEST, "\udc80", ""])


@modest
@given(st.lists(WORDS, max_size=20))
def test_a_text_has_one_hash_however_it_comes_and_no_other_has_it(names: list[str]) -> None:
    hash_ = TextHash.random()
    first, second = hash_.of(names)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    assert len(set(pairs)) == len(set(names)) == len(dict(zip(names, pairs, strict=True)))
    short = [place for place, name in enumerate(names) if len(name.encode(errors="surrogatepass")) <= LONGEST]
    again = hash_.of(Texts.of([names[place] for place in short]))
    assert list(zip(*(half.tolist() for half in again), strict=True)) == [pairs[place] for place in short]
    assert pickle.loads(pickle.dumps(hash_)).of(names)[0].tolist() == first.tolist()
    assert not names or TextHash.random().of(names)[0].tolist() != first.tolist()


def test_every_bit_of_a_text_changes_about_half_of_its_hash() -> None:
    word = np.uint64(0x6162636465666768)
    words = np.append(word ^ (np.uint64(1) << np.arange(64, dtype=np.uint64)), word)[None]
    for _ in range(20):
        first, second = TextHash.random().of(Texts(words, np.full(65, 8)))
        changed = [
            (a ^ b).bit_count()
            for half in (first, second)
            for a, b in zip(half[:-1].tolist(), [int(half[-1])] * 64, strict=True)
        ]
        assert 0 not in changed and 20 < sum(changed) / len(changed) < 44


@modest
@given(st.lists(WORDS, max_size=12), st.randoms(use_true_random=False))
def test_the_sum_of_hashes_is_that_of_any_order_and_any_parts(names: list[str], random: Any) -> None:
    other = names[:]
    random.shuffle(other)
    assert sum_of_hashes(names) == sum_of_hashes(other)
    assert sum_of_hashes(names) == sum_of_hashes(names[:5]) + sum_of_hashes(names[5:])
    assert names == [] or sum_of_hashes(names) != sum_of_hashes([*names[1:], names[0] + "x"])


def test_numbers_that_add_up_alike_have_other_sums() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b, c = rng.integers(100, 400, 3).tolist()
        one, other = [str(a), str(b + c)], [str(a + c), str(b)]
        assert sorted(one) == sorted(other) or sum_of_hashes(one) != sum_of_hashes(other)


@modest
@given(LISTS, LISTS, st.booleans(), st.booleans())
def test_texts_are_the_same_or_not_however_they_come(
    one: list[str], other: list[str], first: bool, second: bool
) -> None:
    for two in (one, other):
        found = same_texts(Texts.of(one) if first else one, Texts.of(two) if second else two)
        assert found == (one == two)


@modest
@given(st.lists(st.tuples(st.lists(WORDS, max_size=6), st.booleans()), max_size=4))
def test_parts_are_joined_in_order(parts: list[tuple[list[str], bool]]) -> None:
    some = [
        Texts.of(names) if short and all(len(n.encode(errors="surrogatepass")) <= LONGEST for n in names) else names
        for names, short in parts
    ]
    assert list(joined(some)) == [name for names, _ in parts for name in names]
