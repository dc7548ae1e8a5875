"""Files as other tools write them, what a new user types, and the right cost.

Each folder beside this file is one case: made by hand in the layout of the tool, with few rows. Costs are
those of the same numbers read by NumPy and json; some files hold fewer digits than the others of their folder.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CASES", "Try"]


class Try(NamedTuple):
    """A first command in a folder; where it is refused, the advice that is followed.

    Attributes
    ----------
    folder
        The case.
    args
        What is typed after ``xent score``.
    cost
        The right cost; None where the truth is not in the files, and the line says so.
    line
        A piece of the line of advice that gives the cost; empty where the first command does.
    before
        How many commands it took before the issue that these cases were made for; None where none was found.
    fill
        What stands for the placeholders of the line.
    """

    folder: str
    args: str
    cost: float | None
    line: str = ""
    before: int | None = None
    fill: tuple[tuple[str, str], ...] = ()


_LIBSVM, _CATBOOST, _XGBOOST, _SPARK = 0.6038795916345501, 1.0063308958361177, 0.5293264447788356, 0.6341827953073742
_BIGQUERY, _PIPELINE, _PANDAS, _MARCH = 0.5611618960883372, 0.9651217403043608, 0.7659348794207543, 0.5613679997460821
_R, _MLR3, _DCASE, _NUMERAI = 0.810802130658771, 0.903394591307386, 0.7621528694748212, 0.6737991008791715
_EXCEL, _ADULT, _ZEROS, _SAVETXT = 0.8784604530783673, 0.6440694031718273, 0.6492830156253454, 0.9273186458296463
_SEGMENTS, _TOKENS, _NAMES, _LISTS = 1.7610310829032345, 2.251910725536771, 0.8342945165880356, 1.0304994932726808
_UNICODE, _WEATHER, _STRUCTS, _VOTES = 0.5116435469598924, 0.3107812958614455, 0.7785582399256051, 2.774598513692098
_FLOWERS, _SCORES, _CHOICES, _PRESENT = 0.9256060714161571, 0.9256055862582641, 6.30561600636026, 0.9310284362878971
_MODEL, _MODEL_4, _RISK, _TEXTS = 0.803935314871474, 0.803913295823279, 0.620903119055961, 0.789101794871795
_ANSWERS, _AUTOPILOT, _OF_TWO, _INDENTED = (
    0.8556055635469334,
    0.7966985477612516,
    0.45943022541508305,
    1.660694950605855,
)

_ANIMALS, _SURE, _PROMPTS = 0.7047090997558728, 0.34152431673999417, 2.9419075

CASES = (
    Try("02-libsvm", "out.txt y.txt", _LIBSVM, "--preds", 4),
    Try("02-libsvm", "out.txt y1.txt", _LIBSVM, "--preds", 3),
    Try("04-catboost-calc", "eval.tsv --label Label", _CATBOOST, "--preds", 2, (("NAME,...", "Probability*"),)),
    Try("04-catboost-calc", "pred.tsv y.csv", _CATBOOST, "--preds", None, (("NAME,...", "Probability*"),)),
    Try("07-xgboost-flat", "pred.csv y.csv", _XGBOOST, "numpy.save"),
    Try("07-xgboost-flat", "pred.npy y.npy", 0.5293265447020022, "numpy.save"),
    Try("07-xgboost-flat", "pred.txt y.txt", 0.5293265298627251, "numpy.save"),
    Try("07-xgboost-flat", "predrn.csv yrn.csv", _XGBOOST, "numpy.save"),
    Try("10-h2o", "pred.csv test.csv", _SPARK, "--label y has", 4),
    Try("10-h2o", "pred01.csv test01.csv", _SPARK, "--label y has", 4),
    Try("10-h2o", "pred.csv test.csv --label y", _SPARK, "--preds", 3, (("NAME,...", "no,yes"),)),
    Try("10-h2o", "pred.csv", _SPARK, "xent score pred.csv LABELS", None, (("LABELS", "test.csv"), ("NAME", "y"))),
    Try("10-h2o", "pred01.csv test01.csv --label y", _SPARK, "--preds", None, (("NAME,...", "p0,p1"),)),
    Try(
        "12-bigquery-ml",
        "pred.jsonl --label label",
        _BIGQUERY,
        "--label NAME --preds",
        None,
        (("NAME,...", "predicted_label_probs"), ("NAME", "label")),
    ),
    Try("12-bigquery-ml", "pred.jsonl --label label --preds predicted_label_probs", _BIGQUERY),
    Try("14-hf-pipeline", "out.json labels.csv", _PIPELINE),
    Try("14-hf-pipeline", "rows.jsonl labels.csv", _PIPELINE),
    Try("14-hf-pipeline", "out_lines.jsonl labels.csv", _PIPELINE),
    Try("16-pandas-json", "records.json --label truth", _PANDAS),
    Try("16-pandas-json", "rows.jsonl --label truth", _PANDAS, "", 1),
    Try("16-pandas-json", "cols.json --label truth", _PANDAS),
    Try("16-pandas-json", "split.json --label truth", _PANDAS),
    Try("16-pandas-json", "splitpd.json --label truth", _PANDAS),
    Try("16-pandas-json", "pretty.json --label truth", _PANDAS),
    Try("16-pandas-json", "table.json --label truth", _PANDAS, "--preds", None, (("NAME,...", "cat:emu"),)),
    Try("17-march-mania", "sub.csv results.csv --id id", _MARCH, "--subset"),
    Try("17-march-mania", "sub.csv solution.csv --id id --label pred", _MARCH, "--ignore-label", 7),
    Try("19-hms-votes", "sub.csv train.csv --id eeg_id --label '*_vote'", _VOTES, "--votes"),
    Try("21-r-write-csv", "x.csv --label indexLabel", _R, "", 1),
    Try("21-r-write-csv", "table.txt --label indexLabel", _R),
    Try("21-r-write-csv", "pred2b.csv truth.csv --decimal ,", _R),
    Try("21-r-write-csv", "pred2b.csv truth.csv", _R, "--decimal"),
    Try("21-r-write-csv", "mlr3b.csv", _MLR3, "--label truth --preds", 2),
    Try("21-r-write-csv", "tidy.csv", _MLR3, "--label Species --preds", 2),
    Try("21-r-write-csv", "caret_pred.csv", _MLR3, "--label obs --preds", 2),
    Try("21-r-write-csv", "mlr3.csv --label truth", _MLR3, "--preds", 2),
    Try(
        "22-dcase-macro",
        "sys.csv truth.csv --id filename --label scene_label",
        _DCASE,
        "--preds",
        3,
        (("NAME,...", "airport:metro"),),
    ),
    Try("22-dcase-macro", "one.csv", None, "no other column can be the label"),
    Try("23-numerai", "sub.csv tournament.csv --id id --label target_bernie", _NUMERAI, "--ignore-label", 3),
    Try("23-numerai", "sub.csv tournament_f.csv --id id --label target_bernie", _NUMERAI, "--ignore-label", 3),
    Try("24-excel-fr", "dec_p.csv labels_comma.csv --id n°", _EXCEL, "--decimal"),
    Try("24-excel-fr", "dec.csv", _EXCEL, "--label 'vérité' --preds"),
    Try("24-excel-fr", "dec.csv --label vérité", _EXCEL, "--decimal", 2),
    Try("24-excel-fr", "sci.csv --label vérité", _EXCEL, "--decimal", 2),
    Try("24-excel-fr", "tableau.csv --label vérité", _EXCEL, "--decimal"),
    Try("24-excel-fr", "tableau.csv --label vérité --decimal ,", _EXCEL),
    Try("24-excel-fr", "nopct.csv --label vérité --decimal ,", _EXCEL, "--scale 0.01"),
    Try("24-excel-fr", "dec_p.csv labels_comma.csv --decimal ,", _EXCEL, "--label"),
    Try("24-excel-fr", "nopct.csv", _EXCEL, "--label 'vérité'"),
    Try("24-excel-fr", "nopct.csv --label vérité", _EXCEL, "--decimal , --scale 0.01"),
    Try("24-excel-fr", "dec_p.csv labels_comma.csv", _EXCEL, "--label"),
    Try("24-excel-fr", "ansi.csv --label vérité --decimal ,", _EXCEL, "iconv"),
    Try("24-excel-fr", "unicode.txt --label vérité --decimal ,", _EXCEL, "iconv"),
    Try("26-adult", "predictions.csv t.csv", _ADULT, "--label"),
    Try("26-adult", "predictions.csv adult.csv", _ADULT, "sed"),
    Try("26-adult", "predictions.csv a.csv", _ADULT, "python3"),
    Try("26-adult", "predictions.csv adult.csv --label income", _ADULT, "sed"),
    Try("26-adult", "predictions.csv adult.csv --label ' income'", _ADULT, "python3"),
    Try("26-adult", "predictions.csv a.csv --label #5 --no-header labels", _ADULT, "python3"),
    Try("27-ids-leading-zeros", "pred.csv y.csv --id patient", _ZEROS, "python3"),
    Try("27-ids-leading-zeros", "pred_f.csv y_i.csv --id patient", _ZEROS, "python3"),
    Try("27-ids-leading-zeros", "pred_sp.csv y_path.csv --id patient", _ZEROS, "python3"),
    Try("27-ids-leading-zeros", "pred_z.csv y_up.csv --id patient", _ZEROS, "python3"),
    Try("28-savetxt", "y_pred.txt y_test.txt", _SAVETXT, "", 2),
    Try("28-savetxt", "fixed.txt y_int.txt", 0.9273194518484221),
    Try("28-savetxt", "comment.txt y_int.txt", _SAVETXT),
    Try("29-segmentation", "logits_nchw.npy mask.npy --kind logits --ignore-label 255", _SEGMENTS, "--class-axis 1"),
    Try("29-segmentation", "logits_nhwc.npy mask.npy --kind logits --ignore-label 255", _SEGMENTS),
    Try("34-token-logprobs", "out.jsonl --kind true-logprobs", _TOKENS, "--preds token_logprobs"),
    Try("34-token-logprobs", "out.jsonl --kind true-logprobs --preds token_logprobs", _TOKENS),
    Try("34-token-logprobs", "null.jsonl --kind true-logprobs --preds token_logprobs", _TOKENS),
    Try("34-token-logprobs", "openai.jsonl --kind true-logprobs", _TOKENS, "--preds response.body.choices.logprobs"),
    Try("36-wrapped-names", "rapidminer.csv --label colour", _NAMES, "--preds", 3),
    Try("36-wrapped-names", "knime.csv --label colour", _NAMES, "--preds", None),
    Try("36-wrapped-names", "datarobot.csv --label colour", _NAMES, "--preds", None),
    Try("36-wrapped-names", "sas.csv --label _TARGET_", _NAMES, "--preds", 1),
    Try("36-wrapped-names", "mlnet.tsv --label colour", _NAMES, "--preds", 1),
    Try(
        "36-wrapped-names",
        "ludwig.csv --label colour",
        _NAMES,
        "--label NAME --preds",
        1,
        (("NAME,...", "colour_probabilities_*"), ("NAME", "colour")),
    ),
    Try("39-json-lists", "proba.json y.csv", _LISTS),
    Try("39-json-lists", "proba.jsonl y.csv", _LISTS),
    Try("39-json-lists", "rows.jsonl y.csv", _LISTS),
    Try("39-json-lists", "both.json --label labels --preds probs", _LISTS),
    Try("42-unicode-names", "pred.csv y.csv", _UNICODE, "python3"),
    Try("43-weather-percent", "f.csv --label rain --preds pop", _WEATHER, "--scale 0.01", 2),
    Try("43-weather-percent", "f.csv", _WEATHER, "--label rain --preds pop"),
    Try("43-weather-percent", "fq.csv --label obs_mm --preds forecast_pct --scale 0.01", _WEATHER, "python3"),
    Try("43-weather-percent", "f.csv --label rain", _WEATHER, "--preds pop"),
    Try("43-weather-percent", "fp.csv", _WEATHER, "--label rain --preds pop"),
    Try("43-weather-percent", "fp.csv --label rain", _WEATHER, "--preds pop"),
    Try("44-parquet-structs", "struct.parquet --label truth", _STRUCTS, "", 1),
    Try("44-parquet-structs", "list.parquet --label truth", 0.7785582387056162, "", 1),
    Try("47-class-missing", "pred.csv y.csv", None, "--ignore-label zebra"),
    Try("08-spark-vector-string", "part-00000.csv --label label", _SPARK, "", 4),
    Try("08-spark-vector-string", "part-00000.csv", _SPARK, "--label label --preds", 4),
    Try("08-spark-vector-string", "part-00000.csv --label label --preds probability", _SPARK, "", 3),
    Try("43-weather-percent", "fp.csv --label rain --preds pop --positive yes", _WEATHER),
    Try("44-parquet-structs", "spark.parquet --label label --preds probability", _STRUCTS),
    Try("44-parquet-structs", "spark.parquet --label label", _STRUCTS),
    Try(
        "44-parquet-structs",
        "spark.parquet --label label --preds probability.values",
        _STRUCTS,
        "--preds probability takes",
    ),
    Try("44-parquet-structs", "bq.parquet --label truth --preds predicted_label_probs", _STRUCTS),
    Try("44-parquet-structs", "hfname.parquet --label truth --preds out", 0.8574777520483252),
    Try("44-parquet-structs", "map.parquet --label truth --preds probs", _STRUCTS),
    Try("51-kaggle", "sub.csv solution.csv --id Id", _FLOWERS, "--label Target"),
    Try("51-kaggle", "sub.csv solution.csv --label Target", _FLOWERS, "--id Id"),
    Try("52-sagemaker", "joined.csv.out", _FLOWERS, "--label '#1' --preds"),
    Try("52-sagemaker", "test.csv.out labels.csv", _FLOWERS, "--label '#1'"),
    Try("53-bigquery-csv", "bq.csv --label species", _FLOWERS, "python3"),
    Try("53-bigquery-csv", "bq.csv --label species --preds predicted_species_probs", _FLOWERS, "python3"),
    Try("54-hf", "eval.jsonl", _SCORES, "--label label --preds logits --kind logits"),
    Try("54-hf", "eval.jsonl --label label", _SCORES, "--preds logits --kind logits"),
    Try("55-lmeval", "samples_arc.jsonl --label target --preds filtered_resps --kind logits", _CHOICES, "python3"),
    *(
        Try("55-lmeval", f"{file}{args}", cost, "python3")
        # The indented file has the first 4 rows of the others.
        for file, cost in (("samples_arc.jsonl", _CHOICES), ("samples_arc.json", _INDENTED), ("raw.jsonl", _CHOICES))
        for args in ("", " --label target")
    ),
    Try("55-lmeval", "samples_arc.jsonl --label target --preds filtered_resps", _CHOICES, "python3"),
    Try("55-lmeval", "samples_arc.jsonl gold.csv", _CHOICES, "python3"),
    Try("56-mlflow", "eval_results_table.json", _FLOWERS, "--label targets --preds"),
    Try("56-mlflow", "eval_results_table.json --label targets", _FLOWERS),
    Try("57-savetxt", "proba.csv yn.txt", _FLOWERS, "--classes"),
    Try("58-excel-eu", "p.csv --label Klasse --decimal ,", _FLOWERS, "--preds setosa"),
    Try("58-excel-eu", "pct.csv --label Klasse", _FLOWERS, "--decimal"),
    Try("58-excel-eu", "pct.csv --label Klasse --decimal ,", _FLOWERS),
    Try("59-utf16", "p.txt --label truth", _FLOWERS, "iconv"),
    Try("60-missing", "spss.csv --label species --preds setosa,versicolor,virginica", _PRESENT, "--skip-missing"),
    Try("61-onehot", "p.csv y.csv", _FLOWERS, "--id fn"),
    Try("62-psql", "out.txt --label truth", _FLOWERS, "sed"),
    Try("62-psql", "out.md --label truth", _FLOWERS, "sed"),
    Try("63-tostring", "out.txt --label truth", _FLOWERS),
    Try("64-order", "p.csv y.csv", _FLOWERS),
    Try("65-both", "out.csv", _FLOWERS, "--label true_label --preds prob"),
    Try("65-both", "out.csv --label true_label", _FLOWERS),
    Try(
        "66-evals",
        "log.jsonl --label data.expected --preds data.probs --classes setosa,versicolor,virginica",
        _FLOWERS,
        "tail",
    ),
    Try("67-lightning", "test.csv", _FLOWERS, "--label y --preds"),
    Try("67-lightning", "test.csv --label y", _FLOWERS),
    Try("68-sas-upper", "scored.csv --label F_flower --preds P_*", _FLOWERS, "--classes"),
    Try("69-tensor", "out.csv --label y", _FLOWERS),
    Try("69-tensor", "out.csv", _FLOWERS, "--label y --preds"),
    Try("71-openai", "chat.jsonl", _ANSWERS, "python3"),
    Try("71-openai", "chat.jsonl --label label", _ANSWERS, "python3"),
    Try("71-openai", "chat.json --label label", _ANSWERS, "python3"),
    Try("71-openai", "legacy.jsonl", _ANSWERS, "python3"),
    Try("71-openai", "batch.jsonl batch_y.csv", _ANSWERS, "python3"),
    Try("71-openai", "batch.jsonl batch_y.csv --id custom_id", _ANSWERS, "python3"),
    Try("71-openai", "batch.jsonl batch_y.csv --id custom_id --label label", _ANSWERS, "python3"),
    Try("71-openai", "batch.jsonl batch_l.csv", _ANSWERS, "python3"),
    Try("71-openai", "flat.jsonl", _ANSWERS, "--label label --preds"),
    Try("71-openai", "pairs.jsonl --label label", _ANSWERS, "python3"),
    Try("72-autopilot", "joined.csv", _AUTOPILOT, "python3"),
    Try("72-autopilot", "joined.csv --label species", _AUTOPILOT, "python3"),
    Try("72-autopilot", "unsorted.csv", _AUTOPILOT, "python3"),
    Try("72-autopilot", "unsorted.csv --label species --preds probabilities", _AUTOPILOT, "python3"),
    Try("72-autopilot", "bare.csv", _AUTOPILOT, "--label species --preds"),
    Try("72-autopilot", "bare.csv --label species", _AUTOPILOT, "every row of some"),
    Try("72-autopilot", "bare.csv --label species --preds probabilities", _AUTOPILOT, "--classes emu,cat,dog"),
    Try("72-autopilot", "bare.csv --preds probabilities", _AUTOPILOT, "--label species"),
    Try("72-autopilot", "out.csv y.csv", _AUTOPILOT, "python3"),
    Try("72-autopilot", "zeroshot.csv", _AUTOPILOT, "python3"),
    Try("72-autopilot", "zeroshot.csv --label truth", _AUTOPILOT, "python3"),
    *(
        Try("73-weka", f"{name}{args}", cost, "python3")
        for names, cost in (
            (("three.csv", "three.txt", "old.txt", "attributes.txt"), _AUTOPILOT),
            (("two.csv", "two.txt", "two_all.csv"), _OF_TWO),
        )
        for name in names
        for args in ("", " --label actual")
    ),
    *(
        Try("74-long", args, _AUTOPILOT, "python3")
        for args in (
            "long.csv y.csv",
            "long.csv y.csv --id id",
            "long.csv y.csv --id id --label class",
            "long.csv alone.csv",
            "truth.csv",
            "truth.csv --label truth",
            "hit.tsv",
        )
    ),
    Try("02-libsvm", "out.txt test.svm", _LIBSVM, "awk"),
    Try("17-march-mania", "sub.csv results.csv", _MARCH, "--label team1win --id id --subset"),
    Try("17-march-mania", "sub.csv solution.csv", _MARCH, "--label pred --id id"),
    Try("19-hms-votes", "sub.csv train.csv", _VOTES, "--label seizure_vote"),
    Try("23-numerai", "sub.csv tournament_f.csv", _NUMERAI, "--label target_bernie --id id"),
    Try("27-ids-leading-zeros", "pred.csv y_i.csv", _ZEROS, "--label truth --id patient"),
    Try("75-threshold", "preds.csv", _RISK, "xent score preds.csv", None, (("LABELS", "test.csv"), ("NAME", "y"))),
    Try("76-unnamed", "p.jsonl", _MODEL, "--label label --preds probs --classes"),
    Try("76-unnamed", "p.jsonl --label label", _MODEL, "--id id --classes"),
    Try("76-unnamed", "p.jsonl --label label --preds probs", _MODEL, "--classes"),
    Try("76-unnamed", "logits.jsonl", _MODEL, "--label label --preds logits"),
    Try("76-unnamed", "logits.jsonl --label label", _MODEL, "--classes"),
    Try("76-unnamed", "proba.npy y.npy", _MODEL, "--classes"),
    Try("76-unnamed", "p.csv yn.csv", _MODEL, "--classes"),
    Try("76-unnamed", "lab.json y.json", _MODEL, "--classes"),
    Try("76-unnamed", "t.csv", _MODEL, "--label Y --preds scores_1,scores_2,scores_3 --classes"),
    Try("77-onehot-npz", "oh.npz", 0.8039353212141589, "--label y_true --preds y_pred"),
    Try("78-ids", "sub.csv sol.csv", _MODEL, "--label Status --id id"),
    Try("78-ids", "sub.csv oh.csv", _MODEL, "--label Status_C,Status_CL,Status_D --id id"),
    Try("78-ids", "preds.jsonl gold.jsonl", _MODEL, "--id text"),
    Try("79-one-probability", "out.csv", _RISK, "--label diagnosis --preds PRE_1"),
    Try("79-one-probability", "out.csv --label diagnosis", _RISK, "--preds PRE_1"),
    Try("79-one-probability", "limits.csv --label relapse", _RISK, "--preds phat"),
    Try("79-one-probability", "azure.csv", _RISK, "--label income --preds"),
    Try("79-one-probability", "azure.csv --label income", _RISK, "--preds 'Scored Probabilities'"),
    Try("80-training", "out.txt test.libsvm", _MODEL, "awk"),
    Try("80-training", "pred2.txt test.vw", _MODEL, "awk"),
    Try("80-training", "fasttext.txt train.txt", _MODEL, "awk"),
    Try("81-vertex", "img.jsonl y.csv", _MODEL),
    Try("82-vllm", "out.jsonl --kind true-logprobs", _TEXTS, "--preds choices.logprobs.token_logprobs"),
    Try(
        "82-vllm",
        "out.jsonl",
        _TEXTS,
        "--kind true-logprobs --preds NAME",
        None,
        (("NAME", "choices.logprobs.token_logprobs"),),
    ),
    Try("83-quoted", "out.csv", _MODEL, "python3", None, (("NAME", "SPECIES"),)),
    Try("83-quoted", "out.csv --label SPECIES", _MODEL, "python3"),
    Try("84-printed", "out.txt", _MODEL_4, "sed", None, (("NAME", "Species"),)),
    Try("84-printed", "show.txt", _MODEL_4, "sed", None, (("NAME", "label"),)),
    Try("84-printed", "duck.txt", _MODEL_4, "sed", None, (("NAME", "label"),)),
    Try("84-printed", "o.tab", _MODEL, "sed", None, (("NAME", "species"),)),
    Try("85-ranked", "predictions.csv y.csv --id image", _MODEL, "makes a column of each class"),
    Try("70-prefix", "sub.csv gold.csv --id rowid", _FLOWERS, "--label kind"),
    Try("86-strings", "p.jsonl --label species", _ANIMALS),
    Try("86-strings", "p.json", _ANIMALS, "--label species --preds"),
    Try("87-kserve", "r.json y.csv", _ANIMALS),
    Try("87-kserve", "rp.json y.csv", _ANIMALS),
    Try("88-r-printed", "p.txt y1.txt", _ANIMALS),
    Try("88-r-printed", "p.txt y0.txt", _ANIMALS, "--index-base 0"),
    Try("88-r-printed", "pb.txt fac.txt", _ANIMALS, "awk"),
    Try("89-vw-tags", "p.txt y.txt", _ANIMALS),
    Try("89-vw-tags", "p.txt yi.csv", _ANIMALS, "sed"),
    Try("90-sparse", "sv.csv --label label", _ANIMALS),
    Try("91-classlabel", "p.parquet --label label", _ANIMALS, "--preds emu,cat,dog"),
    Try("91-classlabel", "l.parquet --label label", _ANIMALS),
    Try("92-near-ids", "p.csv y2.csv", _ANIMALS, "python3"),
    Try("92-near-ids", "p.csv y2.csv --label label", _ANIMALS, "python3"),
    Try("92-near-ids", "pj.csv yj.csv", _ANIMALS, "python3"),
    Try("92-near-ids", "pj.csv yj.csv --label label", _ANIMALS, "python3"),
    Try("93-long-json", "p.jsonl y.csv", _ANIMALS, "python3"),
    Try("93-long-json", "t.jsonl", _ANIMALS, "python3"),
    Try("93-long-json", "pt.parquet", _ANIMALS, "python3"),
    Try("94-melted", "t.csv", _ANIMALS, "python3"),
    Try("95-julia", "repl.txt y.csv", _ANIMALS, "sed"),
    Try("95-julia", "p.csv", _ANIMALS, "python3"),
    Try("95-julia", "p.csv --label y", _ANIMALS, "python3"),
    Try("96-prompts", "o.jsonl --kind true-logprobs", _PROMPTS, "python3"),
    Try("96-prompts", "o.jsonl", _PROMPTS, "python3"),
    Try("96-prompts", "c.jsonl --kind true-logprobs --preds choices.prompt_logprobs", _PROMPTS, "python3"),
    Try("97-confidence", "conf.csv", _SURE, "python3"),
    Try("97-confidence", "conf.csv --label target", _SURE, "python3"),
    Try("97-confidence", "c2.csv --label churn", _SURE, "python3"),
    Try("97-confidence", "p2.csv y2.csv", _SURE, "python3"),
    Try("98-one-hot", "p.csv", _ANIMALS, "--label cat,dog,emu"),
    Try("98-one-hot", "p2.csv", _ANIMALS, "--label true_cat,true_dog,true_emu"),
    Try("99-beside", "p.csv --label species", _ANIMALS, "these are named as the labels are"),
    Try("100-raw", "e.tsv --label Label", _ANIMALS, "--preds RawFormulaVal"),
    Try("100-raw", "e.tsv --label Label --kind logits", _ANIMALS, "these are named as the labels are"),
    Try("101-mlr3", "p.txt", _ANIMALS, "awk"),
    Try("104-headless", "pred.tsv test.tsv", _ANIMALS, "--no-header labels"),
    Try("104-headless", "pred.tsv test.tsv --label #1", _ANIMALS, "--no-header labels"),
    Try("104-headless", "predn.tsv testn.tsv", _ANIMALS, "--no-header labels"),
    Try("105-lightgbm", "LightGBM_predict_result.txt multiclass.test", _ANIMALS, "--label '#1'"),
    Try("106-one-score", "p.jsonl y.csv", _SURE, "--preds score"),
    Try("106-one-score", "o.jsonl --label y", _SURE, "--preds SageMakerOutput.score"),
    Try("107-propensity", "c.csv --label churn", _SURE, "--preds"),
    Try("108-limits", "o.csv --label relapse", _SURE, "--preds phat"),
    Try("109-rekognition", "rk.jsonl y.csv", _ANIMALS, "--scale 0.01"),
    Try("110-estimator", "d.json y.csv", _ANIMALS, "--preds probabilities"),
    Try("110-estimator", "d.json yn.csv", _ANIMALS),
    Try("111-adult-test", "p.csv adult.test", _SURE, "sed"),
    Try("112-tagged", "p.txt y.txt", _SURE, "--delimiter space"),
    Try("113-texts", "l.jsonl --label species", _ANIMALS, "python3"),
    Try("103-kaldi", "p.txt y0.txt", _ANIMALS, "sed"),
    Try("102-stata", "list.txt --label insure --classes cat,dog,emu", _ANIMALS, "awk"),
)
