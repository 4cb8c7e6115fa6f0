#!/usr/bin/env bash
# Builds target/package/orrery_<version>_<arch>.deb and target/package/orrery-<version>-1.<arch>.rpm from the list of files in
# Cargo.toml. Needs cargo-deb and cargo-generate-rpm, which `make package` installs into .dev/tools.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
profile=${PROFILE:-dist}
host=$(rustc -vV | sed -n 's/^host: //p')
out=target/package
mkdir -p "$out/bin" "$out/man" "$out/pam.d"

"$cargo" build --profile "$profile" -p orrery --bin orrery -p orrery-proxy --bin orrery-proxy -p orrery-session --bin orrery-session
RUSTFLAGS="-C target-feature=+crt-static -C relocation-model=pie -C relro-level=full -C panic=abort" \
  "$cargo" build --profile "$profile" -p orrery-launch --bin orrery-launch --target "$host"
target_dir=${CARGO_TARGET_DIR:-target}
for program in orrery orrery-proxy orrery-session; do
  install -m 0755 "$target_dir/$profile/$program" "$out/bin/$program"
done
install -m 0755 "$target_dir/$host/$profile/orrery-launch" "$out/bin/orrery-launch"
strip --strip-all "$out"/bin/*
tests/support/hardened.sh "$out/bin/orrery-launch"

rm -f "$out"/man/* "$out"/*.deb "$out"/*.rpm
for page in packaging/man/*; do gzip -9nc "$page" >"$out/man/$(basename "$page").gz"; done
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
date=$(git log -1 --format=%cD 2>/dev/null || date -R)
printf 'orrery (%s-1) stable; urgency=medium\n\n  * See the commits.\n\n -- The Orrery developers <orrery@localhost>  %s\n' "$version" "$date" |
  gzip -9n >"$out/changelog.gz"

cp etc/pam.d/orrery "$out/pam.d/orrery"
"$cargo" deb --no-build --no-strip --output "$out/"
cp packaging/pam.d/orrery.rpm "$out/pam.d/orrery"
"$cargo" generate-rpm --output "$out/"
cp etc/pam.d/orrery "$out/pam.d/orrery"
ls -l "$out"/*.deb "$out"/*.rpm
