# OneLot. `make help` lists the targets.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
BIN := .venv/bin
UV := $(or $(shell command -v uv),.tools/uv/bin/uv)
# Compiled modules are kept, whatever the shell says: a program starts in two thirds of the time.
export PYTHONDONTWRITEBYTECODE :=
# Tests wait for processes now and then: one more of them than processors.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN); [ $$n -lt 4 ] && echo $$((n + 1)) || echo 4)
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: help setup demo test lint load bench fuzz contract fidelity sensors clean lock schema audit sbom

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1	/' | expand -t 10

setup: ## install what is missing: servers from the distribution, the Python environment, the pages
	@bash deploy/setup.sh

demo: setup ## the whole city until Ctrl-C; LOTS=100 for a small one, SPEED=60 for a fast one, START=2026-10-01T08:00, PROFILE=bad, PRICES_SINCE=2026-11-20
	@exec $(PYTHON) -m deploy demo $(if $(LOTS),--lots $(LOTS)) $(if $(SPEED),--speed $(SPEED)) $(if $(START),--start $(START)) $(if $(PROFILE),--profile $(PROFILE)) $(if $(PRICES_SINCE),--prices-since $(PRICES_SINCE))

lint: setup ## style, types, import contracts, SQL, and the pages' own
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint sql
	$(PYTHON) -m deploy.openapi > parking_api/web/openapi.json
	cd parking_api/web && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent types && \
		PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent lint

test: lint ## lint, then the whole suite on a real PostGIS and a real mosquitto
	@bash deploy/setup.sh wrk redis-server nginx chromium fonts-noto-cjk
	$(PYTHON) -m pytest --numprocesses $(WORKERS) --dist loadscope \
		--no-loadscope-reorder $(ARGS)

load: setup ## the load test against the running demo; reports under var/reports/
	@exec $(PYTHON) -m load_tests $(ARGS)

bench: ## benchmarks against Redis, PostGIS and others, on a city of its own; report under var/reports/
	@bash deploy/setup.sh wrk redis-server chromium fonts-noto-cjk
	@exec $(PYTHON) -m load_tests.bench $(ARGS)

fuzz: setup ## a million broken messages against a city of its own; report under var/reports/
	@exec $(PYTHON) -m load_tests.fuzz $(ARGS)

contract: setup ## 20,000 requests made from the OpenAPI document, and hostile ones, at a city of its own
	@exec $(PYTHON) -m load_tests.contract $(ARGS)

fidelity: setup ## the simulated city beside real ones; DATA=dir for full files; report under var/reports/
	@exec $(PYTHON) -m simulators fidelity $(if $(DATA),--data $(DATA)) $(ARGS)

sensors: setup ## what the platform shows against the truth, by profile of faults, 12 minutes; make fidelity reports it
	@exec $(PYTHON) -m load_tests.sensors $(ARGS)

audit: setup ## flaws that are known of what we use; status 2 where no source of advisories is reached
	@exec $(PYTHON) -m deploy.supply audit

sbom: setup ## all parts of a release, as CycloneDX; under var/reports/
	@exec $(PYTHON) -m deploy.supply sbom

clean: ## remove var/: the database, the broker's store, the city, the logs
	@bash deploy/clean.sh

schema: ## write docs/schema/ again, from the models
	$(PYTHON) -m ingest_mqtt schema docs/schema
	$(PYTHON) -m pricing schema > docs/schema/tariff.json

lock: ## resolve the requirements again, with hashes
	$(COMPILE) --upgrade --extra dev --group pyproject.toml:web pyproject.toml \
		-o requirements-dev.txt
	$(COMPILE) -c requirements-dev.txt pyproject.toml -o requirements.txt
	$(COMPILE) -c requirements-dev.txt --group pyproject.toml:web -o deploy/node-requirements.txt
