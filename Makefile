# Every target is a line or two; the logic lives in the tools it calls.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
JS := tests/e2e/js clients/js
JAVA := tests/e2e/java/target/lib
PACKAGES := shared services/fetcher services/gateway services/ws-hub services/monitor \
  tools/exchange-sim tools/local-stack tools/bench clients/python
SOURCE ?= sim
export SOURCE

.DEFAULT_GOAL := help
.PHONY: help setup run smoke admin-key test chaos lint types imports fmt bench manifests images contracts lock clean

##@ Use
run: setup  ## Run the whole product here (SOURCE=bse for the real exchange, SPEED=n, BHAVCOPY=file)
	@$(BIN)/python -m bse_local_stack run

smoke: setup  ## Start the product on free ports, check every door from outside, stop it
	@$(BIN)/python -m bse_local_stack smoke

admin-key: setup  ## Create an administrator's API key (NAME=who; reads REDIS_URL)
	@$(BIN)/python -m bse_gateway.admin_key create --role admin --name "$(or $(NAME),first)"

##@ Check
test: setup imports $(JS:%=%/node_modules) $(JAVA)  ## Run every test (ARGS="-k name" to choose)
	@$(BIN)/pytest $(ARGS)

chaos: setup  ## Kill and freeze services and Redis under a running product
	@$(BIN)/pytest tests/chaos -v $(ARGS)

lint: setup  ## Format check, lint and types
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(MAKE) --no-print-directory types

types: setup  ## mypy --strict over all packages
	@$(BIN)/mypy

imports: setup  ## Hold the rooms apart (import-linter contracts)
	@$(BIN)/lint-imports

fmt: setup  ## Format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

##@ Measure
bench: setup  ## Run all benchmarks, write bench/results/*.json
	@$(BIN)/python -m bse_bench all

bench-%: setup  ## Run one benchmark, e.g. bench-fetcher
	@$(BIN)/python -m bse_bench $*

##@ Ship
manifests: setup  ## Render and validate the Kubernetes manifests and compose file
	@$(BIN)/python k8s/validate.py

images: setup  ## Build the container images of all services
	@for s in fetcher gateway ws-hub monitor exchange-sim; do docker build $(BUILD_FLAGS) --build-arg SERVICE=$$s -t bse-$$s:dev . || exit 1; done

##@ Keep
contracts: setup  ## Regenerate contracts/openapi.json
	@$(BIN)/python -m bse_gateway.openapi > contracts/openapi.json

lock: setup  ## Recompile the hash-locked requirements
	@for f in runtime dev; do $(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header -q requirements/$$f.in -o requirements/$$f.lock; done

setup: $(VENV)/.installed  ## Create .venv with the locked packages

$(VENV)/.installed: requirements/dev.lock $(PACKAGES:%=%/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found. Install it (Debian: apt-get install python3 python3-venv) or set PYTHON=/path/to/python3"; exit 2; }
	@echo "Setting up $(VENV) (about 30 s, once)…"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-build-isolation --no-deps $(PACKAGES:%=-e ./%)
	@touch $@

%/node_modules: %/package-lock.json
	@if command -v npm >/dev/null; then npm ci --silent --no-audit --no-fund --prefix $* && touch $@; \
	  else echo "npm is missing: the tests of $* will be skipped (Debian: apt-get install nodejs npm)"; fi

%/target/lib: %/pom.xml
	@if command -v mvn >/dev/null; then mvn -q -B -f $< org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies && \
	  rm -rf $@ && mv $*/target/dependency $@; \
	  else echo "Maven is missing: the test of the Java client will be skipped (Debian: apt-get install default-jdk maven)"; fi

clean:  ## Remove everything that was installed or generated
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

help:  ## Show this list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z%-]+:.*##/ {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
