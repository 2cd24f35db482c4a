# Everything starts from a checkout, Python 3.11 or newer and make. `make run` is the place to begin.
#
#   make run  [PORT=9000] [MODEMS="/dev/ttyUSB0 /dev/ttyUSB1"]   the whole stack on this machine
#   make demo     four messages, and what becomes of each
#   make torture  [SECONDS=300] [SEED=7]                         kills, cuts and hangs, then the count of what was lost
#   make test     [ARGS="tests/shared -k gsm7"]                  all tests
#   make check    style, types, template: what has to be clean before a commit
#   make build    the functions and the layer, as they are deployed; more about what leaves this machine in deploy.mk,
#                 and about speed and endurance in bench.mk
#
# PYTHON=python3.13 chooses another Python; VENV=.venv313 keeps its environment beside the first.

PYTHON ?= python3
VENV ?= .venv
SAM_VENV ?= .venv-sam
PORT ?= 8080
MODEMS ?=
ARGS ?=
SECONDS ?= 300
SEED ?= 7

# A stamp bears the checksum of the pins it was made from: a changed lock is installed, a touched one is not.
pins = $(1)/.installed-$(2)-$(shell cksum < requirements/$(2).txt | tr ' ' -)
LOCAL := $(call pins,$(VENV),local)
DEV := $(call pins,$(VENV),dev)
SAM := $(call pins,$(SAM_VENV),sam)
# The locks are complete, so that pip has nothing to resolve, and nothing to add.
install = $(1)/bin/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements/$(2).txt

export SAM_CLI_TELEMETRY = 0

run: $(LOCAL)
	@exec $(VENV)/bin/python -m local_cloud run --port $(PORT) --modems "$(MODEMS)"

demo: $(LOCAL)
	@exec $(VENV)/bin/python -m local_cloud demo

torture: $(LOCAL)
	@exec $(VENV)/bin/python -m local_cloud torture --seconds $(SECONDS) --seed $(SEED)

test: $(DEV)
	$(VENV)/bin/python -m pytest -n auto $(ARGS)

check: $(DEV) $(SAM)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(SAM_VENV)/bin/sam validate --lint --region us-east-1

include deploy.mk
include bench.mk

# ------------------------------------------------------------------------------------------------ environments

$(LOCAL) $(DEV): | $(VENV)/.made-with-$(notdir $(PYTHON))
$(LOCAL): requirements/local.txt
	@echo "installing what the stack needs into $(VENV)" >&2
	@$(call install,$(VENV),local)
	@touch $@

$(DEV): requirements/dev.txt
	@echo "installing what tests and checks need into $(VENV)" >&2
	@$(call install,$(VENV),dev)
	@touch $@

$(SAM): requirements/sam.txt | $(VENV)/.made-with-$(notdir $(PYTHON))
	@echo "installing the SAM CLI into $(SAM_VENV)" >&2
	@$(VENV)/bin/python -m venv $(SAM_VENV)
	@$(call install,$(SAM_VENV),sam)
	@touch $@

# Made anew only if it is of another Python version than the one asked for.
version = $(1) -c 'import sys; print(sys.version_info[:2])'
$(VENV)/.made-with-$(notdir $(PYTHON)):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Spanbridge needs Python 3.11 or newer, which $(PYTHON) is not; choose one: make PYTHON=python3.13 …" >&2; exit 1; }
	@[ "$$($(call version,$(VENV)/bin/python) 2>&1)" = "$$($(call version,$(PYTHON)))" ] || $(PYTHON) -m venv --clear $(VENV)
	@rm -f $(VENV)/.made-with-* && touch $@

.PHONY: run demo torture test check
