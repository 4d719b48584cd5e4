# The verbs of the project. `make` alone lists them. Nothing but git, make and python3 needs to be there first.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MARKER := $(VENV)/.installed

# What is imported is compiled once, also where the environment says otherwise: tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help demo test check faults lab bench bench-engine format dashboards requirements wheel clean

# Failed tests (exit code 1) are run once more, alone: what failed only beside other work then passes, a fault does not.
# What has failed is remembered for each run apart: two go on at a time.
pytest = $(BIN)/python -m pytest -o cache_dir=.pytest_cache/$@ $(1)
tested = $(call pytest,$(1)) || { [ $$? -eq 1 ] && $(call pytest,$(1) --numprocesses=0 --last-failed); } $(chosen)
# By ARGS="-k words" none of a kind may be chosen: 5 is no fault then.
chosen = $(if $(ARGS),|| [ $$? -eq 5 ])

help:  ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(MARKER)  ## run the daemon against an embedded mail path (ARGS="--scenario late --duration 60")
	@$(BIN)/smtp-probe demo $(ARGS)

test: $(MARKER)  ## everything: Debian packages, lint, types, import rules, all tests on real servers
	@$(MAKE) --no-print-directory --jobs=2 --keep-going test-on-servers test-without-servers

# The servers' tests wait much and compute little: the others take, behind them, what they leave of the processors, one
# kind after the other; what they print is shown when they have ended. xdist takes longer over a quick test than the test.
.PHONY: packages test-on-servers test-without-servers quick-tests-in-full slow-tests
packages: $(MARKER)
	@sh tests/lab/install.sh --quiet

behind = @log=$$(mktemp); { nice -n 5 $(call tested,$(1)); } >$$log 2>&1; \
  code=$$?; echo "$@:"; cat $$log; rm -f $$log; exit $$code

test-on-servers: packages
	$(call tested,-q --numprocesses=3 --dist=loadfile --no-loadscope-reorder -m lab $(ARGS))

test-without-servers: packages lint quick-tests-in-full slow-tests

quick-tests-in-full: packages lint
	$(call behind,-q -m "not lab and not slow" $(ARGS))

slow-tests: packages lint
	$(call behind,-q --numprocesses=2 --dist=worksteal -m "slow and not lab" $(ARGS))

check: $(MARKER)  ## the fast part: lint, types, import rules, tests without servers
	@$(MAKE) --no-print-directory --jobs=5 --output-sync=target --keep-going \
	  quick-tests quick-tests-of-network quick-tests-of-submission-and-pages quick-tests-of-mail lint

# Those of the network wait more than they compute.
.PHONY: quick-tests quick-tests-of-mail quick-tests-of-network quick-tests-of-submission-and-pages
OF_MAIL := tests/mail tests/policy tests/config
OF_SUBMISSION := $(wildcard tests/network/test_s*.py tests/network/test_d*.py tests/network/test_t*.py)
OF_NETWORK := tests/network
OF_PAGES := tests/report tests/cli
quick = @$(call pytest,-q -m "not lab and not slow" --hypothesis-profile=few $(1) $(ARGS)) $(chosen)

quick-tests-of-mail: $(MARKER)
	$(call quick,$(OF_MAIL))

quick-tests-of-network: $(MARKER)
	$(call quick,$(patsubst %,--ignore=%,$(OF_SUBMISSION)) $(OF_NETWORK))

quick-tests-of-submission-and-pages: $(MARKER)
	$(call quick,$(OF_SUBMISSION) $(OF_PAGES))

quick-tests: $(MARKER)
	$(call quick,$(patsubst %,--ignore=%,$(OF_MAIL) $(OF_NETWORK) $(OF_PAGES)) tests)

.PHONY: lint
lint: $(MARKER)
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .import_linter_cache | tail -n 3

faults: $(MARKER)  ## the faults in full numbers: 100 kills, 20 lost servers, 10,000 forgeries, ... (half an hour)
	@sh tests/lab/install.sh --quiet
	SMTP_PROBE_FAULTS=full $(BIN)/python -m pytest -q -s tests/acceptance/test_many_faults.py tests/network/test_queue.py $(ARGS)

lab: $(MARKER)  ## run the lab of real mail servers in the foreground, to try things on (root)
	@sh tests/lab/install.sh --quiet
	@$(BIN)/python -m tests.lab $(ARGS)

bench: $(MARKER)  ## the benchmarks: ratios against baselines in the same run
	@sh tests/lab/install.sh --quiet
	@$(BIN)/python -m tests.bench $(ARGS)

bench-engine: $(MARKER)  ## the engine's figures: ARGS="--routes 10000 --interval 60 --beside 1000 3000"
	@$(BIN)/python -m tests.engine.figures $(ARGS)

format: $(MARKER)  ## put the code into the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

dashboards: $(MARKER)  ## write grafana/dashboards and the ConfigMaps anew from their source
	$(BIN)/python -m grafana

requirements: $(MARKER)  ## pin the dependencies anew, with hashes
	sh requirements/pin.sh $(BIN)

wheel: $(MARKER)  ## build the wheel and the source archive into dist/
	$(BIN)/python -m build --no-isolation

clean:  ## remove what the verbs made
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench-results

$(MARKER): requirements/dev.txt pyproject.toml requirements/venv.sh
	@sh requirements/venv.sh $(PYTHON) $(VENV)
	@touch $@
