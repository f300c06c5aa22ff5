"""Azure's types of resources with two keys: what their listings and regenerations look like.

Written from Azure's own specifications and published clients, apart from the stand-in's table and
from the daemon's, so that each can be held against it.
"""

from dataclasses import dataclass, field

BOTH, ONE, NOTHING = "both keys", "the regenerated key", "nothing"


@dataclass(frozen=True)
class KeyType:
    name: str
    word: str
    versions: str              # the newest stable one, and that of the published client
    slots: tuple               # where a listing has them
    body: tuple                # member, value for either slot; empty: the path names the slot
    regenerate: tuple = ("regenerateKey",)  # one suffix, or one for each slot
    listing: str = "POST listKeys"
    carries: str = BOTH
    answer_slots: tuple = ()   # where an answer to a regeneration has them; empty: as a listing
    status: int = 200
    headers: tuple = ()        # of the answer to a long-running one
    off: dict = field(default_factory=dict)  # properties that mean that keys are off
    off_at_parent: bool = False
    names: str = ""            # of a resource; empty: made up
    whole: bool = False        # no operation regenerates: the resource is written, without the key
    inside: str = ""           # what the daemon writes behind the type, for a part of the resource

    def resource_names(self, tag):
        if self.names:
            return self.names.replace("TAG", tag)
        return "/".join(f"{tag}{'abc'[i]}" for i in range(self.name.count("/")))


LOCAL_AUTH = {"disableLocalAuth": True}
P_AND_S = ("primaryKey", "secondaryKey")
KEYS_1_2 = ("key1", "key2")
TYPE_WORDS = ("keyType", "Primary", "Secondary")
RULE = {"slots": P_AND_S, "body": ("keyType", "PrimaryKey", "SecondaryKey"),
        "regenerate": ("regenerateKeys",)}
POLICY = {**RULE, "body": ("policyKey", "PrimaryKey", "SecondaryKey")}
AT_NAMESPACE = {"off": LOCAL_AUTH, "off_at_parent": True}
GRID = {"slots": KEYS_1_2, "body": ("keyName", "key1", "key2")}
PATHS = {"slots": P_AND_S, "body": (), "regenerate": ("regeneratePrimaryKey", "regenerateSecondaryKey"),
         "listing": "POST listSecrets", "carries": NOTHING, "status": 204}
RUNTIME = {"slots": ("authKey1", "authKey2"), "body": ("keyName", "authKey1", "authKey2"),
           "regenerate": ("regenerateAuthKey",), "listing": "POST listAuthKeys", "carries": ONE,
           "off": {"type": "Managed"}}
POLICY_OF_HUB = {"body": (), "regenerate": ("write",), "listing": "POST listkeys", "carries": NOTHING,
                 "headers": ("Azure-AsyncOperation",), "whole": True}
BOTH_HEADERS = ("Azure-AsyncOperation", "Location")

TYPES = [
    KeyType("Microsoft.Batch/batchAccounts", "batch", "2025-06-01 2023-11-01", ("primary", "secondary"),
            ("keyName", "Primary", "Secondary"), ("regenerateKeys",),
            off={"allowedAuthenticationModes": ["AAD"]}, names="TAGbatch"),
    KeyType("Microsoft.Storage/storageAccounts", "storage", "2026-09-01 2026-04-01",
            ("keys[keyName=key1].value", "keys[keyName=key2].value"), ("keyName", "key1", "key2"),
            off={"allowSharedKeyAccess": False}),
    KeyType("Microsoft.CognitiveServices/accounts", "cognitive_services", "2026-07-01 2025-09-01",
            KEYS_1_2, ("keyName", "Key1", "Key2"), off=LOCAL_AUTH),
    KeyType("Microsoft.Cache/redis", "redis", "2024-11-01", P_AND_S, TYPE_WORDS,
            off={"disableAccessKeyAuthentication": True}),
    KeyType("Microsoft.Search/searchServices", "search", "2025-05-01", P_AND_S, (),
            ("regenerateAdminKey/primary", "regenerateAdminKey/secondary"),
            "POST listAdminKeys", off=LOCAL_AUTH),
    KeyType("Microsoft.ServiceBus/namespaces/AuthorizationRules", "service_bus",
            "2026-01-01 2021-11-01", **RULE, **AT_NAMESPACE),
    KeyType("Microsoft.ServiceBus/namespaces/queues/authorizationRules", "service_bus_queue",
            "2026-01-01 2021-11-01", **RULE, **AT_NAMESPACE),
    KeyType("Microsoft.ServiceBus/namespaces/topics/authorizationRules", "service_bus_topic",
            "2026-01-01 2021-11-01", **RULE, **AT_NAMESPACE),
    KeyType("Microsoft.EventHub/namespaces/authorizationRules", "event_hubs", "2026-01-01",
            **RULE, **AT_NAMESPACE),
    KeyType("Microsoft.EventHub/namespaces/eventhubs/authorizationRules", "event_hub", "2026-01-01",
            **RULE, **AT_NAMESPACE),
    KeyType("Microsoft.Relay/namespaces/authorizationRules", "relay", "2026-01-01 2017-04-01", **RULE),
    KeyType("Microsoft.Relay/namespaces/hybridConnections/authorizationRules",
            "relay_hybrid_connection", "2026-01-01 2017-04-01", **RULE),
    KeyType("Microsoft.Relay/namespaces/wcfRelays/authorizationRules", "relay_wcf",
            "2026-01-01 2017-04-01", **RULE),
    KeyType("Microsoft.NotificationHubs/namespaces/AuthorizationRules", "notification_hubs",
            "2023-09-01 2017-04-01", **POLICY),
    KeyType("Microsoft.NotificationHubs/namespaces/notificationHubs/AuthorizationRules",
            "notification_hub", "2023-09-01 2017-04-01", **POLICY),
    KeyType("Microsoft.Maps/accounts", "maps", "2023-06-01", P_AND_S,
            ("keyType", "primary", "secondary"), off=LOCAL_AUTH),
    KeyType("Microsoft.EventGrid/domains", "event_grid_domain", "2025-02-15 2022-06-15", **GRID,
            off=LOCAL_AUTH),
    KeyType("Microsoft.EventGrid/partnerNamespaces", "event_grid_partner_namespace",
            "2025-02-15 2022-06-15", **GRID, off=LOCAL_AUTH),
    KeyType("Microsoft.EventGrid/topics", "event_grid_topic", "2025-02-15 2022-06-15", **GRID,
            headers=("Location",), off=LOCAL_AUTH),
    KeyType("Microsoft.EventGrid/namespaces", "event_grid_namespace", "2025-02-15", **GRID,
            headers=("Location",)),
    KeyType("Microsoft.EventGrid/namespaces/topics", "event_grid_namespace_topic", "2025-02-15",
            **GRID, headers=("Location",)),
    KeyType("Microsoft.ContainerRegistry/registries", "container_registry", "2025-11-01",
            ("passwords[name=password].value", "passwords[name=password2].value"),
            ("name", "password", "password2"), ("regenerateCredential",), "POST listCredentials",
            off={"adminUserEnabled": None}),
    KeyType("Microsoft.FluidRelay/fluidRelayServers", "fluid_relay", "2022-06-01", **GRID),
    KeyType("Microsoft.Automation/automationAccounts", "automation", "2024-10-23 2018-01-15",
            ("keys.primary", "keys.secondary"), ("keyName", "primary", "secondary"),
            ("agentRegistrationInformation/regenerateKey",), "GET agentRegistrationInformation",
            off=LOCAL_AUTH),
    KeyType("Microsoft.AppPlatform/Spring", "spring", "2023-12-01 2022-04-01", P_AND_S, TYPE_WORDS,
            ("regenerateTestKey",), "POST listTestKeys"),
    KeyType("Microsoft.MachineLearningServices/workspaces/endpoints", "ml_endpoint",
            "2026-05-15-preview", ("keys.key1", "keys.key2"), ("keyName", "Key1", "Key2"),
            answer_slots=KEYS_1_2),
    KeyType("Microsoft.DocumentDB/databaseAccounts", "cosmos", "2026-03-15",
            ("primaryMasterKey", "secondaryMasterKey"), ("keyKind", "primary", "secondary"),
            carries=NOTHING, headers=BOTH_HEADERS, off=LOCAL_AUTH),
    KeyType("Microsoft.Cache/redisEnterprise/databases", "redis_enterprise", "2025-07-01 2022-01-01",
            P_AND_S, TYPE_WORDS, headers=BOTH_HEADERS, off={"accessKeysAuthentication": "Disabled"}),
    KeyType("Microsoft.SignalRService/signalR", "signalr", "2024-03-01 2023-02-01", P_AND_S,
            TYPE_WORDS, carries=NOTHING, headers=BOTH_HEADERS, off=LOCAL_AUTH),
    KeyType("Microsoft.SignalRService/webPubSub", "web_pubsub", "2024-03-01", P_AND_S,
            TYPE_WORDS, carries=NOTHING, headers=BOTH_HEADERS, off=LOCAL_AUTH),
    KeyType("Microsoft.AppConfiguration/configurationStores", "app_configuration",
            "2024-06-01 2023-03-01", ("value[name=Primary].value", "value[name=Secondary].value"),
            ("id", "value[name=Primary].id", "value[name=Secondary].id"), carries=ONE,
            answer_slots=("value", "value"), off=LOCAL_AUTH),
    KeyType("Microsoft.Communication/communicationServices", "communication",
            "2026-03-18 2025-09-01", P_AND_S, TYPE_WORDS, carries=ONE, off=LOCAL_AUTH),
    KeyType("Microsoft.DataFactory/factories/integrationRuntimes", "data_factory_runtime",
            "2018-06-01", **RUNTIME),
    KeyType("Microsoft.Synapse/workspaces/integrationRuntimes", "synapse_runtime", "2021-06-01",
            **RUNTIME),
    KeyType("Microsoft.DataMigration/sqlMigrationServices", "data_migration", "2025-06-30",
            **{**RUNTIME, "regenerate": ("regenerateAuthKeys",), "off": {}}),
    KeyType("Microsoft.ApiManagement/service/subscriptions", "apim_subscription", "2024-05-01",
            **PATHS, off={"state": "suspended"}),
    KeyType("Microsoft.ApiManagement/service/workspaces/subscriptions",
            "apim_workspace_subscription", "2024-05-01", **PATHS, off={"state": "expired"}),
    KeyType("Microsoft.ApiManagement/service/tenant", "apim_tenant", "2024-05-01", **PATHS,
            off={"enabled": False}, names="TAGa/access"),
    KeyType("Microsoft.ApiManagement/service/gateways", "apim_gateway", "2024-05-01",
            ("primary", "secondary"), ("keyType", "primary", "secondary"), carries=NOTHING, status=204),
    KeyType("Microsoft.MachineLearningServices/workspaces/onlineEndpoints", "ml_online_endpoint",
            "2026-05-01 2022-10-01", P_AND_S, TYPE_WORDS, ("regenerateKeys",), carries=NOTHING,
            headers=BOTH_HEADERS, off={"authMode": "AMLToken"}),
    KeyType("Microsoft.MachineLearningServices/workspaces/serverlessEndpoints",
            "ml_serverless_endpoint", "2026-05-01", P_AND_S, TYPE_WORDS, ("regenerateKeys",),
            headers=("Azure-AsyncOperation",), off={"authMode": "AAD"}),
    KeyType("Microsoft.BotService/botServices/channels", "bot_channel", "2022-09-15",
            ("properties.properties.sites[siteName=main].key",
             "properties.properties.sites[siteName=main].key2"), ("key", "key1", "key2"),
            ("regeneratekeys",), "POST listChannelWithKeys", carries=NOTHING, off=LOCAL_AUTH,
            off_at_parent=True, names="TAGbot/DirectLineChannel/main", inside="/sites"),
    KeyType("Microsoft.Quantum/workspaces", "quantum", "2026-06-15-preview",
            ("primaryKey.key", "secondaryKey.key"), ("keys", ["Primary"], ["Secondary"]),
            carries=NOTHING, status=204, off={"apiKeyEnabled": False}),
    KeyType("Microsoft.Devices/IotHubs", "iot_hub", "2023-06-30",
            ("value[keyName=service].primaryKey", "value[keyName=service].secondaryKey"), **POLICY_OF_HUB,
            **AT_NAMESPACE, names="TAGhub/service", inside="/IotHubKeys"),
    KeyType("Microsoft.Devices/provisioningServices", "device_provisioning", "2026-08-31 2022-12-12",
            ("value[keyName=owner].primaryKey", "value[keyName=owner].secondaryKey"), **POLICY_OF_HUB,
            names="TAGdps/owner", inside="/keys"),
]


def at(value, path):
    """What a path such as `keys[keyName=key1].value` leads to; None where it leads nowhere."""
    for step in path.split("."):
        name, _, condition = step.partition("[")
        value = value.get(name) if isinstance(value, dict) else None
        if condition:
            member, _, wanted = condition.rstrip("]").partition("=")
            value = next((item for item in value or [] if item.get(member) == wanted), None)
    return value
