# Bihuan 闭环: one target per habit. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests of a file stay together; files are spread over the workers in the order that conftest.py gives them. A worker
# that died would die of the same test again.
BESIDE := --numprocesses 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 --durations 25
OURS := proto standards servicekit $(patsubst %/pyproject.toml,%,$(wildcard services/*/pyproject.toml)) gateway verify bihuanctl

.DEFAULT_GOAL := help
.PHONY: help install run down demo test tests fuzz lint format bench proto proto-lint proto-release requirements access personal-data k8s lock clean

help:  ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/bin/python:
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(VENV)/bin/python install --quiet --disable-pip-version-check pip

$(VENV)/.installed: requirements/runtime.lock requirements/dev.lock $(addsuffix /pyproject.toml,$(OURS)) | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.lock -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps $(addprefix -e ./,$(OURS))
	@touch $@

# Where Python may not write what it has compiled (PYTHONDONTWRITEBYTECODE), every process would compile all of ours again.
install: $(VENV)/.installed  ## Make the environment in .venv from the lock files
	@$(BIN)/python -m compileall -q $(OURS)

run: install  ## Start the whole platform here and stay in front of it (Ctrl-C stops it)
	$(BIN)/bihuan up

down: install  ## Stop a platform started in the background
	$(BIN)/bihuan down

demo: install  ## Play real cases through the whole loop and prove that none fell out
	$(BIN)/bihuan demo

test: install  ## All checks and tests
	$(MAKE) --no-print-directory --jobs 2 lint tests

tests: install  ## All tests, without the checks
	$(BIN)/pytest $(BESIDE)

fuzz: install  ## Send the gateway far more than a test run has time for
	BIHUAN_FUZZ_REQUESTS=50 $(BIN)/pytest --override-ini timeout=7200 --override-ini faulthandler_timeout=7200 tests/e2e/test_fuzzing.py

lint: install  ## Style, types, architecture, contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory proto-lint

format: install  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install  ## Measure, as ratios to a floor taken in the same run
	$(BIN)/python -m bench --page docs/bench.md

proto: install  ## Generate the contracts again after an edit in proto/
	$(BIN)/python proto/generate.py

proto-lint: install  ## buf lint, and breaking changes against the released contracts
	$(BIN)/buf lint proto/gen/bihuan/contracts.binpb --path bihuan --config proto/buf.yaml
	$(BIN)/buf breaking proto/gen/bihuan/contracts.binpb --path bihuan --against proto/released.binpb --config proto/buf.yaml

proto-release: proto  ## Take the contracts as they are now for the released ones
	cp proto/gen/bihuan/contracts.binpb proto/released.binpb

requirements: install  ## Say in docs/requirements.md which tests show what, and what is open
	$(BIN)/python tests/requirements

personal-data: install  ## Say in docs/personal-data.md what people write where, and what an erasure reaches
	$(BIN)/python tests/personal_data

access: install  ## Show who may do what in docs/access.md, and where matrix and contracts differ
	$(BIN)/python tests/e2e/access

k8s: install  ## Render the Kubernetes manifests, validate them, and compare them with the code
	$(BIN)/python -m deploy.checks

lock: install  ## Choose newest versions again and pin them with hashes, without URLs
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade requirements/runtime.in -o requirements/runtime.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade requirements/dev.in -o requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade requirements/image.in -o requirements/image.lock

clean:  ## Remove the environment and everything generated (not .bihuan/)
	rm -rf $(VENV) proto/gen
