"""A small program in the place of the Azure CLI, which gets its tokens as an application does."""

from stand_in import TENANT

TEXT = """#!/bin/sh
answer=$(curl -sS --cacert {ca} {url}/{tenant}/oauth2/v2.0/token -d grant_type=client_credentials \\
    -d client_id={client} --data-urlencode 'client_secret={secret}' -d scope=https://management.azure.com//.default)
member() {{ printf '%s' "$answer" | sed -n "s/.*\\"$1\\" *: *\\"*\\([^\\",}}]*\\).*/\\1/p"; }}
printf '{{"tokenType": "Bearer", "accessToken": "%s", "expires_on": %d}}\\n' "$(member access_token)" \\
    $(($(date +%s) + $(member expires_in)))
"""


def write_az(path, azure, client, secret):
    """Writes it to that path."""
    path.touch(0o700)
    path.write_text(TEXT.format(ca=azure.ca_file, url=azure.url, tenant=TENANT, client=client, secret=secret))
    return str(path)
