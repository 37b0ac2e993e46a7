# Everything a person or a machine does here: demo, test, lint, bench, docs, tables, lock. Each sets up what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo test lint format bench docs tables peers lock clean

help:
	@echo "make demo    a simulated hospital on this machine, checked: needs nothing but Python 3.11 and make"
	@echo "make test    all tests, against real servers; as root it installs the Debian packages that are missing"
	@echo "make lint    formatting, lint, types and the import rules"
	@echo "make bench   the benchmarks"
	@echo "make docs    write the generated pages and schemas anew"
	@echo "make tables  measure against real servers, and write the tables of docs anew: takes minutes"
	@echo "make peers   the other tools that tests compare with, in an environment of their own"
	@echo "make lock    resolve the locked versions anew (needs uv)"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

# What the product needs to run.
$(VENV)/runtime: requirements.lock | $(BIN)/python
	$(PIP) --require-hashes --requirement requirements.lock
	touch $@

# What its developers need as well, and the product itself, in place.
$(VENV)/development: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes --requirement requirements-dev.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	touch $@ $(VENV)/runtime

# The tools that the tests compare with, apart: they pin other versions of the same libraries.
$(VENV)/peers/installed: requirements-peers.lock | $(BIN)/python
	$(BIN)/python -m venv $(VENV)/peers
	$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements-peers.lock
	touch $@

peers: $(VENV)/peers/installed

demo: $(VENV)/runtime
	@$(BIN)/python -m checker demo

test: $(VENV)/development $(VENV)/peers/installed
	.ci/install-servers
	$(BIN)/python -m pytest --numprocesses=auto $(ARGS)

lint: $(VENV)/development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config pyproject.toml

format: $(VENV)/development
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/development $(VENV)/peers/installed
	$(BIN)/python -m tests.bench

docs: $(VENV)/development
	$(BIN)/python -m checker.rules.document > docs/rules.md.new && mv docs/rules.md.new docs/rules.md
	$(BIN)/python -m checker.inventory.export_schema
	$(BIN)/python -m checker.store.export_schemas

tables: $(VENV)/development $(VENV)/peers/installed
	.ci/install-servers
	$(BIN)/python -m tests.tables

lock:
	uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--python-version 3.11 --extra report --extra nats --extra postgres --extra dev \
		--output-file requirements-dev.lock --quiet
	uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--python-version 3.11 --constraint requirements-dev.lock --output-file requirements.lock --quiet
	uv pip compile requirements-peers.in --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--python-version 3.11 --output-file requirements-peers.lock --quiet

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
