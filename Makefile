# What can be done here. Each target makes its own .venv if needed; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo check test slow kernels bench lint clean

VENV   := .venv
BIN    := $(VENV)/bin
SAMPLE := sample_images/astronaut.png
# Which interpreter .venv is made with: the newest one found, or say `make test PYTHON=/path/to/python3.12`.
PYTHON ?=
CANDIDATES := $(or $(PYTHON),python3.14 python3.13 python3.12 python3.11 python3 python)

# Processes that `make test` runs at once.
JOBS   ?= 2

check test slow bench: export OPENBLAS_NUM_THREADS := 1

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.ready ## Segment a sample photo and say where the results are
	@$(BIN)/emseg segment $(SAMPLE) -k 4 -o out/demo
	@echo "The results are in out/demo; look at out/demo/$(basename $(notdir $(SAMPLE))).overlay.png first."

check: lint $(VENV)/.ready-test ## Check style and types, and run the tests that take seconds: within a minute
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile -m "not (long or slow or bench)"

test: $(VENV)/.ready-test ## Run the tests
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile

slow: $(VENV)/.ready-test ## Run the slow tests, and those on random examples with others every time
	@HYPOTHESIS_PROFILE=random $(BIN)/python -m pytest -q -m "slow or hypothesis"

kernels: $(VENV)/.ready-test ## Run the numerical tests under the kernels of other processors (an hour or two)
	@$(BIN)/python -m tests.kernels --jobs $(JOBS) $(ONLY)

bench: $(VENV)/.ready-bench ## Compare speed and memory with scikit-learn and OpenCV (a Markdown table)
	@$(BIN)/python -m tests.benchmarks

lint: $(VENV)/.ready-lint ## Check style (ruff) and types (mypy)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

clean: ## Remove .venv, caches and results
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find emseg tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp says that .venv matches pyproject.toml; `.ready-EXTRA` adds the packages of that extra.
PIP := $(BIN)/python -m pip --disable-pip-version-check
# What is installed to be edited is not compiled then, and never where PYTHONDONTWRITEBYTECODE is set.
COMPILE := $(BIN)/python -m compileall -q emseg

$(VENV)/.ready: pyproject.toml $(BIN)/python
	@$(PIP) install --quiet --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/.ready-%: pyproject.toml $(BIN)/python
	@$(PIP) install --quiet --editable '.[$*]'
	@$(COMPILE)
	@touch $(VENV)/.ready $@

$(BIN)/python:
	@for python in $(CANDIDATES); do \
	  if $$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$($$python --version): a minute, the first time only" >&2; \
	    exec $$python -m venv --clear $(VENV); \
	  fi; \
	done; \
	echo "emseg needs Python 3.11 or newer, with venv: install it, or say make PYTHON=/path/to/python3.12" >&2; exit 1
