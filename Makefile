# Every target sets itself up: the first call makes .venv, later ones find it.
#   CONFIG=  preset or TOML file (dh_lif, dh_lif_spiking, lif, ann, maestro, folder)     RUN=  run folder     SOUND=  recording to identify
#   ROOT=    folder of recordings, for CONFIG=maestro and CONFIG=folder
#   RUNS=    run folders that a report shows side by side
#   LIMIT=   clips that robustness hears, as many of each test set; else all
#   BATCHES= batch sizes that latencies are measured at
#   COMPARE= experiment, a preset or TOML file   BACKEND= engine, lava or reference   BOARD= a Loihi 2 board
#   PYTHON=  a Python 3.10, if none is found by itself
CONFIG ?= dh_lif
RUN ?= runs/$(basename $(notdir $(CONFIG)))
RUNS ?= $(RUN)
ROOT ?=
BATCHES ?=
LIMIT ?=
BACKEND ?=
COMPARE ?= compare
BOARD ?=

SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup lock corpus train export run parity identify measure robustness report compare segmentation place doctor bundle deploy bench lint format test clean

help:
	@echo "make train export run     train on the embedded corpus, write the NetX file, run it, compare it with Lava"
	@echo "make identify SOUND=FILE  name a recording's title, style and emotion"
	@echo "make measure report       accuracy, spikes, energy and latency of a run, filed and as a page (RUNS= several)"
	@echo "make robustness           accuracy of a run over noise, level and rooms (LIMIT= clips; else all)"
	@echo "make segmentation         the style of every frame, LIF against DH-LIF (half an hour)"
	@echo "make doctor               what of the way to a Loihi 2 is on this machine"
	@echo "make place bundle         a run's cores on the chip, and one zip to carry to it (CONFIG=lif or dh_lif_spiking)"
	@echo "make deploy               run it on a chip that this machine reaches, and compare"
	@echo "make compare              ANN, LIF and DH-LIF, alike in all but the neuron (over an hour)"
	@echo "make parity               SLAYER, reference, engine and Lava, spike for spike"
	@echo "make bench                every benchmark, their JSON and BENCHMARKS.md (about ten minutes)"
	@echo "make corpus | lint | test | lock | clean"

setup: $(READY)

# Candidates are run, not only found: a pyenv shim may lie on PATH and still refuse to start.
$(READY): requirements.lock pyproject.toml
	@is310() { "$$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' >/dev/null 2>&1; }; \
	found=""; \
	for candidate in "$(PYTHON)" python3.10 \
	    "$$(pyenv prefix 3.10 2>/dev/null)/bin/python" \
	    "$$(ls -d "$$(pyenv root 2>/dev/null)"/versions/3.10.*/bin/python 2>/dev/null | tail -n 1)" \
	    "$$(uv python find --no-python-downloads 3.10 2>/dev/null)" python3 python; do \
	  if [ -n "$$candidate" ] && is310 "$$candidate"; then found="$$candidate"; break; fi; \
	done; \
	if [ -n "$(PYTHON)" ] && [ "$$found" != "$(PYTHON)" ]; then \
	  echo "error: PYTHON=$(PYTHON) is not a Python 3.10, which Lava needs" >&2; exit 2; \
	fi; \
	if [ -z "$$found" ]; then \
	  echo "error: no Python 3.10 found, and Lava needs just that version. Get one with 'uv python install 3.10'," \
	       "'pyenv install 3.10' or your system's package manager, or name one: make PYTHON=/path/to/python3.10" >&2; \
	  exit 2; \
	fi; \
	set -e; \
	if [ -e $(VENV) ] && ! is310 $(PY); then rm -rf $(VENV); fi; \
	if [ ! -x $(PY) ]; then \
	  left() { df -Pk "$$1" 2>/dev/null | awk -v column="$$2" 'NR == 2 { print $$column }'; }; \
	  lacks() { \
	    [ -z "$$2" ] || [ "$$2" -ge "$$3"000000 ] || { \
	      echo "error: setup needs $$3 GB in $$1, of which $$(($$2 / 1000000)) are free. Free some, or move" \
	           "the project, or where pip unpacks: TMPDIR=/another/disk make" >&2; exit 2; }; \
	  }; \
	  unpack="$${TMPDIR:-/tmp}"; \
	  if [ "$$(left . 6)" = "$$(left "$$unpack" 6)" ]; then lacks "$$(pwd)" "$$(left . 4)" 10; \
	  else lacks "$$(pwd)" "$$(left . 4)" 7; lacks "$$unpack" "$$(left "$$unpack" 4)" 4; fi; \
	fi; \
	[ -x $(PY) ] || { echo "setup: making $(VENV) with $$found" >&2; "$$found" -m venv $(VENV); }; \
	echo "setup: installing requirements.lock (about 6 GB with torch's CUDA libraries; once)" >&2; \
	if command -v uv >/dev/null 2>&1; then \
	  uv pip sync --quiet --python $(PY) --require-hashes requirements.lock; \
	else \
	  $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock; \
	fi; \
	$(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip >/dev/null; \
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	touch $@

# uv's lock is cut to one Python and carries hashes and markers for every platform.
lock: $(READY)
	@set -e; folder=$$(mktemp -d); here=$$(pwd); \
	cp pyproject.toml README.md LICENSE "$$folder"; \
	cd "$$folder"; \
	"$$here/$(VENV)/bin/uv" lock --quiet --upgrade --python "$$here/$(PY)"; \
	"$$here/$(VENV)/bin/uv" export --quiet --frozen --all-extras --no-emit-project --no-header --no-annotate \
	  --format requirements-txt -o lock.txt; \
	mv lock.txt "$$here/requirements.lock"; rm -rf "$$folder"

corpus: $(READY)
	$(PY) -m train corpus

train: $(READY)
	$(PY) -m train fit $(CONFIG) --run $(RUN) --resume $(if $(ROOT),--set "data.root=$(ROOT)")

export: train
	$(PY) -m export netx $(RUN)

run: export
	$(PY) -m lava_runtime run $(RUN) $(if $(BACKEND),--backend $(BACKEND))
	$(PY) -m lava_runtime parity $(RUN) --limit 16

parity: export
	$(PY) -m lava_runtime parity $(RUN)

identify: $(READY)
	@[ -n "$(SOUND)" ] || { echo "error: say which recording: make identify SOUND=path/to/recording.wav" >&2; exit 2; }
	$(PY) -m lava_runtime identify $(RUN) "$(SOUND)" $(if $(BACKEND),--backend $(BACKEND))

# The ANN is measured as it was trained: it has no file for the chip.
measure: $(if $(filter ann%,$(basename $(notdir $(CONFIG)))),train,export)
	$(PY) -m hardware measure $(RUN) $(if $(BATCHES),--batches $(BATCHES))

robustness: $(if $(filter ann%,$(basename $(notdir $(CONFIG)))),train,export)
	$(PY) -m hardware robustness $(RUN) $(if $(LIMIT),--limit $(LIMIT))

report: $(READY)
	$(PY) -m hardware report $(RUNS)

compare: $(READY)
	$(PY) -m hardware compare $(COMPARE)

segmentation: $(READY)
	$(PY) -m hardware segmentation

doctor: $(READY)
	$(PY) -m hardware doctor $(if $(BOARD),--board $(BOARD))

place: export
	$(PY) -m hardware place $(RUN)/model.net

bundle: export
	$(PY) -m hardware bundle $(RUN)

deploy: export
	$(PY) -m hardware deploy $(RUN) $(if $(BOARD),--board $(BOARD))

bench: $(READY)
	$(PY) tests/benchmarks/bench.py

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(READY)
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

test: $(READY)
	$(PY) -m pytest -n 2 --dist loadscope --no-loadscope-reorder --ignore=tests/benchmarks

# Trained networks under runs/ are kept.
clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
