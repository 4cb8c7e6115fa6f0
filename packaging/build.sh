#!/usr/bin/env bash
# Builds target/package/orrery_<version>_<arch>.deb and target/package/orrery-<version>.<arch>.rpm from the list of files in
# Cargo.toml, with cargo-deb and cargo-generate-rpm (`make package` installs them into .dev/tools).
# PROFILE: the programs' profile, `dist` unless said otherwise. BIN: a folder of programs to pack in place of a build.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
profile=${PROFILE:-dist}
target_dir=${CARGO_TARGET_DIR:-target}
host=$(rustc -vV | sed -n 's/^host: //p')
out=target/package
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
# The same commit gives the same packages: files are as old as it.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

rm -rf "$out"
mkdir -p "$out"/{bin,man,pam.d,deb,rpm,doc,sbom}
echo "${BIN:+given, }$profile" >"$out/profile" # for the tests

programs() {
  if [ -n "${BIN:-}" ]; then
    install -m 0755 "$BIN"/orrery{,-proxy,-session,-launch} "$out/bin/"
  else
    local flags=
    # no folder of this machine in what people install
    [ "$profile" != dist ] || flags="--remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
    RUSTFLAGS=$flags "$cargo" build --profile "$profile" -p orrery --bin orrery -p orrery-proxy --bin orrery-proxy \
      -p orrery-session --bin orrery-session
    RUSTFLAGS="$flags -C target-feature=+crt-static -C relocation-model=pie -C relro-level=full -C panic=abort" \
      "$cargo" build --profile "$profile" -p orrery-launch --bin orrery-launch --target "$host"
    install -m 0755 "$target_dir/$profile"/orrery{,-proxy,-session} "$target_dir/$host/$profile/orrery-launch" "$out/bin/"
  fi
  strip --strip-all --remove-section=.comment "$out"/bin/*
  tests/support/hardened.sh "$out/bin/orrery-launch"
}

# What both packages hold, and neither the sources nor cargo have as it is.
papers() {
  local page
  for page in packaging/man/*; do gzip -9nc "$page" >"$out/man/$(basename "$page").gz"; done
  printf 'orrery (%s) stable; urgency=medium\n\n  * See the commits.\n\n -- %s  %s\n' "$version" \
    "The Orrery developers <orrery@localhost>" "$(date -R -u -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$out/changelog.gz"
  packaging/licences.py "$out/doc/copyright"
  packaging/licences.py "$out/doc/copyright.rpm" --with-common
  packaging/sbom.sh "$out/sbom"
}

# The maintainers' scripts, with the units in the order in which they are started.
scripts() {
  local script sockets services
  sockets=$(units socket) services=$(units service)
  for script in packaging/deb/* packaging/rpm/*.sh; do
    sed -e "s/@SOCKETS@/$sockets/; s/@SERVICES@/$services/" -e '/@SYSUSERS@/{
      r packaging/sysusers.d/orrery.conf
      d
    }' "$script" >"$out/${script#packaging/}"
    chmod 0755 "$out/${script#packaging/}"
  done
}

# The units of a kind that are enabled; the hub is the last.
units() {
  grep -l '^\[Install\]' packaging/systemd/*."$1" | xargs -n1 basename | sort -t. -k1,1r | xargs
}

# Packs the files of a .deb anew: machine code takes 7 % less when the targets of its jumps are made absolute first, which
# every liblzma undoes while it unpacks (so dpkg and apt read it as any other).
repack() {
  local deb filter parts
  case $(uname -m) in
  x86_64) filter=--x86 ;;
  *) return ;;
  esac
  deb=$(realpath "$1")
  parts=$(mktemp -d)
  (
    cd "$parts"
    ar x "$deb"
    xz --decompress data.tar.xz
    xz "$filter" --lzma2=preset=9e,lc=4,pb=0 data.tar
    rm "$deb"
    ar rcD "$deb" debian-binary control.tar.xz data.tar.xz
  )
  rm -r "$parts"
}

programs
papers
scripts

arch=$(dpkg --print-architecture)
# what is tried soon and thrown away need not be small
if [ "$(cat "$out/profile")" = dist ]; then deb_options=() rpm_options=(--payload-compress xz); else deb_options=(--fast) rpm_options=(--payload-compress gzip); fi
cp etc/pam.d/orrery "$out/pam.d/orrery"
"$cargo" deb --no-build --no-strip --quiet "${deb_options[@]}" --output "$out/orrery_${version}_$arch.deb"
[ "$(cat "$out/profile")" != dist ] || repack "$out/orrery_${version}_$arch.deb"
cp packaging/pam.d/orrery.rpm "$out/pam.d/orrery"
packaging/rpm/files.py >"$out/rpm/files.toml"
"$cargo" generate-rpm "${rpm_options[@]}" --metadata-overwrite "$out/rpm/files.toml" --output "$out/orrery-$version.$(uname -m).rpm"
ls -l "$out"/*.deb "$out"/*.rpm
