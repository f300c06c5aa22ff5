#!/bin/sh
# dist.sh DIRECTORY VERSION: a tarball of the last commit, the same bytes whoever makes it and when.
set -eu
output=${1:?usage: dist.sh DIRECTORY VERSION}
name=keyrotated-${2:?usage: dist.sh DIRECTORY VERSION}
mkdir -p "$output"
output=$(cd "$output" && pwd)
cd "$(dirname "$0")/.."
git archive --format=tar --prefix="$name/" HEAD | gzip --best --no-name > "$output/$name.tar.gz"
ls -l "$output/$name.tar.gz"
