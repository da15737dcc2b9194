# The panel's commands. Python 3.11 with venv, and make, are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
# A small CPU build of torch on a machine without a GPU: make run TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
PIP := $(BIN)/pip install --disable-pip-version-check --quiet $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

.PHONY: run setup setup-dev test test-system test-system-failed test-soak lint bench demo-model

run: setup
	@$(MANAGE) prepare
	@exec $(MANAGE) up

setup: $(VENV)/.installed

setup-dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 13) else "Python 3.11 or 3.12 is needed, this is %d.%d: make run PYTHON=python3.11" % sys.version_info[:2])'
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { echo "Python has no working venv module here (on Debian: apt install python3-venv)."; exit 1; }
	@echo "Installing the requirements (a few minutes the first time) …"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@$(PIP) -r requirements-dev.txt
	@touch $@

# Tests: each worker has a PID namespace of its own (tests/support/worker.sh). make test SIDE_BY_SIDE= runs one at a time.
SIDE_BY_SIDE ?= $(shell tests/support/worker.sh --possible && echo 2)
PYTEST = $(BIN)/python -m pytest $(if $(SIDE_BY_SIDE),--tx='$(SIDE_BY_SIDE)*popen//python=tests/support/worker.sh' --dist=loadscope --no-loadscope-reorder)

# Minutes, any user: rules, database, pages, one real job, one upload in a browser.
test: setup-dev
	@$(PYTEST) tests/unit

# As root: real panels, browsers, kills, contention, OOM, heat, disks.
# Three at a time: these tests mostly wait.
test-system: SIDE_BY_SIDE := $(if $(SIDE_BY_SIDE),3)
test-system: setup-dev
	@$(PYTEST) tests/system

# Only what failed the last time, one at a time.
test-system-failed: setup-dev
	@$(BIN)/python -m pytest tests/system --last-failed --last-failed-no-failures none

# On demand: hundreds of kills, hours of contention, the old processor.
test-soak: setup-dev
	@$(BIN)/python -m pytest tests/soak

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@J5A_HTTPS=1 $(MANAGE) check --deploy --fail-level WARNING
	@$(MANAGE) makemigrations --check --dry-run

bench: setup
	@$(BIN)/python -m bench

demo-model: setup
	@$(BIN)/python -m tools.demo_model
