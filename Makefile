# Everything here needs Python 3.11 or newer, make and git. `make demo` and `make test` set up what they need.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: help setup demo firstlight test test-slow kills fuzz independent check lint types imports format benchmarks clean

help:
	@echo "make demo         collect, train, evaluate and report into out/demo/ (minutes)"
	@echo "make test         the test-suite (minutes)"
	@echo "make firstlight   the same chain at 330 places into out/firstlight/ (within the hour)"
	@echo "make test-slow    the longer tests"
	@echo "make kills        80 kills of a collection, at every file operation and at random"
	@echo "make fuzz         5,000 damaged files for all readers"
	@echo "make independent  116 sequences of all kinds, derived anew by rules of their own"
	@echo "make check        what CI checks besides tests: lint, types, imports"
	@echo "make benchmarks   print the benchmark tables"
	@echo "make format       format the code"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/python scripts/run_chain.py --config configs/demo.yaml

firstlight: $(STAMP)
	$(BIN)/python scripts/run_chain.py --config configs/firstlight.yaml

test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2

test-slow: $(STAMP)
	OMP_NUM_THREADS=2 $(BIN)/python -m pytest -q -m slow

kills: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 0 -m slow tests/collect/test_kills.py

fuzz: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 0 -m slow tests/storage/test_hostile.py

independent: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -s -n 0 -m slow tests/independent

check: lint types imports

lint: $(STAMP)
	$(BIN)/ruff check src tests scripts benchmarks
	$(BIN)/ruff format --check src tests scripts benchmarks

types: $(STAMP)
	$(BIN)/pyright

imports: $(STAMP)
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix src tests scripts benchmarks
	$(BIN)/ruff format src tests scripts benchmarks

benchmarks: $(STAMP)
	$(BIN)/python benchmarks/render_speed.py
	$(BIN)/python benchmarks/losses.py

clean:
	rm -rf $(VENV) out build dist src/*.egg-info
