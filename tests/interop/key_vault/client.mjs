// client.mjs VAULT LOGIN get NAME | set NAME VALUE TAGS | versions NAME | delete NAME

import dns from "node:dns";
import { SecretClient } from "@azure/keyvault-secrets";

// Node does not resolve names below localhost by itself.
const lookup = dns.lookup;
dns.lookup = (host, options, done) =>
  lookup(host.endsWith(".localhost") ? "127.0.0.1" : host, options, done);

const [vault, login, command, name, ...rest] = process.argv.slice(2);
const TENANT = "11111111-1111-1111-1111-111111111111";

const credential = {
  async getToken(scopes) {
    const reply = await fetch(`${login}/${TENANT}/oauth2/v2.0/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: "22222222-2222-2222-2222-222222222222",
        client_secret: "sim-client-secret",
        scope: [scopes].flat()[0],
      }),
    });
    const answer = await reply.json();
    return { token: answer.access_token, expiresOnTimestamp: Date.now() + answer.expires_in * 1000 };
  },
};

const client = new SecretClient(vault, credential);
const commands = {
  async get() {
    const { value, properties } = await client.getSecret(name);
    const { tags, contentType, expiresOn } = properties;
    return { value, tags, contentType, expiresOn: expiresOn?.getTime() };
  },
  async set() {
    const { properties } = await client.setSecret(name, rest[0], { tags: JSON.parse(rest[1]) });
    return properties.version;
  },
  async versions() {
    let count = 0;
    for await (const _ of client.listPropertiesOfSecretVersions(name)) count++;
    return count;
  },
  async delete() {
    const poller = await client.beginDeleteSecret(name);
    return poller.getResult()?.name;
  },
};
console.log(JSON.stringify(await commands[command]()));
