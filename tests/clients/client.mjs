// client.mjs CREDENTIAL JOB…    runs the jobs one after the other, and prints what each of them said, as JSON
//
// CREDENTIAL: {"kind": "secret" | "certificate" | "workload" | "managed", …, "manager": of another cloud's
// Resource Manager}; a job: ["listKeys", NAME] …

import { createHash } from "node:crypto";
import { BatchManagementClient } from "@azure/arm-batch";
import { ResourceGraphClient } from "@azure/arm-resourcegraph";
import {
  ClientCertificateCredential,
  ClientSecretCredential,
  ManagedIdentityCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";

const [identity, ...jobs] = process.argv.slice(2).map((text) => JSON.parse(text));
const { tenant, client, subscription, group, manager } = identity;
const options = manager ? { endpoint: manager, credentialScopes: `${manager}/.default` } : {};

const credentials = {
  secret: () => new ClientSecretCredential(tenant, client, identity.secret),
  certificate: () =>
    new ClientCertificateCredential(
      tenant,
      client,
      { certificatePath: identity.file },
      { sendCertificateChain: identity.chain },
    ),
  // Both find what they need in the environment.
  workload: () => new WorkloadIdentityCredential(),
  managed: () => new ManagedIdentityCredential(identity.selector),
};
const credential = credentials[identity.kind]();
const accounts = new BatchManagementClient(credential, subscription, options).batchAccountOperations;

async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

const commands = {
  // Its fingerprint will do: a token is nobody's to print.
  async token(scope) {
    const { token, expiresOnTimestamp } = await credential.getToken(scope);
    return { sha256: createHash("sha256").update(token).digest("hex"), expires: expiresOnTimestamp };
  },
  get: (name) => accounts.get(group, name),
  list: () => all(accounts.list()),
  listOfGroup: () => all(accounts.listByResourceGroup(group)),
  listKeys: (name) => accounts.getKeys(group, name),
  regenerateKeys: (name, keyName) => accounts.regenerateKey(group, name, { keyName }),
  // All pages of it.
  async graph(subscriptions, query, top) {
    const graph = new ResourceGraphClient(credential);
    const pages = [];
    for (let skipToken; pages.length === 0 || skipToken; skipToken = pages.at(-1).skipToken) {
      const options = { resultFormat: "objectArray", top, skipToken };
      pages.push(await graph.resources({ subscriptions, query, options }));
    }
    return pages;
  },
  async setSecret(vault, name, value, { expiresOn, ...options }) {
    if (expiresOn) options.expiresOn = new Date(expiresOn);
    const { properties } = await new SecretClient(vault, credential).setSecret(name, value, options);
    return properties;
  },
  listVersions: (vault, name) => all(new SecretClient(vault, credential).listPropertiesOfSecretVersions(name)),
  async deleteSecret(vault, name) {
    return (await new SecretClient(vault, credential).beginDeleteSecret(name)).getOperationState();
  },
  getSecret: (vault, name) => new SecretClient(vault, credential).getSecret(name),
};

for (const [command, ...values] of jobs) {
  let said;
  try {
    said = { answer: await commands[command](...values) };
  } catch (error) {
    said = { error: error.name, code: error.code, status: error.statusCode, message: error.message };
  }
  console.log(JSON.stringify(said));
}
