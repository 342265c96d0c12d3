# `make repro` runs the study, `make test` runs the tests, `make test-all` runs them for hours. Each makes the environment in venv/ first;
# `make all` makes it alone.
PYTHON ?= python3
SECTION ?= toy
export PATH := $(CURDIR)/venv/bin:$(PATH)

.PHONY: all repro test test-all lint lock dashboard bench

all: venv/installed venv/bin/lstm-ae .dvc/plots.html

repro: all
	PYTHONPATH=src python tools/recover.py
	dvc repro

test: all lint
	python -m pytest

# Two hundred kills of the pipeline, ten thousand damaged files of each kind.
test-all: all lint
	LSTM_AE_KILLS=200 LSTM_AE_EXAMPLES=10000 python -m pytest --timeout 0

lint: all
	ruff check .
	ruff format --check .
	mypy

# The trials of a search in the browser: make dashboard SECTION=snp
dashboard: all
	PYTHONPATH=src python -m lstm_ae.dashboard $(SECTION)

# This project beside its peers, half an hour on two cores with nothing else on them: docs/benchmarks.md. Goes on where it was stopped.
bench: all venv-bench/installed
	PYTHONPATH=src python benchmarks/bench.py
	PYTHONPATH=src python benchmarks/bench_report.py

# New lock files: every version and hash, for every platform. The peers' follows the project's.
lock: all
	uv pip compile --universal --generate-hashes --no-header --group dev pyproject.toml --output-file requirements.txt
	uv pip compile --universal --generate-hashes --no-header --python-version 3.11 --constraint requirements.txt benchmarks/requirements.in --output-file benchmarks/requirements.txt

venv/installed: requirements.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed, found ' + sys.version)"
	$(PYTHON) -m venv --clear venv
	venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	touch $@

# The command `lstm-ae`, from the files beside it; needs no network. Stages have PYTHONPATH=src first: a copy of the project runs its own.
venv/bin/lstm-ae: venv/installed pyproject.toml
	venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	touch $@

venv-bench/installed: benchmarks/requirements.txt
	$(PYTHON) -m venv --clear venv-bench
	venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement benchmarks/requirements.txt
	touch $@

# `dvc plots` fills this page, which opens without a network.
.dvc/plots.html: venv/installed tools/plots_page.py
	dvc config --local plots.html_template plots.html
	PYTHONPATH=src python tools/plots_page.py $@
