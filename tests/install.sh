#!/bin/sh
# `make install` into an empty directory puts every file where it belongs, with the paths of that
# installation in the unit; `make uninstall` leaves nothing of it but the configuration's directory.
set -eu
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

make --no-print-directory install DESTDIR="$root" PREFIX=/opt/kr >/dev/null

for file in sbin/keyrotated bin/keyrotatectl lib/systemd/system/keyrotated.service \
    lib/systemd/system/keyrotated@.service lib/systemd/system/keyrotated-once.service \
    lib/systemd/system/keyrotated-once.timer \
    lib/sysusers.d/keyrotated.conf lib/tmpfiles.d/keyrotated.conf \
    lib/systemd/catalog/keyrotated.catalog \
    share/bash-completion/completions/keyrotatectl share/zsh/site-functions/_keyrotatectl \
    share/doc/keyrotated/examples/key-groups.conf \
    share/doc/keyrotated/examples/key-owners.conf \
    share/doc/keyrotated/examples/keyrotated-hook.socket \
    share/doc/keyrotated/examples/keyrotated-hook@.service \
    share/man/man8/keyrotated.8 share/man/man5/keyrotated.yaml.5 share/man/man1/keyrotatectl.1; do
    [ -s "$root/opt/kr/$file" ] || { echo "not installed: $file" >&2; exit 1; }
done
[ -d "$root/etc/keyrotated/conf.d" ]

unit=$root/opt/kr/lib/systemd/system/keyrotated.service
grep -q '^ExecStart=/opt/kr/sbin/keyrotated -c /etc/keyrotated/keyrotated.yaml$' "$unit"
# The examples that it speaks of are there.
grep -q '/opt/kr/share/doc/keyrotated/examples' "$unit"
grep -q '^ExecReload=/opt/kr/bin/keyrotatectl reload$' "$unit"
"$root/opt/kr/sbin/keyrotated" --version
"$root/opt/kr/bin/keyrotatectl" --version

make --no-print-directory uninstall DESTDIR="$root" PREFIX=/opt/kr >/dev/null
left=$(find "$root" -type f)
[ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
echo 'install and uninstall: ok'
