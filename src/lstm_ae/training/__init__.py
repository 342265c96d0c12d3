"""A model learns: its start, its loop, checkpoints and processes."""
