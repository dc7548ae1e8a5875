"""What xent promises, and the tests that hold it to that: docs/promises.md is made of this.

python -m tests.inputs.promises        writes docs/promises.md
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.conftest import ROOT
from tests.faults.test_killed import FEW, KILLS, SEEDS
from tests.inputs.table import ROWS, Row

DOCUMENT = ROOT / "docs" / "promises.md"
PROMISES = {
    "Numbers": [
        ("A cost is the correctly rounded sum of its losses, divided once.", "tests/tallies/test_exact.py::test_the_value_is_the_double_nearest_to_the_exact_sum"),
        ("Block size, threads and reader change no bit of any figure.", "tests/engine/test_bits.py"),
        ("Merged states are one run, to the last bit, however rows are split.", "tests/merge/test_merge.py"),
        ("So are those of comparisons.", "tests/merge/test_compared.py::test_any_split_in_any_order_is_one_comparison"),
        ("The shards of --shard together have each row once.", "tests/merge/test_shards.py"),
        ("The same numbers cost the same in every file format.", "tests/readers/test_formats.py"),
        ("The same numbers are the same bits in every layout of JSON, and nested in Parquet and Arrow.", "tests/readers/test_nested.py"),
        ("A temperature is that of least cost, in six passes at most; the order of rows, the format and the workers change no bit of a calibration.", "tests/analysis/test_calibration.py"),
        ("A loss is within 4 units in the last place whatever instructions the processor has.", "tests/test_cpu.py::test_losses_differ_by_at_most_4_ulp_between_instruction_sets"),
        ("The fast reader of text returns what the careful one returns, or leaves the block to it.", "tests/readers/text/test_fast.py"),
        ("The prior is the least cost of any constant prediction, whatever the weights, class weights and targets.", "tests/analysis/test_prior.py::test_the_prior_is_the_least_cost_of_a_constant_prediction"),
        ("No interval of a cost reaches below 0, and one from fewer than ten rows or clusters says so.", "tests/analysis/test_intervals.py::test_the_ends_are_those_of_student_or_0_in_every_unit_and_group"),
        ("Every option that changes the loss is on the screen.", "tests/writers/test_remarks.py::test_what_changes_the_loss_is_on_the_screen"),
        ("A regression fails only where the whole paired interval, which is SciPy's, is beyond the margin.", "tests/check/test_regressions.py"),
        ("A numeral is read as the nearest double; any other text is never read as a number.", "tests/columns/test_numerals.py"),
    ],
    "Right or refused": [
        ("Each input of the table below gets the exit code, and the message or the cost, that stands there.", "tests/inputs/test_table.py::test_an_input_gets_what_it_must"),
        ("Of thousands of polluted text files each is scored as a strict reader says, or refused.", "tests/inputs/test_polluter.py::test_polluted_text_is_right_or_refused"),
        ("So is a small array with any bit flipped, or cut off anywhere.", "tests/inputs/test_polluter.py::test_every_bit_and_every_length_of_a_small_array"),
        ("Any bytes at all are a table or refused, the same by every reader.", "tests/fuzz/test_fuzz.py"),
        ("No input opens a socket, starts a process, is unpickled or writes a file.", "tests/inputs/test_audit.py::test_no_input_does_anything_but_be_read"),
        (
            "Merging refuses states of the same rows, states of different options, a missing shard, and a file that is not a state.",
            "tests/merge/test_refused.py",
        ),
        ("A baseline of other labels, classes, rows, weights or of another unit is refused, shuffled labels too.", "tests/check/test_baseline.py::test_an_unfit_baseline_is_refused"),
        ("A file that changes while it is read is refused.", "tests/faults/test_system.py::test_a_file_that_changes_while_it_is_read_is_noticed"),
        ("So is an object at a URL.", "tests/readers/test_remote.py::test_an_object_that_changes_while_it_is_read_is_noticed"),
        ("Every format at a URL costs what it costs on a disk.", "tests/readers/test_remote.py::test_every_reader_reads_urls"),
        ("So does a store that fails every tenth request.", "tests/readers/test_remote.py::test_so_does_one_that_fails_every_tenth_request"),
        ("A password or a signature in a URL is never shown.", "tests/readers/test_remote.py::test_reports_show_nothing_secret"),
        ("The SHA-256 of --hash is that of the bytes that were read.", "tests/readers/test_digest.py"),
        ("What is too large is refused with the option that allows more.", "tests/readers/test_limits.py::test_what_exceeds_a_limit_is_4_and_names_the_option"),
    ],
    "In CI": [
        ("Limits on merged states give the verdict, and the exit code, of one check of all rows.", "tests/merge/test_limits.py"),
        ("Of several checks all run, and the exit code is the first of 2, 4, 3, 1, 5 that one has.", "tests/cli/test_project.py::test_the_exit_code_of_several_is_4_before_3_before_1_before_5"),
        ("No pyproject.toml changes what a command with files means.", "tests/cli/test_project.py::test_a_name_that_is_a_file_too_is_refused_and_its_path_is_the_file"),
        ("JUnit XML is valid, and says error for what could not run.", "tests/cli/test_ci.py::test_one_check_of_the_command_line"),
        ("Text of a file is no more than text in annotations, summaries and XML.", "tests/cli/test_ci.py::test_no_name_is_more_than_text"),
        ("A cluster of Dask gives the same report, to the last bit.", "tests/engine/test_cluster.py"),
        (
            "A worker of Dask that is killed changes no bit; a file that changes, no memory and a lost scheduler "
            "are errors in time.",
            "tests/faults/test_dask.py",
        ),
        ("Without forks, or without threads, the figures are the same.", "tests/engine/test_without_fork.py"),
    ],
    "Nothing is lost": [
        ("Whatever system call fails, and wherever the process dies, a file is the old one or the new one.", "tests/faults/test_injected.py::test_whole_old_or_whole_new"),
        (f"No file is torn in {SEEDS * KILLS} kills at random times ({SEEDS * FEW} in a short run), and what they leave is swept.", "tests/faults/test_killed.py::test_no_file_is_torn_by_kills_at_random_times"),
        ("Two runs that write the same file leave a whole one.", "tests/faults/test_killed.py::test_two_runs_that_write_the_same_files_leave_whole_ones"),
        ("A full disk is exit code 4, and the older files stay.", "tests/faults/test_system.py::test_a_full_disk_is_4_and_leaves_the_old_files"),
        ("An input that cannot be read is exit code 3 or 4, and is named.", "tests/faults/test_injected.py::test_an_input_that_cannot_be_read_is_refused_and_named"),
        ("An output that is an input is refused before anything is read.", "tests/cli/test_exit_codes.py::test_an_input_is_not_overwritten"),
    ],
    "Pipes and signals": [
        ("Each end has its own exit code, and none of click's own leaks.", "tests/cli/test_exit_codes.py::test_each_end_has_its_code_and_one_message"),
        ("A failed limit is exit code 1, and nothing else is.", "tests/check/test_exit_codes.py"),
        ("A signal ends a run quietly, with its code, and leaves no temporary file.", "tests/cli/test_exit_codes.py::test_a_signal_leaves_the_old_files_and_nothing_else"),
        ("A pipe without end stays in bounded memory and can be interrupted.", "tests/faults/test_system.py::test_a_pipe_without_end_stays_in_bounded_memory_and_can_be_interrupted"),
        ("A line without end is refused in bounded memory.", "tests/faults/test_system.py::test_a_line_without_end_is_refused_in_bounded_memory"),
        ("Ten times the rows need no more memory.", "tests/engine/test_memory.py::test_ten_times_the_rows_of_a_stream_need_hardly_more_memory"),
        ("Nor does a larger row group of Parquet.", "tests/engine/test_memory.py::test_a_row_group_of_parquet_is_read_in_batches"),
        ("Too little memory to load pyarrow is exit code 4, not a crash.", "tests/faults/test_refused_resources.py::test_too_little_memory_for_pyarrow_is_4"),
    ],
    "Names from files": [
        ("What is printed has no control character, and no line that a CI log would obey.", "tests/writers/test_naughty.py::test_what_is_printed_obeys_nobody"),
        ("JSON and Parquet have the names as they are.", "tests/writers/test_naughty.py::test_json_and_parquet_have_the_names_as_they_are"),
        ("A spreadsheet runs no cell.", "tests/writers/test_naughty.py::test_a_spreadsheet_runs_no_cell_and_every_row_is_read_back"),
        ("Markdown is one table of plain text.", "tests/writers/test_naughty.py::test_markdown_is_one_table_of_plain_text"),
    ],
}  # fmt: skip
INTRODUCTION = """# What xent promises

xent never gives a wrong number: a file is scored rightly, or refused with the reason and the
place, and nothing that was there before is lost. Each promise is held by a test, which fails
when it is broken. This page is made by `python -m tests.inputs.promises`, and a test holds it
to the tables that it is made of.

Readers are fuzzed for a short while with every run of the tests;
`python -m tests.fuzz.readers -max_total_time=3600` does it for an hour. `mutmut run` says what
the tests of the arithmetic and of the matching would not notice.
"""
NUMERALS = """## What a number is

In text a number is written with the digits 0 to 9: a sign or none, digits with a point among
them, before them, after them or none, and an exponent or none: `1`, `-0.5`, `.5`, `1.`,
`1e-5`, `+2.0E+3`. Spaces and tabs may stand around it, and nothing within it: no thousands
separators, no underscores, no hexadecimal, no digits of other scripts. `inf`, `infinity` and
`nan`, in any case and with a sign or none, are numbers where a kind has a use for them. A
number beyond the doubles is refused; one below them is 0, counted and reported. A column
of text whose first row has percent signs is of hundredths: `78.7%` is the double nearest to
0.787. With
`--decimal ,` a comma stands for the point, and a number with a point is refused; texts, such as
the name 1,5 of a class, are shown as the file has them, and options may write 1.5 for it.

## What a table is

A text is UTF-8, with a byte order mark or none. Its rows end with LF or CRLF, or all with CR;
blank lines may follow the last. Fields are separated by one character, and every row has as
many as the first. A field that has a separator, a line end or a quote in it stands in double
quotes, and a quote in it is doubled; no quote stands anywhere else. Names of columns differ.
"""


def outcome(row: Row) -> str:
    """What an input gets, in words."""
    if row.cost is not None:
        return f"scored: {row.cost:.6f}"
    return f"{row.code}: {row.says}" if row.says else str(row.code)


def lines() -> Iterator[str]:
    """The lines of the document."""
    yield INTRODUCTION
    for title, promises in PROMISES.items():
        yield f"## {title}\n"
        yield "| promise | test |\n|---|---|"
        for promise, test in promises:
            yield f"| {promise} | `{test}` |"
        yield ""
    yield NUMERALS
    yield "## Inputs, and what each gets\n"
    yield "The exit code and a part of the message, or the cost. Files are tiny: three rows of two classes.\n"
    for section in dict.fromkeys(row.section for row in ROWS):
        yield f"### {section}\n"
        yield "| input | call | gets |\n|---|---|---|"
        for row in ROWS:
            if row.section == section:
                call, gets = (text.replace("|", "\\|") for text in (row.args, outcome(row)))
                yield f"| {row.what} | `xent score {call}` | {gets.replace('<', '&lt;').replace('*', chr(92) + '*')} |"
        yield ""


def document() -> str:
    """The whole page."""
    return "\n".join(lines()).rstrip("\n") + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
