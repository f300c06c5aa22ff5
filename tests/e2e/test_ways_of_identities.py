"""No kind of identity comes without its ways of being wrong."""

import pathlib
import re

import pytest

import test_ways_of_azure_cli
import test_ways_of_certificates
import test_ways_of_client_secrets
import test_ways_of_federated_tokens
import test_ways_of_managed_identities

KINDS = pathlib.Path(__file__).resolve().parents[2] / "daemon/conf/identity_types.c"
SUITES = {
    "azure_cli": [test_ways_of_azure_cli.WAYS],
    "client_certificate": [test_ways_of_certificates.WAYS],
    "client_secret": [test_ways_of_client_secrets.WAYS],
    "managed_identity": [test_ways_of_managed_identities.MACHINE, test_ways_of_managed_identities.SERVICE,
                         test_ways_of_managed_identities.AGENT],
    "workload_identity": [test_ways_of_federated_tokens.WAYS],
}


@pytest.mark.parametrize("kind", re.findall(r"&identity_(\w+)\.variant", KINDS.read_text()))
def test_each_kind_has_twenty(kind):
    """Told apart by what the daemon says."""
    for ways in SUITES[kind]:
        assert len({(way.cause, way.remedy) for way in ways.values()}) >= 20
