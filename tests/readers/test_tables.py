"""NPZ, safetensors, Parquet, Arrow, JSON Lines and Vowpal Wabbit: what each refuses, and what other tools write."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy
from sklearn.linear_model import LogisticRegression

from tests.conftest import Run, Write
from xentcli import score
from xentcli.errors import DataError, UsageError, XentError
from xentcli.readers.nested import fields_of

RNG = np.random.default_rng(4)
Q = RNG.dirichlet(np.ones(3), 50)
Y = RNG.integers(0, 3, 50)
WANT = score(Q, Y).cost


def refusal(*files: Any, **options: Any) -> str:
    with pytest.raises(XentError) as caught:
        score(*files, **options)
    assert caught.value.exit_code in (2, 3, 4)
    return str(caught.value)


# Archives of arrays.


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("block_bytes", [1, 500, 1 << 20])
def test_members_of_an_npz_are_columns(save: Callable[..., None], block_bytes: int, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    save(path, scores=Q.astype("f4"), truth=Y, embedding=RNG.normal(size=(50, 4)), w=np.ones(50), epoch=np.array(7))
    report = score(path, preds="scores", label="truth", weights="w", sum_tolerance=1e-3, block_bytes=block_bytes)
    assert report.cost == score(Q.astype("f4"), Y).cost
    assert report.classes == ("0", "1", "2")
    assert score(path, Y, preds="scores", block_bytes=block_bytes).cost == report.cost
    assert "epoch cannot be read: an array of no dimension" in refusal(path, preds="scores", label="epoch")
    assert "scores (3), truth, embedding (4), w" in refusal(path, preds="nope", label="truth")


def in_zip(method: int, extra: bytes = b"", before: bytes = b"", **members: bytes) -> bytes:
    """A zip archive of arrays, after some other bytes, with an extra field in each local header."""
    file = io.BytesIO(before)
    file.seek(len(before))
    with zipfile.ZipFile(file, "a", method) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type, info.extra = method, extra
            archive.writestr(info, data)
    return file.getvalue()


@pytest.mark.parametrize("shape", [(50, 3), (10, 5, 3), (2, 5, 5, 3)])
@pytest.mark.parametrize("block_bytes", [1, 500, 1 << 20])
def test_members_in_fortran_order_are_read_where_they_stand(
    shape: tuple[int, ...], block_bytes: int, write: Write
) -> None:
    p, y = np.asfortranarray(Q.reshape(shape)), Y.reshape(shape[:-1])
    extra = b"\xfe\xca\x04\x00abcd"
    for before in (b"", b"#!/bin/sh\n"):
        path = write("a.npz", in_zip(zipfile.ZIP_STORED, extra, before, p=npy(p), y=npy(np.asfortranarray(y))))
        assert score(path, preds="p", label="y", block_bytes=block_bytes).cost == WANT


def test_a_member_in_fortran_order_that_is_too_long_is_refused(write: Write) -> None:
    longer = write("b.npz", in_zip(zipfile.ZIP_STORED, p=npy(np.asfortranarray(Q)) + b"1", y=npy(Y)))
    assert "longer than its array" in refusal(longer, preds="p", label="y")


def test_a_compressed_member_in_fortran_order_is_read_as_its_advice_says(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", p=np.asfortranarray(Q), y=Y)
    message = refusal(tmp_path / "a.npz", preds="p", label="y")
    assert "give it as an uncompressed file, or numpy.save('c.npy', numpy.ascontiguousarray(array))" in message
    array = np.load(tmp_path / "a.npz")["p"]
    np.savez(tmp_path / "b.npz", p=array, y=Y)
    assert score(tmp_path / "b.npz", preds="p", label="y").cost == WANT
    np.save(tmp_path / "c.npy", np.ascontiguousarray(array))
    assert score(tmp_path / "c.npy", Y).cost == WANT


def test_names_of_classes_in_an_npz_of_text_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", p=Q, y=np.array(["cat", "dog", "emu"])[Y])
    assert score(tmp_path / "a.npz", preds="p", label="y", classes="cat,dog,emu").cost == WANT


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def npy(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asarray(array), **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "no members"),
        ({"p.txt": b"x"}, "NAME.npy"),
        ({"archive/data.pkl": b"x"}, "weights_only=True"),
        ({"xl/workbook.xml": b"x"}, "an Excel workbook that cannot be read"),
        ({"a.txt": b"x", "xl/workbook.xml": b"x"}, "--input-format predictions=excel"),
        ({"p.npy": npy(np.array([{}], dtype=object), allow_pickle=True)}, "pickle"),
        ({"p.npy": npy(Q)[:-8], "y.npy": npy(Y)}, "truncated"),
        ({"p.npy": npy(Q) + b"1", "y.npy": npy(Y)}, "longer"),
        ({"p.npy": b"hello"}, "not an NPY"),
        ({"p.npy": npy(np.array(1.0))}, "no dimension"),
    ],
)
def test_an_archive_that_is_none_is_refused(members: dict[str, bytes], message: str, write: Write) -> None:
    assert message in refusal(write("a.npz", zipped(members)), preds="p", label="y")


def test_every_changed_byte_of_an_npz_is_right_or_refused(tmp_path: Path) -> None:
    for save, p in ((np.savez, Q[:4]), (np.savez, np.asfortranarray(Q[:4])), (np.savez_compressed, Q[:4])):
        save(tmp_path / "a.npz", p=p, y=Y[:4])
        want = score(Q[:4], Y[:4]).cost
        good = (tmp_path / "a.npz").read_bytes()
        for place in range(0, len(good), 3):
            (tmp_path / "b.npz").write_bytes(good[:place] + bytes([good[place] ^ 1 << place % 8]) + good[place + 1 :])
            try:
                found = score(tmp_path / "b.npz", preds="p", label="y", input_format="npz").cost
            except XentError:
                continue
            assert found == want, place


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("p.npy", npy(Q))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("p.npy", npy(Q))
    assert "two members" in refusal(tmp_path / "a.npz", preds="p", label="y")


def test_a_bfloat16_of_safetensors_is_the_double_it_is(tmp_path: Path) -> None:
    z = RNG.normal(size=(50, 3)).astype(ml_dtypes.bfloat16)
    safetensors.numpy.save_file({"logits": z, "y": Y}, tmp_path / "m.safetensors")
    report = score(tmp_path / "m.safetensors", preds="logits", label="y", kind="logits")
    assert report.cost == score(z.astype(np.float64), Y, kind="logits").cost


def test_every_changed_byte_of_a_safetensors_header_is_right_or_refused(tmp_path: Path) -> None:
    good = safetensors.numpy.save({"p": Q[:4], "y": Y[:4]})
    want, end = score(Q[:4], Y[:4]).cost, 8 + int.from_bytes(good[:8], "little")
    for place in range(end):
        for bit in (0, 3, 7):
            (tmp_path / "b").write_bytes(good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :])
            try:
                found = score(tmp_path / "b", preds="p", label="y", input_format="safetensors").cost
            except XentError:
                continue
            # A digit into a digit may name another part of the file, which is then another valid file.
            assert found == want or place > 8, (place, bit)
    for cut in (3, 8, end - 1, end, len(good) - 1):
        (tmp_path / "b").write_bytes(good[:cut])
        refusal(tmp_path / "b", preds="p", label="y", input_format="safetensors")


# Columnar files.


def test_lists_structs_and_dictionaries_of_arrow_are_values(tmp_path: Path) -> None:
    names = ["cat", "dog", "emu"]
    table = pa.table(
        {
            "list": pa.array(Q.tolist()),
            "fixed": pa.FixedSizeListArray.from_arrays(pa.array(Q.ravel()), 3),
            "struct": pa.array([dict(zip(names, row, strict=True)) for row in Q.tolist()]),
            "label": pa.array([names[y] for y in Y]).dictionary_encode(),
            "index": pa.array(Y.astype("i1")),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=20)
    with pa.OSFile(str(tmp_path / "t.arrow"), "wb") as raw, pa.ipc.new_file(raw, table.schema) as file:
        file.write_table(table, max_chunksize=13)
    for path in (tmp_path / "t.parquet", tmp_path / "t.arrow"):
        for block_bytes in (1, 1 << 20):
            for preds in ("list", "fixed"):
                report = score(path, preds=preds, label="index", block_bytes=block_bytes)
                assert (report.cost, report.classes) == (WANT, ("0", "1", "2"))
            report = score(path, preds="struct", label="label", block_bytes=block_bytes)
            assert (report.cost, report.classes, report.labels.matched) == (WANT, tuple(names), "name")


@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_a_damaged_columnar_file_is_refused(form: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(Q, columns=["a", "b", "c"]).assign(y=[list("abc")[y] for y in Y])
    path = tmp_path / f"t.{form}"
    getattr(frame, f"to_{form}")(path)
    good = path.read_bytes()
    for cut in (5, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:cut])
        assert "damaged" in refusal(path, preds="a,b,c", label="y")


def test_a_null_is_refused_where_it_counts_with_its_row(tmp_path: Path) -> None:
    table = pa.table({"a": [0.5, None], "b": [0.5, 0.5], "y": ["a", "b"], "w": [1.0, 0.0]})
    pq.write_table(table, tmp_path / "t.parquet")
    assert "row 2, column a" in refusal(tmp_path / "t.parquet", preds="a,b", label="y")
    assert score(tmp_path / "t.parquet", preds="a,b", label="y", weights="w").cost == math.log(2)
    pq.write_table(pa.table({"p": [[0.5, 0.5], [0.5]], "y": [0, 1]}), tmp_path / "u.parquet")
    assert "a list of 1 where the first row has 2" in refusal(tmp_path / "u.parquet", preds="p", label="y")
    pq.write_table(pa.table({"p": [[0.5, 0.5], None], "y": [0, 1]}), tmp_path / "v.parquet")
    assert "row 2, column p: null" in refusal(tmp_path / "v.parquet", preds="p", label="y")


def test_what_is_compressed_with_zstd_is_read_as_plain(write: Write) -> None:
    text = pd.DataFrame(Q).to_csv(index=False).encode()
    assert score(write("p.csv.zst", pa.compress(text, "zstd", asbytes=True)), Y, header="predictions").cost == WANT
    assert "damaged" in refusal(write("q.csv.zst", pa.compress(text, "zstd", asbytes=True)[:-9]), Y)


# JSON Lines.


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def test_scores_by_label_are_columns_by_name(write: Write) -> None:
    rows = [{"label": "POS", "score": 0.25}, {"label": "NEG", "score": 0.75}]
    path = write("hf.jsonl", lines({"out": rows, "y": "NEG"}, {"out": rows[::-1], "y": "POS"}))
    report = score(path, preds="out", label="y")
    assert report.classes == ("NEG", "POS")
    assert report.cost == pytest.approx((-math.log(0.75) - math.log(0.25)) / 2, rel=1e-15)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ('{"p": [0.5, 0.5]}', "no 'y'"),
        ('{"p": [0.5], "y": 1}', "a list of 1 number where the first line has a list of 2 numbers"),
        ('{"p": [0.5, null], "y": 1}', "null is not a number"),
        ('{"p": [0.5, "0.5"], "y": 1}', "neither a list nor an object of numbers"),
        ('{"p": [0.5, NaN], "y": 1}', "got nan"),
        ('{"p": [0.5, 0.5], "p": [1, 0], "y": 1}', "key 'p' appears twice"),
        ('{"p": [0.5, 0.5], "y": 1', "no JSON"),
        ("[1, 2]", "no 'y'"),
        ('{"p": {"a": 0.5, "b": 0.5}, "y": 1}', "an object with a, b where"),
        ('{"p": [0.5, 0.5], "y": null}', "--ignore-label ''"),
        ('{"p": [0.5, 0.5], "y": "\\ud800"}', "surrogate pair"),
        ("", "a blank line"),
        ('{"p": [1' + "0" * 5000 + ", 0], 'y': 1}", "no JSON"),
        ("[" * 200_000, "nested too deeply"),
        ('{"p": [1e400, 0.5], "y": 1}', "larger than any double"),
    ],
)
def test_a_line_that_is_not_as_the_first_is_refused_with_its_place(second: str, message: str, write: Write) -> None:
    path = write("p.jsonl", '{"p": [0.25, 0.75], "y": 0}\n' + second + '\n{"p": [0.5, 0.5], "y": 1}\n')
    told = refusal(path, preds="p", label="y")
    assert message in told
    assert "row 2" in told


def test_json_lines_in_any_block_and_from_a_stream(xent: Run, write: Write) -> None:
    text = lines(*({"p": row, "y": int(y), "t": 'say "hi"\n'} for row, y in zip(Q.tolist(), Y, strict=True)))
    path = write("p.jsonl", text)
    for block_bytes in (1, 100, 1 << 20):
        assert score(path, preds="p", label="y", block_bytes=block_bytes, by="t").cost == WANT
    done = xent("score", "-", "--preds", "p", "--label", "y", "--quiet", "--input-format", "jsonl", input=text)
    assert float(done.stdout) == WANT
    done = xent("score", "-", "--preds", "p", "--label", "y", "--quiet", input=text)
    assert float(done.stdout) == WANT


# Tokens of Vowpal Wabbit.


@pytest.mark.parametrize("line", ["1:0.5", "1:0.5 2:x", "1:0.5 1:0.5", "1:0.5 2:0.5 3:0", "", "1:0.5,2:0.5"])
def test_a_line_of_other_tokens_is_refused(line: str, write: Write) -> None:
    assert "row 2" in refusal(write("p.predict", f"1:0.5 2:0.5\n{line}\n1:0.5 2:0.5\n"), ["1", "1", "2"])


@pytest.mark.parametrize(
    "line", ["1:0.5 2:0.5", "1:0.5 2:0.5 ", "1:0.5 2:0.5 tag 2:0.5", "1:0.5 tag", "1:0.5 2:0.5 a b"]
)
def test_each_line_has_a_tag_or_none_has(line: str, write: Write) -> None:
    assert score(write("p.predict", "1:0.5 2:0.5 a\n1:0.5 2:0.5 b\n"), ["1", "2"]).cost == math.log(2)
    assert "row 2" in refusal(write("q.predict", f"1:0.5 2:0.5 a\n{line}\n"), ["1", "1"])


# Layouts of the same values give the same bits.


def test_scores_as_texts_tags_and_flat_tensors_change_no_bit(write: Write) -> None:
    q, rows = np.tile(Q, (20, 1)).tolist(), range(20 * len(Q))
    pairs = [[{"prob": one[k], "label": str(k)} for k in RNG.permutation(3).tolist()] for one in q]
    lines = [json.dumps({"p": each}) for each in pairs]
    texts = [json.dumps({"p": [{**pair, "prob": repr(pair["prob"])} for pair in each]}) for each in pairs]
    tokens = [" ".join(f"{k}:{v!r}" for k, v in enumerate(one)) for one in q]
    flat = {"name": "p", "datatype": "FP64", "shape": [len(q), 3], "data": np.ravel(q).tolist()}
    labels = np.tile(Y, 20)
    tagged = "\n".join(f"{line} tag{row}" for row, line in zip(rows, tokens, strict=True))
    files = {
        write("lines.jsonl", "\n".join(lines)): "p",
        write("texts.jsonl", "\n".join(texts)): "p",
        write("texts.json", json.dumps(json.loads(f"[{','.join(texts)}]"), indent=1)): "p",
        write("tokens.txt", "\n".join(tokens)): None,
        write("tags.txt", tagged): None,
        write("server.json", json.dumps({"model_name": "m", "outputs": [flat]})): None,
    }
    costs = {score(file, labels, preds=preds).cost for file, preds in files.items()}
    assert costs == {score(np.array(q), labels).cost}


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([{"prob": "0.25", "label": "0"}, {"prob": "0.75", "label": "1"}], True),
        ([{"label": "0.75", "prob": "0.75"}, {"label": "0.25", "prob": "0.25"}], True),
        ([{"a": "0.25", "b": "0"}, {"a": "0.75", "b": "1"}], False),
        ([{"prob": "0.25", "label": "x"}, {"prob": "high", "label": "y"}], False),
    ],
)
def test_texts_are_scores_where_they_are_numbers_and_the_labels_are_known(
    pairs: list[dict[str, str]], *, found: bool
) -> None:
    (field, *others) = fields_of({"p": pairs})
    assert ((field.form, others) == ("pairs", [])) == found


# What other tools write is scored with at most one option.


def written_by_tools(tmp_path: Path) -> dict[str, tuple[tuple[Any, ...], dict[str, Any]]]:
    names = ["cat", "dog", "emu"]
    frame = pd.DataFrame(Q, columns=names)
    truth = pd.Series([names[y] for y in Y], name="truth")
    frame.to_csv(tmp_path / "index.csv")
    frame.to_csv(tmp_path / "plain.csv", index=False)
    truth.to_csv(tmp_path / "truth_index.csv")
    truth.to_csv(tmp_path / "truth.csv", index=False)
    polars.DataFrame(Q, schema=names).write_csv(tmp_path / "polars.csv")
    polars.DataFrame({"truth": truth.tolist()}).write_csv(tmp_path / "polars_truth.csv")
    polars.DataFrame({"p": Q.tolist(), "y": Y.tolist()}).write_parquet(tmp_path / "polars.parquet")
    polars.DataFrame({"p": Q.tolist(), "y": Y.tolist()}).write_ndjson(tmp_path / "polars.ndjson")
    np.savetxt(tmp_path / "savetxt.csv", Q, delimiter=",")
    np.savetxt(tmp_path / "savetxt_y.csv", Y, fmt="%d")
    np.save(tmp_path / "q.npy", Q)
    np.savez_compressed(tmp_path / "q.npz", p=Q)
    # As R's write.csv writes a tibble of parsnip: quoted, with row names and the prefix .pred_.
    r = ['"","' + '","'.join(f".pred_{name}" for name in names) + '"']
    r += [f'"{i + 1}",' + ",".join(f"{v:.15g}" for v in row) for i, row in enumerate(Q.tolist())]
    (tmp_path / "r.csv").write_text("\n".join(r) + "\n")
    (tmp_path / "r_y.csv").write_text('"","obs"\n' + "".join(f'"{i + 1}","{t}"\n' for i, t in enumerate(truth)))
    files = {name.name: tmp_path / name.name for name in tmp_path.iterdir()}
    return {
        "pandas with index": ((files["index.csv"], files["truth_index.csv"]), {}),
        "pandas without index": ((files["plain.csv"], files["truth.csv"]), {}),
        "pandas, mixed": ((files["index.csv"], files["truth.csv"]), {}),
        "polars csv": ((files["polars.csv"], files["polars_truth.csv"]), {}),
        "polars parquet": ((files["polars.parquet"],), {"preds": "p", "label": "y"}),
        "polars ndjson": ((files["polars.ndjson"],), {"preds": "p", "label": "y"}),
        "savetxt": ((files["savetxt.csv"], files["savetxt_y.csv"]), {}),
        "npy": ((files["q.npy"], files["savetxt_y.csv"]), {}),
        "npz": ((files["q.npz"], files["savetxt_y.csv"]), {}),
        "R": ((files["r.csv"], files["r_y.csv"]), {}),
        "names and npy": ((files["q.npy"], files["truth.csv"]), {"classes": "cat,dog,emu"}),
    }


def test_what_other_tools_write_is_scored(tmp_path: Path) -> None:
    for name, (files, options) in written_by_tools(tmp_path).items():
        assert score(*files, **options).cost == pytest.approx(WANT, rel=1e-13), name


def test_predict_proba_with_text_labels_is_scored_with_its_classes(tmp_path: Path) -> None:
    x, y = RNG.normal(size=(60, 2)), np.array(["cat", "dog", "emu"])[np.arange(60) % 3]
    model = LogisticRegression().fit(x, y)
    np.save(tmp_path / "p.npy", model.predict_proba(x))
    pd.Series(y, name="y").to_csv(tmp_path / "y.csv", index=False)
    by_file = score(tmp_path / "p.npy", tmp_path / "y.csv", classes=",".join(model.classes_))
    assert by_file.cost == score(model.predict_proba(x), y, classes=model.classes_).cost


def test_a_missing_extra_is_named(xent: Run, write: Write, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [0.5]}), tmp_path / "t.parquet")
    (tmp_path / "pyarrow.py").write_text("raise ImportError(name='pyarrow')\n")
    done = xent("score", "t.parquet", "--label", "a", env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, "pip install 'xentcli[arrow]'" in done.stderr) == (2, True)
    with pytest.raises(UsageError, match="no 'exe'"):
        score(write("p.csv", "1\n"), kind="losses", input_format="exe")
    assert isinstance(DataError("x"), XentError)


def test_a_raw_bfloat16_array_is_read_only_where_it_is_said_to_be_one(tmp_path: Path) -> None:
    z = RNG.normal(size=(50, 3)).astype(ml_dtypes.bfloat16)
    np.save(tmp_path / "z.npy", z)
    assert "--dtype bfloat16" in refusal(tmp_path / "z.npy", Y, kind="logits")
    want = score(z.astype(np.float64), Y, kind="logits").cost
    for block_bytes in (1, 1 << 20):
        assert score(tmp_path / "z.npy", Y, kind="logits", dtype="bfloat16", block_bytes=block_bytes).cost == want
    np.save(tmp_path / "z.npy", np.asfortranarray(z))
    assert score(tmp_path / "z.npy", Y, kind="logits", dtype="bfloat16").cost == want
