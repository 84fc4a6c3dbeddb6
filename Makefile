# Credential Manager: `make run` serves it, `make test` checks it, `make help` lists the rest.
# Needs Python 3.11 or newer and make; everything else is fetched, pinned by hash, into .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes
# Twice the two cores that the checks are made for: browsers and servers wait for each other.
JOBS ?= 4
# Each process goes through files as a whole, so that what a file prepares is prepared once; who has none left takes
# over from the others.
IN_PARALLEL := -n $(JOBS) --dist worksteal
DATA_DIR := $(or $(CREDMGR_DATA_DIR),var)

# Images of Python often set it; then every process, of which the tests start many, compiles the program anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test test-all test-postgres fuzz lint bench bench-scale bench-profile soak screenshots lock clean reset chromium node-clients node-peers

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null \
		|| grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST)

run: $(VENV)/.ready-to-run ## prepare what is missing, then serve until Ctrl-C
	@exec $(BIN)/python manage.py serve

test: $(VENV)/.ready-to-test chromium node-clients node-peers ## every test but the slow ones, in a real browser and with real clients; those about the database on PostgreSQL too
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not slow"
	@sh .ci/postgres $(BIN)/python -m pytest $(IN_PARALLEL) -m "database and not slow"

test-all: $(VENV)/.ready-to-test chromium node-clients node-peers ## every test, the slow ones too, on both databases; on PostgreSQL without Azure CLI, screenshots and bench
	$(BIN)/python -m pytest $(IN_PARALLEL) -m "not alone"
	$(BIN)/python -m pytest -n 0 -m alone
	@sh .ci/postgres $(BIN)/python -m pytest $(IN_PARALLEL) -m "not alone"
	@sh .ci/postgres $(BIN)/python -m pytest -n 0 -m alone

test-postgres: $(VENV)/.ready-to-test chromium node-clients node-peers ## every test but the slow ones on PostgreSQL, on a server of its own
	@sh .ci/postgres $(BIN)/python -m pytest $(IN_PARALLEL) -m "not slow"

fuzz: $(VENV)/.ready-to-test ## invented input to everything that reads files, tokens and forms, FUZZ_TIMES (10) as much as in the tests
	FUZZ_TIMES=$(or $(FUZZ_TIMES),10) $(BIN)/python -m pytest $(IN_PARALLEL) -m hypothesis

lint: $(VENV)/.ready-to-test ## style, types, pending migrations, system checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy credmgr tests
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
		export CREDMGR_DATA_DIR="$$folder/data" && \
		$(BIN)/python manage.py prepare >/dev/null && \
		$(BIN)/python manage.py makemigrations --check --dry-run && \
		$(BIN)/python manage.py check

bench: $(VENV)/.ready-to-run node-peers ## what a token costs, beside oidc-provider and with large tables; fails when a bar is missed
	$(BIN)/python -m tests.bench

bench-scale: $(VENV)/.ready-to-test ## what every page costs with 100,000 registrations and 5,000,000 sign-ins; takes about half an hour
	$(BIN)/python -m tests.bench --scale

soak: $(VENV)/.ready-to-test ## mixed traffic for half an hour, or SOAK_MINUTES: no server error, flat memory, no lost row
	SOAK_MINUTES=$${SOAK_MINUTES:-30} $(BIN)/python -m pytest -q -s -n0 tests/ops/test_soak.py

bench-profile: $(VENV)/.ready-to-run ## where the time of a token goes, by function
	$(BIN)/python -m tests.bench --profile

screenshots: $(VENV)/.ready-to-test chromium ## every page and state in test-results/screenshots, each looked at by axe
	$(BIN)/python -m tests.screenshots --jobs $(JOBS)

lock: $(VENV)/.ready-to-test ## write the pinned requirements anew from requirements*.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--output-file requirements.txt requirements.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--output-file requirements-test.txt requirements-test.in
	@sh .ci/node-packages clients lock
	@sh .ci/node-packages peers lock

clean: ## remove caches and test results; keeps the data folder and the installed packages
	rm -rf $(VENV)/.ready-to-run $(VENV)/.ready-to-test .mypy_cache .ruff_cache .pytest_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -not -path './.git/*' -not -path './$(VENV)/*' -exec rm -rf {} +

reset: ## forget the data folder with everything in it; asks first
	@PYTHON=$(PYTHON) sh .ci/reset "$(DATA_DIR)"

# ------------------------------------------------------------------ what the targets stand on
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed. Set PYTHON=/path/to/python."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than 3.11. Set PYTHON=/path/to/python3.11."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Making $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

# A stamp, so that a second start installs nothing; newer requirements make it stale.
$(VENV)/.ready-to-run: requirements.txt | $(BIN)/python
	@echo "Installing what the server needs ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.ready-to-test: requirements-test.txt | $(BIN)/python
	@echo "Installing what the tests need ..."
	@$(PIP) -r requirements-test.txt
	@touch $@ $(VENV)/.ready-to-run

chromium:
	@sh .ci/chromium

node-clients:
	@sh .ci/node-packages clients

node-peers:
	@sh .ci/node-packages peers
