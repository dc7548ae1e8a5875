"""The command lines that are recorded. Every option of every command is in one of them at least."""

from __future__ import annotations

__all__ = ["COMMANDS"]

_FILES = "preds.csv labels.csv"
_FULL = "full.csv --label truth --preds cat,dog,emu"
_LOGITS = "logits.npy labels.npy --kind logits"
_BINARY = "binary.csv --preds q --label y"
_MULTI = "multi.csv multi_labels.csv --multilabel"

_INPUTS = (
    _FILES,
    _FULL,
    _LOGITS,
    "digits_forest.csv digits_labels.csv",
    "digits_logistic.csv digits_labels.npy",
    "digits_logits.npy digits_labels.npy --kind logits",
    "cancer_logistic.csv cancer_labels.csv",
    "wine.csv",
    "full.tsv --label truth --preds cat,dog,emu",
    "full.csv.gz --label truth --preds cat,dog,emu",
    "full.parquet --label truth --preds cat,dog,emu",
    "full.feather --label truth --preds cat,dog,emu",
    "'full-*.parquet' --label truth --preds cat,dog,emu",
    "preds_parts labels_parts",
    "'preds_parts/*.csv' 'labels_parts/*.csv'",
    "comma.csv --decimal , --label truth --preds cat,dog,emu",
    "full.csv --label truth --preds cat:emu",
    "full.csv --label truth --preds '#8:#10'",
    "full.csv --label truth --preds '[cde]*'",
    "full.csv --label truth --preds emu,cat,dog",
    "preds.csv --label @full.csv:truth",
    "id_preds.csv id_labels.csv --id image --label truth",
    "id_preds.csv id_few.csv --id image --label truth",
    "id_preds.csv id_labels.csv --id image --label truth --subset",
    "id_few.csv --label truth --preds w",
    "logits.csv labels.csv --kind logits",
    "percent.csv labels.csv --scale 0.01",
    "percent.csv labels.csv --renormalize --sum-tolerance 0.01",
    "rounded.csv labels.csv --sum-tolerance 0.015",
    "rounded.csv labels.csv --renormalize",
    "prefixed.csv labels.csv",
    "bare.csv bare_labels.csv",
    "bare.csv bare_labels.csv --no-header",
    "bare.csv bare_labels.csv --no-header predictions --header labels",
    "preds.csv from_one.csv --index-base 1",
    "preds.csv from_one.csv",
    "preds.csv bare_labels.csv --index-base 0",
    "preds.csv soft.csv",
    "preds.csv one_hot.csv",
    "preds.csv soft.csv --worst 3 --worst-by kl",
    "preds.csv soft.csv --per-example rows.jsonl --row-metrics kl,target_entropy",
    "preds.csv one_hot.csv --votes",
    "preds.npy labels.npy",
    "preds.npy labels.npy --classes cat,dog,emu",
    "preds.npy labels.csv --classes @names.txt",
    "half.npy labels.npy --kind logits",
    "fortran.npy labels.npy --kind logits",
    "cube.npy square.npy --kind logits",
    "cube.npy square.npy --kind logits --shift-labels",
    "cube.npy labels.npy --kind logits",
    "cube.npy square.npy --kind logits --class-axis 2",
    "logprobs.npy labels.npy --kind logprobs",
    "bytes16.npy labels.npy --kind logits --dtype bfloat16",
    "run.npz --preds scores --label truth --kind logits",
    "run.npz --preds scores --label truth --kind logits --weights w",
    "run.safetensors --preds scores --label truth --kind logits",
    "rows.jsonl --preds probs --label truth",
    "rows.vw labels.npy --index-base 0",
    "rows.vw labels.npy --input-format predictions=vw",
    "full.tsv --delimiter tab --label truth --preds cat,dog,emu",
    "full.tsv --no-quotes --label truth --preds cat,dog,emu",
    "true.csv --kind true-probs",
    "true_logs.csv --kind true-logprobs",
    "losses.csv --kind losses --preds loss",
    "losses.csv --kind losses --preds loss --weights weight",
    _BINARY,
    "binary.csv --preds q --label who --positive spam",
    "binary.csv --preds q --label who",
    "binary.csv --preds q --label who --classes ham,spam",
    _MULTI,
    f"{_MULTI} --class-weight x=3 --by-class",
    "multi.csv multi_labels.csv",
    "zero.csv labels.csv",
    "zero.csv labels.csv --clip 1e-6",
    "preds.csv short.csv",
    "preds.csv unknown.csv",
    "preds.csv gaps.csv",
    "preds.csv gaps.csv --ignore-label NA",
    "preds.csv gaps.csv --ignore-label missing --skip-missing",
    "preds.csv shifted.csv",
    "ragged.csv labels.csv",
    "text.csv labels.csv",
    "empty.csv labels.csv",
    "nowhere.csv labels.csv",
    "labels.csv preds.csv",
    "preds.csv labels.csv --align position",
    "full.csv",
    "full.csv --label truth",
    "full.csv --label truth --preds cat,dog,emu --max-columns 5",
    "full.csv --label truth --preds cat,dog,emu --max-field 2",
    "full.csv.gz --label truth --preds cat,dog,emu --max-inflated 1000",
    "full.feather --label truth --preds cat,dog,emu --max-batch 10",
)
_LOSS = (
    "--clip 0.01",
    "--class-weight cat=2 --class-weight emu=0.5",
    "--class-weight balanced",
    "--label-smoothing 0.1",
    "--temperature 0.5",
    "--label-smoothing 0.1 --class-weight dog=3",
    "--ignore-label dog",
    "--ignore-label nothing",
    "--compat sklearn",
    "--compat kaggle",
    "--compat yardstick",
    "--compat xgboost",
    "--base 2",
    "--base 10",
    "--confidence 0.5",
    "--threads 1",
    "--threads 2",
    "--engine local",
    "--engine local --scheduler tcp://127.0.0.1:1",
    "--scheduler nowhere",
    "--hash",
    "--labels labels.csv",
    "--bytes 1000",
)
_SLICES = (
    "--by site",
    "--by site --by day",
    "--by site,day",
    "--by-class",
    "--by-class --by site --worst 4",
    "--worst 3",
    "--worst 3 --show image,day",
    "--worst 2 --show cat",
    "--worst 3 --worst-by kl",
    "--per-example rows.csv --row-metrics kl,prediction_entropy,brier,top2",
    "--row-metrics kl",
    "--cluster patient",
    "--cluster patient --by site",
    "--weights w",
    "--weights w --by site --by-class --worst 2",
    "--weights w --cluster patient",
    "--weights w --class-weight cat=2 --by day",
    "--weights w --label-smoothing 0.05 --by day",
    "--bytes size",
    "--bytes size --weights w",
    "--reference @other.csv",
    "--reference @other.csv:emu,cat,dog --weights w --format json",
    "--reference cat=0.5,dog=0.3,emu=0.2 --by site --metrics cost,reference_skill",
    "--reference cat=0.5,dog=0.3",
    "--by patient --max-groups 5",
    "--by image --max-groups 5",
    "--ignore-label emu --by site --worst 2",
)
_OUTPUT = (
    "--format json",
    "--format csv",
    "--format jsonl",
    "--format markdown",
    "-q",
    "--get accuracy",
    "--get top2",
    "--get kl",
    "--metrics cost,brier,top2",
    "--metrics gap,ece",
    "--get temperature_gain",
    "--get cost,acc,error --get interval.low,inputs.0.path",
    "--metrics brier_halved,error",
    "-o json:-",
    "-q -o markdown:out --append markdown:out --append jsonl:out.log",
    "--metrics accuracy --format csv",
    "-o r.json -o r.csv -o r.md -o r.txt -o r.jsonl",
    "--per-example -",
    "--per-example l.csv",
    "--per-example l.jsonl",
    "-q --plot losses.svg",
)
_FIGURES = "--format json --metrics cost,accuracy,brier,top2 --by-class --worst 2"
_EXPLAIN = (
    "--probs 0.1,0.5,0.1,0.1,0.2 --label 0",
    "--probs 0.1,0.6,0.1,0.1,0.1 --label 0 --base 2",
    "--logits 2.0,-1.0,0.5 --label 2",
    "--logits=2.0,-1.0,0.5 --label 2 --format json",
    "--logprobs=-0.105360516,-2.302585093 --label 1",
    "--probs 0.7,0.2,0.1 --target 0.8,0.1,0.1",
    "--probs 0.7,0.2,0.1 --target 0.8,0.1,0.1 --format markdown",
    "--probs 0.3 --label 1",
    "--probs 0.2,0.8 --label 0 --clip 0.3",
    "--probs 0,1 --label 0",
    "--probs 0.7 --positive spam --label ham",
    "--probs 2,-1,0.5 --label 0",
    f"{_FILES} --row 17",
    f"{_FULL} --row 3 --format json",
    f"{_FULL} --row 3 --weights w",
    f"{_LOGITS} --row 2",
    f"{_FILES}",
    f"{_FULL} --by site --weights w",
    "digits_forest.csv digits_labels.csv",
    "digits_forest.csv digits_labels.csv --format json",
    "zero.csv labels.csv",
    "preds.csv shifted.csv",
    "true.csv --kind true-probs",
    f"{_FILES} --row 999",
    f"{_MULTI} --row 1",
)
_CHECK = (
    "--max cost=1",
    "--max cost=0.1",
    "--max cost=1 --min accuracy=0.99 --max brier=2",
    "--max cost=1 --format json",
    "--max cost=0.1 --format csv",
    "--max cost=0.1 --format markdown",
    "--max kl=1",
    "--max cost=0.1 --junit junit.xml --no-annotations",
    "--min top2=0.5 -q",
    "--fail-on-warning all",
    "--fail-on-warning shifty",
    "--baseline other.csv --max-regression cost=2% --max-regression accuracy=0.01",
    "--baseline other.csv --max-regression brier=1% --strict --format json",
    "--baseline nowhere.npz --max-regression cost=2%",
    "--write-baseline main.npz",
    "--max-each cost=1",
    "",
    "--max f1=1",
)
_CALIBRATION = (
    "digits_forest.csv digits_labels.csv",
    "digits_forest.csv digits_labels.csv --format json",
    "digits_logistic.csv digits_labels.csv --format csv",
    "digits_logits.npy digits_labels.npy --kind logits --fit none --format markdown",
    "cancer_logistic.csv cancer_labels.csv --decompose --format json",
    "cancer_logistic.csv cancer_labels.csv --fit temperature --bins 10",
    f"{_FULL} --by site",
    f"{_FULL} --cluster patient --weights w --format json",
    f"{_MULTI} --decompose",
    f"{_BINARY} --temperature 2",
    "zero.csv labels.csv",
    "zero.csv labels.csv --clip 1e-6",
    "preds.csv soft.csv",
    "true.csv --kind true-probs",
)

_COMPARE = (
    "preds.csv other.csv --labels labels.csv",
    "preds.csv other.csv --labels labels.csv --by-class --worst 3 --format json",
    "preds.csv other.csv logits.npy --labels labels.csv",
    "preds.csv other.csv --labels labels.csv --format csv",
    "preds.csv other.csv --labels labels.csv --format markdown --metrics top2,cost",
    "--models '*s.csv' --labels labels.csv",
    "preds.csv",
    "preds.csv preds.csv --labels labels.csv",
    "preds.csv other.csv --base 2",
    "preds.csv other.csv --labels labels.csv --fit none",
    "full.csv --each cat,dog --label truth --positive cat",
    "full.csv --model site --id day --label truth --preds cat,dog,emu",
)
_MERGE = (
    "state-1.json state-2.json",
    "state-2.json state-1.json --format json",
    "state-1.json state-2.json --get worst.0.row",
    "state-1.json",
    "state-1.json state-1.json state-2.json",
    "state-1.json state-2.json --max cost=0.5 --min accuracy=0.9 --fail-on-warning all --no-annotations",
    "state-1.json state-2.json --max-each cost=0.5 --min-each accuracy=0.9 --min-rows 2 --junit j.xml",
    "preds.csv",
)


def _all() -> list[str]:
    lines = [f"score {given}" for given in _INPUTS]
    lines += [f"score {given} {_FIGURES}" for given in _INPUTS[:24]]
    lines += [f"score {given} --format json" for given in _INPUTS[24:]]
    lines += [f"score {_FILES} {option}" for option in _LOSS if "--labels" not in option]
    lines += ["score preds.csv --labels labels.csv"]
    lines += [f"score {_FULL} {option}" for option in _SLICES]
    lines += [f"score {_FULL} {option} --format json" for option in _SLICES]
    lines += [f"score {_LOGITS} {option} --format json" for option in ("--compat torch", *_LOSS[2:3], *_LOSS[10:])]
    lines += [f"score {given} {option}" for given in (_FILES, f"{_FULL} --by site") for option in _OUTPUT]
    lines += [f"score {given} --by-class --worst 2 --format json" for given in (_BINARY, _MULTI, "preds.csv soft.csv")]
    lines += [f"score {_BINARY} --compat {tool} --format json" for tool in ("sklearn", "xgboost", "kaggle")]
    lines += [
        "score --list-metrics",
        "score --help",
        "score --help-all",
        "completion tcsh --install",
        "explain --help",
        "check --help",
        "check --toml-schema",
        "compare --help",
        "merge --help",
        "--help",
        "",
        "--version",
    ]
    lines += [f"explain {given}" for given in _EXPLAIN]
    lines += [f"calibration {given}" for given in _CALIBRATION]
    lines += [f"check {_FILES} {option}" for option in _CHECK]
    lines += [f"compare {option}" for option in _COMPARE]
    lines += [f"merge {option}" for option in _MERGE]
    lines += [f"{command} {_FILES} --shard 2/3 --state s.json" for command in ("score", "calibration")]
    lines += [f"check {_FILES} --max cost=0.5 --state s.json"]
    lines += ["compare preds.csv other.csv --labels labels.csv --shard 2/3 --state s.json"]
    lines += [f"check {_FULL} --weights w --by site {option}" for option in _CHECK[:4]]
    lines += [f"check {_FULL} --by site --max-each cost=1 --min-each accuracy@n*=0.5 --min-rows 2"]
    return list(dict.fromkeys(line.strip() for line in lines))


COMMANDS = _all()
