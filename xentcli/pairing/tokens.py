"""The command that makes class probabilities of the most likely tokens in the answers of a language model."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterator
from typing import Any

from xentcli.readers.source import Source
from xentcli.readers.text.faults import Written

__all__ = ["TOKENS", "class_command"]

_KEY = "top_logprobs"
"""What the answers of OpenAI's interfaces, and of those like them, call the list."""
TOKENS = f"{_KEY}.token"
"""The end of the name of the column that has its tokens."""


def class_command(source: Source, label: str, values: Collection[str]) -> str:
    """Return the command that writes the label of each answer, and the probability of each label as its first token.

    It is empty where the records of JSON have no such list, or no token in the first is one of the labels. `label`
    is the name of the column of the labels, with its `values`.
    """
    stream = getattr(source, "stream", None)
    record = None if stream is None or source.format == "csv" else _first_record(stream.head.decode(errors="replace"))
    found = next(_lists(record, "r"), None)
    if found is None or label.split(".")[0] in found[0].split('"')[1:2]:
        return ""
    path, tokens = found
    named = isinstance(tokens, dict)
    if not {token.strip() for token in _texts(tokens)} & {*values}:
        return ""
    each = f"{path}.items()" if named else f'((t["token"], t["logprob"]) for t in {path})'
    truth = "r" + "".join(f"[{json.dumps(key)}]" for key in label.split("."))
    lines = 'text if text[0] == "[" else "[" + ",".join(text.splitlines()) + "]"'
    code = (
        f"import json, math, sys; text = sys.stdin.read().strip(); rows = json.loads({lines}); "
        f"names = sorted({{{truth} for r in rows}}); "
        f'[print(json.dumps({{"label": {truth}, "q": {{n: sum(math.exp(p) for t, p in {each} if t.strip() == n) '
        "for n in names}})) for r in rows]"
    )
    done = "writes the probability of each label as the first token, then --label label --preds q --renormalize"
    return Written(source.path).by(f"python3 -c {shlex.quote(code)}", done, ".jsonl")


def _first_record(text: str) -> Any:
    try:
        return json.JSONDecoder().raw_decode(text, max(text.find("{"), 0))[0]
    except ValueError:
        return None


def _lists(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the lists of tokens with their log-probabilities, or objects of them, each after its path as Python."""
    if isinstance(value, list) and value:
        yield from _lists(value[0], f"{path}[0]")
    elif isinstance(value, dict):
        for key, inner in value.items():
            at = f"{path}[{json.dumps(key)}]"
            if key != _KEY:
                yield from _lists(inner, at)
            elif _texts(inner):
                yield at, inner
            elif isinstance(inner, list) and inner and isinstance(inner[0], dict) and _texts(inner[0]):
                # One object for each token of the answer.
                yield f"{at}[0]", inner[0]


def _texts(tokens: Any) -> list[str]:
    """The tokens of a list, or of an object of log-probabilities; none where it is neither."""
    if isinstance(tokens, dict):
        return list(tokens) if all(isinstance(value, float | int) for value in tokens.values()) else []
    if not isinstance(tokens, list) or not all(
        isinstance(t, dict) and {"token", "logprob"} <= t.keys() for t in tokens
    ):
        return []
    return [t["token"] for t in tokens if isinstance(t["token"], str)]
