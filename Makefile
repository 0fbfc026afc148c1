# Everything that is done here, by name. Needs make and Python 3.11 or newer, nothing else:
# the tools live in .venv, what is made lives in build/.

PYTHON ?= python3
FUZZ_SECONDS ?= 600
PARALLEL ?= 2
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help matrix grid test pythons dist bench soak cost accepting fuzz lessons docs docs-check \
  docs-list site programs engine lock readme picture clean

help: ## show this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

grid: $(VENV)/.packages ## every suite, server and app, and from that docs/results/grid.md; an hour or more
	@$(BIN)/wsgi-matrix run --servers all --apps all; status=$$?; \
	test $$status -le 1 || exit $$status; \
	$(BIN)/python -m docs.generate.grid build/matrix/results.json

matrix: $(VENV)/.packages ## run the whole matrix; the grid at the end, build/matrix/results.json
	@$(BIN)/wsgi-matrix run --suite hello

# Two environments at a time: several of them wait for timeouts more than they work.
test: $(VENV)/.packages ## run all tests (every environment of tox.ini, with lint and types)
	@rm -rf build/tests
	@.ci/programs --missing
	@docker version >/dev/null 2>&1 || echo 'Tests of containers are skipped; `make engine` installs and starts an engine.'
	@status=0; MATRIX_CELLS= $(BIN)/tox run-parallel --parallel $(PARALLEL) --parallel-no-spinner \
	  --result-json build/tests/tox.json $(TOX_ARGS) || status=$$?; \
	$(BIN)/python .ci/tally build/tests || status=1; exit $$status

pythons: $(VENV)/.packages ## run the unit tests of onegate on Python 3.11, 3.13, 3.14, 3.15, but for the one here
	@rm -rf build/pythons/tests
	@own=$$($(BIN)/python -c 'import sys; print("%d%d" % sys.version_info[:2])'); status=0; \
	$(BIN)/tox run-parallel --parallel 2 --parallel-no-spinner --result-json build/pythons/tests/tox.json \
	  -e $$(printf 'server-on%s\n' 311 313 314 315 | grep -v "on$$own$$" | paste -sd,) || status=$$?; \
	$(BIN)/python .ci/tally build/pythons/tests || status=1; exit $$status

dist: $(VENV)/.tools ## build both distributions into build/dist and check them (TAG=onegate-v1.2.3: for that release)
	@$(BIN)/tox run -q -e dist $(if $(TAG),-- --tag "$$TAG")

# The next four write docs/results/ too with DOCS=1; with BENCH_PYTHON, on that Python beside the last
# results of this one. It is Debian's, with what peers are compiled with and one of them is made of.
BENCH_PACKAGES := gcc,libc6-dev,make,libev-dev,apache2-bin,apache2-dev,nginx-light,ca-certificates,git
bench: $(VENV)/.tools ## measure onegate beside its peers (BENCH_ARGS=--quick, BENCH_PYTHON=3.14); build/bench*/results.json
ifdef BENCH_PYTHON
	@PYTHON_PACKAGES=python$(BENCH_PYTHON)-dev,$(BENCH_PACKAGES) \
	  .ci/python $(BENCH_PYTHON) -m bench --state build/bench-$(BENCH_PYTHON) $(BENCH_ARGS)
else
	@$(BIN)/python -m bench $(BENCH_ARGS)
endif
	@$(if $(DOCS),$(BIN)/python -m bench docs $(if $(BENCH_PYTHON),--also build/bench-$(BENCH_PYTHON)))

soak: $(VENV)/.tools ## mixed load with killed workers, reloads and bad clients for SOAK_SECONDS (600), then a million responses of threads, each compared; build/soak/
	@$(BIN)/python -m bench.soak $(SOAK_SECONDS) $(SOAK_ARGS) $(if $(DOCS),--docs)

cost: $(VENV)/.packages ## measure what runs of 10, 100 and 1,000 cells cost (COST_ARGS); build/bench/cells
	@$(BIN)/python -m bench.cells $(COST_ARGS) $(if $(DOCS),--write)

accepting: $(VENV)/.tools ## measure one listening socket for all workers beside one for each
	@$(BIN)/python -m bench.accepting $(if $(DOCS),--docs)

fuzz: $(VENV)/.packages ## fuzz the reader of requests for FUZZ_SECONDS (600); what is found: build/fuzz/crash-*
	@$(BIN)/tox run -q -e fuzz -- $(FUZZ_SECONDS)

lessons: $(VENV)/.packages ## run the sessions of docs/lessons and write what they showed into the pages
	@$(BIN)/python -m docs.lessons.sessions $(LESSONS)

docs: $(VENV)/.packages ## write what is made from code in docs/ and README.md; a few seconds
	@$(BIN)/python -m docs

docs-check: $(VENV)/.packages ## fail if a part of docs/ or README.md that is made from code is not current
	@$(BIN)/python -m docs --check

docs-list: $(VENV)/.packages ## list all that is generated, when it was made, and what makes it
	@$(BIN)/python -m docs --list

programs: ## install the programs that tests need (on Debian and Ubuntu, as root)
	@.ci/programs

engine: ## make sure that a container engine answers (installs Docker on Debian and Ubuntu, as root)
	@.ci/engine

lock: $(VENV)/.packages ## resolve requirements.in of apps/* and docs/site anew, for all Pythons of the matrix
	@for folder in apps/*/ docs/site/; do \
	  UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet --upgrade --universal \
	    --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	    --output-file "$${folder}requirements.txt" "$${folder}requirements.in" || exit 1; \
	done

site: $(VENV)/.packages ## build the site of the manual, strictly: build/site/index.html
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement docs/site/requirements.txt
	@$(BIN)/python -m docs.site

readme: $(VENV)/.packages ## put the real output of make matrix and of the last make test into README.md
	@NO_COLOR=1 COLUMNS=150 $(BIN)/wsgi-matrix run --suite hello >build/grid.txt
	@$(BIN)/python -m docs.generate.fill grid <build/grid.txt
	@.ci/tally build/tests >build/tally.txt
	@$(BIN)/python -m docs.generate.fill tests <build/tally.txt

picture: $(VENV)/.packages ## take docs/results/report.png of build/matrix/report.html (needs Chromium and its driver)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python selenium
	@$(BIN)/python -m tests.browser.picture

clean: ## remove what was made here: build, tools, caches
	rm -rf build $(VENV) .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
	find . -path ./.git -prune -o -name __pycache__ -type d -exec rm -rf {} +

# The venv is made anew when what goes into it changes; a second run does nothing.
$(VENV)/.tools: requirements-tools.txt
	@command -v $(PYTHON) >/dev/null || { \
	  echo "make: $(PYTHON) was not found; install Python 3.11 or newer, or name one: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $(PYTHON) is $$($(PYTHON) -V 2>&1), but 3.11 or newer is needed: make PYTHON=python3.13" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "make: $(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) -V) …" >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-tools.txt
	@touch $@

$(VENV)/.packages: $(VENV)/.tools server/pyproject.toml matrix/pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --editable server --editable matrix
	@touch $@
