# make demo   a race on real photons, in an environment with the light core only
# make test   the tests, in an environment with everything the development needs
# make smoke  what is released, built and tried in fresh environments: a few minutes
# make docs   the pages as a site in build/site, with what every public name is and takes
# They make the environment if it is missing or older than pyproject.toml, and reuse it otherwise.

PYTHON ?= python3
VENV ?= .venv
JOURNAL ?= results/energy.db

.PHONY: demo test check smoke docs clean

demo: $(VENV)/installed-core
	@mkdir -p $(dir $(JOURNAL))
	$(VENV)/bin/surefoot select examples/energy.toml --journal $(JOURNAL)

test: $(VENV)/installed-dev
	$(VENV)/bin/python -m pytest --numprocesses auto --maxprocesses 4

check: $(VENV)/installed-dev
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

smoke: $(VENV)/installed-dev
	$(VENV)/bin/python tools/smoke.py

docs: $(VENV)/installed-dev
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict --quiet

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
