# Every target sets up what it needs. ARGS go to the command: make demo ARGS="--events 500 --exit"
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

$(VENV)/installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed; name one: make PYTHON=python3.12 …"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	@touch $@

.PHONY: install
install: $(VENV)/installed ## Make .venv with the pinned versions

.PHONY: demo
demo: $(VENV)/installed ## Run everything embedded and watch events arrive
	@$(BIN)/genesys-eventbridge demo $(or $(ARGS),--source notifications)

.PHONY: test
test: $(VENV)/installed-dev ## Run all tests
	$(BIN)/python -m pytest -n 4 --dist loadfile $(ARGS)

.PHONY: check
check: $(VENV)/installed-dev ## Lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/installed-dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: conformance
conformance: $(VENV)/installed-dev ## Run the official suites: ARGS="--jsonata PATH --json-schema PATH"
	$(BIN)/python -m tests.conformance $(ARGS)

$(VENV)/quix/installed: $(VENV)/installed-dev bench/requirements-quix.txt
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(VENV)/quix \
	  && $(BIN)/uv pip install --quiet --python $(VENV)/quix/bin/python -r bench/requirements-quix.txt && touch $@ \
	  || { echo "Quix Streams cannot be had; the others are measured without it."; rm -rf $(VENV)/quix; }

.PHONY: bench
bench: $(VENV)/installed-dev $(VENV)/quix/installed ## Measure against Quix Streams, stock Faust and others (an hour; needs Java and Maven)
	$(BIN)/python -m bench $(ARGS)

.PHONY: bench-quick
bench-quick: $(VENV)/installed-dev $(VENV)/quix/installed ## The same with one round and fewer events, under ten minutes
	$(BIN)/python -m bench --quick $(ARGS)

.PHONY: fuzz
fuzz: $(VENV)/installed-dev ## Fuzz what reads bytes from outside, for a minute
	@$(BIN)/python -c 'import atheris' 2>/dev/null \
	  || $(BIN)/pip install --quiet --disable-pip-version-check --only-binary :all: atheris==3.0.0 \
	  || echo "There is no wheel of Atheris for this machine; Hypothesis draws the bytes instead."
	$(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: audit
audit: $(VENV)/installed-dev ## Look the pinned versions up among known vulnerabilities (asks pypi.org)
	@$(BIN)/uv tool run --from pip-audit==2.10.1 pip-audit --strict --no-deps --disable-pip \
	  -r requirements.lock -r requirements-dev.lock $(ARGS)

.PHONY: validate
validate: $(VENV)/installed-dev ## Have what is in deploy/, Dockerfile and compose file judged by their own validators
	$(BIN)/cfn-lint --regions eu-central-1 --template deploy/cloudformation.yaml deploy/genesys-eventbridge-source.yaml
	$(BIN)/hadolint Dockerfile
	$(BIN)/uv tool run --from checkov==3.3.30 checkov --config-file .checkov.yaml
	@PATH="$(abspath $(BIN)):$$PATH"; if command -v kustomize >/dev/null; then kustomize build deploy/kubernetes/example | $(BIN)/kubernetes-validate --strict --quiet -; \
	  else echo "kustomize is not installed: deploy/kubernetes/example is not built"; fi
	@if command -v promtool >/dev/null; then promtool check rules deploy/alerts.yaml; \
	  else echo "promtool is not installed: deploy/alerts.yaml is not looked at"; fi
	@if command -v terraform >/dev/null; then terraform fmt -check deploy/terraform; \
	  else echo "terraform is not installed: deploy/terraform is not looked at"; fi

.PHONY: sbom
sbom: $(VENV)/installed-dev ## Write the software bill of materials (CycloneDX) of the pinned versions to sbom.json
	$(BIN)/uv tool run --from cyclonedx-bom==7.5.0 cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --of JSON -o sbom.json

.PHONY: faults
faults: $(VENV)/installed-dev ## Put the pipeline to every fault on real Kafka and account for each event
	@$(BIN)/python -m tests.kafka.faults $(ARGS)

.PHONY: simulate
simulate: $(VENV)/installed-dev ## Play seeded histories of faults on a clock of their own: ARGS="--minutes 30"
	@$(BIN)/python -m tests.simulation $(ARGS)

.PHONY: kafka
kafka: $(VENV)/installed-dev ## Run a real Apache Kafka on 127.0.0.1:9092 (needs Java and Maven)
	$(BIN)/python -m tests.kafka $(ARGS)

.PHONY: docs
docs: $(VENV)/installed ## Write the generated parts of docs/
	$(BIN)/python docs/generate.py

.PHONY: lock
lock: $(VENV)/installed-dev ## Pin the newest versions that fit
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --no-header --no-emit-index-url --generate-hashes --upgrade -q -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --no-header --no-emit-index-url --upgrade -q -o requirements-dev.lock
