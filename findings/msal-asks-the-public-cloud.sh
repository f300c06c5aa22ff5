#!/bin/sh
# MSAL for Python asks the public cloud's login host, whichever cloud it logs in to; so does az.
#
# Before it looks for a token in its cache, and finds none, the library asks login.microsoftonline.com by which
# names its own login host is known. A machine that may reach the hosts of 21Vianet's or the US government's cloud
# alone gets its first token (az login asks for that without looking), and an hour later, no further one: `az
# account get-access-token` says that it does not reach login.microsoftonline.com.
#
# Debian 12's python3-msal 1.21 (az 2.45), whose dependencies have to be installed (python3-requests, python3-jwt,
# python3-cryptography). No request leaves the machine: answers are made up here.
set -eu
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
chmod 0755 .
apt-get download -qq python3-msal=1.21.0-1 >/dev/null 2>&1
dpkg-deb -x ./python3-msal_*.deb root
PYTHONPATH=root/usr/lib/python3/dist-packages /usr/bin/python3 - <<'END'
import json
import msal


class Reply:
    status_code, headers = 200, {}

    def __init__(self, **answer):
        self.text = json.dumps(answer)

    def raise_for_status(self):
        pass


class Http:
    def get(self, url, **_):
        print("    asks", url.split("?")[0])
        login = "/".join(url.split("/")[:4])
        return Reply(token_endpoint=f"{login}/token", authorization_endpoint=f"{login}/authorize", metadata=[])

    def post(self, url, **_):
        print("    asks", url)
        return Reply(access_token="t", expires_in=3600, token_type="Bearer")


for host in ("login.chinacloudapi.cn", "login.microsoftonline.us"):
    app = msal.ConfidentialClientApplication("client", client_credential="secret", http_client=Http(),
                                             authority=f"https://{host}/11111111-1111-1111-1111-111111111111")
    print(f"{host}: a token")
    app.acquire_token_for_client(["https://one/.default"])
    print(f"{host}: a look into the cache")
    app.acquire_token_silent(["https://two/.default"], account=None)
END
