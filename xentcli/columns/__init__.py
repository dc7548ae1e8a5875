"""A column of a table: numbers, texts, dictionary-encoded texts."""
