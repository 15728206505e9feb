# What is done with this repository. `make` alone lists it. Every target asks
# for Debian packages that are missing: installs them as root, else prints how.

TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
export KDIY_BIN ?= $(TARGET)/release/kdiy
export CARGO_TERM_PROGRESS_WHEN ?= never
.NOTPARALLEL:

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## the release binary, target/release/kdiy
	@tests/packages build
	cargo build --release --locked

.PHONY: demo
demo: build ## an HA cluster on hosts made on this machine, left running
	tests/demo up

.PHONY: demo-down
demo-down: ## remove the demo's hosts and its folder
	tests/demo down

.PHONY: test
test: lint unit e2e ## everything that CI runs

.PHONY: lint
lint: ## format, clippy, documentation, shell scripts
	@tests/packages lint
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items --lib
	tests/shellcheck

.PHONY: unit
unit: ## tests that need no hosts
	@tests/packages unit
	cargo test --locked

.PHONY: e2e
e2e: build ## the release binary against real hosts (the lab)
	tests/lab/lab deps
	tests/lab/lab build all
	tests/lab/lab serve
	cargo test --locked --test integration -- --ignored --test-threads=1 --nocapture e2e

.PHONY: conformance
conformance: build ## upstream's conformance tests; FOCUS= for others than the network's
	tests/lab/lab deps
	tests/lab/lab build all
	tests/lab/lab serve
	tests/conformance/run

.PHONY: faults
faults: build ## the fault suite: kills, cuts, reboots, locks, leaks
	tests/lab/lab deps
	tests/lab/lab build
	tests/lab/lab serve
	cargo test --locked --test integration -- --ignored --test-threads=1 --nocapture faults::

.PHONY: equivalence
equivalence: build ## both ways of a bring-up compared; kubeadm goes on with either
	tests/lab/lab deps
	tests/lab/lab build
	tests/lab/lab serve
	cargo test --locked --test integration -- --ignored --test-threads=1 --nocapture equal::

.PHONY: bench
bench: build ## fleet plan against bare ssh, bring-up against a script
	tests/bench/run

.PHONY: audit
audit: ## advisories, bans, licences and sources by cargo-deny, if you have it
	@command -v cargo-deny >/dev/null || { echo 'run: cargo install --locked cargo-deny' >&2; exit 1; }
	cargo deny check
