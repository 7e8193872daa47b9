# Rendergate: `make run` serves the demo on this machine, `make test` tests it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# go-nvml calls functions that NVIDIA has deprecated; its warnings are not ours to mend.
export CGO_CFLAGS := -O2 -Wno-deprecated-declarations

LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.9.0
GO_FILES := $(shell git ls-files '*.go' 2>/dev/null)
HISTORIES ?= 100000

.PHONY: help
help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

web/node_modules: web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch web/node_modules

.PHONY: pages
pages: web/node_modules ## build the pages that the server embeds
	cd web && npm run build

.PHONY: build
build: pages ## build bin/rendergate, pages included
	go build -o bin/rendergate ./server/cmd/rendergate

.PHONY: run
run: build ## build all and serve the demo on this machine
	bin/rendergate demo

.PHONY: deps
deps: ## install what tests need beside Go and Node (Debian)
	@deploy/test-deps.sh

.PHONY: test
test: deps build test-go test-histories test-web test-screens test-e2e ## everything that must hold

.PHONY: test-go
test-go:
	go vet ./...
	go test -race -timeout 15m ./...

.PHONY: test-histories
test-histories: ## random histories of the core, HISTORIES=100000 of them, and its forecasts
	RENDERGATE_HISTORIES=$(HISTORIES) go test -timeout 15m -run 'Histories|ForecastsHold' ./admission

.PHONY: test-web
test-web: web/node_modules
	cd web && npm run check && npm run lint && npm test

.PHONY: test-screens
test-screens: build ## every state of the pages: both languages, light and dark, wide and phone, for axe too
	cd web && npm run screens

.PHONY: test-e2e
test-e2e: build ## the pages in Chromium against the demo, as a whole
	cd web && RENDERGATE_BIN=$(CURDIR)/bin/rendergate npm run e2e

.PHONY: screenshot
screenshot: deps build ## take the pictures of the README from the demo
	cd web && RENDERGATE_BIN=$(CURDIR)/bin/rendergate npm run screenshot

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZ=30s
	@deploy/fuzz.sh $(or $(FUZZ),30s)

.PHONY: check
check: fmt-check lint test cross ## all that CI runs

.PHONY: cross
cross: ## what must build elsewhere too
	CGO_ENABLED=0 go build ./...
	GOOS=windows CGO_ENABLED=0 go build ./probe/...

.PHONY: lint
lint: ## golangci-lint; .golangci.yml explains every exception
	go run $(LINT) run ./...

.PHONY: fmt
fmt: ## format the Go code
	gofmt -w $(GO_FILES)

.PHONY: fmt-check
fmt-check:
	@out=$$(gofmt -l $(GO_FILES)); if [ -n "$$out" ]; then echo "make fmt would change:"; echo "$$out"; exit 1; fi

.PHONY: bench
bench: ## benchmarks, with the simulator's standard set in short; figures are ratios within one run
	RENDERGATE_HISTORIES=1000000 go test -timeout 60m -run 'Histories|ForecastsHold' ./admission
	go test -timeout 60m -run '^$$' -bench . -benchtime 0.5s ./...

.PHONY: simulate
simulate: ## the standard scenarios with every policy: bin/simulate.html and bin/simulate.json; SEEDS=30
	@mkdir -p bin
	go run ./server/cmd/rendergate simulate --seeds $(or $(SEEDS),30) --report bin/simulate.html --json > bin/simulate.json

.PHONY: rule
rule: simulate ## the figures of admission/RULE.md anew, SEEDS=30; a long run
	RENDERGATE_RULE=$(CURDIR)/bin/simulate.json go test -count 1 -run RulePage ./server/simulate/report

.PHONY: rule-page
rule-page: ## admission/RULE.md from admission/docs/result.json
	RENDERGATE_RULE=$(CURDIR)/admission/docs/result.json go test -count 1 -run RulePage ./server/simulate/report

.PHONY: figures
figures: ## the figures of calibration, FIGURES=5 runs each; hours
	RENDERGATE_FIGURES=$(or $(FIGURES),5) go test -v -timeout 24h -run CalibrateFigures ./server/whole

.PHONY: trace
trace: ## record the demo anew for the tests of traces; four minutes, on a quiet machine
	RENDERGATE_TRACE=$(CURDIR)/server/simulate/trace/testdata/demo go test -v -count 1 -timeout 15m -run TraceOfDemo ./server/whole

.PHONY: clean
clean: ## remove what was built
	rm -rf bin web/node_modules
	find web/dist -mindepth 1 ! -name PLACEHOLDER.md -delete
