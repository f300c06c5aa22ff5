"""client.py CREDENTIAL JOB…    as client.mjs does it, with Microsoft's clients for Python"""

import hashlib
import json
import sys

from azure.core.exceptions import HttpResponseError
from azure.identity import (CertificateCredential, ClientAssertionCredential, ClientSecretCredential,
                            ManagedIdentityCredential)
from azure.keyvault.secrets import SecretClient
from azure.mgmt.batch import BatchManagementClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

identity, *jobs = map(json.loads, sys.argv[1:])
tenant, client, group = identity["tenant"], identity["client"], identity["group"]


def federated():
    with open(identity["file"], encoding="utf-8") as file:
        return file.read()


credential = {
    "secret": lambda: ClientSecretCredential(tenant, client, identity["secret"]),
    "certificate": lambda: CertificateCredential(tenant, client, identity["file"],
                                                 send_certificate_chain=identity.get("chain", False)),
    "workload": lambda: ClientAssertionCredential(tenant, client, federated),
    "managed": lambda: ManagedIdentityCredential(**identity.get("selector", {})),
}[identity["kind"]]()
accounts = BatchManagementClient(credential, identity["subscription"]).batch_account


def token(scope):
    got = credential.get_token(scope)
    return {"sha256": hashlib.sha256(got.token.encode()).hexdigest(), "expires": got.expires_on * 1000}


def graph(subscriptions, query, top):
    """All pages of it."""
    resource_graph, pages, skip_token = ResourceGraphClient(credential), [], None
    while not pages or skip_token:
        options = QueryRequestOptions(result_format="objectArray", top=top, skip_token=skip_token)
        page = resource_graph.resources(QueryRequest(subscriptions=subscriptions, query=query, options=options))
        pages.append(page.as_dict())
        skip_token = page.skip_token
    return pages


def secret_of(bundle):
    return {"value": bundle.value, "name": bundle.name,
            "properties": {"tags": bundle.properties.tags, "contentType": bundle.properties.content_type}}


commands = {
    "getSecret": lambda vault, name: secret_of(SecretClient(vault, credential).get_secret(name)),
    "setSecret": lambda vault, name, value, more: secret_of(SecretClient(vault, credential).set_secret(
        name, value, tags=more["tags"], content_type=more["contentType"])),
    "graph": graph,
    "token": token,
    "get": lambda name: accounts.get(group, name).as_dict(),
    "list": lambda: [one.as_dict() for one in accounts.list()],
    "listOfGroup": lambda: [one.as_dict() for one in accounts.list_by_resource_group(group)],
    "listKeys": lambda name: accounts.get_keys(group, name).as_dict(),
    "regenerateKeys": lambda name, slot: accounts.regenerate_key(group, name, {"key_name": slot}).as_dict(),
}

for command, *values in jobs:
    try:
        said = {"answer": commands[command](*values)}
    except HttpResponseError as error:
        said = {"error": type(error).__name__, "code": error.error and error.error.code,
                "status": error.status_code, "message": error.message}
    except Exception as error:  # pylint: disable=broad-except
        said = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps(said))
