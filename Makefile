# `make demo` and `make test` are each enough on a fresh Debian or macOS machine with Python 3.11.
# `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= $(shell for p in python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)
PY := .venv/bin/python
PYTEST := -m pytest -c tests/pytest.ini --rootdir tests
ASSETS := backend/makeittalk/assets
# A real Blender with a window, made once from Debian's packages for the window tests (1.8 GB).
GUI_BLENDER ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/makeittalk/blender-trixie

.PHONY: demo demo-photo test lint types test-unit test-backend test-blender test-gui test-slow bench zip release env env-dev \
	env-bpy50 python clean help

demo: env ## animate the cartoon portrait: demo.blend and demo.mp4
	.venv/bin/makeittalk animate $(ASSETS)/portrait_cartoon.png $(ASSETS)/speech.flac -o demo.blend -o demo.mp4
	@echo "demo.blend and demo.mp4 are ready."

demo-photo: env ## animate the photo: demo-photo.blend and demo-photo.mp4
	.venv/bin/makeittalk animate $(ASSETS)/portrait_photo.jpg $(ASSETS)/speech.flac -o demo-photo.blend -o demo-photo.mp4
	@echo "demo-photo.blend and demo-photo.mp4 are ready."

test: lint types test-unit test-backend test-blender test-gui ## every check that a change must pass

lint: env-dev ## style
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: env-dev ## types on both sides of the wall
	$(PY) -m mypy
	$(PY) -m pyright

test-unit: env-dev ## formats, storage, protocol and the project's structure
	$(PY) $(PYTEST) tests/unit

test-backend: env-dev ## everything that imports torch or mediapipe
	$(PY) $(PYTEST) tests/backend

test-blender: env-dev env-bpy50 ## the extension in Blender 4.5 and 5.0
	$(PY) $(PYTEST) tests/blender
	MAKEITTALK_PYTHON="$(CURDIR)/.venv/bin/python" .venv-bpy50/bin/python $(PYTEST) tests/blender

test-gui: env-dev ## the extension in a real Blender window (Linux, root)
	@if [ ! -x "$(GUI_BLENDER)/usr/bin/blender" ]; then \
		mkdir -p "$(dir $(GUI_BLENDER))"; \
		bash tests/gui/blender_gui_setup.sh trixie "$(GUI_BLENDER)" || [ -z "$${MAKEITTALK_REQUIRE_GUI:-}" ]; fi
	MAKEITTALK_GUI_BLENDER="$(GUI_BLENDER)" $(PY) $(PYTEST) tests/gui

test-slow: env-dev ## long campaigns: kills, soak, training
	MAKEITTALK_GUI_BLENDER="$(GUI_BLENDER)" $(PY) $(PYTEST) -m slow tests/unit tests/backend
	MAKEITTALK_GUI_BLENDER="$(GUI_BLENDER)" $(PY) $(PYTEST) -m slow tests/blender

bench: env-dev ## print how long things take on this machine
	@for bench in tests/bench/bench_*.py; do echo "== $$bench"; $(PY) "$$bench"; done

zip: env ## build and validate the extension: dist/makeittalk-VERSION.zip
	$(PY) tools/build_extension.py

release: env ## build an extension repository for any web space: dist/release
	$(PY) tools/build_release.py

env: python
	@$(PYTHON) tools/environment.py run

env-dev: python
	@$(PYTHON) tools/environment.py dev

env-bpy50: python
	@$(PYTHON) tools/environment.py bpy50

python:
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 is needed: install python3.11, or name it with make PYTHON=/path/python3.11." >&2; exit 1; }

clean: ## remove environments and everything built
	rm -rf .venv .venv-bpy50 build dist backend/*.egg-info .ruff_cache .mypy_cache tests/.pytest_cache
	rm -f demo.blend demo.blend1 demo.mp4 demo-photo.blend demo-photo.blend1 demo-photo.mp4

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-18s %s\n' "$$name" "$$text"; done
