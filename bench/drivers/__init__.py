"""One process per client: each reads tasks from its standard input, see ``bench/stage.py``."""
