"""Where a result is written: -o and --append take FILE or FORMAT:FILE, --plot takes FILE or KIND=FILE."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from xentcli.errors import UsageError, shown
from xentcli.records import record
from xentcli.report.document import Document
from xentcli.scoring.kinds import KINDS
from xentcli.writers import WRITERS, content, format_of

if TYPE_CHECKING:
    from xentcli.writers.pictures import Drawing

__all__ = ["Picture", "Target"]


@record(frozen=True)
class Target:
    """A file, ``-`` for standard output, and the output form: empty for that of --format."""

    path: str
    format: str
    appended: bool = False

    @classmethod
    def of(cls, given: str, *, appended: bool = False) -> Target:
        """Read FILE or FORMAT:FILE.

        Raises UsageError for an unknown extension, or a form that cannot be appended to a file.

        >>> Target.of("report.md"), Target.of("markdown:summary").path
        (Target(path='report.md', format='markdown', appended=False), 'summary')
        """
        name, colon, path = given.partition(":")
        if not (colon and path and name in WRITERS):
            name, path = "" if given == "-" else format_of(given, "--append" if appended else "-o"), given
        if path == "-" and name and WRITERS[name].binary:
            raise UsageError(f"-o {given}: {name} is written to a file, not to standard output")
        if appended and path == "-":
            raise UsageError("--append takes a file; -o - is standard output")
        if appended and WRITERS[name].appended is None:
            able = ", ".join(other for other, writer in WRITERS.items() if writer.appended is not None)
            raise UsageError(
                f"--append {shown(given)}: {name} cannot be appended to a file",
                advice=f"FORMAT:FILE names another form: {able}",
            )
        return cls(path, name, appended)

    def write(self, document: Document) -> None:
        """Write or append a document, completely or not at all."""
        from xentcli.atomic import append_bytes, write_bytes

        made = content(document, self.format)
        if self.appended:
            append_bytes(self.path, made + (WRITERS[self.format].appended or "").encode())
        else:
            write_bytes(self.path, made)


@record(frozen=True)
class Picture:
    """A file of --plot: the name of the drawing in it, and svg, png or pdf."""

    path: str
    name: str
    format: str

    @classmethod
    def of(cls, given: str, command: str, options: Mapping[str, Any]) -> Picture:
        """Read FILE, whose stem names the drawing, or KIND=FILE.

        Raises UsageError for an unknown drawing or format, one that the command or the kind of predictions cannot have,
        and one that needs an option which is not among `options`.
        """
        from xentcli.writers.pictures import DRAWINGS, FORMATS, needs_matplotlib

        kind, equals, path = given.partition("=")
        if not (equals and kind in DRAWINGS):
            path = given
            kind = os.path.splitext(os.path.basename(path))[0]
        format = os.path.splitext(path)[1].lower().removeprefix(".")
        able = ", ".join(name for name, drawing in DRAWINGS.items() if command in drawing.commands)
        if kind not in DRAWINGS:
            advice = f"name the drawing: --plot KIND=FILE, KIND one of {able}"
            word = shown(given.partition("=")[0] if equals else kind)
            raise UsageError(f"--plot {shown(given)}: {word} is not a drawing", advice=advice)
        if format not in FORMATS:
            raise UsageError(f"--plot {shown(given)}: unknown extension", advice=f"use one of .{', .'.join(FORMATS)}")
        drawing = DRAWINGS[kind]
        if command not in drawing.commands:
            others = ", ".join(f"xent {name}" for name in drawing.commands)
            can = (f"it is drawn by {others}", f"xent {command} draws {able}")
            raise UsageError(f"--plot {kind}: {command} has no such drawing", advice=can)
        # For merge, --kind is in the states, not among the options.
        if drawing.labelled and "kind" in options and not KINDS[options["kind"]].labelled:
            raise UsageError(
                f"--plot {kind}: --kind {options['kind']} has no labels", advice="--plot losses.svg can be drawn"
            )
        if drawing.option and not options.get(drawing.option, drawing.option not in options):
            raise UsageError(f"--plot {kind} needs --{drawing.option}", advice=f"--{drawing.option} COLUMN")
        needs_matplotlib()
        return cls(path, kind, format)

    @property
    def drawing(self) -> Drawing:
        """The row of the drawing in DRAWINGS."""
        from xentcli.writers.pictures import DRAWINGS

        return DRAWINGS[self.name]

    def drawn(self, document: Document) -> bytes:
        """Return the bytes of the file."""
        from xentcli.writers.pictures import drawn

        return drawn(document, self.name, self.format)
