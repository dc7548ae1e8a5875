"""What a column may be by its name alone: the true class, the predicted one, a score, or a number of the row."""

from __future__ import annotations

import re

__all__ = ["is_label_by_name", "is_order_by_name", "is_predicted_by_name", "is_probability_by_name", "is_score_by_name"]

_LABEL = r"(?i)(?<![^\W_])(labels?|targets?|truth|gold|y|y_?true)(?![^\W_])"
_SCORE = r"(?i)logit|raw|score|margin|decision"
_ORDER = r"(?i)(?<![^\W_])(rank|order|fold|split|batch|priority)(?![^\W_])"
_PREDICTED = r"(?i)predict|(?<![a-z])pred(?![a-z])|(?<![a-z])y_?(hat|pred)|_into_"
"""Names of columns that may be the predicted class."""


def is_label_by_name(name: str) -> bool:
    """Return whether a column may be the true class, by its name.

    >>> is_label_by_name("labels"), is_label_by_name("y_true"), is_label_by_name("label_pred"), is_label_by_name("year")
    (True, True, False, False)
    """
    return bool(re.search(_LABEL, name)) and not re.search("pred|hat", name, re.IGNORECASE)


def is_order_by_name(name: str) -> bool:
    """Return whether a column may have a number of the row that is no id, by its name.

    >>> is_order_by_name("rank"), is_order_by_name("sort_order"), is_order_by_name("order_id")
    (True, True, False)
    """
    return bool(re.search(_ORDER, name)) and not re.search("id|key", name, re.IGNORECASE)


def is_score_by_name(name: str) -> bool:
    """Return whether a column may be the score of a binary model, which is no probability, by its name.

    >>> is_score_by_name("RawFormulaVal"), is_score_by_name("decision_function"), is_score_by_name("age")
    (True, True, False)
    """
    return bool(re.search(_SCORE, name))


def is_predicted_by_name(name: str) -> bool:
    """Return whether a column may be the predicted class, by its name.

    >>> is_predicted_by_name("y_hat"), is_predicted_by_name("prediction_label"), is_predicted_by_name("y")
    (True, True, False)
    """
    return bool(re.search(_PREDICTED, name))


def is_probability_by_name(name: str) -> bool:
    """Return whether columns may be probabilities, by their name.

    >>> is_probability_by_name("probabilities"), is_probability_by_name("image")
    (True, False)
    """
    return bool(re.search("prob|score", name, re.IGNORECASE))
