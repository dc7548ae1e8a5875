"""The laws of every tally of the table, its plain form, and a tally that is added from outside by one row."""

from __future__ import annotations

import functools
import itertools
import json
import math
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest

from tests.conftest import Write, csv
from xentcli.analysis.score import Tallied, opened, score, tally
from xentcli.columns.keys import coded, crossed
from xentcli.engine.scorer import Scorer
from xentcli.records import record, replace
from xentcli.scoring.checks import checked
from xentcli.scoring.losses import Workings
from xentcli.scoring.recipe import Recipe
from xentcli.settings import Settings
from xentcli.tallies.block import Block, Wants, Whole
from xentcli.tallies.bundle import TALLIES, Bundle, Entry, asked
from xentcli.tallies.exact import Among
from xentcli.tallies.groups import Groups
from xentcli.tallies.left_out import LeftOut
from xentcli.tallies.moments import GroupMeans
from xentcli.tallies.scores import Figures
from xentcli.tallies.tally import Tally

LAYOUTS: dict[str, dict[str, Any]] = {
    "hard": {},
    "weights": {"weights": True},
    "soft": {"soft": True, "weights": True},
    "clipped logits": {"kind": "logits", "clip": 1e-3, "weights": True},
    "from 1": {"least": 1},
    "certain": {"certain": True},
    "multilabel": {"multilabel": True, "weights": True},
    "no labels": {"kind": "losses"},
}
every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)


def nowhere(*_: Any) -> Any:
    raise AssertionError("no row is at fault")


def block_of(first: int, n: int, seed: int, layout: dict[str, Any]) -> Block:
    """Scored rows of 4 classes with ids, groups, clusters and bytes."""
    rng = np.random.default_rng(seed)
    kind, k = layout.get("kind", "probs"), 4
    recipe = Recipe(kind, 0.01, multilabel=layout.get("multilabel", False), clip=layout.get("clip"))
    z = rng.normal(size=(n, k)) * 3
    q = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    q[rng.random(n) < 0.1] = [0.5, 0.5, 0.0, 0.0]
    if "certain" in layout:
        q = np.eye(k)[rng.integers(0, k, n)]
    target: Any = rng.integers(layout.get("least", 0), k, n)
    if recipe.multilabel or "soft" in layout:
        target = np.eye(k)[target]
    if "soft" in layout:
        target[::3] = rng.dirichlet(np.ones(k), len(target[::3]))
    if kind == "losses":
        q, target = rng.exponential(1, (n, 1)), None
    weight = rng.choice([0.1, 1.0, 2.5], n) if "weights" in layout else None
    rows = np.arange(first, first + n)
    batch = checked(z if kind == "logits" else q, target, weight, recipe=recipe, rows=rows, where=nowhere)
    work = Workings(batch)
    labelled = target is not None
    columns = recipe.multilabel
    wants = Wants(
        classes=("a", "b", "c", "d") if labelled else (),
        confused=4 if labelled and not columns else 0,
        worst=4,
        by_class=labelled and not columns,
        by_column=columns,
        by=True,
        clusters=True,
        bytes=True,
        tail=True,
        from_one=labelled,
        contents=True,
        cut=labelled,
    )
    sites, days = (coded([f"{name}{i}" for i in rng.integers(0, 3, n)]) for name in ("site", "day"))
    return Block(
        wants,
        Figures.of(work),
        read=n + 3,
        left_out=LeftOut(2, frozenset({"-100"}), 1),
        underflows=1,
        by=(sites, crossed([sites, days])),
        clusters=days,
        bytes=rng.integers(0, 99, n).astype(np.float64),
        whole=Whole(work, work, np.arange(n), [f"é{row}" for row in rows.tolist()], ([str(row) for row in rows],)),
    )


@functools.cache
def of_layout(name: str) -> tuple[list[Bundle], Bundle]:
    """The bundles of a layout, and all merged, which no test changes."""
    parts = bundles(LAYOUTS[name])
    return parts, merged(parts)


def bundles(layout: dict[str, Any], seed: int = 0, sizes: tuple[int, ...] = (1, 40, 7)) -> list[Bundle]:
    first = 1 + np.cumsum((0, *sizes))
    return [Bundle.of(block_of(int(at), n, seed + n, layout)) for at, n in zip(first, sizes, strict=False)]


def merged(parts: Any) -> Bundle:
    return functools.reduce(lambda one, other: one.merge(other), parts, Bundle.empty())


def same_bits(one: Any, other: Any) -> bool:
    """Whether two tallies have the same plain form, that of groups in any order."""
    return json.dumps(ordered(one)) == json.dumps(ordered(other))


def ordered(tally: Any) -> Any:
    if isinstance(tally, Bundle):
        return {name: ordered(part) for name, part in sorted(tally.tallies.items())}
    if hasattr(tally, "each"):
        return [ordered(groups) for groups in tally.each]
    if isinstance(tally, Groups):
        return sorted(([name], {key: of.to_plain() for key, of in sums.items()}) for name, sums in tally)
    return tally.to_plain()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", TALLIES)
def test_every_tally_of_the_table_obeys_the_laws(name: str, layout: str) -> None:
    a, b, c = (part[name] for part in of_layout(layout)[0])
    nothing = TALLIES[name].kind.empty()
    for one in (a, b, c, nothing):
        assert nothing.merge(one) == one == one.merge(nothing)
    both = a.merge(b)
    assert both == b.merge(a)
    assert both.merge(c) == a.merge(b.merge(c))
    assert isinstance(both, TALLIES[name].kind)
    if name in ("scores", "by", "clusters", "tail"):
        assert both.merge(c) != both


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", TALLIES)
def test_every_tally_comes_back_from_json_text_and_from_a_pickle_with_the_same_bits(name: str, layout: str) -> None:
    tally = of_layout(layout)[1][name]
    twice = tally.merge(tally)
    text = json.dumps(tally.to_plain(), allow_nan=False)
    for back in (TALLIES[name].kind.from_plain(json.loads(text)), pickle.loads(pickle.dumps(tally))):
        assert type(back) is type(tally)
        assert back == tally
        assert same_bits(back, tally)
        assert same_bits(back.merge(tally), twice)


@every_layout
def test_a_bundle_obeys_the_laws_too(layout: dict[str, Any]) -> None:
    parts = bundles(layout)
    whole = merged(parts)
    for order in itertools.permutations(parts):
        assert merged(order) == whole
    assert Bundle.empty().merge(whole) == whole == whole.merge(Bundle.empty())
    assert same_bits(Bundle.from_plain(json.loads(json.dumps(whole.to_plain()))), whole)
    left = {name: entry for name, entry in TALLIES.items() if not entry.wanted(block_of(1, 2, 0, layout).wants)}
    assert set(whole.tallies) == TALLIES.keys() - left.keys()
    assert all(Bundle.empty()[name] == entry.kind.empty() for name, entry in TALLIES.items())


def row_of(block: Block, i: int) -> Block:
    """One row of a block; the first has all that is counted by block."""
    assert block.whole is not None and block.clusters is not None and block.bytes is not None
    ids, shown = block.whole.ids, block.whole.shown
    assert ids is not None and isinstance(shown[0], list)
    work = Workings(block.whole.work.batch.take(np.array([i])))
    return replace(
        block,
        figures=Figures.of(work),
        read=1 + 3 * (i == 0),
        left_out=block.left_out if i == 0 else LeftOut(),
        underflows=block.underflows * (i == 0),
        by=tuple(coded([names[codes[i]]]) for names, codes in block.by),
        clusters=coded([block.clusters[0][block.clusters[1][i]]]),
        bytes=block.bytes[i : i + 1],
        whole=Whole(work, work, np.arange(1), [ids[i]], ([shown[0][i]],)),
    )


@every_layout
def test_any_split_gives_the_tallies_of_the_whole(layout: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows one by one, a hundred groups joined early and late, are the rows of one block."""
    block = block_of(1, 30, 5, layout)
    whole = Bundle.of(block)
    rows = [row_of(block, i) for i in range(30)]
    parts = [Bundle.of(row) for row in rows]
    assert merged(parts) == whole
    names, at_the_end = asked(block.wants, "predictions", "rows"), asked(block.wants, "figures")
    task = functools.reduce(lambda bundle, row: bundle.add(row, names), rows, Bundle())
    assert task.add(Block.joined([row.reduced() for row in rows]), at_the_end) == whole
    monkeypatch.setattr("xentcli.tallies.groups._MANY", 0)
    monkeypatch.setattr("xentcli.tallies.groups._AT_LEAST", 1)
    assert merged(parts) == whole


def test_what_failed_is_none_and_stays_so() -> None:
    one, other = bundles({})[:2]
    failed = Bundle({**one.tallies, "confusion": None})
    for both in (failed.merge(other), other.merge(failed), Bundle.from_plain(failed.to_plain()).merge(other)):
        assert both["confusion"] is None
        assert both["scores"] == one.merge(other)["scores"]


def test_numbers_beyond_every_size_come_back() -> None:
    loss = np.array([1e308, 5e-324, math.inf, -math.inf, math.nan, 1e308, 0.1])
    means = GroupMeans.of(loss, None, among=Among(np.array([0, 0, 1, 1, 1, 0, 0]), 2))
    groups: Groups[str] = Groups.of(["a", "b"], cost=means)
    back: Groups[str] = Groups.from_plain(json.loads(json.dumps(groups.to_plain(), allow_nan=False)))
    assert back == groups
    assert same_bits(back, groups)


FRAME = "id,a,b,c,truth,site,n\n" + csv(
    [[f"r{i}", 0.5, 0.25, 0.25, "abc"[i % 3], f"s{i % 4}", i] for i in range(50)], None
)
OPTIONS: dict[str, Any] = {
    "label": "truth", "preds": ["a", "b", "c"], "id": "id", "by": "site", "by_class": True, "cluster": "site",
    "worst": 3, "show": "n", "bytes": "n",
}  # fmt: skip


def tallied(path: Any, **options: Any) -> Tallied:
    feed = opened(path, None, Settings(**OPTIONS | options))
    return tally(Scorer(feed.plan), feed, 1)


def given_back(bundle: Bundle) -> tuple[Bundle, str]:
    return bundle, repr(bundle["scores"].cost.standard_error)


def test_a_bundle_goes_through_a_spawned_process_and_json_text_with_every_figure(write: Write) -> None:
    found = tallied(write("p.csv", FRAME))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        back, error = pool.submit(given_back, found.bundle).result()
    assert error == repr(found.total.cost.standard_error)
    again = Bundle.from_plain(json.loads(json.dumps(found.bundle.to_plain())))
    whole = found.report().to_dict()
    for bundle in (back, again):
        assert same_bits(bundle, found.bundle)
        assert replace(found, bundle=bundle).report().to_dict() == whole


@record(frozen=True)
class Largest(Tally):
    """The largest probability that any row gives any class, and how many blocks there were."""

    q: float | None = None
    blocks: int = 0

    @classmethod
    def of(cls, block: Block) -> Largest:
        """Tally rows."""
        assert block.whole is not None
        return cls(float(block.whole.work.confidence.max()), 1)

    def merge(self, other: Largest) -> Largest:
        """Return the larger."""
        found = [q for q in (self.q, other.q) if q is not None]
        return Largest(max(found, default=None), self.blocks + other.blocks)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("block_bytes", [200, None])
def test_a_tally_is_added_by_one_row(
    write: Write, monkeypatch: pytest.MonkeyPatch, threads: int, block_bytes: int | None
) -> None:
    monkeypatch.setitem(TALLIES, "largest", Entry(Largest, Largest.of, needs="predictions"))
    rng = np.random.default_rng(3)
    q = rng.dirichlet(np.ones(3), 400)
    path = write("q.csv", csv([[*row, "abc"[i % 3]] for i, row in enumerate(q.tolist())], ["a", "b", "c", "truth"]))
    feed = opened(path, None, Settings(label="truth"), block_bytes)
    found = tally(Scorer(feed.plan), feed, threads).bundle["largest"]
    assert found.q == q.max()
    assert (found.blocks > 1) == (block_bytes is not None)
    # A plan that is remembered keeps the names of its tallies.
    monkeypatch.undo()
    assert score(path, label="truth").cost == score(q, np.arange(400) % 3).cost
