# `make demo` and `make test` are each enough on a fresh Debian or macOS machine with Python 3.11, 3.12 or 3.13.
# `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# The first that is there: on the PATH, or among pyenv's. Blender has modules for 3.11 (4.2 to 5.0) and 3.13 (5.1 on).
PYTHON ?= $(shell for v in 11 13 12; do for p in python3.$$v python3 python; do \
	"$$p" -c "import sys; sys.exit(sys.version_info[:2] != (3, $$v))" 2>/dev/null && { command -v "$$p"; exit; }; done; done; \
	for v in 11 13 12; do for p in "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.$$v.*/bin/python; do \
	"$$p" -c "" 2>/dev/null && { echo "$$p"; exit; }; done; done)
PY := .venv/bin/python
PYTEST := -m pytest -c tests/pytest.ini --rootdir tests
# Each has one thread, also in the programs that it starts; more than four take more memory than they save time.
PARALLEL := OMP_NUM_THREADS=1 $(PY) $(PYTEST) -n auto --maxprocesses 4 --dist worksteal
ASSETS := backend/makeittalk/assets
# A real Blender with a window, made once from Debian's packages for the window tests (1.8 GB).
GUI_BLENDER ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/makeittalk/blender-trixie

.PHONY: demo demo-photo test lint types test-unit test-backend test-blender test-gui test-slow test-campaign bench zip \
	release locks locks-check env env-lab env-dev python clean help

demo: env ## animate the cartoon portrait: demo.blend and demo.mp4
	@$(call animate,portrait_cartoon.png,demo)

demo-photo: env ## animate the photo: demo-photo.blend and demo-photo.mp4
	@$(call animate,portrait_photo.jpg,demo-photo)

# Without Blender – its module in .venv, or a blender on the PATH – the film alone.
define animate
outputs="$(2).mp4"; \
if $(PY) -c 'from makeittalk.jobs.blender import blender_command as b; b()' 2>/dev/null; then outputs="$(2).blend $(2).mp4"; \
else echo "No Blender was found, so there will be no $(2).blend: install Blender, or Python 3.11 or 3.13."; fi; \
.venv/bin/makeittalk animate $(ASSETS)/$(1) $(ASSETS)/speech.flac $$(printf -- '-o %s ' $$outputs); \
echo "Ready: $$outputs"
endef

test: lint types test-unit test-backend test-blender test-gui ## every check that a change must pass

lint: env-dev ## style
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: env-dev ## types on both sides of the wall
	$(PY) -m mypy
	$(PY) -m pyright

test-unit: env-dev ## formats, storage, protocol and the project's structure
	$(PARALLEL) tests/unit

test-backend: env-dev ## everything that imports torch or mediapipe
	$(PARALLEL) tests/backend tests/campaign --ignore tests/campaign/blend

test-blender: env-dev ## the extension in Blender 4.5 and 5.3
	$(PYTHON) tools/blender_tests.py 4.5 5.3

test-gui: env-dev ## the extension in a real Blender window (Linux, root)
	@if [ ! -x "$(GUI_BLENDER)/usr/bin/blender" ]; then \
		mkdir -p "$(dir $(GUI_BLENDER))"; \
		bash tests/gui/blender_gui_setup.sh trixie "$(GUI_BLENDER)" || [ -z "$${MAKEITTALK_REQUIRE_GUI:-}" ]; fi
	MAKEITTALK_GUI_BLENDER="$(GUI_BLENDER)" $(PY) $(PYTEST) tests/gui

test-slow: env-dev ## long campaigns: kills, soak, random steps, training, Blender 4.2, 5.0 and 5.2
	MAKEITTALK_GUI_BLENDER="$(GUI_BLENDER)" $(PY) $(PYTEST) -m slow tests/unit tests/backend tests/gui
	MAKEITTALK_GUI_BLENDER="$(GUI_BLENDER)" $(PYTHON) tools/blender_tests.py 4.5 5.3 -m slow
	$(PYTHON) tools/blender_tests.py 4.2 5.0 5.2
	$(PYTHON) tools/blender_tests.py 5.0 5.2 -m slow -k three_hundred_steps

test-campaign: env-dev ## hostile input, kills and requests at length; prints one table of figures
	@rm -f build/campaign.jsonl; export MAKEITTALK_CAMPAIGN_FIGURES="$(CURDIR)/build/campaign.jsonl"; failed=0; \
	OMP_NUM_THREADS=1 $(PY) $(PYTEST) -m campaign --timeout 0 tests/campaign --ignore tests/campaign/blend || failed=1; \
	$(PYTHON) tools/blender_tests.py 4.5 5.3 -m campaign --timeout 0 || failed=1; \
	$(PY) tests/support/campaign_figures.py build/campaign.jsonl; exit $$failed

bench: env-dev ## print how long things take on this machine
	@for bench in tests/bench/bench_*.py; do echo "== $$bench"; $(PY) "$$bench"; done

zip: env ## build and validate the extension: dist/makeittalk-VERSION.zip
	$(PY) tools/build_extension.py

release: env ## build an extension repository for any web space: dist/release
	$(PY) tools/build_release.py

locks: env-dev ## write the lock files anew from pyproject.toml
	$(PY) tools/locks.py write

locks-check: env-dev ## whether every lock file resolves, for every platform and Python
	$(PY) tools/locks.py check

env: python ## .venv with the backend, the command line and Blender as a module
	@$(PYTHON) tools/environment.py run

env-lab: python ## the same and what trains and measures
	@$(PYTHON) tools/environment.py lab

env-dev: python
	@$(PYTHON) tools/environment.py dev

python:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11, 3.12 or 3.13 is needed: install one, or name it with make PYTHON=/path/python3.13." >&2; exit 1; }

clean: ## remove environments and everything built
	rm -rf .venv .venv-bpy* build dist backend/*.egg-info .ruff_cache .mypy_cache tests/.pytest_cache
	rm -f demo.blend demo.blend1 demo.mp4 demo-photo.blend demo-photo.blend1 demo-photo.mp4

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-18s %s\n' "$$name" "$$text"; done
