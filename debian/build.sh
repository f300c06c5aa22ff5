#!/bin/sh
# build.sh DIRECTORY: builds the Debian package from the files of this tree, changed ones included, and
# leaves it in DIRECTORY. The tree itself is not touched. Its tests are not run: `make test` does that.
set -eu
output=${1:?usage: build.sh DIRECTORY}
mkdir -p "$output"
output=$(cd "$output" && pwd)
cd "$(dirname "$0")/.."

version=$(dpkg-parsechangelog -l debian/changelog -S Version)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/keyrotated-$version
mkdir "$tree"

# In a checkout, what git knows of and what is new; else everything but what was built. Files that were
# deleted and not committed yet are no reason to fail.
list_files() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files -z --cached --others --exclude-standard
    else
        find . \( -path ./build -o -path ./build-asan -o -path ./.git \) -prune -o -type f -print0
    fi
}
list_files | tar -c --null --files-from=- --ignore-failed-read 2>/dev/null | tar -x -C "$tree"

cd "$tree"
log=$work/log
if ! DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" DEB_BUILD_PROFILES=nocheck LC_ALL=C.UTF-8 \
    dpkg-buildpackage --build=binary --no-sign >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
cd "$work"
rm -f "$output"/*.deb "$output"/*.buildinfo "$output"/*.changes
mv ./*.deb ./*.buildinfo ./*.changes "$output"
ls -l "$output"/*.deb
