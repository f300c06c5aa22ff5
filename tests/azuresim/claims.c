#include "claims.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "encode.h"

static struct json_object *access_token_of(struct json_object *claims)
{
    struct json_object *object = NULL;

    if (json_object_is_type(claims, json_type_object))
        json_object_object_get_ex(claims, "access_token", &object);
    return object;
}

bool claims_meet(const char *token_claims, const char *demanded)
{
    struct json_object *given = !token_claims ? NULL : json_tokener_parse(token_claims);
    struct json_object *wanted = json_tokener_parse(demanded);
    struct json_object *mine = access_token_of(given), *theirs = access_token_of(wanted);
    bool met = true;

    if (json_object_is_type(theirs, json_type_object)) {
        json_object_object_foreach(theirs, name, value)
        {
            struct json_object *said = NULL;

            met = met && json_object_is_type(mine, json_type_object) &&
                  json_object_object_get_ex(mine, name, &said) && json_object_equal(said, value);
        }
    }
    json_object_put(given);
    json_object_put(wanted);
    return met;
}

/* In any case: some libraries write "cp1". */
bool claims_name_capability(const char *token_claims)
{
    struct json_object *given = !token_claims ? NULL : json_tokener_parse(token_claims);
    struct json_object *capability = NULL;
    bool named =
        json_object_is_type(access_token_of(given), json_type_object) &&
        json_object_object_get_ex(access_token_of(given), "xms_cc", &capability) &&
        strcasestr(json_object_to_json_string_ext(capability, JSON_C_TO_STRING_PLAIN), "[\"CP1\"]");

    json_object_put(given);
    return named;
}

void claims_challenge(struct http_reply *reply, const char *beginning, const char *demanded)
{
    char *text = base64_encode((const unsigned char *)demanded, strlen(demanded));

    /* The real service sends the padding to some and not to others. */
    if (strlen(demanded) % 2 == 0)
        text[strcspn(text, "=")] = '\0';
    http_reply_header(reply, "WWW-Authenticate", "%s, error=\"insufficient_claims\", claims=\"%s\"",
                      beginning, text);
    free(text);
}
