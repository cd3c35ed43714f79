"""Published clients of other authors, run unmodified against the emulator: ``python -m peers``."""
