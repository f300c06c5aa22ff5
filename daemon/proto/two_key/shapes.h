/*
 * What the rows of several types have in common, as parts of an initializer of struct
 * two_key_resource. A row names the parts that it consists of, and adds what is its own.
 */
#ifndef KEYROTATED_PROTO_TWO_KEY_SHAPES_H
#define KEYROTATED_PROTO_TWO_KEY_SHAPES_H

#include "proto/two_key/two_key.h"

/* A POST of `operation`; `member` of its body says which key, by one of these two words. */
#define TWO_KEY_REGENERATE(operation, of_body, primary, secondary)                                 \
    .regenerate = {                                                                                \
        [SLOT_PRIMARY] = {.name = (operation), .member = (of_body), .word = (primary)},            \
        [SLOT_SECONDARY] = {.name = (operation), .member = (of_body), .word = (secondary)}}

/* The same, where `of_body` holds a list. */
#define TWO_KEY_REGENERATE_IN_LIST(operation, of_body, primary, secondary)                         \
    .regenerate = {                                                                                \
        [SLOT_PRIMARY] = {.name = (operation),                                                     \
                          .member = (of_body),                                                     \
                          .word = (primary),                                                       \
                          .in_list = true},                                                        \
        [SLOT_SECONDARY] = {                                                                       \
            .name = (operation), .member = (of_body), .word = (secondary), .in_list = true}}

/* The path says which key, and there is no body. */
#define TWO_KEY_REGENERATE_BY_PATH(primary, secondary)                                             \
    .regenerate = {[SLOT_PRIMARY] = {.name = (primary)}, [SLOT_SECONDARY] = {.name = (secondary)}}

/* Where the answers hold either key. */
#define TWO_KEY_AT(primary, secondary)                                                             \
    .key_paths = {[SLOT_PRIMARY] = (primary), [SLOT_SECONDARY] = (secondary)}

/* Where the list tells when either key was made; or the description does. */
#define TWO_KEY_MADE_AT(primary, secondary)                                                        \
    .made_paths = {[SLOT_PRIMARY] = (primary), [SLOT_SECONDARY] = (secondary)}
#define TWO_KEY_DESCRIBED_AS_MADE_AT(primary, secondary)                                           \
    TWO_KEY_MADE_AT(primary, secondary), .made_told_by = TOLD_BY_DESCRIPTION

/* POST listKeys, which answers, as a regenerate does, with key1 and key2. */
#define TWO_KEY_NUMBERED(primary, secondary)                                                       \
    .list = {.name = "listKeys"},                                                                  \
    TWO_KEY_REGENERATE("regenerateKey", "keyName", primary, secondary),                            \
    TWO_KEY_AT("key1", "key2"), .regenerate_answers = ANSWERS_BOTH

/* POST listKeys, which answers, as a regenerate does, with primaryKey and secondaryKey. */
#define TWO_KEY_RANKED(primary, secondary)                                                         \
    .list = {.name = "listKeys"},                                                                  \
    TWO_KEY_REGENERATE("regenerateKey", "keyType", primary, secondary),                            \
    TWO_KEY_AT("primaryKey", "secondaryKey"), .regenerate_answers = ANSWERS_BOTH

/* The member properties.disableLocalAuth of the description, the switch of most types. `whose`
 * begins what is said of it: "the account's". */
#define TWO_KEY_LOCAL_AUTH(whose)                                                                  \
    .switches = (const struct two_key_switch[]){{.path = "properties.disableLocalAuth",            \
                                                 .off = OFF_IF_TRUE,                               \
                                                 .reason = REASON_SHARED_KEY_DISABLED,             \
                                                 .words = whose " disableLocalAuth is true"},      \
                                                {.path = NULL}},                                   \
    .keys_on = "set " whose " disableLocalAuth to false"

/* The permissions: reading the resource, and the operations that list and regenerate its keys. */
#define TWO_KEY_ACTIONS(type, list, regenerate) TWO_KEY_ACTIONS_BELOW(type, type, list, regenerate)

/* The same where another resource, `described`, has the description. */
#define TWO_KEY_ACTIONS_BELOW(described, type, list, regenerate)                                   \
    .read_action = described "/read", .list_action = type "/" list "/action",                      \
    .regenerate_action = type "/" regenerate "/action"

/*
 * Shared access rules of the services that descend from Service Bus. A rule stands below a
 * namespace or below an entity of one; the description, the switch and the host are those of the
 * namespace. `listing` lists the keys: queues and topics spell it with a capital. `member` of a
 * regenerate's body says which key.
 */
#define TWO_KEY_RULE(listing, member)                                                              \
    .name = {1, 256, "-._", "1 to 256 letters, digits, '-', '.' and '_'"},                         \
    .parent_describes = true, .list = {.name = (listing)},                                         \
    TWO_KEY_REGENERATE("regenerateKeys", member, "PrimaryKey", "SecondaryKey"),                    \
    TWO_KEY_AT("primaryKey", "secondaryKey"), .regenerate_answers = ANSWERS_BOTH,                  \
    .key_shape = &key_shape_text, .endpoint_path = "properties.serviceBusEndpoint",                \
    .state_path = "properties.provisioningState", .env_host = true,                                \
    .grants = "do what the rule allows: send, listen, manage",                                     \
    .dies = "every shared access signature that was made with the key"

/* Its permissions: those of "authorizationRules", below a namespace or below `entities` of one. */
#define TWO_KEY_RULE_ACTIONS(namespace)                                                            \
    TWO_KEY_ACTIONS_BELOW(namespace, namespace "/authorizationRules", "listkeys", "regenerateKeys")
#define TWO_KEY_ENTITY_RULE_ACTIONS(namespace, entities)                                           \
    TWO_KEY_ACTIONS_BELOW(namespace, namespace "/" entities "/authorizationRules", "listkeys",     \
                          "regenerateKeys")

/* What its clients take; of an entity's rule the name of the entity goes with it. */
#define TWO_KEY_RULE_CONNECTION                                                                    \
    .connection_string =                                                                           \
        "Endpoint=sb://{endpoint}/;SharedAccessKeyName={name_2};SharedAccessKey={key}"
#define TWO_KEY_ENTITY_RULE_CONNECTION                                                             \
    .connection_string =                                                                           \
        "Endpoint=sb://{endpoint}/"                                                                \
        ";SharedAccessKeyName={name_3};SharedAccessKey={key};EntityPath={name_2}"

/* A probe that asks with a shared access signature. A rule that lacks the right to ask is refused
 * with another sub-code than a wrong key, 40103 ("Service Bus messaging exceptions"). */
#define TWO_KEY_RULE_PROBE                                                                         \
    .build = probe_build_sas, .read = probe_read, .id_header = "x-ms-request-id", .method = "GET", \
    .refused = {401}, .refused_text = "SubCode=40103"

#endif
