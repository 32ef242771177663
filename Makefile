# make help says what there is.

CARGO ?= cargo
CC ?= cc
# The scripts look for what was built here.
export CARGO_TARGET_DIR := target
.DEFAULT_GOAL := help
.PHONY: help lib sandbox demo test bench

help: ## this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lib: ## the library: target/release/libzelf.so and libzelf.a
	$(CARGO) build --locked --release

# By itself: what the sandbox needs of a shared dependency stays out of the library.
sandbox:
	$(CARGO) build --locked --package zelf-sandbox

demo: lib sandbox ## get a token from C, over TLS, from a sandbox
	@CC="$(CC)" examples-c/demo

test: lib sandbox ## all tests
	$(CARGO) build --locked --features test-hooks
	CC="$(CC)" tests/all

bench: lib ## measure against libcurl; needs nginx, libcurl and cJSON
	benches/run
