// two_keys.mjs CREDENTIAL JOB…    lists and regenerates the two keys of resources with the client of each type, and
// prints what each job said, as JSON: {"keys": [primary, secondary]}, null for a key that the answer lacks, or
// {"error", "code", "status", "message"}
//
// CREDENTIAL: as client.mjs has it, of kind "secret"; a job: ["get", TYPE, [NAME…]], ["list", TYPE, [NAME…]] or
// ["regenerate", TYPE, [NAME…], SLOT], where SLOT is 0 for the primary key and 1 for the secondary one

import { ClientSecretCredential } from "@azure/identity";

const [{ tenant, client, secret, subscription, group }, ...jobs] = process.argv
  .slice(2)
  .map((text) => JSON.parse(text));
const credential = new ClientSecretCredential(tenant, client, secret);
// Of long-running regenerations: how long until their state is asked for again.
const waiting = { updateIntervalInMs: 50 };

const primaryAndSecondary = (answer) => [answer?.primaryKey, answer?.secondaryKey];
const key1AndKey2 = (answer) => [answer?.key1, answer?.key2];
const named = (list, member, value, ...names) =>
  names.map((name) => (list ?? []).find((one) => one[member] === name)?.[value]);

// `body` makes what the client wants to know of the slot.
const byKeyType = (primary, secondary) => (slot) => ({ keyType: [primary, secondary][slot] });
const byKeyName = (primary, secondary) => (slot) => ({ keyName: [primary, secondary][slot] });

// A shared access rule of a namespace, or of what is in it.
function rule(package_, client_, operations, body = byKeyType("PrimaryKey", "SecondaryKey")) {
  return {
    client: [package_, client_],
    get: (clients, [namespace]) => clients.namespaces.get(group, namespace),
    list: (clients, names) => clients[operations].listKeys(group, ...names),
    regenerate: (clients, names, slot) => clients[operations].regenerateKeys(group, ...names, body(slot)),
    keys: primaryAndSecondary,
  };
}

const grid = (operations, regenerate = "regenerateKey") => ({
  client: ["eventgrid", "EventGridManagementClient"],
  get: (clients, names) => clients[operations].get(group, ...names),
  list: (clients, names) => clients[operations].listSharedAccessKeys(group, ...names),
  regenerate: (clients, names, slot) =>
    clients[operations][regenerate](group, ...names, byKeyName("key1", "key2")(slot), waiting),
  keys: key1AndKey2,
});

// What has a path for each slot and answers nothing.
const secretsOf = (operations) => ({
  client: ["apimanagement", "ApiManagementClient"],
  get: (clients, names) => clients[operations].get(group, ...names),
  list: (clients, names) => clients[operations].listSecrets(group, ...names),
  regenerate: (clients, names, slot) =>
    clients[operations][["regeneratePrimaryKey", "regenerateSecondaryKey"][slot]](group, ...names),
  keys: primaryAndSecondary,
});

// What most resources have, with a body that the client takes whole.
const plain = (package_, client_, operations, body, keys, more = {}) => ({
  client: [package_, client_],
  get: (clients, names) => clients[operations].get(group, ...names),
  list: (clients, names) => clients[operations].listKeys(group, ...names),
  regenerate: (clients, names, slot) => clients[operations].regenerateKey(group, ...names, body(slot)),
  keys,
  ...more,
});

const types = {
  batch: plain("batch", "BatchManagementClient", "batchAccountOperations", byKeyName("Primary", "Secondary"),
    (answer) => [answer?.primary, answer?.secondary], {
      list: (clients, names) => clients.batchAccountOperations.getKeys(group, ...names),
    }),
  storage: plain("storage", "StorageManagementClient", "storageAccounts", byKeyName("key1", "key2"),
    (answer) => named(answer?.keys, "keyName", "value", "key1", "key2"), {
      get: (clients, names) => clients.storageAccounts.getProperties(group, ...names),
    }),
  // The keys of its identity in Active Directory.
  storage_kerb: plain("storage", "StorageManagementClient", "storageAccounts", byKeyName("kerb1", "kerb2"),
    (answer) => named(answer?.keys, "keyName", "value", "kerb1", "kerb2"), {
      get: (clients, names) => clients.storageAccounts.getProperties(group, ...names),
      list: (clients, names) => clients.storageAccounts.listKeys(group, ...names, { expand: "kerb" }),
    }),
  cognitive_services: plain("cognitiveservices", "CognitiveServicesManagementClient", "accounts",
    (slot) => ["Key1", "Key2"][slot], key1AndKey2),
  redis: plain("rediscache", "RedisManagementClient", "redis", byKeyType("Primary", "Secondary"),
    primaryAndSecondary),
  search: {
    client: ["search", "SearchManagementClient"],
    get: (clients, names) => clients.services.get(group, ...names),
    list: (clients, names) => clients.adminKeys.get(group, ...names),
    regenerate: (clients, names, slot) =>
      clients.adminKeys.regenerate(group, ...names, ["primary", "secondary"][slot]),
    keys: primaryAndSecondary,
  },
  maps: plain("maps", "AzureMapsManagementClient", "accounts", byKeyType("primary", "secondary"),
    primaryAndSecondary, {
      regenerate: (clients, names, slot) =>
        clients.accounts.regenerateKeys(group, ...names, byKeyType("primary", "secondary")(slot)),
    }),
  event_grid_domain: grid("domains"),
  event_grid_partner_namespace: grid("partnerNamespaces"),
  event_grid_topic: grid("topics", "beginRegenerateKeyAndWait"),
  container_registry: plain("containerregistry", "ContainerRegistryManagementClient", "registries", undefined,
    (answer) => named(answer?.passwords, "name", "value", "password", "password2"), {
      list: (clients, names) => clients.registries.listCredentials(group, ...names),
      regenerate: (clients, names, slot) =>
        clients.registries.regenerateCredential(group, ...names, { name: ["password", "password2"][slot] }),
    }),
  service_bus: rule("servicebus", "ServiceBusManagementClient", "namespaces"),
  service_bus_queue: rule("servicebus", "ServiceBusManagementClient", "queues"),
  service_bus_topic: rule("servicebus", "ServiceBusManagementClient", "topics"),
  event_hubs: rule("eventhub", "EventHubManagementClient", "namespaces"),
  event_hub: rule("eventhub", "EventHubManagementClient", "eventHubs"),
  relay: rule("relay", "RelayAPI", "namespaces"),
  relay_hybrid_connection: rule("relay", "RelayAPI", "hybridConnections"),
  relay_wcf: rule("relay", "RelayAPI", "wCFRelays"),
  notification_hubs: rule("notificationhubs", "NotificationHubsManagementClient", "namespaces",
    (slot) => ({ policyKey: ["PrimaryKey", "SecondaryKey"][slot] })),
  notification_hub: rule("notificationhubs", "NotificationHubsManagementClient", "notificationHubs",
    (slot) => ({ policyKey: ["PrimaryKey", "SecondaryKey"][slot] })),
  cosmos: plain("cosmosdb", "CosmosDBManagementClient", "databaseAccounts",
    (slot) => ({ keyKind: ["primary", "secondary"][slot] }),
    (answer) => [answer?.primaryMasterKey, answer?.secondaryMasterKey], {
      regenerate: (clients, names, slot) =>
        clients.databaseAccounts.regenerateKey(group, ...names, { keyKind: ["primary", "secondary"][slot] }, waiting),
    }),
  signalr: plain("signalr", "SignalRManagementClient", "signalR", undefined, primaryAndSecondary, {
    regenerate: (clients, names, slot) =>
      clients.signalR.beginRegenerateKeyAndWait(group, ...names, byKeyType("Primary", "Secondary")(slot), waiting),
  }),
  app_configuration: {
    client: ["appconfiguration", "AppConfigurationManagementClient"],
    get: (clients, names) => clients.configurationStores.get(group, ...names),
    async list(clients, names) {
      const keys = [];
      for await (const key of clients.configurationStores.listKeys(group, ...names)) keys.push(key);
      return keys;
    },
    async regenerate(clients, names, slot) {
      const [id] = named(await this.list(clients, names), "name", "id", ["Primary", "Secondary"][slot]);
      return [await clients.configurationStores.regenerateKey(group, ...names, { id })];
    },
    keys: (answer) => named(answer, "name", "value", "Primary", "Secondary"),
  },
  communication: plain("communication", "CommunicationServiceManagementClient", "communicationServices",
    byKeyType("Primary", "Secondary"), primaryAndSecondary),
  apim_subscription: secretsOf("subscription"),
  apim_workspace_subscription: secretsOf("workspaceSubscription"),
  apim_tenant: secretsOf("tenantAccess"),
  apim_gateway: {
    client: ["apimanagement", "ApiManagementClient"],
    get: (clients, names) => clients.gateway.get(group, ...names),
    list: (clients, names) => clients.gateway.listKeys(group, ...names),
    regenerate: (clients, names, slot) =>
      clients.gateway.regenerateKey(group, ...names, byKeyType("primary", "secondary")(slot)),
    keys: (answer) => [answer?.primary, answer?.secondary],
  },
};

// Integration runtimes.
const runtimeSlot = byKeyName("authKey1", "authKey2");
const authKeys = (answer) => [answer?.authKey1, answer?.authKey2];
Object.assign(types, {
  data_factory_runtime: {
    client: ["datafactory", "DataFactoryManagementClient"],
    get: (clients, names) => clients.integrationRuntimes.get(group, ...names),
    list: (clients, names) => clients.integrationRuntimes.listAuthKeys(group, ...names),
    regenerate: (clients, names, slot) =>
      clients.integrationRuntimes.regenerateAuthKey(group, ...names, runtimeSlot(slot)),
    keys: authKeys,
  },
  synapse_runtime: {
    client: ["synapse", "SynapseManagementClient"],
    get: (clients, names) => clients.integrationRuntimes.get(group, ...names),
    list: (clients, names) => clients.integrationRuntimeAuthKeysOperations.list(group, ...names),
    regenerate: (clients, names, slot) =>
      clients.integrationRuntimeAuthKeysOperations.regenerate(group, ...names, runtimeSlot(slot)),
    keys: authKeys,
  },
  spring: {
    client: ["appplatform", "AppPlatformManagementClient"],
    get: (clients, names) => clients.services.get(group, ...names),
    list: (clients, names) => clients.services.listTestKeys(group, ...names),
    regenerate: (clients, names, slot) =>
      clients.services.regenerateTestKey(group, ...names, byKeyType("Primary", "Secondary")(slot)),
    keys: primaryAndSecondary,
  },
  web_pubsub: plain("webpubsub", "WebPubSubManagementClient", "webPubSub", undefined, primaryAndSecondary, {
    regenerate: (clients, names, slot) =>
      clients.webPubSub.beginRegenerateKeyAndWait(group, ...names, byKeyType("Primary", "Secondary")(slot), waiting),
  }),
  redis_enterprise: plain("redisenterprisecache", "RedisEnterpriseManagementClient", "databases", undefined,
    primaryAndSecondary, {
      regenerate: (clients, names, slot) =>
        clients.databases.beginRegenerateKeyAndWait(group, ...names, byKeyType("Primary", "Secondary")(slot), waiting),
    }),
  ml_online_endpoint: plain("machinelearning", "AzureMachineLearningWorkspaces", "onlineEndpoints", undefined,
    primaryAndSecondary, {
      regenerate: (clients, names, slot) =>
        clients.onlineEndpoints.beginRegenerateKeysAndWait(
          group, ...names, byKeyType("Primary", "Secondary")(slot), waiting),
    }),
  // A site of a channel; its name is in the body, not in the path.
  bot_channel: {
    client: ["botservice", "AzureBotService"],
    get: (clients, [bot]) => clients.bots.get(group, bot),
    list: (clients, [bot, channel]) => clients.channels.listWithKeys(group, bot, channel),
    regenerate: (clients, [bot, channel, siteName], slot) =>
      clients.directLine.regenerateKeys(group, bot, channel, { siteName, key: ["key1", "key2"][slot] }),
    keys(answer, [, , siteName]) {
      const site = answer.properties.properties.sites.find((one) => one.siteName === siteName);
      return [site.key || null, site.key2 || null];
    },
  },
});

// What is written as a whole: all that is there, with all keys but the one that Azure is to make.
const whole = (package_, client_, operations, get, list, put) => ({
  client: [package_, client_],
  get: (clients, [name]) => get(clients[operations], name),
  async list(clients, [name]) {
    const policies = [];
    for await (const policy of list(clients[operations], name)) policies.push(policy);
    return policies;
  },
  async regenerate(clients, names, slot) {
    const hub = await this.get(clients, names);
    hub.properties.authorizationPolicies = await this.list(clients, names);
    const mine = hub.properties.authorizationPolicies.find((policy) => policy.keyName === names[1]);
    delete mine[["primaryKey", "secondaryKey"][slot]];
    await put(clients[operations], names[0], hub);
    return [];
  },
  keys: (answer, [, policy]) => primaryAndSecondary(answer.find((one) => one.keyName === policy)),
});

Object.assign(types, {
  iot_hub: whole("iothub", "IotHubClient", "iotHubResource",
    (hubs, name) => hubs.get(group, name), (hubs, name) => hubs.listKeys(group, name),
    (hubs, name, hub) => hubs.beginCreateOrUpdateAndWait(group, name, hub, { ifMatch: hub.etag, ...waiting })),
  device_provisioning: whole("deviceprovisioningservices", "IotDpsClient", "iotDpsResource",
    (services, name) => services.get(name, group), (services, name) => services.listKeys(name, group),
    (services, name, service) => services.beginCreateOrUpdateAndWait(group, name, service, waiting)),
});

const made = new Map();

async function clientsOf([package_, name]) {
  if (!made.has(package_)) {
    const module = await import(`@azure/arm-${package_}`);
    made.set(package_, new module[name](credential, subscription));
  }
  return made.get(package_);
}

async function say([what, word, names, slot]) {
  const type = types[word];
  const clients = await clientsOf(type.client);
  const answer = await type[what](clients, names, slot);
  return what === "get" ? { id: answer.id } : { keys: type.keys(answer, names).map((key) => key ?? null) };
}

for (const job of jobs) {
  let said;
  try {
    said = await say(job);
  } catch (error) {
    said = { error: error.name, code: error.code, status: error.statusCode, message: error.message };
  }
  console.log(JSON.stringify(said));
}
