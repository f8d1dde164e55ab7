# Needs Python 3.11 to 3.13, make and access to a package index; nothing else, and no root.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export NUMBA_CACHE_DIR := $(CURDIR)/$(VENV)/share/muzikantas/numba
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo test faults check docs up bench bench-learning lock clean

help: ## Name the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

install: $(READY) ## Set up .venv: the locked packages, the project, the compiled code of librosa

$(READY): requirements-dev.lock pyproject.toml
	@python=$$(sh .ci/find-python) && rm -rf $(VENV) && "$$python" -m venv $(VENV)
	@echo "Installing the locked packages into $(VENV) (about a minute) …"
	@$(BIN)/python -m pip install -qq --no-input --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install -qq --no-input --no-deps --no-build-isolation -e .
	@echo "Compiling what listening needs …"
	@$(BIN)/python -W ignore -c "from muzikantas.analysis import audio; audio.warm_up()"
	@touch $@

demo: install ## The whole loop on this machine, with stand-ins for the providers
	@$(BIN)/muzikantas demo

test: install ## All tests, on servers of their own
	@$(BIN)/pytest

faults: install ## Break things for up to 20 minutes and count what was paid, made and lost
	@$(BIN)/python -m tests.faults.run --cycles 40 --seed 1 --minutes 20

check: install ## Linters, types, arrows, documents, manifests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q tests/unit/test_docs.py tests/unit/test_house.py tests/unit/test_shipped_data.py
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/ci.yml

docs: install ## Write docs/commands.md anew
	@$(BIN)/python docs/commands.py

up: install ## The stack in the foreground
	@$(BIN)/muzikantas up

bench: install ## All benchmarks, about an hour on a quiet machine
	@for name in throttle in_flight hearing alike listen_autoscale learning loop ingest trends gaps; do $(BIN)/python -m benchmarks.$$name --json; done

bench-learning: install ## Every scenario and switch of the learning benchmark, about 40 minutes
	@$(BIN)/python -m benchmarks.learning --json --all

lock: ## Renew the lock files (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra local --group dev -o requirements-dev.lock

clean: ## Remove what the targets made; never var/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist
