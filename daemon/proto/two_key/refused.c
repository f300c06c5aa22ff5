#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "proto/two_key/two_key.h"

/*
 * What a rotation needs is missing in these: two keys that are regenerated one at a time, and a
 * list that shows both of them at any time. Sources are the specifications and published clients of
 * the resource providers.
 */

#define BOTH_AT_ONCE                                                                               \
    " renews both keys at once, so that none would go on working while the other is delivered"
#define ONE_ONLY        " has one secret, so that none would go on working while it is renewed"
#define UNREADABLE      " never shows its keys, so that nobody could see which one is live"
#define SHOWN_ONCE      " shows a new password once, so that a lost answer would lose it"
#define NOT_REGENERATED " creates and deletes keys, and regenerates none"
#define RETIRED         " has been retired by Azure"
#define NONE            " has no shared keys at the resource manager"
#define UNKNOWN         ": Azure does not document how its keys are regenerated"

static const struct two_key_refused refused[] = {
    {"Microsoft.OperationalInsights/workspaces", "Log Analytics" BOTH_AT_ONCE},
    {"Microsoft.ContainerService/aiManagers/namespaces", "an AI manager" BOTH_AT_ONCE},
    {"Microsoft.Logic/workflows", "a workflow of Logic Apps" UNREADABLE},
    {"Microsoft.Logic/integrationAccounts", "an integration account of Logic Apps" UNREADABLE},
    {"Microsoft.ContainerRegistry/registries/tokens",
     "a token of a container registry" SHOWN_ONCE
     "; the passwords of its admin user are those of type container_registry"},
    {"Microsoft.Storage/storageAccounts/localUsers", "a local user of Storage" SHOWN_ONCE},
    {"Microsoft.Web/staticSites", "a static web app" ONE_ONLY},
    {"Microsoft.Web/sites",
     "an app has any number of keys under names of its own, which are written and not regenerated"},
    {"Microsoft.HealthBot/healthBots", "a health bot" ONE_ONLY},
    {"Microsoft.Search/searchServices/queryKeys",
     "AI Search" NOT_REGENERATED
     " that may only query; its two admin keys are those of type search"},
    {"Microsoft.Insights/components", "Application Insights" NOT_REGENERATED},
    {"Microsoft.Purview/accounts", "Purview lists keys of Event Hubs, and regenerates none"},
    {"Microsoft.MachineLearningServices/workspaces",
     "a Machine Learning workspace lists the keys of other resources, which are rotated there; its "
     "endpoints have keys of their own"},
    {"Microsoft.MachineLearningServices/workspaces/batchEndpoints",
     "a batch endpoint lists keys, and regenerates none"},
    {"Microsoft.EventHub/namespaces/disasterRecoveryConfigs/authorizationRules",
     "a rule of an alias is a view of the namespace's rule, which is the one to rotate (type "
     "event_hubs)"},
    {"Microsoft.ServiceBus/namespaces/disasterRecoveryConfigs/authorizationRules",
     "a rule of an alias is a view of the namespace's rule, which is the one to rotate (type "
     "service_bus)"},
    {"Microsoft.HDInsight/clusters", "the gateway of an HDInsight cluster" ONE_ONLY},
    {"Microsoft.Sql/servers/syncAgents", "a sync agent of SQL" ONE_ONLY},
    {"Microsoft.App/sessionPools", "a session pool" ONE_ONLY},
    {"Microsoft.DesktopVirtualization/hostPools",
     "a host pool has tokens that expire by themselves, and no keys"},
    {"Microsoft.Network/connections",
     "a VPN connection has one shared key, which both ends have to change together"},
    {"Microsoft.Network/vpnGateways/vpnConnections/vpnLinkConnections/sharedKeys",
     "a VPN connection has one shared key, which both ends have to change together"},
    {"Microsoft.Datadog/monitors", "Datadog's keys are not Azure's to regenerate"},
    {"Microsoft.Bing/accounts", "Bing" UNKNOWN},
    {"Microsoft.InferenceService/inferenceAccounts", "the Inference service" UNKNOWN},
    {"Microsoft.MixedReality/remoteRenderingAccounts", "Remote Rendering" RETIRED},
    {"Microsoft.MixedReality/spatialAnchorsAccounts", "Spatial Anchors" RETIRED},
    {"Microsoft.MixedReality/objectAnchorsAccounts", "Object Anchors" RETIRED},
    {"Microsoft.PowerBI/workspaceCollections", "Power BI Workspace Collections" RETIRED},
    {"Microsoft.CustomerInsights/hubs/authorizationPolicies", "Customer Insights" RETIRED},
    {"Microsoft.EngagementFabric/Accounts", "Engagement Fabric" RETIRED},
    {"Microsoft.DocumentDB/databaseAccounts/notebookWorkspaces",
     "the notebook service of Cosmos DB" RETIRED},
    {"Microsoft.Media/mediaservices", "Media Services" RETIRED},
    {"Microsoft.ClassicStorage/storageAccounts", "classic Storage" RETIRED},
    {"Microsoft.DigitalTwins/digitalTwinsInstances", "Digital Twins" NONE},
    {"Microsoft.LoadTestService/loadTests", "Load Testing" NONE},
    {"Microsoft.VideoIndexer/accounts", "Video Indexer" NONE},
    {"Microsoft.DataShare/accounts", "Data Share" NONE},
    {"Microsoft.IoTCentral/iotApps", "IoT Central" NONE},
    {"Microsoft.DocumentDB/cassandraClusters", "managed Cassandra" NONE},
    {"Microsoft.Kusto/clusters", "Data Explorer" NONE},
    {"Microsoft.StreamAnalytics/streamingjobs", "Stream Analytics" NONE},
};

const struct two_key_refused *two_key_refused_at(size_t index)
{
    return index < sizeof(refused) / sizeof(refused[0]) ? &refused[index] : NULL;
}

const struct two_key_refused *two_key_refused_named(const char *type)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (str_equal_nocase(refused[i].type, type))
            return &refused[i];
    return NULL;
}

const char *two_key_type_in_id(const char *resource_id, char *out, size_t size)
{
    static const char providers[] = "/providers/";
    const char *at = strcasestr(resource_id, providers);
    size_t length = 0;

    out[0] = '\0';
    at = at ? at + sizeof(providers) - 2 : "";
    for (size_t index = 0; *at == '/' && length < size; index++) {
        const size_t segment = strcspn(at + 1, "/");

        /* The provider is the first, then come a type and a name by turns. */
        if (index == 0 || index % 2 == 1)
            length += (size_t)snprintf(out + length, size - length, "%s%.*s", length > 0 ? "/" : "",
                                       (int)segment, at + 1);
        at += 1 + segment;
    }
    return out;
}

/* Below the type of the row, at any depth. */
static bool stands_below(const char *row, const char *type)
{
    const size_t length = strlen(type);

    return length > 0 && strncasecmp(row, type, length) == 0 && row[length] == '/';
}

const struct two_key_resource *two_key_resource_below(const char *type)
{
    const struct two_key_resource *row;

    for (size_t i = 0; strchr(type, '/') && (row = two_key_resource_at(i)); i++)
        if (stands_below(row->type, type))
            return row;
    return NULL;
}
