# Everything runs in environments of its own below this folder; `make clean` removes them.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MILVUS := .venv-milvus

# With tests of one file in one process, each process has one stack of servers. Two cores, two processes.
PYTEST_ARGS ?= -n 2 --dist=loadfile

PIP     := -m pip --disable-pip-version-check --quiet
LOCKED  := $(PIP) install --require-hashes --only-binary :all: --requirement
COMPILE := .venv-lock/bin/uv pip compile --quiet --python-version 3.11 --universal --generate-hashes \
           --no-emit-index-url --no-emit-find-links --no-header

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-milvus faults corruption check format proto lock clean

help:
	@echo "make demo     restore a generated snapshot on real servers, prove the result, and search it in a real Milvus"
	@echo "make test     run all tests, on real servers"
	@echo "make test-milvus  restore on a real Milvus 2.3.5, and ask both what the source was asked"
	@echo "make faults   restore RUNS=200 times with faults drawn at random: all is as before, or as after"
	@echo "make corruption  damage every kind of object in every way: restores refuse it by name, or copy it as it is"
	@echo "make check    formatting, lint, types, and the direction of imports"
	@echo "make format   format the code and mend what lint can mend"
	@echo "make proto    compile the .proto files"
	@echo "make lock     choose versions anew within the bounds of pyproject.toml, and write the lock files"
	@echo "make clean    end the local stack of this folder; remove it and the environments"

# A real Milvus ends the demo where its wheel can be had: on Linux on x86-64.
demo: $(VENV)/installed
	@if [ "$$(uname -sm)" = "Linux x86_64" ]; then $(MAKE) --silent --no-print-directory $(MILVUS)/installed 2>/dev/null || true; fi
	@$(BIN)/milvus-restore demo $$(if [ -f $(MILVUS)/installed ]; then echo --milvus $(MILVUS); fi)
	@if [ ! -f $(MILVUS)/installed ]; then \
		echo "left out: the search in a real Milvus, whose wheel cannot be had here (make $(MILVUS)/installed says why)"; fi

test: $(VENV)/installed
	@$(BIN)/pytest $(PYTEST_ARGS)

# Milvus is the newest that PyPI has for Linux; the client of its time needs an environment of its own.
test-milvus: $(VENV)/installed $(MILVUS)/installed
	@$(BIN)/pytest -m real_milvus $(MILVUS_PYTEST_ARGS) tests/real_milvus

# From seed 1001 on, servers are killed too.
RUNS  ?= 200
FIRST ?= 1001
faults: $(VENV)/installed
	@$(BIN)/python -m tests.faults --first $(FIRST) --runs $(RUNS)

corruption: $(VENV)/installed
	@$(BIN)/python -m tests.corruption --table

check: $(VENV)/installed
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pytest -q tests/test_imports.py tests/test_limits.py

format: $(VENV)/installed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# protoc writes a stub line for an enum value named None, which Python cannot parse.
proto: .venv-proto/installed
	@.venv-proto/bin/python -m grpc_tools.protoc --proto_path=. --python_out=. --pyi_out=. \
		formats/proto/*.proto stores/proto/*.proto
	@sed -i '/^ *None: /d' formats/proto/*_pb2.pyi

# Versions that still fit stay; `make lock UPGRADE=--upgrade` looks for newer ones.
lock: .venv-lock/installed
	@$(COMPILE) $(UPGRADE) --extra local --extra dev pyproject.toml -o requirements.lock
	@$(COMPILE) --constraint requirements.lock pyproject.toml -o requirements-worker.lock
	@$(COMPILE) $(UPGRADE) requirements-proto.in -o requirements-proto.lock
	@$(filter-out --universal,$(COMPILE)) --python-platform x86_64-unknown-linux-gnu $(UPGRADE) \
		requirements-milvus.in -o requirements-milvus.lock

clean:
	@if [ -f .local/stack.json ]; then $(BIN)/milvus-restore local down; fi
	@rm -rf .local $(VENV) $(MILVUS) .venv-proto .venv-lock build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment is made anew when the lock has changed, and only then.
$(VENV)/locked: requirements.lock
	$(call environment,$(VENV))
	@echo "installing the locked packages into $(VENV) ..."
	@$(BIN)/python $(LOCKED) requirements.lock
	@touch $@

$(VENV)/installed: $(VENV)/locked pyproject.toml
	@$(BIN)/python $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(MILVUS)/installed: requirements-milvus.lock
	$(call environment,$(MILVUS))
	@echo "installing Milvus and its client into $(MILVUS) ..."
	@$(MILVUS)/bin/python $(LOCKED) requirements-milvus.lock
	@touch $@

.venv-proto/installed: requirements-proto.lock
	$(call environment,.venv-proto)
	@.venv-proto/bin/python $(LOCKED) requirements-proto.lock
	@touch $@

.venv-lock/installed:
	$(call environment,.venv-lock)
	@.venv-lock/bin/python $(PIP) install --only-binary :all: uv
	@touch $@

define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not: name one with make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments: on Debian, apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(1)
endef
