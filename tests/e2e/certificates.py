"""Certificates for servers of the tests, made with the openssl command."""

import pathlib
import subprocess

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60)


def issue(directory, name, alternatives, days, issuer):
    """Returns the paths of certificate and key. `issuer`: options that say who signs it; None: its
    own key."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    request, extensions = directory / f"{name}.csr", directory / f"{name}.ext"
    extensions.write_text(f"subjectAltName={alternatives}\n")
    openssl("req", "-new", *NEW_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    openssl("x509", "-req", "-in", request, *(issuer or ("-signkey", key)), "-days", days, "-extfile",
            extensions, "-out", certificate)
    return certificate, key


class Authority:
    """A certificate authority in a directory of its own."""

    def __init__(self, directory, name="authority"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.certificate = self.directory / f"{name}.pem"
        self._key = self.directory / f"{name}.key"
        openssl("req", "-x509", *NEW_KEY, "-subj", f"/CN={name}", "-days", "2", "-keyout", self._key,
                "-out", self.certificate, "-addext", "basicConstraints=critical,CA:TRUE")

    def issue(self, name, alternatives="IP:127.0.0.1", days=2):
        """Returns the paths of certificate and key. `days` below 0: it has expired."""
        return issue(self.directory, name, alternatives, days,
                     ("-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial"))


def self_signed(directory, name, alternatives="IP:127.0.0.1", days=2):
    """Returns the paths of certificate and key; the certificate is its own authority."""
    return issue(directory, name, alternatives, days, None)
