"""The commands that make columns of the records of language models: of likely tokens, and of scores of choices."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from xentcli.columns.numerals import is_number, number, whole
from xentcli.readers.source import Source
from xentcli.readers.text.faults import RECORDS, Written

__all__ = [
    "answers_command",
    "batches_command",
    "choices_command",
    "class_command",
    "is_gold",
    "numerals_command",
    "prompt_command",
]

_KEY = "top_logprobs"
"""What the answers of OpenAI's interfaces, and of those like them, call the list."""

_GOLD = r"(?i)(?<![^\W_])(target|gold|label|truth|answer|correct)"


def is_gold(name: str, values: Collection[str]) -> bool:
    """Whether a column may be the place of the right choice, by its name and its values.

    >>> is_gold("doc.gold", {"0", "3"}), is_gold("acc", {"0", "1"}), is_gold("target", {" yes"})
    (True, False, False)
    """
    return bool(re.search(_GOLD, name)) and all((whole(text) or "-").isdecimal() for text in values)


def choices_command(source: Source, label: str | None) -> str:
    """Return the command for lists of a log-likelihood and a flag for each choice, as evaluation harnesses write them.

    It is empty where the records of JSON have no such lists. `label` is the column of the right choice, None of
    another file.
    """
    record = _record_of(source)
    found = record.items() if isinstance(record, dict) else ()
    # A file may list raw answers before filtered ones.
    depths = {key: depth for key, value in found for depth in (1, 2) if _are_flagged(value, depth)}
    if not depths:
        return ""
    key = min(depths, key=lambda name: depths[name])
    name, first = json.dumps(key), "[0]" * depths[key]
    options = f"{'' if label is None else f'--label {shlex.quote(label)} '}--preds {shlex.quote(key)} --kind logits"
    done = f"keeps the log-likelihood of each choice, then {options}"
    return _rewriting(source, f"{{**r, {name}: [float(c{first}) for c in r[{name}]]}}", done)


def numerals_command(source: Source, name: str) -> str:
    """Return the command for lists of numbers that are written as texts; empty where `name` has none in the records."""
    record = _record_of(source)
    found = record.get(name) if isinstance(record, dict) else None
    if not isinstance(found, list) or not found or not all(isinstance(one, str) and is_number(one) for one in found):
        return ""
    key = json.dumps(name)
    done = f"makes numbers of the texts in {name}"
    return _rewriting(source, f"{{**r, {key}: [float(c) for c in r[{key}]]}}", done)


def _are_flagged(value: Any, depth: int) -> bool:
    """Whether a value is a list of several [number, flag], or with depth 2 of several [[number, flag]]."""
    if not isinstance(value, list) or len(value) < 2:
        return False
    if depth == 2:
        return all(isinstance(one, list) and len(one) == 1 for one in value) and _are_flagged(
            [one[0] for one in value], 1
        )
    return all(
        isinstance(one, list) and len(one) == 2 and number(str(one[0])) is not None and str(one[1]) in ("True", "False")
        for one in value
    )


def class_command(source: Source, label: str, values: Collection[str]) -> str:
    """Return the command that writes the label of each answer, and the probability of each label as its first token.

    It is empty where the records of JSON have no such list, or no token in the first is one of the labels. `label`
    is the name of the column of the labels, with its `values`.
    """
    found = next(_lists(_record_of(source), "r"), None)
    if found is None or label.split(".")[0] in found[0].split('"')[1:2]:
        return ""
    path, tokens = found
    if not {token.strip() for token in _texts(tokens)} & {*values}:
        return ""
    truth = "r" + "".join(f"[{json.dumps(key)}]" for key in label.split("."))
    done = f"{_DONE}, then --label label --preds q --renormalize"
    return _command(source, f"sorted({{{truth} for r in rows}})", f'"label": {truth}', path, tokens, done)


def answers_command(source: Source, columns: Mapping[str, Collection[str]]) -> str:
    """The same, where the labels are in another file, which has `columns` with these values. Names of rows are kept."""
    record = _record_of(source)
    path, tokens = next(_lists(record, "r"), ("", ()))
    texts = {token.strip() for token in _texts(tokens)}
    labels = [name for name, values in columns.items() if texts & {*values}]
    if len(labels) != 1 or not isinstance(record, dict):
        return ""
    ids = [name for name in columns if name in record and name not in labels]
    options = "".join(f" --id {shlex.quote(name)}" for name in ids[:1])
    options += f" --label {shlex.quote(labels[0])}" if len(columns) - len(ids[:1]) > 1 else ""
    names = json.dumps(sorted(text for text in columns[labels[0]] if text.strip()))
    kept = "**{k: v for k, v in r.items() if not isinstance(v, (dict, list))}"
    return _command(source, names, kept, path, tokens, f"{_DONE}, then --preds q --renormalize{options}")


_DONE = "writes the probability of each label as the first token"


def _command(source: Source, names: str, kept: str, path: str, tokens: Any, done: str) -> str:
    """The shell line that writes what is kept of each record and the probability q of each name; all as Python."""
    each = f"{path}.items()" if isinstance(tokens, dict) else f'((t["token"], t["logprob"]) for t in {path})'
    made = f'{{{kept}, "q": {{n: sum(math.exp(p) for t, p in {each} if t.strip() == n) for n in names}}}}'
    return _rewriting(source, made, done, modules="json, math, sys", before=f"names = {names}; ")


def _rewriting(
    source: Source, made: str, done: str, rows: str = "for r in rows", modules: str = "json, sys", before: str = ""
) -> str:
    """The shell line that writes what is made of each record r, all as Python, and then what is done with it."""
    read = f"import {modules}; text = sys.stdin.read().strip(); rows = json.loads({RECORDS}); {before}"
    code = f"{read}[print(json.dumps({made})) {rows}]"
    return Written(source.path).by(f"python3 -c {shlex.quote(code)}", done, ".jsonl")


def prompt_command(source: Source) -> str:
    """Return the command that writes the log-probability of each token of a prompt, as vLLM lists them.

    The list has an object for each token, in which the token of the prompt comes first; null for the first token.
    It is empty where the records of JSON have no such list.
    """
    path = next(_prompts(_record_of(source), "r"), "")
    if not path:
        return ""
    done = "keeps the log-probability of each token, then --kind true-logprobs --preds logprob"
    return _rewriting(source, f'{{"logprob": [t and next(iter(t.values()))["logprob"] for t in {path}]}}', done)


def _prompts(value: Any, path: str) -> Iterator[str]:
    """Yield the paths of lists of objects of log-probabilities by token id, as Python."""
    if isinstance(value, list) and value:
        yield from _prompts(value[0], f"{path}[0]")
    for key, inner in value.items() if isinstance(value, dict) else ():
        at = f"{path}[{json.dumps(key)}]"
        if key == "prompt_logprobs" and isinstance(inner, list) and any(map(_by_token, inner)):
            yield at
        else:
            yield from _prompts(inner, at)


def _by_token(value: Any) -> bool:
    """Whether a value is an object of objects with a log-probability each."""
    found = list(value.values()) if isinstance(value, dict) else []
    return bool(found) and all(isinstance(one, dict) and "logprob" in one for one in found)


def batches_command(source: Source) -> str:
    """Return the command that makes a record a row of records of batches; empty where the first is none.

    All values of such a record are lists of one length, some of them lists of numbers.
    """
    record = _record_of(source)
    values = list(record.values()) if isinstance(record, dict) else []
    if len(values) < 2 or any(not isinstance(value, list) for value in values) or len({*map(len, values)}) > 1:
        return ""
    inner = [value for value in values if value and all(isinstance(item, list) for item in value)]
    if not inner or len(inner) == len(values) or any(len({*map(len, value)}) > 1 for value in inner):
        return ""
    rows = "for r in rows for v in zip(*r.values(), strict=True)"
    return _rewriting(source, "dict(zip(r, v))", "makes a record of each row of a batch", rows)


def _record_of(source: Source) -> Any:
    """The first record of JSON; None of other sources."""
    stream = getattr(source, "stream", None)
    if stream is None or source.format == "csv":
        return None
    text = stream.head.decode(errors="replace")
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
