"""The table of advice: an input that provokes it, and the right cost once it is followed to the letter."""

from __future__ import annotations

from tests.advice import gate, layouts, pairing, reading, scoring, tools

__all__ = ["CASES", "NOT_FOLLOWED"]

PARTS = (scoring.CASES, pairing.CASES, reading.CASES, gate.CASES, layouts.CASES, tools.CASES)
CASES = {name: case for part in PARTS for name, case in part.items()}
assert len(CASES) == sum(map(len, PARTS))

NOT_FOLLOWED = {
    r"^ulimit -v": "shows the limits of the machine; which one helps is not known",
    r"^pip install 'xentcli\[": "installs a package",
    r"^torch: |read_hdf|read_html|read_excel\(\{": "needs a package that the tests do not have",
    r"^\.\.\. \| ": "stands for the command that writes to the pipe",
    r"^--max-field N allows 2 N bytes": "a file of class names above 32 MiB",
    r"^numpy.save\('rows.npy'": "an array above 256 MiB; the tests of axes follow it",
    r"^a state has about": "a state above 128 MiB",
    r"^--classes @FILE reads one name a line|^--label NAME,... lists them .* once they are renamed": "the file is to be edited",
    r"^(array.filled|frame.columns|frame.collect|frame.sink_parquet|tensor.float|numpy.asarray\(\.\.\.|pandas.DataFrame)": "about an object of the caller's program",
    r"reset_index\(\)|^labels=pandas.Series|names columns; this list|^a row without a weight|texts that differ are names": "about data of the caller's program; tests/library follows it",
    r"must have been flattened|AXIS, -1\).reshape\(-1, \{\}\), or give": "about an array that is not there: that before it was flattened",
    r"^--subset scores the rows that both": "of a pipe, the same as of a file",
    r"^States have no rows: xent check": "the files of the states are not known; tests/merge has limits on them",
    r"delimiter space|numpy.stack\(frame|percent sign": "runs of blanks, lists in a cell and percent are to be read as they are",
    r"--fit none works on a stream": "of a pipe",
    r"^with --cluster only|cost inf at every temperature|^--bytes gives the bytes|^a column of --by$|^--by with --cluster$|^--per-example -$|^not in --classes: ": "the reason of a null figure, or a part of a message",
    r"holds no distribution over|^--compat .* has no temperature|^rows of several models are in|^there are more than": "the reason of a figure that is left out",
    r"^labels that are texts: numpy.save": "about an array of the caller's program",
    r"NumPy shortened|set_printoptions": "about an array that is not in the file",
    r"^json.dump\(value, file\)": "about the program that printed the file",
    r"^--reference takes probabilities|\(--reference\)$|^the forecast of --reference$": "the file is to be edited, or a part of a message",
    r"^--reference gives a forecast|--clip EPS bounds it$": "the reason of a null figure",
    r"^leave --scale out|^leave out --by-class or": "an option is taken out of the command; tests/inputs/table.py has both",
    r"FILE of a run with --metrics|^losses: --per-example|^predictions: --write": "about the run that made the file",
    r"^fewer than .* rows \(|is not excluded \(|counts its rows, and|has ids, and": "the reason of a verdict, or a part of a message",
    r"^-o FILE.json writes the whole report": "writes a file beside; tests/pairs has both options",
    r"^--shift-labels takes the label": "tests/pairing/test_next_token.py follows it",
    r"^xent completion bash": "writes into the home directory; tests/cli/test_completion.py follows it",
    r" in each run( |$)|^--get \{\}, or --metrics \{\}|^run it (again )?with --s|^run xent \{\} again|^xent score \.\.\. --state": "about the runs that made the states; tests/merge follows it",
    r"^columns of --(by|show)$|^--metrics, --get$|^--compat set other|^a fit reads all rows": "the reason of a null figure, or a part of a message",
    r"^xent: \{\}": "a usage error that click found",
    r"^PREDS LABELS --write-baseline": "a part of a message; tests/cli/test_project.py has it",
    r"^name the drawing: --plot|^--plot losses.svg can|^it is drawn by|^xent \{\} draws": "a drawing has no number; tests/writers/test_pictures.py has them",
    r"^if these are other rows|^xentcli.compare compares": "about the runs that made the states; tests/merge follows it",
    r"^give each run files of the same ids|^they are named by their files": "about the runs that made the states",
    r"^give each run other files|^xent compare OLD NEW --state FILE|^--max cost=(X is a limit|0.5 is one)$": "about the runs that made the states",
    r"^--fail-on-warning \{\}$|^--min-rows \{\}$": "a part of a message",
    r"starts fewer workers|^without --engine dask|--scheduler|^fewer workers have more memory|^dask scheduler prints": "about a cluster of Dask",
    r"^an option names a column of a file": "the column is taken out of the path; tests/cli/test_exit_codes.py has it",
    r"^-o json:- writes another form": "about a name of standard output; tests/cli/test_exit_codes.py has it",
    r"after {} is renamed to {}": "the file is to be edited",
    r"^by --(ignore-label|subset|skip-missing)$|^ by --input-format$": "says which option was given, a part of a message",
    r"^negative log-probabilities": "about the program that wrote the file",
    r"^only the most likely classes|^write all classes of each row": "about the program that wrote the file",
    r"chooses a member of ": "the part is taken out of the path; tests/readers/test_office.py has both",
}
"""Advice that is not followed here, by its pattern, and why."""
