# make figures [PRESET=digits|mnist|paper|FILE] [CORES=all]   draw every figure of a preset, and its report
# make report [PRESET=...]                                  rebuild the report's page alone
# make document                                             renew the schema and the tables of config/README.md
# make test | lint | bench | clean                          everything sets up .venv by itself
# make test-slurm                                           starts a SLURM of one node and uses it
# make test-browser                                         opens the report in Chromium

PRESET ?= digits
CORES ?= all
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)

BIN := $(VENV)/bin
# a shared store of data and models, for those who set one: see docs/architecture.md
CACHE := $(if $(SNAKEMAKE_OUTPUT_CACHE),--cache)

.DELETE_ON_ERROR:
.PHONY: figures report document test test-slurm test-browser lint bench clean

figures: $(VENV)/.installed
	$(BIN)/snakemake --cores $(CORES) --config preset=$(PRESET) $(CACHE)

report: $(VENV)/.installed
	$(BIN)/snakemake --cores 1 --force render_report --config preset=$(PRESET)

document: $(VENV)/.installed
	$(BIN)/python -m neuralcodes.pipeline.configuration.document

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile \
	  --ignore tests/slurm --ignore tests/browser

test-slurm: $(VENV)/.installed-slurm
	$(BIN)/python -m pytest tests/slurm

test-browser: $(VENV)/.installed-browser
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 2 --dist loadfile tests/browser

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy --no-error-summary
	$(BIN)/snakemake --lint

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) .snakemake results logs resources/data resources/raw build .pytest_cache .ruff_cache .hypothesis

$(VENV)/.installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(VENV)/.installed-slurm: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,slurm]'
	@touch $@

$(VENV)/.installed-browser: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,browser]'
	@touch $@
