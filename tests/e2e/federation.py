"""Tokens of another issuer, such as a Kubernetes cluster, for applications with a federated credential."""

import base64
import json
import subprocess
import time

WORKLOAD = "66666666-6666-6666-6666-666666666666"
ISSUER = "https://oidc.example/cluster"
SUBJECT = "system:serviceaccount:ops:keyrotated"
AUDIENCE = "api://AzureADTokenExchange"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Issuer:
    """Signs tokens as a cluster does."""

    def __init__(self, directory):
        self.key = directory / "issuer.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                        "-out", self.key], check=True, capture_output=True)
        self.public_key = subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout"], check=True,
                                         capture_output=True, text=True).stdout

    def register(self, azure, client):
        """Gives the application a federated credential for this issuer's tokens."""
        azure.ask("POST", "clients", {"client_id": client, "federated": {
            "issuer": ISSUER, "subject": SUBJECT, "audience": AUDIENCE, "public_key": self.public_key}})

    def token(self, age=0, **claims):
        now = int(time.time()) - age
        claims = {"iss": ISSUER, "sub": SUBJECT, "aud": [AUDIENCE], "iat": now, "nbf": now,
                  "exp": now + 3600, **claims}
        text = b".".join(encode(json.dumps(part).encode())
                         for part in ({"alg": "RS256", "typ": "JWT", "kid": "1"}, claims))
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=text,
                                check=True, capture_output=True).stdout
        return (text + b"." + encode(signed)).decode()
