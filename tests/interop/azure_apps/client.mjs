// client.mjs RESOURCE_MANAGER list-settings SLOT | set-settings JSON | list-secrets | set-secrets JSON

import { WebSiteManagementClient } from "@azure/arm-appservice";
import { ContainerAppsAPIClient } from "@azure/arm-appcontainers";

const [endpoint, command, argument] = process.argv.slice(2);
const SUBSCRIPTION = "00000000-0000-0000-0000-000000000001";
const credential = {
  async getToken() {
    return { token: "of-the-client", expiresOnTimestamp: Date.now() + 3600_000 };
  },
};
const sites = new WebSiteManagementClient(credential, SUBSCRIPTION, { endpoint });
const containers = new ContainerAppsAPIClient(credential, SUBSCRIPTION, { endpoint });

const commands = {
  async "list-settings"() {
    const { properties } = argument
      ? await sites.webApps.listApplicationSettingsSlot("rg", "shop", argument)
      : await sites.webApps.listApplicationSettings("rg", "shop");
    return properties;
  },
  async "set-settings"() {
    const { properties } = await sites.webApps.updateApplicationSettings("rg", "shop", {
      properties: JSON.parse(argument),
    });
    return properties;
  },
  async "list-secrets"() {
    return (await containers.containerApps.listSecrets("rg", "worker")).value;
  },
  async "set-secrets"() {
    await containers.containerApps.beginUpdateAndWait("rg", "worker", {
      location: "westeurope",
      configuration: { secrets: JSON.parse(argument) },
    });
    return null;
  },
};
console.log(JSON.stringify(await commands[command]()));
