# `make help` lists what there is.
.PHONY: help demo test test-real programs bench check verify fix clean
.SILENT:
.DEFAULT_GOAL := help

INSTALLED := node_modules/.package-lock.json
BUILT := dist/.built
SOURCES := $(shell find common raft health rpc conductor e2e -name '*.ts' -not -path '*/dist/*') package.json $(wildcard tsconfig*.json)
TSX := node --import tsx

help:
	echo 'make demo       three Batons on this machine: blocks, a killed leader, its return, two hand-overs'
	echo '                (KEEP=1 leaves the cluster running and prints its URLs, until Ctrl-C)'
	echo 'make test       all tests'
	echo 'make test-real  three Batons beside real op-nodes and geths (needs Go and Python)'
	echo 'make programs   builds the real programs only: tests of the way from and to op-conductor use them'
	echo 'make bench      commit latency, failover, memory and disk, flashblocks'
	echo 'make check      types, lint, format and unit tests'
	echo 'make verify     everything that must hold before a change lands (needs Go and Python)'
	echo 'make fix        formats the sources and repairs what the linter can'
	echo 'make clean      removes what was installed and built'

demo: $(BUILT)
	$(TSX) e2e/demo/main.ts $(if $(filter-out 0,$(KEEP)),--keep)

test: $(BUILT)
	npm test --silent

test-real: $(BUILT)
	$(TSX) e2e/real/main.ts

programs: $(INSTALLED)
	$(TSX) e2e/real/main.ts --build

bench: $(BUILT)
	npm run --silent bench

check: $(INSTALLED)
	npm run --silent check

verify:
	.ci/run

fix: $(INSTALLED)
	npm run --silent fix

clean:
	rm -rf node_modules dist e2e/dist raft/dist coverage

$(INSTALLED): package-lock.json
	echo 'Installing dependencies ...'
	npm ci --include=dev --no-audit --no-fund --loglevel=error >/dev/null
	touch $@

$(BUILT): $(INSTALLED) $(SOURCES)
	echo 'Building ...'
	npm run --silent build && npm run --silent build:processes
	touch $@
