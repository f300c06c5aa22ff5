/* Requests to HashiCorp Vault, its answers, and its failures. */
#include "proto/vault.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "canned_reply.h"
#include "proto/vault_failure.h"
#include "proto/vault_login.h"

#define NOW ((time_ms)1795348800000)

static const struct vault_object version_2 = {
    .address = "https://vault.example:8200",
    .mount = "secret",
    .path = "batch/acct 1",
    .engine = VAULT_KV2,
};
static const struct vault_object version_1 = {
    .address = "https://vault.example:8200/behind",
    .name_space = "team/a",
    .mount = "old/kv",
    .path = "acct",
    .engine = VAULT_KV1,
};

static void assert_header(const struct http_request *request, const char *name, const char *value)
{
    const char *found = sent_header(request, name);

    if (!value)
        assert_null(found);
    else
        assert_string_equal(found, value);
}

static struct buf text_buf(const char *text)
{
    struct buf buf;

    buf_init(&buf, 4096);
    assert_int_equal(buf_append_str(&buf, text), 0);
    return buf;
}

/* --- requests --- */

static void test_read_requests(void **state)
{
    struct secret *token = secret_new("hvs.abc", 7);
    struct http_request request;

    (void)state;
    assert_int_equal(vault_read_request(&request, &version_2, token), 0);
    assert_string_equal(request.method, "GET");
    assert_string_equal(buf_str(&request.url),
                        "https://vault.example:8200/v1/secret/data/batch/acct%201");
    assert_header(&request, "X-Vault-Token", "hvs.abc");
    assert_header(&request, "X-Vault-Request", "true");
    assert_header(&request, "X-Vault-Namespace", NULL);
    assert_false(request.follows);
    http_request_done(&request);

    assert_int_equal(vault_read_request(&request, &version_1, token), 0);
    assert_string_equal(buf_str(&request.url), "https://vault.example:8200/behind/v1/old/kv/acct");
    assert_header(&request, "X-Vault-Namespace", "team/a");
    http_request_done(&request);
    secret_free(token);
}

static void test_write_requests(void **state)
{
    struct secret *token = secret_new("hvs.abc", 7);
    struct buf data = text_buf("{\"key\":\"v\"}");
    struct http_request request;

    (void)state;
    assert_int_equal(vault_write_request(&request, &version_2, token, &data, 3), 0);
    assert_string_equal(request.method, "POST");
    assert_string_equal(buf_str(&request.body),
                        "{\"options\":{\"cas\":3},\"data\":{\"key\":\"v\"}}");
    assert_header(&request, "Content-Type", "application/json");
    assert_false(request.repeatable);
    assert_false(request.follows);
    http_request_done(&request);

    /* 0 stands for an object that never was: it is named, too. */
    assert_int_equal(vault_write_request(&request, &version_2, token, &data, 0), 0);
    assert_string_equal(buf_str(&request.body),
                        "{\"options\":{\"cas\":0},\"data\":{\"key\":\"v\"}}");
    http_request_done(&request);

    assert_int_equal(vault_write_request(&request, &version_1, token, &data, 3), 0);
    assert_string_equal(buf_str(&request.body), "{\"key\":\"v\"}");
    http_request_done(&request);
    buf_done(&data);
    secret_free(token);
}

static void test_questions(void **state)
{
    struct secret *token = secret_new("hvs.abc", 7);
    struct http_request request;

    (void)state;
    assert_int_equal(vault_mount_request(&request, &version_2, token), 0);
    assert_string_equal(
        buf_str(&request.url),
        "https://vault.example:8200/v1/sys/internal/ui/mounts/secret/batch/acct%201");
    http_request_done(&request);

    assert_int_equal(vault_capabilities_request(&request, &version_2, token), 0);
    assert_string_equal(buf_str(&request.url),
                        "https://vault.example:8200/v1/sys/capabilities-self");
    assert_string_equal(buf_str(&request.body), "{\"paths\":[\"secret/data/batch/acct 1\"]}");
    http_request_done(&request);
    secret_free(token);
}

static void test_token_that_no_header_takes(void **state)
{
    struct secret *token = secret_new("a\nX-Other: b", 12);
    struct http_request request;

    (void)state;
    assert_int_equal(vault_read_request(&request, &version_2, token), -EMSGSIZE);
    http_request_done(&request);
    secret_free(token);
}

static void test_logins(void **state)
{
    struct vault_login login = {.address = "https://v",
                                .name_space = "ns",
                                .kind = VAULT_LOGIN_APPROLE,
                                .mount = "approle",
                                .role = "r-1",
                                .file = "/f"};
    struct secret *proof = secret_new("s\"1", 3);
    struct http_request request;

    (void)state;
    assert_int_equal(vault_login_request(&request, &login, proof), 0);
    assert_string_equal(buf_str(&request.url), "https://v/v1/auth/approle/login");
    assert_string_equal(buf_str(&request.body), "{\"role_id\":\"r-1\",\"secret_id\":\"s\\\"1\"}");
    assert_header(&request, "X-Vault-Token", NULL);
    assert_header(&request, "X-Vault-Namespace", "ns");
    assert_true(request.repeatable);
    http_request_done(&request);

    /* A secret id that was wrapped may serve for one login alone. */
    login.wrapped = true;
    assert_int_equal(vault_login_request(&request, &login, proof), 0);
    assert_false(request.repeatable);
    http_request_done(&request);
    login.wrapped = false;

    login.kind = VAULT_LOGIN_KUBERNETES;
    login.mount = "k8s/prod";
    assert_int_equal(vault_login_request(&request, &login, proof), 0);
    assert_string_equal(buf_str(&request.url), "https://v/v1/auth/k8s/prod/login");
    assert_string_equal(buf_str(&request.body), "{\"role\":\"r-1\",\"jwt\":\"s\\\"1\"}");
    http_request_done(&request);

    assert_int_equal(vault_unwrap_request(&request, &login, proof), 0);
    assert_string_equal(buf_str(&request.url), "https://v/v1/sys/wrapping/unwrap");
    assert_header(&request, "X-Vault-Token", "s\"1");
    assert_int_equal(request.body.length, 0);
    assert_false(request.repeatable);
    http_request_done(&request);
    secret_free(proof);
}

/* --- answers --- */

#define METADATA(version, deletion)                                                                \
    "\"metadata\":{\"version\":" version                                                           \
    ",\"created_time\":\"2026-11-22T12:00:00.5Z\",\"deletion_time\":\"" deletion                   \
    "\",\"destroyed\":false,\"custom_metadata\":null}"

static void test_read_answers(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum vault_engine engine;
        int rc;
        enum vault_presence presence;
        uint64_t version;
        time_ms deletes_at;
    } cases[] = {
        {200, "{\"data\":{\"data\":{\"key\":\"v\"}," METADATA("7", "") "}}", VAULT_KV2, 0,
         VAULT_PRESENT, 7, TIME_NEVER},
        /* It will delete itself, and has not yet. */
        {200, "{\"data\":{\"data\":{}," METADATA("2", "2026-11-22T13:00:00Z") "}}", VAULT_KV2, 0,
         VAULT_PRESENT, 2, NOW + MS_HOUR},
        {404, "{\"data\":{\"data\":null," METADATA("3", "2026-11-22T11:00:00Z") "}}", VAULT_KV2, 0,
         VAULT_DELETED, 3, NOW - MS_HOUR},
        {404, "{\"errors\":[]}", VAULT_KV2, 0, VAULT_ABSENT, 0, TIME_NEVER},
        {404, "{\"errors\":[]}", VAULT_KV1, 0, VAULT_ABSENT, 0, TIME_NEVER},
        {200, "{\"data\":{\"key\":\"v\"}}", VAULT_KV1, 0, VAULT_PRESENT, 0, TIME_NEVER},
        /* no such answer */
        {200, "{\"data\":{\"key\":\"v\"}}", VAULT_KV2, -EBADMSG, VAULT_ABSENT, 0, TIME_NEVER},
        {200, "{\"data\":{\"data\":[]," METADATA("7", "") "}}", VAULT_KV2, -EBADMSG, VAULT_ABSENT,
         7, TIME_NEVER},
        {200, "{\"data\":{\"data\":{}," METADATA("0", "") "}}", VAULT_KV2, -EBADMSG, VAULT_ABSENT,
         0, TIME_NEVER},
        {404, "{\"data\":{\"data\":{}," METADATA("7", "") "}}", VAULT_KV2, -EBADMSG, VAULT_ABSENT,
         7, TIME_NEVER},
        {404, "{\"errors\":[\"no handler\"]}", VAULT_KV2, -EBADMSG, VAULT_ABSENT, 0, TIME_NEVER},
        {404, "{\"errors\":[],\"warnings\":[\"Invalid path\"]}", VAULT_KV1, -EBADMSG, VAULT_ABSENT,
         0, TIME_NEVER},
        {404, "page not found", VAULT_KV1, -EBADMSG, VAULT_ABSENT, 0, TIME_NEVER},
        {200, "", VAULT_KV2, -EBADMSG, VAULT_ABSENT, 0, TIME_NEVER},
        {204, "", VAULT_KV1, -EBADMSG, VAULT_ABSENT, 0, TIME_NEVER},
        {403, "{\"errors\":[]}", VAULT_KV2, -EBADMSG, VAULT_ABSENT, 0, TIME_NEVER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vault_content content;
        struct http_reply reply;

        canned_answer(&reply, cases[i].status, NULL, cases[i].body);
        assert_int_equal(vault_read_answer(&content, &reply, cases[i].engine), cases[i].rc);
        if (cases[i].rc == 0) {
            assert_int_equal(content.presence, cases[i].presence);
            assert_int_equal(content.version, cases[i].version);
            assert_int_equal(content.deletes_at, cases[i].deletes_at);
            assert_int_equal(content.created_at, cases[i].version > 0 ? NOW + 500 : 0);
        }
        vault_content_done(&content);
        http_reply_done(&reply);
    }
}

static void test_content_text(void **state)
{
    struct vault_content content;
    struct http_reply reply;
    struct buf text;

    (void)state;
    canned_answer(&reply, 200, NULL,
                  "{\"data\":{\"a\":\"one\",\"b\":{\"c\":[\"t\\u0077o\",3,null]},\"d\":true}}");
    assert_int_equal(vault_read_answer(&content, &reply, VAULT_KV1), 0);
    buf_init(&text, 64);
    assert_int_equal(vault_content_text(&content, &text), 0);
    assert_string_equal(buf_str(&text), "one\ntwo\n");
    buf_done(&text);
    buf_init(&text, 5);
    assert_int_equal(vault_content_text(&content, &text), -EMSGSIZE);
    buf_done(&text);
    vault_content_done(&content);
    http_reply_done(&reply);
}

static void test_write_answers(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum vault_engine engine;
        bool good;
    } cases[] = {
        {200, "{\"data\":{\"version\":4}}", VAULT_KV2, true},
        {204, "", VAULT_KV1, true},
        {200, "{\"warnings\":[\"slow\"]}", VAULT_KV1, true},
        {204, "", VAULT_KV2, false}, /* version 1 keeps what was meant for version 2 as it is */
        {200, "{}", VAULT_KV2, false},
        {200, "{}", VAULT_KV1, false},
        {200, "<html>", VAULT_KV1, false},
        {400, "{\"data\":{\"version\":4}}", VAULT_KV2, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;

        canned_answer(&reply, cases[i].status, NULL, cases[i].body);
        assert_int_equal(vault_write_answer(&reply, cases[i].engine), cases[i].good ? 0 : -EBADMSG);
        http_reply_done(&reply);
    }
}

static void test_mount_answers(void **state)
{
    static const struct {
        int status;
        const char *body;
        int version;
        const char *type;
    } cases[] = {
        {200, "{\"data\":{\"type\":\"kv\",\"options\":{\"version\":\"2\"}}}", 2, ""},
        {200, "{\"data\":{\"type\":\"kv\",\"options\":{\"version\":\"1\"}}}", 1, ""},
        {200, "{\"data\":{\"type\":\"kv\",\"options\":null}}", 1, ""},
        {200, "{\"data\":{\"type\":\"generic\"}}", 1, ""},
        {200, "{\"data\":{\"type\":\"pki\"}}", 0, "pki"},
        {200, "{\"data\":{}}", 0, ""},
        {200, "no", 0, ""},
        {403, "{\"data\":{\"type\":\"kv\"}}", 0, ""},
    };
    char type[16];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;

        canned_answer(&reply, cases[i].status, NULL, cases[i].body);
        assert_int_equal(vault_mount_answer(&reply, type, sizeof(type)), cases[i].version);
        assert_string_equal(type, cases[i].type);
        http_reply_done(&reply);
    }
}

static void test_capabilities_answers(void **state)
{
    static const struct {
        const char *body;
        bool known, read, create, update;
    } cases[] = {
        {"{\"data\":{\"secret/data/batch/acct 1\":[\"read\",\"update\"]}}", true, true, false,
         true},
        {"{\"secret/data/batch/acct 1\":[\"create\"],\"capabilities\":[\"read\"]}", true, false,
         true, false},
        {"{\"data\":{\"secret/data/batch/acct 1\":[\"root\"]}}", true, true, true, true},
        {"{\"data\":{\"secret/data/batch/acct 1\":[\"deny\",7]}}", true, false, false, false},
        {"{\"data\":{\"secret/data/other\":[\"root\"]}}", false, false, false, false},
        {"{\"data\":{\"secret/data/batch/acct 1\":\"root\"}}", false, false, false, false},
        {"", false, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vault_capabilities may;
        struct http_reply reply;

        canned_answer(&reply, 200, NULL, cases[i].body);
        assert_int_equal(vault_capabilities_answer(&may, &reply, &version_2),
                         cases[i].known ? 0 : -EBADMSG);
        assert_int_equal(may.read, cases[i].read);
        assert_int_equal(may.create, cases[i].create);
        assert_int_equal(may.update, cases[i].update);
        http_reply_done(&reply);
    }
}

static void test_login_answers(void **state)
{
    static const struct vault_login login = {.address = "https://v",
                                             .kind = VAULT_LOGIN_APPROLE,
                                             .mount = "approle",
                                             .role = "r",
                                             .file = "/f"};
    struct failure failure;
    struct http_reply reply;
    struct secret *token;
    duration_ms lifetime;

    (void)state;
    canned_answer(&reply, 200, NULL,
                  "{\"auth\":{\"client_token\":\"hvs.x\",\"lease_duration\":60}}");
    assert_int_equal(vault_login_answer(&token, &lifetime, &reply, &login, NOW, &failure), 0);
    assert_string_equal(secret_bytes(token), "hvs.x");
    assert_int_equal(lifetime, MS_MINUTE);
    secret_free(token);
    http_reply_done(&reply);

    /* A second factor is asked for: no token. */
    canned_answer(&reply, 200, NULL, "{\"auth\":{\"client_token\":\"\",\"mfa_requirement\":{}}}");
    assert_int_equal(vault_login_answer(&token, &lifetime, &reply, &login, NOW, &failure), -EIO);
    assert_null(token);
    assert_non_null(strstr(failure.text, "gave no token"));
    assert_non_null(strstr(failure.remedy, "second factor"));
    http_reply_done(&reply);

    canned_answer(&reply, 200, NULL, "{\"data\":{\"secret_id\":\"id\"}}");
    assert_int_equal(vault_unwrap_answer(&token, &reply, &login, false, NOW, &failure), 0);
    assert_string_equal(secret_bytes(token), "id");
    secret_free(token);
    http_reply_done(&reply);

    /* It wraps something else. */
    canned_answer(&reply, 200, NULL, "{\"data\":{\"token\":\"id\"}}");
    assert_int_equal(vault_unwrap_answer(&token, &reply, &login, false, NOW, &failure), -EIO);
    assert_non_null(strstr(failure.text, "gave no secret id"));
    assert_non_null(strstr(failure.remedy, "wraps a secret id to /f"));
    http_reply_done(&reply);
}

/* A wrapping token works once: who has used it depends on what became of earlier answers. */
static void test_wrapping_token_is_used_up(void **state)
{
    static const struct vault_login login = {.address = "https://v",
                                             .kind = VAULT_LOGIN_APPROLE,
                                             .mount = "approle",
                                             .role = "r",
                                             .file = "/f",
                                             .wrapped = true};
    static const char *const why[] = {"find out in Vault's audit log who used it",
                                      "by the daemon itself, was lost"};
    struct failure failure;
    struct secret *secret;
    struct http_reply reply;

    (void)state;
    for (int was_lost = 0; was_lost < 2; was_lost++) {
        canned_answer(&reply, 400, NULL, "{\"errors\":[\"wrapping token is not valid\"]}");
        assert_int_equal(vault_unwrap_answer(&secret, &reply, &login, was_lost, NOW, &failure),
                         -EIO);
        assert_null(secret);
        assert_int_equal(failure.reason, REASON_TARGET_DENIED);
        assert_true(str_starts_with(failure.remedy, "write a new wrapping token to /f: `vault "));
        assert_non_null(strstr(failure.remedy, why[was_lost]));
        http_reply_done(&reply);
    }
    canned_silence(&reply, HTTP_LOST, "v:443 did not answer within 30s");
    assert_int_equal(vault_unwrap_answer(&secret, &reply, &login, false, NOW, &failure), -EIO);
    assert_true(str_starts_with(failure.remedy, "if the next attempt is refused, write a new "));
    assert_non_null(strstr(failure.remedy, "used up by this attempt"));
    http_reply_done(&reply);
}

/* --- failures --- */

static void test_troubles(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum vault_trouble trouble;
    } cases[] = {
        {200, "{}", VAULT_TROUBLE_NONE},
        {204, "", VAULT_TROUBLE_UNVERSIONED},
        {200, "", VAULT_TROUBLE_STRANGER},
        {200, "[]", VAULT_TROUBLE_STRANGER},
        {307, "", VAULT_TROUBLE_REDIRECT},
        {400, "no", VAULT_TROUBLE_STRANGER},
        {400, "{\"errors\":[\"what\"]}", VAULT_TROUBLE_REFUSED},
        {403, "{\"errors\":[\"1 error occurred:\\n\\t* permission denied\\n\\n\"]}",
         VAULT_TROUBLE_DENIED},
        {403, "{\"errors\":[\"permission denied\"]}", VAULT_TROUBLE_BAD_TOKEN},
        {403, "{\"errors\":[\"2 errors\",\"invalid token\"]}", VAULT_TROUBLE_BAD_TOKEN},
        {404, "{\"errors\":[\"no handler for route \\\"x\\\". route entry not found.\"]}",
         VAULT_TROUBLE_NO_MOUNT},
        {404, "{\"warnings\":[\"Invalid path for a versioned K/V secrets engine.\"]}",
         VAULT_TROUBLE_VERSIONED},
        {412, "{\"errors\":[]}", VAULT_TROUBLE_BEHIND},
        {429, "slow down", VAULT_TROUBLE_QUOTA},
        {473, "{\"errors\":[]}", VAULT_TROUBLE_STANDBY},
        {500, "{\"errors\":[\"local node not active but active cluster node not found\"]}",
         VAULT_TROUBLE_STANDBY},
        {502, "<html>", VAULT_TROUBLE_SERVER},
        {503, "{\"errors\":[\"Vault is sealed\"]}", VAULT_TROUBLE_SEALED},
        {503, "{\"errors\":[\"OpenBao is sealed\"]}", VAULT_TROUBLE_SEALED},
        {503, "{\"errors\":[\"other\"]}", VAULT_TROUBLE_SERVER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;

        canned_answer(&reply, cases[i].status, NULL, cases[i].body);
        assert_int_equal(vault_trouble_of(&reply, VAULT_KV2), cases[i].trouble);
        http_reply_done(&reply);
    }
}

/* Only a write can leave a doubt, and only where nobody says that it was not carried out. */
static void test_outcomes(void **state)
{
    static const struct {
        enum http_outcome outcome;
        int status;
        const char *body;
        bool unknown;
    } cases[] = {
        {HTTP_ANSWERED, 500, "{\"errors\":[\"disk\"]}", true},
        {HTTP_ANSWERED, 504, "", true},
        {HTTP_ANSWERED, 200, "<html>", true},
        {HTTP_ANSWERED, 503, "{\"errors\":[\"Vault is sealed\"]}", false},
        {HTTP_ANSWERED, 400, "{\"errors\":[\"what\"]}", false},
        {HTTP_ANSWERED, 307, "", false},
        {HTTP_LOST, 0, NULL, true},
        {HTTP_UNSENT, 0, NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct failure failure;
        struct http_reply reply;

        if (cases[i].outcome == HTTP_ANSWERED)
            canned_answer(&reply, cases[i].status, NULL, cases[i].body);
        else
            canned_silence(&reply, cases[i].outcome, "scripted");
        vault_failure_fill(&failure, &reply, &version_2, VAULT_CALL_WRITE, NOW);
        assert_int_equal(failure.outcome_unknown, cases[i].unknown);
        assert_int_equal(failure.reason, REASON_TARGET_FAILED);
        assert_true(failure.text[0] != '\0' && failure.remedy[0] != '\0');
        vault_failure_fill(&failure, &reply, &version_2, VAULT_CALL_READ, NOW);
        assert_false(failure.outcome_unknown);
        http_reply_done(&reply);
    }
}

/* A sentence that repeats a key is cut where it is long: no piece of the key stands before the cut.
 */
static void test_key_at_the_cut(void **state)
{
    static const char dots[] =
        "...................................................................................."
        "....................................................................................";
    struct failure failure;
    struct http_reply reply;
    char body[512];

    (void)state;
    for (int before = 0; before < (int)sizeof(dots); before++) {
        (void)snprintf(
            body, sizeof(body),
            "{\"errors\":[\"bad value %.*s "
            "qWK7l3wUjHWs0HqZ1cRkfdQXb4YJm8tNvGgPz5oE2yTaLx9Di6uFrB0SnMeVhCA3pKjOw7ZlXkUq1RtY"
            "b2Ns8g==\"]}",
            before, dots);
        canned_answer(&reply, 400, NULL, body);
        vault_failure_fill(&failure, &reply, &version_2, VAULT_CALL_WRITE, NOW);
        assert_null(strstr(failure.text, "qWK7l3wU"));
        http_reply_done(&reply);
    }
}

static void test_words(void **state)
{
    struct failure failure;
    struct http_reply reply;

    (void)state;
    canned_answer(&reply, 403, "Retry-After: 7\n",
                  "{\"errors\":[\"1 error occurred:\\n\\t* permission denied\\n\\n\"]}");
    vault_failure_fill(&failure, &reply, &version_1, VAULT_CALL_WRITE, NOW);
    assert_int_equal(failure.reason, REASON_TARGET_DENIED);
    assert_int_equal(failure.http_status, 403);
    assert_int_equal(failure.retry_after, 7 * MS_SECOND);
    assert_string_equal(failure.text,
                        "Vault answered the write of old/kv/acct with 403: 1 error "
                        "occurred: * permission denied");
    assert_string_equal(failure.remedy,
                        "give the token a policy in namespace team/a with: path \"old/kv/acct\" { "
                        "capabilities = [\"create\", \"read\", \"update\"] }");
    http_reply_done(&reply);

    /* A sentence that repeats a key is shown without it. */
    canned_answer(&reply, 400, NULL,
                  "{\"errors\":[\"bad: "
                  "qWK7l3wUjHWs0HqZ1cRkfdQXb4YJm8tNvGgPz5oE2yTaLx9Di6uFrB0SnMeVhCA3pKjOw7ZlXkUq1RtY"
                  "b2Ns8g==\"]}");
    vault_failure_fill(&failure, &reply, &version_2, VAULT_CALL_WRITE, NOW);
    assert_null(strstr(failure.text, "qWK7l3wUjHWs0HqZ"));
    http_reply_done(&reply);

    vault_failure_engine(&failure, &version_2, 1, "");
    assert_string_equal(failure.text,
                        "mount secret is a KV engine of version 1, and `engine` says kv2");
    assert_string_equal(failure.remedy, "set `engine: kv1`");
    vault_failure_engine(&failure, &version_2, 0, "pki");
    assert_string_equal(failure.text, "mount secret is an engine of type pki, not kv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_requests),  cmocka_unit_test(test_write_requests),
        cmocka_unit_test(test_questions),      cmocka_unit_test(test_token_that_no_header_takes),
        cmocka_unit_test(test_logins),         cmocka_unit_test(test_read_answers),
        cmocka_unit_test(test_content_text),   cmocka_unit_test(test_write_answers),
        cmocka_unit_test(test_mount_answers),  cmocka_unit_test(test_capabilities_answers),
        cmocka_unit_test(test_login_answers),  cmocka_unit_test(test_troubles),
        cmocka_unit_test(test_key_at_the_cut), cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_words),          cmocka_unit_test(test_wrapping_token_is_used_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
