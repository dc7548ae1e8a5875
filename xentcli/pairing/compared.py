"""Compare the row names of two files, and refuse the same names in another order."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from xentcli.columns.hashing import sum_of_hashes
from xentcli.columns.texts import same_texts
from xentcli.errors import DataError, shown
from xentcli.pairing import near
from xentcli.pairing.by_name import is_order_by_name
from xentcli.pairing.plan import Plan
from xentcli.readers.source import Source
from xentcli.records import record

__all__ = ["RowNames", "by_names", "check_near_names", "check_row_names", "row_names"]


@record(frozen=True)
class RowNames:
    """Compares the unnamed first columns of two files by hashes."""

    rows: int = 0
    same: bool = True
    sums: tuple[int, int] = (0, 0)

    def merge(self, other: RowNames) -> RowNames:
        """Return the comparison over both."""
        sums = (self.sums[0] + other.sums[0], self.sums[1] + other.sums[1])
        return RowNames(self.rows + other.rows, self.same and other.same, sums)

    @property
    def shuffled(self) -> bool:
        """Whether both have the same names in another order."""
        return not self.same and self.sums[0] == self.sums[1]


def row_names(names: Sequence[str], others: Sequence[str]) -> RowNames:
    """Compare the row names of some rows; sums of hashes do not depend on the order."""
    if same_texts(names, others):
        # Equal names change both sums alike.
        return RowNames(len(names))
    return RowNames(len(names), False, (sum_of_hashes(names), sum_of_hashes(others)))


def check_near_names(plan: Plan, pair: Sequence[Source]) -> None:
    """Refuse row names that the two files have in another order but for blanks, case, leading zeros and the like.

    Raises DataError, with the command that makes both alike.
    """
    from xentcli.pairing.join import ids_of

    if not all(source.repeatable for source in pair):
        return
    picks = [picked["index"] for picked in plan.picks[:2]]
    ids = [[one for one, _ in ids_of(source, pick)] for source, pick in zip(pair, picks, strict=True)]
    loose = [[near.loose(one) for one in some] for some in ids]
    if loose[0] == loose[1] or len({*loose[0]}) < len(loose[0]) or sorted(loose[0]) != sorted(loose[1]):
        return
    others = dict(zip(loose[1], ids[1], strict=True))
    pairs = ((one, others[key]) for one, key in zip(ids[0], loose[0], strict=True))
    one, other = next((both for both in pairs if both[0] != both[1]), ("", ""))
    if one == other:
        # A shard has some of the rows, and other ids than the labels beside them.
        check_row_names(plan, RowNames(len(ids[0]), same=False), pair)
        return
    steps = near.differing(one, other)
    columns = [pick.columns[0] for pick in picks]
    raise DataError(
        f"{pair[0].path} and {pair[1].path} have nearly the same {_compared(plan)} in another order: "
        f"{shown(one)} is {shown(other)}, they differ by {near.names_of(steps)}",
        advice=(*_copies(plan, pair, columns, (one, other), steps), "--align position matches rows by position"),
    )


def _copies(
    plan: Plan, pair: Sequence[Source], columns: Sequence[int], texts: tuple[str, str], steps: Sequence[near.Step]
) -> Iterator[str]:
    """Yield the command that writes a clean copy of each file that needs it, and the option that matches by it."""
    # The copy of one file calls its ids as the other does.
    apart = plan.compared_apart
    names = (apart or plan.compared or "#1", plan.compared or "#1")
    for source, column, text, name in zip(pair, columns, texts, names, strict=True):
        changing = [step for step in steps if step.apply(text) != text]
        copy = near.clean_copy(source, column, changing, name if apart else "") if changing else ""
        if copy:
            yield f"{copy}, then --id {shlex.quote(name)}"


def _compared(plan: Plan) -> str:
    """What is compared, in words."""
    if plan.compared_apart:
        return f"values in {plan.compared} and {plan.compared_apart},"
    return plan.compared or "row names"


def check_row_names(plan: Plan, names: RowNames, sources: Sequence[Source] = ()) -> None:
    """Refuse row names that the two files, the first `sources`, have in a different order.

    Raises DataError, naming the option that matches by them.
    """
    if names.shuffled and not plan.has_counted:
        paths = " and ".join(table.path for table in plan.inputs[:2])
        name, other = plan.compared, plan.compared_apart
        what = name or "row names (first column, without a name)"
        if other or not plan.compare_row_names:
            what = f"values in {name} and {other}," if other else "ids, in columns of two names,"
        ways = (by_names(plan, sources), "--align position matches rows by position")
        doubtful = bool(other) and any(map(is_order_by_name, (name, other)))
        raise DataError(f"{paths} have the same {what} in another order", advice=ways[::-1] if doubtful else ways)


def by_names(plan: Plan, sources: Sequence[Source]) -> str:
    """Return the option that matches rows by the compared columns, after the command that gives them one name."""
    name, other = plan.compared, plan.compared_apart
    places = [picked["index"].columns[0] for picked in plan.picks[:2] if "index" in picked]
    if len({*places}) == 1 or not other:
        spec = f"#{places[0] + 1}" if other else name or "#1"
        return f"--id {shlex.quote(spec)} matches the rows by it"
    copy = near.renaming(sources[1], other, name) if len(sources) > 1 else ""
    if copy:
        return f"{copy}, then --id {name}"
    return f"--id {shlex.quote(name)} matches the rows by it, after {other} is renamed to {name}"
