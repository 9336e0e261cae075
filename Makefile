# Every command of the project. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help run test explore install check bench year fuzz torture pictures lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: $(VENV)/run.stamp ## set everything up and start the service with simulated phones
	@$(BIN)/notifier demo

test: $(VENV)/dev.stamp ## set everything up and run the tests
	@$(BIN)/pytest -q

explore: $(VENV)/dev.stamp ## try the properties on new, many more examples
	@$(BIN)/pytest -q --hypothesis-profile=explore tests/domain tests/sources tests/storage

install: $(VENV)/dev.stamp ## set up .venv and nothing else

check: $(VENV)/dev.stamp ## lint, types, import contracts, dependencies
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/deptry .

bench: $(VENV)/dev.stamp ## measure what the service can do, against its goals
	@$(BIN)/python -m bench

fuzz: $(VENV)/dev.stamp ## a million inputs that nobody should send; FUZZ="--inputs 9 --seed 7" for others
	@$(BIN)/python -m fuzz $(FUZZ)

year: $(VENV)/dev.stamp ## live through a year of dossiers, and check that each delay has one apology
	@$(BIN)/python -m bench.year

torture: $(VENV)/dev.stamp ## kill the service a thousand times; nothing is lost, nothing doubled in silence
	@$(BIN)/python -m torture

pictures: $(VENV)/dev.stamp ## take the pictures of the README anew
	@$(BIN)/python docs/pictures/make.py
	@$(BIN)/python docs/pictures/letter.py

lock: $(VENV)/dev.stamp ## write requirements/*.txt anew: names, versions and hashes
	@$(BIN)/pip install --quiet uv
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile $(UV_FLAGS) --group build --group dev -o requirements/dev.txt
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile $(UV_FLAGS) --group build -c requirements/dev.txt -o requirements/run.txt

clean: ## remove what the commands made
	@rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

UV_FLAGS := --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header --no-annotate pyproject.toml --extra speed

# Debian ships venv as a package of its own; where it is missing and we may, we fetch it.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed; name one with PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 \
	  || { rm -rf $(VENV); [ "$$(id -u)" = 0 ] && apt-get install -y -qq python3-venv >/dev/null \
	       && $(PYTHON) -m venv $(VENV); } \
	  || { echo "No virtual environment could be made; install the package python3-venv and try again."; exit 1; }

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Setting up $(VENV) (about a minute the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	@echo "Adding what the tests need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@
