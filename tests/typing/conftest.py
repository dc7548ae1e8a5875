"""What mypy reads is not run."""

collect_ignore = ["calls.py"]
