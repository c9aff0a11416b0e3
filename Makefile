# Every target does its own set-up, on a machine with Go, Node and Debian's
# packages, as root or not. `make help` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
GOLANGCI_LINT_VERSION := v2.15.0
GOLANGCI_LINT := bin/golangci-lint-$(GOLANGCI_LINT_VERSION)

# Folders with our Go files.
GO_FOLDERS := $(wildcard cmd internal tenants migrations dashboard/*.go)
# Packages that share memory between requests run under the race detector.
RACE := ./internal/connector/oidc ./tenants ./tenants/pool ./internal/outbox ./internal/password ./internal/ratelimit
WITHPG := go run ./internal/testkit/withpg --

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: dev
dev: $(if $(REEVE_DATABASE_URL),,setup) build ## Run Reeve here, with its own Postgres: http://localhost:8000 (ARGS="--listen 127.0.0.1:9000")
	@exec bin/reeve dev $(ARGS)

# What the dashboard is built from; generated files and their inputs are left out.
DASHBOARD := $(shell find dashboard \( -name node_modules -o -name dist -o -name screenshots -o -name '.t*' \) -prune -o -type f ! -name '*.gen.*' ! -name '*.go' -print 2>/dev/null)

dashboard/dist/index.html: $(DASHBOARD) scripts/dashboard
	@scripts/dashboard

.PHONY: build
build: dashboard/dist/index.html ## Build bin/reeve with its dashboard
	go build -buildvcs=false -ldflags '-X main.release=$(VERSION)' -o bin/reeve ./cmd/reeve

.PHONY: setup
setup: ## Find Postgres' binaries, or install them
	@scripts/setup

.PHONY: test
test: check test-go test-dashboard test-clients ## Everything that CI runs: vet, format, Go tests, client tests

.PHONY: check
check: ## go vet and gofmt
	go vet ./...
	@unformatted=$$(gofmt -l $(GO_FOLDERS)); test -z "$$unformatted" || { echo "gofmt: $$unformatted"; exit 1; }

.PHONY: test-go
test-go: setup ## Go tests with one throw-away Postgres (FLAGS="-run X -count=1")
	RACE='$(RACE)' $(WITHPG) scripts/gotest -timeout 20m $(FLAGS)

.PHONY: test-clients
test-clients: setup build ## Stock Supabase clients and a browser against a running Reeve
	@if test -d clients; then clients/run.sh; fi

.PHONY: screenshots
screenshots: setup build ## Pictures of every page of the dashboard: dashboard/screenshots
	@clients/run.sh screenshots

.PHONY: bench-dashboard
bench-dashboard: setup build ## How quickly the dashboard's pages show what they are about
	@clients/run.sh speed

.PHONY: test-dashboard
test-dashboard: dashboard/dist/index.html ## Tests of the dashboard's parts
	@if command -v npm >/dev/null; then cd dashboard && npm run --silent test; fi

.PHONY: e2e
e2e: test-clients ## The same as test-clients

.PHONY: lint
lint: $(GOLANGCI_LINT) ## golangci-lint, gofumpt included
	$(GOLANGCI_LINT) run ./...

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format with the linter's gofumpt
	$(GOLANGCI_LINT) fmt

.PHONY: verify
verify: lint test ## lint and test

.PHONY: bench
bench: setup build ## Measure requests, project creation and memory
	go run ./internal/bench

.PHONY: bench-owner
bench-owner: setup build ## Measure what one project's owner can do to the others (ARGS="-only lock -seconds 60")
	go run ./internal/bench -owner $(ARGS)

.PHONY: generate
generate: ## Write generated files
	go generate ./...

.PHONY: clean
clean: ## Remove built files; data in .reeve stays
	rm -rf bin coverage.out

# The release is in the name, so that a new one replaces it.
$(GOLANGCI_LINT):
	@mkdir -p bin/install
	GOBIN=$(CURDIR)/bin/install go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	@mv bin/install/golangci-lint $@ && rm -rf bin/install
