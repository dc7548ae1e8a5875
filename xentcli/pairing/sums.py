"""Warn about losses that, by their column names, are sums over tokens and are weighted by token counts."""

from __future__ import annotations

import os
import re
import shlex

from xentcli.errors import Warning, unused
from xentcli.pairing.columns import Found
from xentcli.pairing.inputs import Inputs
from xentcli.settings import Settings

__all__ = ["weighted_sums"]

_SUM = r"(?i)(^|[^a-z])(sum|summed|total|seq|sequence)([^a-z]|$)|loglikelihood|log_likelihood"
_COUNT = (
    r"(?i)^(n|num|nr|number|count|cnt)[_. ]?(of[_. ])?(tokens?|words?|chars?|bytes?|characters?)$"
    r"|^(tokens?|words?|chars?|bytes?)[_. ]?(count|counts|cnt|len|length)$|^tokens$|^words$"
)


def weighted_sums(read: Inputs) -> tuple[Warning, ...]:
    """Return a warning if a column named as a sum is weighted by one named as a count of tokens.

    With weights n the cost is sum(n l) / sum(n), which needs the mean loss l per token, not the sum n l. Only names
    can tell: losses that grow with their weights may be correct.
    """
    roles, settings = read.roles, read.settings
    if "weights" not in roles or settings.kind not in ("true-logprobs", "losses"):
        return ()
    found, weights = read.preds, roles["weights"][0]
    name, count = found.names[0], weights.names[0]
    if not (re.search(_SUM, name) and re.search(_COUNT, count)):
        return ()
    message = f"{name} looks like a sum over {count}, and {count} is its weight too"
    return (Warning("weighted-sum", message, _divided(found, weights, settings)),)


def _divided(found: Found, weights: Found, settings: Settings) -> str:
    """Return the command that divides the sums, and the options to read the result."""
    path, name, count = found.source.path, found.names[0], weights.names[0]
    options = f"--kind losses --preds loss --weights {shlex.quote(count)}"
    if "loss" in found.source.names:
        return f"{options} weights the losses of tokens"
    sign = "-" if settings.kind == "true-logprobs" else ""
    dialect = getattr(found.source, "dialect", None)
    if weights.source is found.source and dialect is not None and dialect.delimiter == "," and os.path.isfile(path):
        import json

        target = unused(os.path.splitext(path)[0], ".csv")
        divide = f'f["loss"] = {sign}f[{json.dumps(name)}] / f[{json.dumps(count)}]'
        write = f"f.to_csv({json.dumps(target)}, index=False)"
        code = f"import pandas; f = pandas.read_csv({json.dumps(path)}); {divide}; {write}"
        line = f"python3 -c {shlex.quote(code)}"
        return f"divide first: {line}   # then xent with {target} {options}"
    return f"divide first, loss = {sign}{name} / {count}; then {options}"
