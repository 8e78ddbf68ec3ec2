# Each target does all of its own set-up: a fresh clone needs Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: studio demo test quick check docs clean

studio: $(VENV)/.ready
	$(BIN)/narrows studio

demo: $(VENV)/.ready
	$(BIN)/narrows demo --out demo

test: $(VENV)/.ready-dev check
	$(BIN)/python -m pytest -q -m "not slow" -n 2
	$(BIN)/python -m pytest -q -m slow

quick: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -q -m "not slow" -n 2

check: $(VENV)/.ready-dev docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Warnings are errors, and nothing is fetched. The variable quiets an advertisement that is no warning.
docs: $(VENV)/.ready-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) -e '.[all]'
	touch $@

$(VENV)/.ready-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) -e '.[dev]'
	touch $@ $(VENV)/.ready

clean:
	rm -rf $(VENV) demo runs site .pytest_cache .ruff_cache
