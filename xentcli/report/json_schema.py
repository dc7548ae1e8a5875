"""The JSON Schema of the documents, made from the annotations and docstrings of their classes, and from METRICS."""

from __future__ import annotations

import inspect
import re
import types
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from xentcli.errors import UsageError, shown
from xentcli.report.calibration import FROM_REPORT, CalibrationReport
from xentcli.report.causes import Causes
from xentcli.report.check import CheckReport
from xentcli.report.checks import Checks
from xentcli.report.comparison import Comparison
from xentcli.report.document import SCHEMA_VERSION, Document
from xentcli.report.explanation import Explanation
from xentcli.report.report import Report
from xentcli.scoring.metrics import METRICS, Metric

__all__ = ["of"]

_NULL = {"type": "null"}
_NUMBER = {"anyOf": [{"type": "number"}, {"enum": ["inf", "-inf", "nan"]}]}
_OBJECT = ("type", "properties", "patternProperties", "required", "dependentRequired", "additionalProperties")
_TYPES = {int: "integer", str: "string", bool: "boolean", type(None): "null"}
_COMMANDS = {
    "report": "`xent score --format json` and `xent check --format json` print",
    "explanation": "`xent explain --format json` prints for one example",
    "comparison": "`xent compare --format json` prints",
    "causes": "`xent explain --format json` prints for files",
    "calibration": "`xent calibration --format json` prints",
    "checks": "`xent check --format json` prints for the checks of pyproject.toml",
}


_COMMON = {
    "accuracy": "share of rows whose label is predicted",
    "advice": "what to do about it",
    "alignment": "how rows were matched: by position or by id",
    "backward_interval": "of backward",
    "bin_count": "how many bins of confidence",
    "bound": "whether the limit is a largest or a smallest value",
    "brier": "sum over classes of (q - y)^2",
    "causes": "the largest share of the cost first",
    "change": "the model's minus the reference's; null where it is undefined",
    "checks": "one for each limit, or each check",
    "classes": "class names in the order of the prediction columns",
    "clip": "what --clip changed; null without it",
    "code": "of a warning, for scripts",
    "columns": "names of the columns",
    "confidence": "mean probability of the predicted class",
    "cost": "mean loss, in unit",
    "cost_after": "the cost with what was fitted",
    "cost_before": "the cost without",
    "cost_without": "the cost unclipped",
    "count": "how many rows",
    "discrimination": "how much telling the classes apart lowers the score",
    "ece": "expected calibration error",
    "ece_floor": "what a calibrated model would show with these confidences",
    "ece_floor_95": "what a calibrated model would exceed one time in 20",
    "eps": "EPS of --clip",
    "examples": "how many rows",
    "exit_code": "what the command would exit with",
    "format": "an input format",
    "forward_interval": "of forward",
    "gap": "mean confidence minus accuracy",
    "group": "the value of each column of --by",
    "high": "the upper end",
    "id": "of the row; null without --id",
    "ignored": "rows whose label --ignore-label names",
    "infinite": "rows of infinite loss or divergence",
    "inputs": "every file that was read",
    "intercept": "on the logit; null where none was fitted",
    "interval": "the confidence interval; null where it is undefined",
    "kind": "the kind of predictions",
    "label": "the true class; null where targets are soft",
    "labels": "the file of the labels",
    "largest": "the largest logit, which is subtracted; null for other kinds",
    "level": "of confidence, such as 0.95",
    "ln_q": "natural logarithm of q",
    "logsumexp": "of the logits; null for other kinds",
    "loss": "of the row",
    "low": "the lower end",
    "matched": "the rule by which labels were matched to classes",
    "message": "what was seen",
    "metric": "a name in METRICS",
    "miscalibration": "how much recalibration would lower the score",
    "model": "name of the model",
    "name": "as it is shown",
    "path": "as it was given",
    "perplexity": "exp(loss in nats)",
    "predicted": "the class of the largest prediction",
    "q": "the prediction",
    "read": "rows of the predictions",
    "reason": "why, in words",
    "reference": "name of the model that others are compared with",
    "reference_cost": "mean loss of the reference, in unit",
    "reference_loss": "the loss of the row by the reference",
    "row": "counted from 1",
    "row_sum": "how far row sums are from 1",
    "rows": "how many rows",
    "schema_version": "of the names in this document",
    "score": "miscalibration - discrimination + uncertainty",
    "scored": "rows with a loss in the cost",
    "share": "of the cost",
    "slope": "on the logit; null where none was fitted",
    "standard_error": "of the mean; null where it is undefined",
    "target_entropy": "entropy of a soft target; null for others",
    "temperature": "T in softmax(ln q / T); null where none was fitted",
    "term": "y ln q",
    "terms": "one for each class",
    "total": "their sum",
    "truth_index": "position of the true class, from 0; null for a soft target",
    "uncertainty": "the score of the class frequencies",
    "undefined": "why a figure is null, by its name",
    "unit": "of losses",
    "value": "the figure; null where it is undefined",
    "verdict": "in one word",
    "warnings": "what looks like a known mistake",
    "xent_version": "of the program",
    "y": "the target",
    "zero_weight": "rows of weight 0",
}
"""What a field of this name is wherever its class says nothing else."""


def of(document: str) -> dict[str, Any]:
    """Return the schema of a document, by a name in _COMMANDS."""
    documents = (Report, Explanation, Causes, Comparison, CalibrationReport, Checks)
    classes: dict[str, type[Document]] = {cls.NAME: cls for cls in documents}
    if not isinstance(document, str) or document not in classes:
        raise UsageError(f"there is no document {shown(document)}", advice=f"documents: {', '.join(classes)}")
    defs: dict[str, Any] = {"number": _NUMBER}
    if document == Checks.NAME:
        # The report of a check has names that its class has not: those of the metrics.
        whole = of(Report.NAME)
        defs |= whole["$defs"] | {"CheckReport": {name: whole[name] for name in _OBJECT if name in whole}}
    described = _object(classes[document], defs)
    if document == Report.NAME:
        _add_metrics(described)
        _add_verdict(described, defs)
    if document == CalibrationReport.NAME:
        report = _object(Report, defs)
        _add_metrics(report)
        described["properties"] = {name: report["properties"][name] for name in FROM_REPORT} | described["properties"]
        described["required"] = [name for name in described["properties"] if name not in Report.OPTIONAL]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"xent {document}, version {SCHEMA_VERSION}",
        "description": f"What {_COMMANDS[document]}. There is no bare NaN or Infinity: "
        "they are the strings nan, inf and -inf.",
        **described,
        "$defs": defs,
    }


def _add_metrics(report: dict[str, Any]) -> None:
    """Add a property for each metric, which the usual ones require, and the pattern of the top-k accuracies."""
    report["properties"] |= {metric.name: _metric(metric) for metric in METRICS.values()}
    report["required"] += [metric.name for metric in METRICS.values() if metric.usual]
    top = {"anyOf": [{"$ref": "#/$defs/number"}, _NULL], "description": "top-k accuracy, where it was asked for"}
    report["patternProperties"] = {"^top[1-9][0-9]*$": top}


def _metric(metric: Metric) -> dict[str, Any]:
    # A share of rows is finite; a share of a cost need not be.
    finite = metric.unit == "share" and metric.per_example is not None
    number = {"type": "number"} if finite else {"$ref": "#/$defs/number"}
    value = number if metric.always else {"anyOf": [number, _NULL]}
    return {**value, "description": metric.description or metric.about}


def _add_verdict(report: dict[str, Any], defs: dict[str, Any]) -> None:
    """Add what a check has beside the names of the report: all of it or nothing."""
    names = _object(CheckReport, defs)["properties"]
    report["properties"] |= names
    report["dependentRequired"] = {name: [other for other in names if other != name] for name in names}


def _object(cls: type, defs: dict[str, Any]) -> dict[str, Any]:
    """The schema of a record: all names are required, and there are no others."""
    descriptions, renamed = _descriptions(cls), getattr(cls, "JSON_NAMES", {})
    omitted, hints = getattr(cls, "OMITTED", ()), get_type_hints(cls, include_extras=True)
    properties = {}
    for name in vars(cls)["__record__"]:
        if name not in omitted:
            said = descriptions.get(name) or _COMMON.get(name)
            text = {"description": said} if said else {}
            properties[renamed.get(name, name)] = {**_type(hints[name], defs), **text}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in getattr(cls, "OPTIONAL", ())],
        "additionalProperties": False,
    }


def _descriptions(cls: type) -> dict[str, str]:
    """The texts of the fields below ``Attributes`` in a docstring, those of the bases too; None is null in JSON."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        _, _, section = inspect.cleandoc(base.__doc__ or "").partition("Attributes\n----------\n")
        for names, text in re.findall(r"^(\w+(?:, \w+)*)\n((?: +.+\n?)+)", section, re.MULTILINE):
            found |= dict.fromkeys(names.split(", "), text)
    return {name: re.sub(r"\bNone\b", "null", " ".join(text.split())) for name, text in found.items()}


def _type(hint: Any, defs: dict[str, Any]) -> dict[str, Any]:
    """The schema of an annotation; records are added to `defs`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        keywords = hint.__metadata__[0]
        # These keywords describe a value completely.
        whole = keywords.keys() & {"type", "enum", "const"}
        return dict(keywords) if whole else {**_type(arguments[0], defs), **keywords}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_type(argument, defs) for argument in arguments]}
    if origin is tuple:
        return {"type": "array", "items": _type(arguments[0], defs)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type(arguments[1], defs)}
    if hint is Any:
        return {}
    if hint is float:
        return {"$ref": "#/$defs/number"}
    if hint in _TYPES:
        return {"type": _TYPES[hint]}
    if hint.__name__ not in defs:
        defs[hint.__name__] = _object(hint, defs)
    return {"$ref": f"#/$defs/{hint.__name__}"}
