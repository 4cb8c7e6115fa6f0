#!/usr/bin/env bash
# Writes a list of what each program is linked from (CycloneDX, JSON) into a folder: sbom.sh <folder>. SEC-118.
set -euo pipefail
cd "$(dirname "$0")/.."
# cargo-cyclonedx writes beside each manifest, and for every member
"${CARGO:-cargo}" cyclonedx -qq --format json --spec-version 1.5 --no-build-deps --override-filename sbom-of-orrery
mv sbom-of-orrery.json "$1/orrery.cdx.json"
for program in proxy session launch; do mv "src/$program/sbom-of-orrery.json" "$1/orrery-$program.cdx.json"; done
find src benches -maxdepth 2 -name sbom-of-orrery.json -delete
