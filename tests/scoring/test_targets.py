"""Counts of votes as targets."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest

from tests.conftest import Call, Write
from xentcli import score
from xentcli.errors import DataError, Place
from xentcli.scoring.targets import shares

VOTES = [[3, 0, 2], [0, 7, 0], [1, 1, 1], [10**15, 1, 3]]
Q = [[0.5, 0.25, 0.25], [0.125, 0.5, 0.375], [0.25, 0.25, 0.5], [0.5, 0.25, 0.25]]


def test_a_share_is_the_double_nearest_to_count_over_sum() -> None:
    got = shares(np.array(VOTES, float), lambda *_: Place())
    assert got.tolist() == [[float(Fraction(n, sum(row))) for n in row] for row in VOTES]


def test_votes_are_the_soft_targets_of_their_shares_bit_by_bit() -> None:
    soft = np.array([[float(Fraction(n, sum(row))) for n in row] for row in VOTES])
    names = ["cost", "target_entropy", "kl", "brier", "prior"]
    by_votes, by_shares = score(Q, VOTES, votes=True), score(Q, soft)
    assert [by_votes.value(name) for name in names] == [by_shares.value(name) for name in names]
    assert by_votes.target_entropy > 0


def test_rows_of_one_opinion_are_one_hot() -> None:
    counted = score(Q[:2], [[5, 0, 0], [0, 2, 0]], votes=True)
    assert counted.cost == score(Q[:2], [0, 1]).cost
    assert counted.accuracy == 1.0
    assert counted.target_entropy is None


@pytest.mark.parametrize(
    ("row", "message"),
    [([0, 0, 0], "without a vote"), ([0.5, 1, 0], "0.5 is not a count"), ([-1, 1, 0], "-1 is not a count")],
)
def test_what_is_no_count_is_refused(row: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        score(Q[:2], [[1.0, 0.0, 0.0], row], votes=True)
    assert "row 2" in caught.value.headline
    assert caught.value.advice


def test_votes_of_the_command_are_found_by_name_said_and_rows_without_votes_ignored(call: Call, write: Write) -> None:
    write("p.csv", "id,x_vote,y_vote\n1,0.25,0.75\n2,0.5,0.5\n3,0.5,0.5\n")
    write("l.csv", "id,age,y_vote,x_vote\n3,7,0,0\n2,8,1,1\n1,9,0,4\n")
    given = ("score", "p.csv", "l.csv", "--id", "id", "--label", "*_vote")
    refused = call(*given)
    assert (refused.code, "--votes" in refused.err) == (3, True)
    empty = call(*given, "--votes")
    assert (empty.code, "--ignore-label 0" in empty.err) == (3, True)
    done = call(*given, "--votes", "--ignore-label", "0")
    assert "counts divided by the sum of their row (--votes)" in done.out
    result = json.loads(call(*given, "--votes", "--ignore-label", "0", "--format", "json").out)
    assert result["cost"] == pytest.approx((np.log(4) + np.log(2)) / 2, rel=1e-15)
    assert result["examples"]["ignored"] == 1


def test_one_column_of_counts_is_refused(call: Call, write: Write) -> None:
    write("p.csv", "x,y\n0.25,0.75\n")
    write("l.csv", "n\n1\n")
    done = call("score", "p.csv", "l.csv", "--votes")
    assert (done.code, "a column of counts for each class" in done.err) == (3, True)
