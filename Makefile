# Every target sets up what it needs. STACK chooses a stack: make preview STACK=prod
.DEFAULT_GOAL := help
SHELL := /bin/sh
# Not writing bytecode halves the speed of everything in Python; no target may inherit that.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
READY := $(VENV)/.ready
# The last file of an installation, a copy of the lock file; the program refuses packages of another one.
PACKAGES := functions/packages/requirements.lock
INSTALLED := $(READY) $(PACKAGES)
STACK ?= dev
PORT ?= 8080
SOURCES := components dags functions images operations pipelines policies settings sandbox tests __main__.py
SCRIPTS := pipelines/release-dags pipelines/lint/run .ci/run

.PHONY: help setup up preview down inventory test unit engine-tests twin-tests drill differential lint format bench docs lock

help: ## Show the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Install the locked dependencies into .venv, and those of the functions beside their code.

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed; $(PYTHON) is {sys.version.split()[0]} (set PYTHON=...)")'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check "$$(sed -n 's/^\(uv==[0-9.]*\).*/\1/p' requirements.lock)"
	$(UV) pip sync --quiet --python $(PY) --require-hashes --compile-bytecode requirements.lock
	@touch $@

# For the machines of Lambda, not for this one; nothing here imports them, so there is no bytecode either.
$(PACKAGES): functions/requirements.lock | $(READY)
	rm -rf $(@D)
	$(UV) pip install --quiet --python $(PY) --target $(@D) --python-version 3.13 --python-platform aarch64-manylinux2014 \
	  --only-binary :all: --require-hashes --requirement functions/requirements.lock
	@cp functions/requirements.lock $@

up: $(INSTALLED) ## Apply STACK (default dev) on simulated AWS, and run its real Airflow on http://localhost:$(PORT).
	@$(PY) -m sandbox --no-checkpoints up $(STACK) --twin --twin-port $(PORT)

preview: $(INSTALLED) ## Preview STACK on simulated AWS and check its mandatory edges.
	@$(PY) -m sandbox preview $(STACK)

down: $(INSTALLED) ## End every twin and destroy every stack on simulated AWS; fails when anything is left.
	@$(PY) -m sandbox down

inventory: $(INSTALLED) ## List what exists in simulated AWS.
	@$(PY) -m sandbox inventory

test: $(INSTALLED) ## Run all tests, with coverage.
	@$(PY) -m sandbox engine
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not twin" --cov --cov-report= --cov-fail-under=0 tests
	$(PY) -m pytest -n 2 --dist loadfile -m twin --cov --cov-append --cov-report=term:skip-covered tests

unit: $(INSTALLED) ## Run the tests that need neither engine nor Airflow.
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not engine and not twin and not checkov" tests

engine-tests: $(INSTALLED) ## Run the tests through the real Pulumi CLI.
	@$(PY) -m sandbox engine
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m engine tests

twin-tests: $(INSTALLED) ## Run the tests on real Airflow, booted from the rendered task definitions.
	$(PY) -m pytest -n 2 --dist loadfile -m twin tests

drill: $(INSTALLED) ## Break wiring and servers under real Airflow, run its own examples, switch releases under parses; tables.
	$(PY) -m tests.twin.drills all

differential: $(INSTALLED) ## Judge the same resources by the security policies and by checkov; table of the differences.
	$(PY) -m tests.policies.checkov

lint: $(INSTALLED) ## Check style, types, generated documents and the pipelines.
	$(VENV)/bin/ruff check $(SOURCES)
	$(VENV)/bin/ruff format --check $(SOURCES)
	$(VENV)/bin/mypy
	$(PY) -m settings docs --check
	$(PY) -m policies docs --check
	$(PY) -m policies covered
	$(VENV)/bin/hadolint images/airflow/Dockerfile
	$(VENV)/bin/shellcheck $(SCRIPTS)
	pipelines/lint/run

format: $(INSTALLED) ## Format the code.
	$(VENV)/bin/ruff check --fix $(SOURCES)
	$(VENV)/bin/ruff format $(SOURCES)

docs: $(INSTALLED) ## Write the generated documents.
	$(PY) -m settings docs --write
	$(PY) -m policies docs --write

bench: $(INSTALLED) ## Measure previews, the simulated provider's own share, Airflow against its own settings, and releases.
	$(PY) -m tests.bench
	$(PY) -m tests.twin.drills bench
	$(PY) -m tests.twin.drills release-bench

lock: $(INSTALLED) ## Pin the whole dependency tree again.
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  requirements-dev.txt --output-file requirements.lock
	$(UV) pip compile --quiet --python-version 3.13 --python-platform aarch64-manylinux2014 --generate-hashes \
	  --no-emit-index-url --no-header functions/requirements.in --output-file functions/requirements.lock
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  tests/policies/checkov/requirements.in --output-file tests/policies/checkov/requirements.lock
