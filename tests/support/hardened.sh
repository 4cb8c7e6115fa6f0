#!/usr/bin/env bash
# What a setuid program must be (SEC-063, SEC-078): static, position independent, read-only where it can be, no writable code.
set -euo pipefail
program=$1
status=0
expect() {
  if eval "$2" > /dev/null; then echo "$program: $1"; else echo "$program: not $1" >&2; status=1; fi
}
dynamic=$(readelf -dW "$program")
headers=$(readelf -lW "$program")
expect "position independent" 'grep -q "Type:.*DYN" <<< "$(readelf -hW "$program")"'
expect "static: no loader" '! grep -q INTERP <<< "$headers"'
expect "static: no library" '! grep -q NEEDED <<< "$dynamic"'
expect "without search paths" '! grep -qE "RPATH|RUNPATH" <<< "$dynamic"'
expect "RELRO" 'grep -q GNU_RELRO <<< "$headers"'
expect "bound at once" 'grep -qE "BIND_NOW|FLAGS.*NOW" <<< "$dynamic"'
expect "without an executable stack" 'grep -qE "GNU_STACK.* RW " <<< "$headers"'
expect "without writable code" '! grep -qE "LOAD.* RWE " <<< "$headers"'
exit "$status"
