# Everything a person or a machine does here: demo, test, lint, bench, docs, lock. Each sets up what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo test lint format bench docs lock clean

help:
	@echo "make demo    a simulated hospital on this machine, checked: needs nothing but Python 3.11 and make"
	@echo "make test    all tests, against real servers; as root it installs the Debian packages that are missing"
	@echo "make lint    formatting, lint, types and the import rules"
	@echo "make bench   the benchmarks"
	@echo "make docs    write the generated pages and schemas anew"
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

demo: $(VENV)/runtime
	@$(BIN)/python -m checker demo

test: $(VENV)/development
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

bench: $(VENV)/development
	$(BIN)/python -m tests.bench

docs: $(VENV)/development
	$(BIN)/python -m checker.rules.document > docs/rules.md.new && mv docs/rules.md.new docs/rules.md
	$(BIN)/python -m checker.inventory.export_schema
	$(BIN)/python -m checker.store.export_schemas

lock:
	uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--python-version 3.11 --extra report --extra nats --extra postgres --extra dev \
		--output-file requirements-dev.lock --quiet
	uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
		--python-version 3.11 --constraint requirements-dev.lock --output-file requirements.lock --quiet

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
