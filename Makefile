# make run    a working hub with JupyterLab behind it, at http://127.0.0.1:8000
# make run-pam  the same with accounts of the system (PAM), on a test account: as root
# make test   every test
# Both install what is missing: as root, or as a user who may use sudo.

SHELL := /bin/bash
export PATH := $(CURDIR)/.dev/venv/bin:$(HOME)/.cargo/bin:$(PATH)
export CARGO_TARGET_DIR := $(CURDIR)/target
CARGO := cargo
PARITY := ../shared/parity

.PHONY: run run-pam test system venv chp build lint rust browser clients parity conformance schemathesis schemathesis-reference jupyterhub-tests fuzz bench bench-proxy soak-proxy bench-programs bench-startup bench-starts bench-crashes bench-idle bench-supervision model kills privileged privileged-programs screenshots page-bytes package package-lint test-package test-container bench-pages

run: system-run venv
	$(CARGO) build --release --bin orrery
	packaging/demo/run.sh target/release/orrery

# The same with the system's accounts, in a namespace with one of its own: as root.
run-pam: system-run-pam venv privileged-programs
	$(CARGO) build --release --bin orrery
	packaging/demo/run-pam.sh target/release/orrery target/privileged/orrery-launch target/privileged/orrery-session

# The model for a short while only; `make model` takes longer.
test: SECONDS_ = 20
test: system venv chp lint rust privileged model browser clients parity conformance schemathesis test-package

# What a purpose needs of the system; `make system` is for all tests.
system: system-run-pam-test-package

system-%:
	packaging/demo/system-packages.sh $(subst -, ,$*)

venv: .dev/venv/installed

.dev/venv/installed: packaging/demo/requirements.txt
	mkdir -p .dev
	python3 -m venv .dev/venv
	.dev/venv/bin/pip install --quiet --disable-pip-version-check -r packaging/demo/requirements.txt
	touch $@

# The reference's proxy, for the tests of a hub that drives one.
CHP := configurable-http-proxy@5.3.0
chp: .dev/chp/$(CHP)

.dev/chp/$(CHP):
	mkdir -p .dev/chp
	npm install --prefix .dev/chp --silent --no-fund --no-audit $(CHP)
	touch $@

build:
	$(CARGO) build --workspace

# The programs that get root's rights: orrery-launch is static, so no loader and no name service runs in it, and ends at once
# where it would panic; orrery-session must load PAM's modules. Static means that a security update of libc needs a new build.
HOST = $(shell rustc -vV | sed -n 's/^host: //p')
privileged-programs:
	RUSTFLAGS="-C target-feature=+crt-static -C relocation-model=pie -C relro-level=full -C panic=abort" \
	  $(CARGO) build --release -p orrery-launch --bin orrery-launch --target $(HOST)
	$(CARGO) build --release -p orrery-session
	install -D -m 0750 target/$(HOST)/release/orrery-launch target/privileged/orrery-launch
	install -D -m 0700 target/release/orrery-session target/privileged/orrery-session
	tests/support/hardened.sh target/privileged/orrery-launch

# target/package/orrery_<version>_<arch>.deb and orrery-<version>.<arch>.rpm. PROFILE=release builds faster than what is
# published; BIN=<folder> packs programs that are there.
PACKAGE_TOOLS = cargo-deb@3.8.0 cargo-generate-rpm@0.21.1 cargo-cyclonedx@0.5.9
package: export PATH := $(CURDIR)/.dev/tools/bin:$(PATH)
package: $(foreach tool,$(PACKAGE_TOOLS),.dev/tools/$(tool))
	packaging/build.sh

# Built once and run for seconds: what they have in common is built once, and nothing of it for speed.
.dev/tools/%:
	mkdir -p .dev/tools
	CARGO_TARGET_DIR=.dev/tools/build CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
	  $(CARGO) install --quiet --locked --root .dev/tools $*
	touch $@

# The packages as files: contents, modes, owners, scripts, lintian, rpmlint, rpm -V, the profiles and units that they carry.
package-lint: venv
	tests/package/static/run.sh $(PYTEST_ARGS)

# The .deb on machines that are booted: installation, sign-in, restart and upgrade under load, reboot, removal. As root; otherwise
# it says that it is skipped.
test-package: venv
	@if tests/package/boot/run.sh --able; then \
	  PROFILE=$${PROFILE:-release} $(MAKE) package && tests/package/boot/run.sh target/package/orrery_*.deb $(PYTEST_ARGS); \
	fi

# The container image of packaging/container, built from nothing with a dockerd of its own, in both of its ways. As root.
test-container: venv
	tests/package/container/run.sh target/package/orrery_*.deb $(PYTEST_ARGS)

lint:
	$(CARGO) fmt --all --check && echo "fmt: fine"
	$(CARGO) clippy --workspace --all-targets -- -D warnings && echo "clippy: fine"
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --quiet --no-deps --workspace --document-private-items

# Everything that cargo runs, in one build: unit tests, the store on SQLite and on a PostgreSQL of its own, the layers,
# the proxy over real sockets, and the built binary as a black box.
rust:
	ORRERY_REQUIRE_CHP=1 tests/support/with-postgres.sh $(CARGO) test --workspace --lib --bins --tests

# Random operations on the real hub: starts, stops, crashes, kill -9 of the hub, a database that pauses; afterwards REST, processes,
# routes and rows must agree. SEED=n for the same operations again, DATABASE=sqlite or postgres for one of them alone.
SECONDS_ ?= 60
TIMES ?= 100
DATABASE ?= sqlite postgres
MODEL_SEED = $(if $(filter command line environment,$(origin SEED)),--seed $(SEED))
model: build
	@for database in $(DATABASE); do \
	  ORRERY_BIN=$(CURDIR)/target/debug/orrery python3 tests/model/model.py --database $$database --seconds $(SECONDS_) $(MODEL_SEED) || exit 1; \
	done

# The hub killed with SIGKILL while it is at work: no server dies, each is adopted, nothing is left over.
kills: build
	@for database in $(DATABASE); do \
	  ORRERY_BIN=$(CURDIR)/target/debug/orrery python3 tests/model/kills.py --database $$database --times $(TIMES) $(MODEL_SEED) || exit 1; \
	done

# The privileged programs, with accounts, PAM and a setuid program of a namespace's own. As root; otherwise it says that it is
# skipped.
PRIVILEGED_BINS = ORRERY_LAUNCH=$(CURDIR)/target/privileged/orrery-launch ORRERY_SESSION=$(CURDIR)/target/privileged/orrery-session
privileged: venv build privileged-programs
	@echo "privileged: accounts, PAM and a setuid program in a namespace"
	$(PRIVILEGED_BINS) tests/privileged/run.sh $(PYTEST_ARGS)

# In headless Chromium: journeys, and axe-core on every page (tests/browser/README.md).
AXE := axe-core@4.10.3
browser: .dev/axe/$(AXE)
	ORRERY_BIN=target/debug/orrery .dev/venv/bin/pytest -q -n 2 --dist loadfile tests/browser

.dev/axe/$(AXE):
	mkdir -p .dev/axe
	npm install --prefix .dev/axe --silent --no-fund --no-audit $(AXE)
	touch $@

# Pictures of every page, both themes, 1280 and 320 pixels wide, in target/screenshots: to be looked at.
screenshots: venv
	$(CARGO) build --bin orrery
	ORRERY_BIN=target/debug/orrery .dev/venv/bin/python tests/browser/screenshots.py

# What a first view of each page weighs.
page-bytes: venv
	$(CARGO) build --bin orrery
	ORRERY_BIN=target/debug/orrery .dev/venv/bin/python tests/browser/bytes.py

# Real clients of the hub: the idle culler, services with HubAuth and HubOAuth, single-user servers of three versions. Each
# version has an environment of its own; the first run makes them.
CLIENTS = 6.1.1 5.5.4 4.1.6
CLIENT_VENVS = $(foreach version,$(CLIENTS),.dev/clients-$(version)/installed)
clients: $(CLIENT_VENVS) build
	ORRERY_BIN=target/debug/orrery .dev/clients-6.1.1/bin/pytest -q -p no:cacheprovider tests/clients

.dev/clients-%/installed: tests/clients/requirements.txt
	mkdir -p .dev
	python3 -m venv .dev/clients-$*
	.dev/clients-$*/bin/pip install --quiet --disable-pip-version-check jupyterhub==$* -r $<
	touch $@

# The judge, where it is at hand: black-box checks that pass against JupyterHub 6.1.1, on SQLite and on PostgreSQL; those of
# the proxy also with the reference's as a child of the hub. And which assertions of the specification no test names.
PYTEST = .dev/venv/bin/pytest -q -p no:cacheprovider -c $(PARITY)/pytest.ini --rootdir $(PARITY)
PROXY_CHECKS = $(addprefix $(PARITY)/tests/test_,proxy_api.py proxy_plane.py routes.py)
HUB_BIN = $(CURDIR)/target/debug/orrery
parity: chp build
	@if [ -d $(PARITY) ]; then \
	  echo "parity: SQLite" && HUB=orrery ORRERY_BIN=$(HUB_BIN) $(PYTEST) $(PARITY)/tests && \
	  echo "parity: PostgreSQL" && HUB=orrery ORRERY_REAL_BIN=$(HUB_BIN) \
	    ORRERY_BIN=$(CURDIR)/tests/support/orrery-on-postgres.sh tests/support/with-postgres.sh $(PYTEST) $(PARITY)/tests && \
	  echo "parity: the reference's proxy" && HUB=orrery ORRERY_BIN=$(HUB_BIN) \
	    ORRERY_PROXY__TYPE=child ORRERY_PROXY__COMMAND=$(CURDIR)/.dev/chp/node_modules/.bin/configurable-http-proxy \
	    $(PYTEST) $(PROXY_CHECKS); \
	else echo "parity: ../shared/parity is not here"; fi
	tests/coverage.py

# The proxy as a black box: raw messages of all kinds, a day of a real JupyterHub on it, and every ambiguous message that
# we know of, beside nginx.
conformance:
	ORRERY_PROXY_BIN=$(CURDIR)/target/debug/orrery-proxy .dev/venv/bin/pytest -q -p no:cacheprovider tests/conformance
	ORRERY_PROXY_BIN=$(CURDIR)/target/debug/orrery-proxy .dev/venv/bin/python tests/conformance/smuggling.py

# Requests made from the hub's own OpenAPI document, about a minute of them: no 5xx, no status that it does not name,
# every answer as its schema says. The same requests each time; SEED=n for others.
SEED ?= 4
SCHEMATHESIS = PATH=$(CURDIR)/.dev/schemathesis/bin:$(PATH) ORRERY_BIN=$(CURDIR)/target/debug/orrery \
	tests/schemathesis/run.py --seed $(SEED) --max-examples 15
schemathesis: .dev/schemathesis/installed build
	$(SCHEMATHESIS)

# The same from the reference's document, which is part of its source distribution. It names few of its own errors, so
# only 5xx counts.
REST_API := .dev/jupyterhub-6.1.1/docs/source/_static/rest-api.yml
schemathesis-reference: .dev/schemathesis/installed $(REST_API) build
	$(SCHEMATHESIS) --schema $(CURDIR)/$(REST_API)

.dev/schemathesis/installed: tests/schemathesis/requirements.txt
	mkdir -p .dev
	python3 -m venv .dev/schemathesis
	.dev/schemathesis/bin/pip install --quiet --disable-pip-version-check -r tests/schemathesis/requirements.txt
	touch $@

$(REST_API):
	mkdir -p .dev
	.dev/schemathesis/bin/pip download --quiet --disable-pip-version-check --no-deps --no-binary jupyterhub -d .dev jupyterhub==6.1.1
	tar -xzf .dev/jupyterhub-6.1.1.tar.gz -C .dev jupyterhub-6.1.1/docs/source/_static/rest-api.yml
	touch $@

# JupyterHub's own tests with CHP and with the proxy in its place, compared test by test: 10 minutes or more.
jupyterhub-tests: system
	$(CARGO) build --release -p orrery-proxy
	tests/conformance/jupyterhub.py --proxy target/release/orrery-proxy

# Every fuzz target for 10 minutes; needs cargo-fuzz (`cargo install cargo-fuzz`).
fuzz:
	tests/fuzz/run.sh $(SECONDS_EACH)

bench: venv
	$(CARGO) build --release --bin orrery
	.dev/venv/bin/python benches/api.py --orrery target/release/orrery

# Supervision beside JupyterHub, each within five minutes of an otherwise idle machine (docs/performance.md):
# a start with a large database, starts of servers, crashes, and a thousand servers that do nothing.
bench-supervision: bench-startup bench-starts bench-crashes bench-idle

bench-programs: venv chp
	$(CARGO) build --release --bin orrery
	$(CARGO) build --release -p orrery-bench-load

bench-startup bench-starts bench-crashes bench-idle: bench-%: bench-programs
	.dev/venv/bin/python benches/$*.py $(BENCH)

# Login, home and administration with 5,000 users in a browser, beside JupyterHub: requests, bytes, seconds until usable.
bench-pages: bench-programs
	.dev/venv/bin/python benches/pages.py $(BENCH)

# The proxy beside nginx, haproxy and CHP: about 12 minutes of an otherwise idle machine. BENCH="--quick --only tiny,ws" for less.
bench-proxy:
	packaging/demo/bench-packages.sh
	$(CARGO) build --release -p orrery-proxy -p orrery-bench-load
	benches/proxy.py $(BENCH)

# The proxy among clients that vanish and servers that die, for 20 minutes. As root: it makes networks of its own.
soak-proxy:
	packaging/demo/bench-packages.sh
	$(CARGO) build --release -p orrery-proxy
	benches/soak.py $(SOAK)
