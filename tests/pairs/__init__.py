"""All pairs of options: what is asked for is done or refused."""
