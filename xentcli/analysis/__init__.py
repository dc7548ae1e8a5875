"""One module per question, each answering the command of its name."""
