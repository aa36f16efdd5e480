# make demo   a race on real photons, in an environment with the light core only
# make test   the tests, in an environment with everything the development needs
# Both make the environment if it is missing or older than pyproject.toml, and reuse it otherwise.

PYTHON ?= python3
VENV ?= .venv
JOURNAL ?= results/energy.db

.PHONY: demo test check clean

demo: $(VENV)/installed-core
	@mkdir -p $(dir $(JOURNAL))
	$(VENV)/bin/surefoot select examples/energy.toml --journal $(JOURNAL)

test: $(VENV)/installed-dev
	$(VENV)/bin/python -m pytest

check: $(VENV)/installed-dev
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

$(VENV)/installed-core: pyproject.toml
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/installed-core

clean:
	rm -rf $(VENV) results
