#!/bin/sh
# systemd-creds makes a secret where $SYSTEMD_CREDENTIAL_SECRET names a file that is missing, and takes whatever
# stands there for one.
#
# `systemd-creds encrypt` succeeds with a secret that it has just made, or with four kilobytes of zeros. What it
# writes is decrypted by the same file alone: a unit with LoadCredentialEncrypted= fails with its own secret, and
# nobody is told before it starts. A file of a few bytes, and one that others may read, are refused. So whoever copies
# the secret has to see that the copy is there.
#
# Seen with systemd 252 of Debian 12 (package systemd).
set -u
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory" || exit 70

encrypt() {
    echo text | SYSTEMD_CREDENTIAL_SECRET=$directory/$1 systemd-creds encrypt --with-key=host --name=x - - 2>said |
        grep -q . && echo "$1: encrypts" || echo "$1: $(tail -n 1 said)"
}

systemctl --version | head -n 1
encrypt missing
ls -l missing
head -c 4000 /dev/zero >short
chmod 400 short
encrypt short
touch empty
chmod 400 empty
encrypt empty
cp missing open
chmod 644 open
encrypt open

# It ends with 0 where both still succeed.
[ -s missing ] && [ "$(encrypt short)" = "short: encrypts" ]
