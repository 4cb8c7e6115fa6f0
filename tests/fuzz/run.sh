#!/usr/bin/env bash
# Fuzzes each target for so many seconds (default 600), two at a time; fails if one finds something.
# Needs cargo-fuzz (`cargo install cargo-fuzz`) and a C++ compiler; works on stable Rust, without sanitizers.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-600}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/../../target/fuzz}
targets=(request_framing response_framing route_matching rest_body privileged_request privileged_reply privileged_policy)
targets=(${TARGETS:-${targets[@]}}) # TARGETS="one another" for some of them
cargo fuzz build --fuzz-dir . -s none
status=0
fuzz() {
  mkdir -p "corpus/$1"
  cp -n seeds/"$1"/* "corpus/$1/" 2>/dev/null || true
  cargo fuzz run --fuzz-dir . -s none "$1" -- -max_total_time="$seconds" -max_len=4096 -print_final_stats=1 2>&1 |
    grep -E 'stat::number_of_executed|stat::new_units|Done|panicked|ERROR|Test unit' | sed "s/^/$1: /"
  return "${PIPESTATUS[0]}"
}
for ((i = 0; i < ${#targets[@]}; i += 2)); do
  pids=()
  for target in "${targets[@]:i:2}"; do fuzz "$target" & pids+=($!); done
  for pid in "${pids[@]}"; do wait "$pid" || status=1; done
done
exit "$status"
