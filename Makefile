.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find src agent/src python -name '*.rs' -o -name '*.py' -o -name '*.pyi') Cargo.toml Cargo.lock pyproject.toml
# maturin and the stub test look for the environment here.
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo
demo: dev ## Set up, cluster a real set of series and a real table, write demo.png
	$(BIN)/python examples/demo.py

.PHONY: test
test: servers lint ## Everything: lints, types, stubs, the core without Python, schedules, the package, wheels
	cargo test --quiet --workspace
	$(BIN)/python -m pytest -q
	$(BIN)/python tests/wheel/build_and_smoke.py

.PHONY: slow
slow: servers dev ## What takes long: marked tests, property tests with many more examples
	PROPTEST_CASES=20000 cargo test --quiet --workspace
	LLAMA_SERVER=$$(tools/build_llama_server.sh) \
	$(BIN)/python -m pytest -q -m "slow or not slow" --hypothesis-profile=long --timeout=3600
	$(BIN)/python benches/faults.py

.PHONY: schedules
schedules: ## Breaker, limiter and bulkhead under the random schedules of a model checker
	cargo test --quiet --package holdfast-schedules

.PHONY: servers
servers: ## Install what some tests talk to: prometheus, redis, an emulator, the firmware's toolchain
	tools/install_servers.sh

.PHONY: lint
lint: dev ## Style, clippy with and without Python, types, stubs
	cargo fmt --check
	cargo clippy --quiet --workspace --all-targets -- -D warnings
	cargo clippy --quiet --all-targets --features python -- -D warnings
	ruff check .
	ruff format --check .
	mypy
	$(BIN)/python -m mypy.stubtest holdfast._core

.PHONY: dev
dev: $(VENV)/.built ## Build the extension into .venv

$(VENV)/.installed: requirements-dev.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	touch $@

$(VENV)/.built: $(VENV)/.installed $(SOURCES)
	maturin develop --release --quiet
	touch $@

.PHONY: format
format: $(VENV)/.installed ## Rewrite to the house style
	cargo fmt
	ruff check --fix-only .
	ruff format .

.PHONY: bench
bench: .bench-venv/.installed ## Print ratios against the peers, which get an environment of their own
	for bench in benches/[a-gi-pr-z]*.py; do .bench-venv/bin/python $$bench || exit 1; done

.PHONY: quality
quality: .bench-venv/.installed ## Score every method: make quality DATA=DIR
	.bench-venv/bin/python benches/quality.py --data $(DATA) --peers

.bench-venv/.installed: requirements-bench.txt $(SOURCES)
	test -x .bench-venv/bin/python || $(PYTHON) -m venv .bench-venv
	while read -r peer; do .bench-venv/bin/python -m pip install --quiet "$$peer" || echo "missing: $$peer"; done < requirements-bench.txt
	.bench-venv/bin/python -m pip install --quiet .
	touch $@

.PHONY: wheel
wheel: $(VENV)/.installed ## Build a wheel for this Python into target/wheels
	maturin build --release

.PHONY: clean
clean: ## Remove what was built
	rm -rf target $(VENV) .bench-venv demo.png

.PHONY: help
help: ## Show this
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10
