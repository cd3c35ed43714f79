"""The version, in one place: packaging, ``tvwire.__version__`` and the ``User-Agent`` read it here."""

__version__ = "0.1.0"
