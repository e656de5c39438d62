# `make demo` and `make test` do everything on a fresh machine; the others are for those who change the code.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help demo test check format bench bench-accuracy clean

help:
	@echo "make demo    set up, then train on the bundled data and show the result"
	@echo "make test    set up, then run all tests"
	@echo "make check   formatting, lint, types, layers"
	@echo "make format  put the code in its format"
	@echo "make bench   how fast each part is: benchmarks/results.json, docs/performance.md (half an hour)"
	@echo "make bench-accuracy   how good the labels are: benchmarks/accuracy.json, docs/accuracy.md (QUICK=1: a smoke run)"

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[offline,onnx,lora,report,dev]'
	@touch $@

demo: $(INSTALLED)
	$(BIN)/multitag demo

test: $(INSTALLED)
	$(BIN)/python -m pytest -n auto --dist worksteal --cov=multitag --cov-report=term:skip-covered --cov-fail-under=90

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_layers.py

format: $(INSTALLED)
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

bench: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt sentence-transformers
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python scripts/speed_tables.py

bench-accuracy: $(INSTALLED)
	$(BIN)/python benchmarks/accuracy.py $(if $(QUICK),--quick)
	$(BIN)/python scripts/accuracy_tables.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
