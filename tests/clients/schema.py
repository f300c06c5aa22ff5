"""Prints what Microsoft's libraries for Python take for an answer of Resource Manager, Resource Graph and Key
Vault, in the form that answers.py reads."""

import json

from azure.keyvault.secrets._generated.v7_3 import models as vault
from azure.mgmt.batch import models as batch
from azure.mgmt.resourcegraph import models as graph

SIMPLE = {"str": "string", "int": "number", "long": "number", "float": "number", "bool": "boolean", "iso-8601": "date",
          "unix-time": "number", "object": "any"}
WANTED = {batch: ["BatchAccount", "BatchAccountListResult", "BatchAccountKeys", "CloudErrorBody"],
          vault: ["SecretBundle", "SecretListResult", "DeletedSecretBundle", "KeyVaultError"],
          graph: ["QueryResponse", "ErrorResponse"]}
classes = {}


def key_of(module, name):
    """The libraries share some names, such as Error."""
    return name if name in WANTED[module] else f"{module.__name__}.{name}"


def type_of(module, name):
    if name[0] in "[{":
        return {{"[": "list", "{": "map"}[name[0]]: type_of(module, name[1:-1])}
    if name in SIMPLE:
        return SIMPLE[name]
    add(module, name)
    return {"class": key_of(module, name)}


def add(module, name):
    key = key_of(module, name)
    if key in classes:
        return
    model = getattr(module, name)
    members = classes[key] = []
    for attribute, at in model._attribute_map.items():  # pylint: disable=protected-access
        required = getattr(model, "_validation", {}).get(attribute, {}).get("required", False)
        members.append({"path": at["key"].split("."), "required": required, "type": type_of(module, at["type"])})


for one, names in WANTED.items():
    for wanted in names:
        add(one, wanted)
# The library reads errors without a class for their outer object.
classes["CloudError"] = [{"path": ["error"], "required": True, "type": {"class": "CloudErrorBody"}}]
print(json.dumps(classes))
