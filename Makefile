# Everything a fresh machine needs: Python 3.11 with venv. `make demo` and `make test` set themselves up.
VENV    := .venv
BIN     := $(VENV)/bin
PYTHON3 ?= python3
PIP     := $(BIN)/python -m pip --disable-pip-version-check -q
# compiled again, where there is a compiler, when one of them changes
NATIVE  := hatch_build.py $(wildcard native/*)

.DEFAULT_GOAL := help
.PHONY: help demo test peers soak acceptance check docs bench format clean

help:
	@echo "make demo    set up, download candles from the embedded emulator, show and save them"
	@echo "make test    set up and run all tests"
	@echo "make peers   install published clients of others, run them unmodified against the emulator"
	@echo "make soak    live streams through 20,000 simulated faults; a slow consumer for two minutes"
	@echo "make acceptance  watch 200 candles through each fault, in real time, and compare"
	@echo "make check   ruff, mypy --strict, layer test, docs build"
	@echo "make bench   run the benchmarks of bench/"
	@echo "make docs    build the documentation into site/"

$(BIN)/python:
	$(PYTHON3) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt $(NATIVE)
	$(PIP) install -c constraints.txt -e '.[cli,arrow,emulator,fast]'
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt $(NATIVE)
	$(PIP) install -c constraints.txt -e '.[dev,docs]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/tvwire demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest
	$(BIN)/python -m pytest -q --pure tests/wire tests/session tests/net tests/test_quote.py tests/test_layers.py

peers: $(VENV)/.dev
	$(BIN)/python -m peers

soak: $(VENV)/.dev
	$(BIN)/python -m tests.sim
	$(BIN)/python -m tests.slow

acceptance: $(VENV)/.dev
	$(BIN)/python -m tests.acceptance

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layers.py
	$(BIN)/zensical build --clean

docs: $(VENV)/.dev
	$(BIN)/zensical build --clean

bench: $(VENV)/.dev
	$(BIN)/python -m bench

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) site build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis demo-output
