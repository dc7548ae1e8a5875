"""Tables for the terminal, one module per document."""
