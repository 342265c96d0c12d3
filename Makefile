# `make repro` runs the study, `make check` the checks of every commit, `make test` all tests and
# `make test-all` all tests for hours. Each makes the environment in venv/ first; `make all` makes
# it alone.
PYTHON ?= python3
SECTION ?= toy
JOBS ?= 2
SECTIONS ?=
EMULATE ?=
PIP_INSTALL = -m pip install --disable-pip-version-check
UV_INSTALL = uv pip install --compile-bytecode
LOCK = uv pip compile --universal --generate-hashes --no-header
export PATH := $(CURDIR)/venv/bin:$(PATH)

.PHONY: all repro check lint test test-all verify wheel dashboard bench lock

all: venv/installed venv/bin/lstm-ae .dvc/plots.html

# The study, two sections at a time, since one alone leaves a core idle now and then; on machines
# with more cores than two, JOBS=3 or more. By name, the images come first, which take longest.
repro: all
	PYTHONPATH=src python tools/recover.py
	[ $(JOBS) = 1 ] || dvc stage list --name-only | grep ^evaluate@ | sort | \
	  xargs --max-args 1 --max-procs $(JOBS) dvc --wait-for-lock repro
	dvc repro

# What every commit passes, in three minutes on two cores: no pipeline, no test marked slow.
check: lint
	OMP_NUM_THREADS=1 python -m pytest -m "not slow and not long" --numprocesses 2 --dist worksteal \
	  --ignore tests/pipeline --ignore tests/reliability

lint: all
	ruff check .
	ruff format --check .
	PYTHONPATH=src lint-imports
	mypy
	python tools/code_counts.py --check src

# The tests of a file stay in one process: they share what takes long to make.
test: lint
	OMP_NUM_THREADS=1 python -m pytest --numprocesses 2 --dist loadfile

# The sections (all, or SECTIONS="toy snp") once more in a copy, compared with the committed bytes.
# EMULATE="Haswell EPYC" compares this processor with emulated ones, at the smoke budget.
verify: all
	PYTHONPATH=src python -m tools.verify $(SECTIONS) $(EMULATE:%=--emulate %)

# Two hundred kills of the pipeline, ten thousand damaged files of each kind, three emulated
# processors.
test-all: lint
	LSTM_AE_KILLS=200 LSTM_AE_EXAMPLES=10000 python -m pytest -m "" --timeout 0

# The wheel, installed alone in a fresh environment, scores a table there.
wheel: all
	PYTHONPATH=src python -m tools.try_wheel

# The trials of a search in the browser: make dashboard SECTION=snp
dashboard: all
	PYTHONPATH=src python -m tools.dashboard $(SECTION)

# This project beside its peers, on the page docs/benchmarks.md: three quarters of an hour on two
# cores with nothing else on them. Goes on where it was stopped.
bench: all venv-bench/installed
	PYTHONPATH=src python -m benchmarks.bench
	PYTHONPATH=src python -m benchmarks.bench_report

# New lock files: every version and hash, for every platform. The peers' follows the project's.
lock: all
	$(LOCK) --all-extras --group dev pyproject.toml --output-file requirements.txt
	$(LOCK) --python-version 3.11 --constraint requirements.txt benchmarks/requirements.in \
	  --output-file benchmarks/requirements.txt

# uv takes a fifth of pip's time; pip knows mirrors that uv does not.
venv/installed: requirements.txt
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and \
	  'Python 3.11 or newer is needed, this is ' + sys.version)"
	@echo "1 of 4: an environment in venv/"
	$(PYTHON) -m venv --clear venv
	@echo "2 of 4: the $$(grep -c '^[^ ]*==' requirements.txt) packages of requirements.txt," \
	  "about seven gigabytes on disk, most of it torch"
	sed -n '/^uv==/,/# via/p' requirements.txt | \
	  venv/bin/python $(PIP_INSTALL) --quiet --require-hashes --requirement /dev/stdin
	$(UV_INSTALL) --python venv/bin/python --require-hashes --requirement requirements.txt || \
	  venv/bin/python $(PIP_INSTALL) --require-hashes --requirement requirements.txt
	@touch $@

# The command `lstm-ae`, from the files beside it; needs no network. Stages have PYTHONPATH=src
# first: a copy of the project runs its own.
venv/bin/lstm-ae: venv/installed pyproject.toml src/lstm_ae/__init__.py
	@echo "3 of 4: the command lstm-ae"
	venv/bin/python $(PIP_INSTALL) --quiet --no-index --no-deps --no-build-isolation --editable .
	@touch $@

# `dvc plots` fills this page, which opens without a network.
.dvc/plots.html: venv/installed tools/plots_page.py
	@echo "4 of 4: the page of dvc plots"
	dvc config --local plots.html_template plots.html
	PYTHONPATH=src python tools/plots_page.py $@

venv-bench/installed: venv/installed benchmarks/requirements.txt
	@echo "An environment for the peers in venv-bench/"
	$(PYTHON) -m venv --clear venv-bench
	$(UV_INSTALL) --python venv-bench/bin/python --require-hashes \
	  --requirement benchmarks/requirements.txt
	@touch $@
