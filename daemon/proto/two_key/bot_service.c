#include "proto/two_key/shapes.h"

/*
 * Channels of Azure Bot Service (Microsoft.BotService/botServices/channels): Direct Line and Web
 * Chat have sites, and each site has two secrets. A site is no resource of its own, but its account
 * is given as if it were one: …/channels/DirectLineChannel/sites/SITE. Whether keys are on stands
 * in the description of the bot, and in the list. The answer to a regenerate is the channel,
 * without secrets.
 */

/* The list says it, too, where the bot may not be read. */
static const struct two_key_switch list_switches[] = {
    {.path = "setting.disableLocalAuth",
     .off = OFF_IF_TRUE,
     .reason = REASON_SHARED_KEY_DISABLED,
     .words = "the channel's disableLocalAuth is true: listChannelWithKeys says so"},
    {.path = NULL},
};

/* A token for a conversation, which nobody begins ("Authentication in Direct Line API 3.0"). All
 * bots of a cloud have the same host. */
static const struct two_key_probe_form probe = {
    .build = probe_build_plain,
    .read = probe_read,
    .id_header = "x-ms-request-id",
    .words = "a request for a token of Direct Line",
    .service = "Direct Line",
    .shared_host = SHARED_HOST_DIRECT_LINE,
    .method = "POST",
    .path = "/v3/directline/tokens/generate",
    .before = "Bearer ",
    .accepted = {200},
    .refused = {401, 403},
};

#define REGENERATE(which)                                                                          \
    {                                                                                              \
        .name = "regeneratekeys", .member = "key", .word = (which), .owner = "siteName"            \
    }

const struct two_key_resource two_key_bot_channel_site = {
    .type = "Microsoft.BotService/botServices/channels/sites",
    .short_name = "bot_channel",
    .noun = "a site of a bot's channel",
    .api_version = "2022-09-15",
    .name = {1, 64, "-_ ", "1 to 64 letters, digits, '-', '_' and blanks"},
    .parent_describes = true,
    .above = "DirectLineChannel WebChatChannel",
    .is_inside = true,
    .list = {.name = "listChannelWithKeys"},
    .regenerate = {[SLOT_PRIMARY] = REGENERATE("key1"), [SLOT_SECONDARY] = REGENERATE("key2")},
    .regenerate_answers = ANSWERS_NOTHING,
    TWO_KEY_AT("properties.properties.sites[siteName={3}].key",
               "properties.properties.sites[siteName={3}].key2"),
    .key_shape = &key_shape_secret,
    TWO_KEY_LOCAL_AUTH("the bot's"),
    .list_switches = list_switches,
    .probe = &probe,
    TWO_KEY_ACTIONS_BELOW("Microsoft.BotService/botServices",
                          "Microsoft.BotService/botServices/channels", "listchannelwithkeys",
                          "regeneratekeys"),
    .grants = "start conversations with the bot, and read those that it starts",
    .role = "Bot Channel Key Rotator",
    .env_name = "DIRECT_LINE_SITE",
    .env_key = "DIRECT_LINE_SECRET",
};
