"""Tasks: nox -s test, long, coverage, lint, docs, bench, fuzz, fuzz-commands, mutate, record."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "test"]


@nox.session
def test(session: nox.Session) -> None:
    """Run all tests."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def long(session: nox.Session) -> None:
    """Run all tests, with three times the examples of random search."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs, env={"XENT_LONG": "1"})


@nox.session
def coverage(session: nox.Session) -> None:
    """Run all tests with branch coverage, which takes 1.7 times as long, and fail below 97 %."""
    session.install("-e", ".[test]")
    session.run("pytest", "--cov=xentcli", "--cov-branch", "--cov-report=term-missing:skip-covered", *session.posargs)


@nox.session
def oldest(session: nox.Session) -> None:
    """Run the tests with the oldest allowed dependencies."""
    session.install(
        "-e", ".[test]", "click==8.2.0", "numpy==1.26.0", "pandas==2.2.0", "rich==13.7.0", "pyarrow==16.0.0"
    )
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and types."""
    session.install("-e", ".[lint]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Run every example of the documentation and of the help texts, and build the pages."""
    session.install("-e", ".[test]")
    session.run("pytest", "tests/test_docs.py", "tests/test_ci_page.py", "tests/cli/test_help.py", "xentcli")
    session.run("sphinx-build", "-W", "-n", "docs", "build/docs")


@nox.session
def bench(session: nox.Session) -> None:
    """Time xent against what people would run instead, on generated files; --write docs keeps the result."""
    session.install(".", "matplotlib", "polars", "scikit-learn")
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz the readers for an hour, or as the arguments of libFuzzer say."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.fuzz.readers", *(session.posargs or ["-max_total_time=3600"]))


@nox.session(name="fuzz-commands")
def fuzz_commands(session: nox.Session) -> None:
    """Compare random command lines with an independent oracle for an hour, or as the arguments say."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "tests.fuzz.commands", *(session.posargs or ["--seconds", "3600"]))


@nox.session
def mutate(session: nox.Session) -> None:
    """Change the arithmetic and the matching in small ways, and see which the tests do not notice."""
    session.install("-e", ".[test]", "mutmut>=3.6")
    session.run("mutmut", "run", *session.posargs, env={"XENT_LONG": "1"})
    session.run("mutmut", "results")


@nox.session
def record(session: nox.Session) -> None:
    """Record 300 command lines at a revision (default HEAD) and in the work tree, and show what differs."""
    revision = session.posargs[0] if session.posargs else "HEAD"
    here, temporary = session.invoked_from, session.create_tmp()
    session.run("git", "worktree", "add", "--force", "--detach", f"{temporary}/tree", revision, external=True)
    try:
        for tree, name in ((f"{temporary}/tree", "before"), (here, "after")):
            session.install("-e", f"{tree}[test]")
            session.run("rm", "-rf", f"{temporary}/{name}", external=True)
            session.run("python", "-m", "tests.recorded", f"{temporary}/{name}")
    finally:
        session.run("git", "worktree", "remove", "--force", f"{temporary}/tree", external=True)
    session.run("python", "-m", "tests.recorded", f"{temporary}/before", f"{temporary}/after")
