"""The mathematics of one batch: kinds of predictions, checks, losses, metrics."""
