# make help lists the targets.

CARGO ?= cargo
CC ?= cc
# The scripts expect the build here.
export CARGO_TARGET_DIR := target
# The GNU names, in small letters, work too.
PREFIX := $(or $(PREFIX),$(prefix))
LIBDIR := $(or $(LIBDIR),$(libdir))
INCLUDEDIR := $(or $(INCLUDEDIR),$(includedir))
MANDIR := $(or $(MANDIR),$(mandir))
DOCDIR := $(or $(DOCDIR),$(docdir))
export CARGO CC PREFIX DESTDIR LIBDIR INCLUDEDIR MANDIR DOCDIR
# The environment of other builds may have a TARGET with another meaning. A make with a TARGET on its
# command line passes it on to the makes that it calls. They call this one with TARGET=.
ifeq ($(origin TARGET),command line)
export ZELF_TARGET := $(TARGET)
endif
# With CDPATH set, cd may change to another directory, or print its path.
unexport CDPATH
.DEFAULT_GOAL := help
.PHONY: help lib sandbox demo test test-hosts check fmt simulate fuzz soak bench docs install uninstall dist xcframework abi

# A recipe line that begins with "+" gets make's job server, from which cargo takes its
# jobs. make also runs such a line under -n, -q and -t, so there it is empty.
WITH_JOBS := $(if $(strip $(foreach letter,n q t,$(findstring $(letter),$(firstword -$(MAKEFLAGS))))),,+)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lib: ## build the library: target/release/libzelf.so, target/package/libzelf.a; TARGET=aarch64-unknown-linux-musl: in target/TARGET
	$(WITH_JOBS)packaging/build

# A separate build: cargo would compile the features of dependencies that only the
# sandbox needs into the library.
sandbox:
	$(WITH_JOBS). packaging/environment && $(CARGO) build --locked --package zelf-sandbox

demo: lib sandbox ## get a token from C, over TLS, from the sandbox
	@CC="$(CC)" examples-c/demo

# cargo builds what the Rust tests need. The snippets do not use the library, and the tests of
# other platforms build their own.
SNIPPETS := $(addprefix hosts/,snippets curl node rust urlsession)
test: $(if $(filter core% sandbox%,$(T)),,$(if $(filter $(SNIPPETS) platforms%,$(T)),,lib) sandbox) ## run all tests; T=c/shutdown runs one: see tests/README.md
	. packaging/environment && CC="$(CC)" tests/run-tests "$(T)"

test-hosts: lib sandbox ## test the library from the other languages that are installed
	tests/hosts/test-hosts

# fuzz and the baselines of the benchmarks are separate workspaces.
WORKSPACES := Cargo.toml fuzz/Cargo.toml benches/baselines/Cargo.toml

# The build writes include/zelf.h. A difference means that the header in git is outdated.
check: ## check the format, the lints and that include/zelf.h is up to date
	@for workspace in $(WORKSPACES); do \
	  $(CARGO) fmt --all --manifest-path $$workspace --check || { \
	    echo "$$workspace: run make fmt"; exit 1; }; \
	done
	. packaging/environment && $(CARGO) clippy --locked --workspace --all-targets --features test-hooks -- -D warnings
	. packaging/environment && $(CARGO) clippy --locked --manifest-path fuzz/Cargo.toml --target-dir target/fuzz -- -D warnings
	@$(MAKE) --no-print-directory lib
	@git diff --exit-code -- include/zelf.h || { \
	  echo "include/zelf.h has changes that are not in git: run git add include/zelf.h"; exit 1; }

fmt: ## format all Rust code
	@for workspace in $(WORKSPACES); do $(CARGO) fmt --all --manifest-path $$workspace || exit 1; done

SEEDS ?= 100000
# simulation has worlds of calls, provider of providers, sending of requests. A world of
# a provider takes four times as long, so there are a quarter as many.
WORLDS ?= simulation provider sending
PROVIDER_SEEDS = $$((($(SEEDS) + 3) / 4))
simulate: ## simulate one world per seed, SEEDS=100000; WORLDS=provider SEED=42 prints one
	. packaging/environment && for worlds in $(WORLDS); do \
	  case $$worlds in provider) seeds=$(PROVIDER_SEEDS) ;; *) seeds=$(SEEDS) ;; esac; \
	  SEEDS=$$seeds $(CARGO) test --locked --profile simulation -p zelf-core --test $$worlds \
	    every_promise_is_kept_in_every_world -- --nocapture || exit 1; \
	done

fuzz: ## run the fuzz targets, TIME=60 s each, JOBS=2; T=exchange runs one; needs cargo-fuzz
	@fuzz/run "$(T)"

soak: lib sandbox ## make all calls at once under faults, TIME=3600 s; SEED=42 TIME=5 repeats a round
	@. packaging/environment && CC="$(CC)" tests/c/run-soak

bench: lib sandbox ## measure against libcurl; QUICK=1 takes fewer rounds; README.md lists the tools
	. packaging/environment && benches/run

docs: ## build the reference site, target/docs/index.html; needs doxygen
	@packaging/docs/build

install: ## install what make lib built; PREFIX=/usr/local, DESTDIR, LIBDIR, INCLUDEDIR, MANDIR, DOCDIR
	@packaging/install

uninstall: ## remove what make install installed, with the same variables
	@packaging/install --remove

dist: ## make release archives and their checksums in target/dist; TARGET=x86_64-pc-windows-gnu for another system
	@packaging/dist

xcframework: ## make target/dist/CZelf.xcframework.zip for macOS and iOS; needs Rust's targets for them
	@packaging/xcframework

abi: lib ## write docs/abi, after an intended change of the ABI
	@packaging/abi
