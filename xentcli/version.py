"""The version, a constant: reading it from the installed package costs 70 ms."""

__version__ = "0.1.0"
