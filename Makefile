# Each target sets itself up. Python 3.11 or later, git and make are all it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NAME ?=
FORCE ?=

# `make test` and `make pages` run this many processes at once; each may start a kernel of up to 1.5 GB.
# The cores are shared out among them, for two processes that both use every core run slower than
# one after the other. Notebooks are made with all cores and tested with fewer: what they show
# must not depend on the number of threads.
WORKERS ?= 2
PYTEST = OMP_NUM_THREADS=$$($(BIN)/python -c "import os; print(max(1, os.cpu_count() // $(WORKERS)))") \
    $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help book test pages notebooks text variants tables matrix bench mutants gpu lint clean distclean compare pdf

help:  ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 12

book: $(READY)  ## build the site from scratch and say where to open it
	rm -rf _build
	$(BIN)/jupyter-book build . -W -n --keep-going -q
	@$(BIN)/python -c "from pathlib import Path; print('The book is at', Path('_build/html/index.html').resolve().as_uri())"

pdf: book  ## print the whole book as one PDF; needs Chromium
	$(BIN)/python tools/pdf.py

test: $(READY)  ## check the package, the tables and every notebook; NAME=05 for one chapter
	@$(PYTEST) --nbval --nbval-current-env --nbval-cell-timeout 1200 \
	    --nbval-kernel-startup-timeout 180 --ignore=tests/pages --ignore=tests/tools \
	    $(if $(NAME),--chapter "$(NAME)") book tests

pages: $(READY)  ## check the site, in a browser too, and the tools
	@$(PYTEST) tests/pages tests/tools

notebooks: $(READY)  ## execute the notebooks that changed; NAME=05 for one, FORCE=1 for all
	$(BIN)/python tools/notebooks.py $(if $(filter-out 0,$(FORCE)),--force) $(NAME)

text: $(READY)  ## take what was edited in notebooks into their text; NAME=05 for one
	$(BIN)/python tools/notebooks.py --take $(if $(filter-out 0,$(FORCE)),--force) $(NAME)

variants: $(READY)  ## run the chapters with other groups, kernels and splits; NAME=05 for one
	OMP_NUM_THREADS=1 $(BIN)/python tools/variants.py --workers $(WORKERS) $(NAME)

tables: $(READY)  ## compute the tables of results that chapters read; NAME=trap for one
	OMP_NUM_THREADS=1 $(BIN)/python tools/tables.py $(NAME)

matrix: $(READY)  ## run the chapters with other threads, instructions, versions and Pythons; NAME=oldest for one
	$(BIN)/python tools/matrix.py $(NAME)

compare: $(READY)  ## what moved between two sets of executed notebooks; A=folder B=folder
	@$(BIN)/python tools/compare.py $(if $(A),"$(A)") $(if $(B),"$(B)")

bench: $(VENV)/.bench book  ## measure speed and memory, and how soon the pages of the site stand
	$(BIN)/python tools/bench_pages.py
	$(BIN)/python tools/bench.py

mutants: $(VENV)/.mutants  ## change the package and what notebooks show: do the tests notice? NAME=kernels
	OMP_NUM_THREADS=1 $(BIN)/python tools/mutants.py --workers $(WORKERS) $(if $(filter-out 0,$(FORCE)),--force) $(NAME)

gpu: $(READY)  ## check and measure the machine on a CUDA GPU
	$(BIN)/python tools/gpu.py --write

lint: $(READY)  ## check style and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/deno lint
	$(BIN)/deno fmt --check

clean:  ## remove the site and caches
	rm -rf _build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find book rfm tests tools -name __pycache__ -prune -exec rm -rf {} +

distclean: clean  ## the same and the environments
	rm -rf $(VENV) .matrix *.egg-info

$(READY): requirements.txt constraints.txt pyproject.toml
	@"$(PYTHON)" -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
	    echo "Python 3.11 or later is needed, and '$(PYTHON)' is not. Name another: make PYTHON=python3.12 ..." >&2; \
	    exit 1; }
	@echo "Setting up $(VENV): a few minutes, once."
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@rm -rf rfm.egg-info  # of an older installation, when the distribution was still called rfm
	@$(BIN)/python -m pip uninstall --quiet --yes rfm 2> /dev/null || true
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.bench: $(READY) requirements-bench.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -r requirements-bench.txt
	@touch $@

$(VENV)/.mutants: $(READY) requirements-mutants.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -r requirements-mutants.txt
	@touch $@
