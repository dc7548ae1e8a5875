"""Where a result is written: -o and --append take FILE, or FORMAT:FILE where the extension does not name the form."""

from __future__ import annotations

from xentcli.errors import UsageError, shown
from xentcli.records import record
from xentcli.report.document import Document
from xentcli.writers import WRITERS, content, format_of

__all__ = ["Target"]


@record(frozen=True)
class Target:
    """A file, ``-`` for standard output, and the output form: empty for that of --format."""

    path: str
    format: str
    appended: bool = False

    @classmethod
    def of(cls, given: str, *, appended: bool = False) -> Target:
        """Read FILE or FORMAT:FILE.

        Raises
        ------
        UsageError
            For an unknown extension, or a form that cannot be appended to a file.

        >>> Target.of("report.md"), Target.of("markdown:summary").path
        (Target(path='report.md', format='markdown', appended=False), 'summary')
        """
        name, colon, path = given.partition(":")
        if not (colon and path and name in WRITERS):
            name, path = "" if given == "-" else format_of(given), given
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
