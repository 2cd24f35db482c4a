# How fast it is, and whether it always tells the truth.
#
#   make soak     [SECONDS=300] [SEED=7]        32 modems, every fault, and each outcome held against the air
#   make model    [HISTORIES=20000]             the promise in a model of it: more histories than a test run has
#   make bench                                  the codec, and the agent with 1 to 64 modems
#   make compare                                beside gammu-smsd and smstools3, which have to be installed
#
# bench and compare write benchmarks/results/*.json, and docs/performance.md from them. Quiet machine, please.

HISTORIES ?= 20000

soak: $(DEV)
	$(VENV)/bin/python -m benchmarks.soak --seconds $(SECONDS) --seed $(SEED) $(ARGS)

model: $(DEV)
	HISTORIES=$(HISTORIES) $(VENV)/bin/python -m pytest -n auto tests/model/test_bridge.py

bench: $(DEV)
	@mkdir -p benchmarks/results
	$(VENV)/bin/python -m benchmarks.codec > benchmarks/results/codec.json
	$(VENV)/bin/python -m benchmarks.edge_runs $(ARGS)
	$(VENV)/bin/python -m benchmarks.page

compare: $(DEV)
	$(VENV)/bin/python -m benchmarks.compare $(ARGS)
	$(VENV)/bin/python -m benchmarks.page

.PHONY: soak model bench compare
