# Two commands: `make repro` runs the study, `make test` runs the tests. Both make the environment themselves.
PYTHON ?= python3
export PATH := $(CURDIR)/venv/bin:$(PATH)

.PHONY: all repro test lint lock

all: venv/installed

venv/installed: requirements.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed, found ' + sys.version)"
	$(PYTHON) -m venv --clear venv
	venv/bin/python -m pip install --disable-pip-version-check --require-hashes --requirement requirements.txt
	touch $@
