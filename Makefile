# make help says what there is.

CARGO ?= cargo
CC ?= cc
# The scripts look for what was built here.
export CARGO_TARGET_DIR := target
# Also by the names that GNU gives them.
PREFIX := $(or $(PREFIX),$(prefix))
LIBDIR := $(or $(LIBDIR),$(libdir))
INCLUDEDIR := $(or $(INCLUDEDIR),$(includedir))
MANDIR := $(or $(MANDIR),$(mandir))
DOCDIR := $(or $(DOCDIR),$(docdir))
export CARGO CC PREFIX DESTDIR LIBDIR INCLUDEDIR MANDIR DOCDIR
# With it cd goes elsewhere, or prints where it went.
unexport CDPATH
.DEFAULT_GOAL := help
.PHONY: help lib sandbox demo test test-hosts simulate bench install uninstall dist abi

help: ## this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lib: ## the library: target/release/libzelf.so, target/package/libzelf.a
	packaging/build
	@packaging/shared target/release -Wl,--strip-debug
	@ln -sf libzelf.so target/release/libzelf.so.0
	@packaging/archive target/package/libzelf.a
	@packaging/licences target/package/licences target/release/crates

# By itself: what the sandbox needs of a shared dependency stays out of the library.
sandbox:
	. packaging/environment && $(CARGO) build --locked --package zelf-sandbox

demo: lib sandbox ## get a token from C, over TLS, from a sandbox
	@CC="$(CC)" examples-c/demo

# The tests in Rust build what they need themselves. The snippets go without the library.
SNIPPETS := $(addprefix hosts/,snippets curl node rust urlsession)
test: $(if $(filter core% sandbox%,$(T)),,$(if $(filter $(SNIPPETS),$(T)),,lib) sandbox) ## all tests; T=c/shutdown runs one: see tests/README.md
	. packaging/environment && CC="$(CC)" tests/run-tests "$(T)"

test-hosts: lib sandbox ## the library in other languages, as far as they are here
	tests/hosts/test-hosts

SEEDS ?= 100000
# Worlds of calls, of providers, and of requests. Of providers there are a quarter as
# many, which takes about as long.
WORLDS ?= simulation provider sending
PROVIDER_SEEDS = $$((($(SEEDS) + 3) / 4))
simulate: ## whole worlds from as many seeds; WORLDS=provider SEED=n runs one and prints it
	. packaging/environment && for worlds in $(WORLDS); do \
	  case $$worlds in provider) seeds=$(PROVIDER_SEEDS) ;; *) seeds=$(SEEDS) ;; esac; \
	  SEEDS=$$seeds $(CARGO) test --locked --profile simulation -p zelf-core --test $$worlds \
	    every_promise_is_kept_in_every_world -- --nocapture || exit 1; \
	done

bench: lib sandbox ## measure against libcurl; needs nginx, libcurl and cJSON; QUICK=1: few rounds
	. packaging/environment && benches/run

install: ## after make lib; PREFIX=/usr/local, DESTDIR, LIBDIR, INCLUDEDIR, MANDIR, DOCDIR
	@packaging/install

uninstall: ## what install put there, with the same variables
	@packaging/install --remove

dist: ## an archive to ship, with checksums, in target/dist
	@packaging/dist

abi: lib ## write down the ABI, after it has changed on purpose: docs/abi
	@packaging/abi
