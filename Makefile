# make run    a working hub with JupyterLab behind it, at http://127.0.0.1:8000
# make test   every test
# Both install what is missing: as root, or as a user who may use sudo.

SHELL := /bin/bash
export PATH := $(CURDIR)/.dev/venv/bin:$(HOME)/.cargo/bin:$(PATH)
export CARGO_TARGET_DIR := $(CURDIR)/target
CARGO := cargo
PARITY := ../shared/parity

.PHONY: run test system venv build lint rust browser parity bench

run: system venv
	$(CARGO) build --release --bin orrery
	packaging/demo/run.sh target/release/orrery

test: system venv lint rust browser parity

system:
	packaging/demo/system-packages.sh

venv: .dev/venv/installed

.dev/venv/installed: packaging/demo/requirements.txt
	mkdir -p .dev
	python3 -m venv .dev/venv
	.dev/venv/bin/pip install --quiet --disable-pip-version-check -r packaging/demo/requirements.txt
	touch $@

build:
	$(CARGO) build --workspace

lint:
	$(CARGO) fmt --all --check && echo "fmt: fine"
	$(CARGO) clippy --workspace --all-targets -- -D warnings && echo "clippy: fine"
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --quiet --no-deps --workspace --document-private-items

# Everything that cargo runs, in one build: unit tests, the store on SQLite and on a PostgreSQL of its own, the layers,
# the proxy over real sockets, and the built binary as a black box.
rust:
	tests/support/with-postgres.sh $(CARGO) test --workspace --lib --bins --tests

browser:
	ORRERY_BIN=target/debug/orrery .dev/venv/bin/pytest -q tests/browser

# The judge, where it is at hand: black-box checks that pass against JupyterHub 6.1.1.
parity:
	@if [ -d $(PARITY) ]; then \
	  echo "parity: smoke, real single-user server"; \
	  HUB=orrery ORRERY_BIN=$(CURDIR)/target/debug/orrery .dev/venv/bin/pytest -q -p no:cacheprovider \
	    -c $(PARITY)/pytest.ini --rootdir $(PARITY) $(PARITY)/tests/test_smoke.py $(PARITY)/tests/test_singleuser_real.py; \
	else echo "parity: ../shared/parity is not here"; fi

bench: venv
	$(CARGO) build --release --bin orrery
	.dev/venv/bin/python benches/api.py --orrery target/release/orrery
