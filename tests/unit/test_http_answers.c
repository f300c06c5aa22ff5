/*
 * Answers that need more than reading: redirections, and compressed bodies.
 */
#include "http_fixture.h"

/* Where the first request is redirected to; "%d" stands for the server's port. */
struct detour {
    const char *name;
    const char *status;
    const char *location; /* NULL: none */
    bool follows;         /* the request asks for it */
    int requests;         /* that the server is to see */
    int answered;         /* the status in the end */
};

static void answer_with_detour(struct server *server, int connection)
{
    const struct detour *detour = server->context;
    char location[256] = "", answer[512];

    while (server_read_request(server, connection)) {
        if (strstr(server->last_request, "again=1")) {
            server_send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere");
            continue;
        }
        if (detour->location) {
            strcpy(location, "Location: ");
            for (const char *c = detour->location; *c != '\0'; c++) {
                char *end = location + strlen(location);

                if (*c == '#')
                    (void)sprintf(end, "%d", server->port);
                else
                    (void)sprintf(end, "%c", *c);
            }
            strcat(location, "\r\n");
        }
        (void)snprintf(answer, sizeof(answer), "HTTP/1.1 %s\r\n%sContent-Length: 2\r\n\r\n{}",
                       detour->status, location);
        server_send(connection, answer);
    }
}

/* '#' stands for the server's port. */
static const struct detour DETOURS[] = {
    {"307", "307 Temporary", "http://127.0.0.1:#/path?again=1", true, 2, 200},
    {"308", "308 Permanent", "http://127.0.0.1:#/path?again=1", true, 2, 200},
    {"without authority", "307 Temporary", "/path?query=1&again=1", true, 2, 200},
    {"query alone", "307 Temporary", "?again=1", true, 2, 200},
    {"other case of the id", "308 Permanent", "/PATH?again=1", true, 2, 200},
    {"once only", "307 Temporary", "/path?query=2", true, 2, 307},
    {"not asked for", "307 Temporary", "/path?again=1", false, 1, 307},
    {"301", "301 Moved", "/path?again=1", true, 1, 301},
    {"302", "302 Found", "/path?again=1", true, 1, 302},
    {"303", "303 See Other", "/path?again=1", true, 1, 303},
    {"no place", "307 Temporary", NULL, true, 1, 307},
    {"other path", "307 Temporary", "/other?again=1", true, 1, 307},
    {"path below", "307 Temporary", "/path/?again=1", true, 1, 307},
    {"dots", "307 Temporary", "/x/../path?again=1", true, 1, 307},
    {"other host", "307 Temporary", "http://localhost:#/path?again=1", true, 1, 307},
    {"other port", "307 Temporary", "http://127.0.0.1:1/path?again=1", true, 1, 307},
    {"other scheme", "307 Temporary", "https://127.0.0.1:#/path?again=1", true, 1, 307},
    {"user", "307 Temporary", "http://u:p@127.0.0.1:#/path?again=1", true, 1, 307},
    {"nonsense", "307 Temporary", "http://[", true, 1, 307},
};

static void test_detours(void **state)
{
    static const char *const methods[] = {"GET", "POST"};

    (void)state;
    for (size_t i = 0; i < 2 * sizeof(DETOURS) / sizeof(DETOURS[0]); i++) {
        const struct detour *detour = &DETOURS[i / 2];
        struct fixture *fixture = fixture_new(NULL);
        struct server *server = server_start(answer_with_detour, detour);
        struct http_request request = request_to_server(methods[i % 2], server);
        struct result result;

        request.follows = detour->follows;
        request.repeatable = true;
        http_request_header(&request, "Authorization", "Bearer token");
        if (i % 2 == 1)
            (void)buf_append_str(&request.body, "asked");
        result = run(fixture, request);
        expect_outcome(detour->name, &result, HTTP_ANSWERED);
        if (result.status != detour->answered || server->requests != detour->requests)
            fail_msg("%s: status %d after %d requests", detour->name, result.status,
                     server->requests);
        if (detour->answered == 200)
            assert_string_equal(result.body, "here");
        expect_text(detour->name, server->last_request, "Authorization: Bearer token\r\n");
        expect_text(detour->name, server->last_request, methods[i % 2]);
        if (i % 2 == 1)
            expect_text(detour->name, server->last_request, "\r\n\r\nasked");
        fixture_free(fixture);
        server_stop(server);
    }
}

static const char PACKED[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x2a\x48\x4c\xce\x4e\x4d\x51\xb2\x2a\x29\x2a"
    "\x4d\xad\x05\x00\x89\xe0\xb5\xdc\x0f\x00\x00\x00";

struct packing {
    const char *encoding;
    const char *body;
    size_t length;
};

static void answer_packed(struct server *server, int connection)
{
    const struct packing *packing = server->context;
    char head[256];

    while (server_read_request(server, connection)) {
        (void)snprintf(head, sizeof(head),
                       "HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n",
                       packing->encoding, packing->length);
        server_send(connection, head);
        (void)!send(connection, packing->body, packing->length, MSG_NOSIGNAL);
    }
}

static void test_packed_bodies(void **state)
{
    static const struct {
        struct packing packing;
        size_t maximum;
        enum http_outcome outcome;
        const char *told; /* the body, or a part of the error */
    } cases[] = {
        {{"gzip", PACKED, sizeof(PACKED) - 1}, 100, HTTP_ANSWERED, "{\"packed\":true}"},
        {{"x-gzip", PACKED, sizeof(PACKED) - 1}, 15, HTTP_ANSWERED, "{\"packed\":true}"},
        {{"identity", "{}", 2}, 100, HTTP_ANSWERED, "{}"},
        {{"gzip", PACKED, sizeof(PACKED) - 1}, 14, HTTP_LOST, "longer than 14 bytes"},
        {{"gzip", "{}", 2}, 100, HTTP_LOST, "cannot be decoded"},
        {{"unheard-of", "{}", 2}, 100, HTTP_LOST, "cannot be decoded"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture *fixture = fixture_new(NULL);
        struct server *server = server_start(answer_packed, &cases[i].packing);
        struct http_request request = request_to_server("GET", server);
        struct result result;

        request.reply_maximum = cases[i].maximum;
        result = run(fixture, request);
        expect_outcome(cases[i].packing.encoding, &result, cases[i].outcome);
        if (cases[i].outcome == HTTP_ANSWERED)
            assert_string_equal(result.body, cases[i].told);
        else
            expect_text(cases[i].packing.encoding, result.error, cases[i].told);
        expect_text("request", server->last_request, "Accept-Encoding: identity\r\n");
        fixture_free(fixture);
        server_stop(server);
    }
}

static int init(void **state)
{
    struct err err;

    (void)state;
    return http_global_init(&err);
}

static int done(void **state)
{
    (void)state;
    http_global_done();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_detours),
        cmocka_unit_test(test_packed_bodies),
    };

    return cmocka_run_group_tests(tests, init, done);
}
