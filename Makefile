# Every target is what CI runs. `make help` lists them. PYTHON names the interpreter that .venv is made of.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BUILD := build
STEP := scripts/step

# Material for MkDocs announces MkDocs 2 on every build; this is the switch that it names for that notice.
export NO_MKDOCS_2_WARNING := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# pyright comes with its package and needs no look at the index for a newer one.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.PHONY: help setup demo format lint typecheck test pytest docs wheel bench constraints clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/dev.stamp ## make .venv with dsp and every tool; does nothing when up to date

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "dsp needs Python 3.11 or later, and $(PYTHON) is not: write make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The demo needs the runtime and mypy, no more. The pip of a fresh Python 3.11 is enough for it.
$(VENV)/demo.stamp: pyproject.toml constraints/dev.txt | $(BIN)/python
	@$(STEP) "install dsp" $(BIN)/python -m pip install --quiet --constraint constraints/dev.txt --editable . mypy
	touch $@

# `--group` came with pip 25.1, so pip itself is brought to the pinned version first.
$(VENV)/dev.stamp: pyproject.toml constraints/dev.txt | $(BIN)/python
	@$(STEP) "install pip" $(BIN)/python -m pip install --quiet --constraint constraints/dev.txt pip
	$(STEP) "install dsp and its tools" $(BIN)/python -m pip install --quiet --constraint constraints/dev.txt \
	  --editable . --group dev --group docs
	touch $(VENV)/demo.stamp $@

demo: $(VENV)/demo.stamp ## run typed programs on real text, offline, without a key
	@$(BIN)/dsp demo

format: setup ## write the code as ruff would
	@$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lint: setup ## style, and the order of the rooms
	@$(STEP) "ruff check" $(BIN)/ruff check .
	$(STEP) "ruff format" $(BIN)/ruff format --check .
	$(STEP) "import-linter" $(BIN)/lint-imports

typecheck: setup ## mypy --strict, pyright strict, and every public name typed
	@$(STEP) "mypy --strict" $(BIN)/mypy
	$(STEP) "pyright strict" $(BIN)/pyright --pythonpath $(BIN)/python
	$(STEP) "pyright --verifytypes" scripts/verifytypes $(BIN)

# The log's last line is pytest's closing line, which .ci/run repeats.
pytest: setup ## the tests, the examples in docstrings and pages, and branch coverage
	@mkdir -p $(BUILD)
	$(STEP) "pytest" bash -o pipefail -c "$(BIN)/python -m pytest --cov --cov-report=term | tee $(BUILD)/pytest.log"

docs: setup ## build the documentation into site/
	@$(STEP) "mkdocs build --strict" $(BIN)/mkdocs build --strict --quiet

wheel: setup ## build the wheel and run a program with it in an empty environment
	@$(STEP) "wheel" scripts/wheel "$(PYTHON)" $(BIN) $(BUILD)

test: lint typecheck docs wheel pytest ## everything that has to pass

bench: setup ## measure, beside the peers; writes docs/benchmarks.md
	@$(BIN)/python -m benchmarks

constraints: ## resolve anew and write constraints/*.txt
	@scripts/constraints "$(PYTHON)"

clean: ## remove what was built, the environment included
	@rm -rf $(VENV) $(BUILD) dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
