/* Where each value comes from, by file and line. */
#include "conf/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_fixture.h"

enum { TEXT_MAX = 64 * 1024 };

static void add_row(void *context, const struct origin *origin)
{
    (void)buf_append_format(context, "%s=%s", origin->key, origin->value);
    if (origin->file)
        (void)buf_append_format(context, " %s:%u\n", origin->file, origin->line);
    else
        (void)buf_append_format(context, " %s\n", origin->from);
    assert_int_equal(!!origin->file, strcmp(origin->from, "file") == 0);
}

/* All rows of the first account of k.yaml. */
static void list(const char *text, struct buf *out)
{
    struct config_messages messages;
    struct config *config;

    config_fixture_write("k.yaml", text);
    config = config_fixture_load(&messages);
    buf_init(out, TEXT_MAX);
    if (!config || config_origins(config, &config->accounts[0], add_row, out) != 0)
        fail_msg("%s", buf_str(&messages.text));
    config_messages_done(&messages);
    config_unref(config);
}

static void expect(const struct buf *rows, const char *const lines[])
{
    for (; *lines; lines++) {
        const char *at = strstr(buf_str(rows), *lines);

        if (!at || (at != rows->data && at[-1] != '\n') || at[strlen(*lines)] != '\n')
            fail_msg("%s is not in:\n%s", *lines, buf_str(rows));
    }
}

/* Own values, those of defaults, of the only entry of a section, of the policy, and defaults. */
static void test_places(void **state)
{
    static const char text[] =
        "version: 1\n"
        "identities: {vm: {type: managed_identity}}\n"
        "policies:\n"
        "  p:\n"
        "    max_key_age: 90d\n"
        "    overlap: 7d\n"
        "    window: {days: [Sat], to: '04:00'}\n"
        "  q: {rotate_every: 10d}\n"
        "targets:\n"
        "  f:\n"
        "    type: file\n"
        "    path: '/k/{account}'\n"
        "    template: 'user=me password=hunter2 key={key}'\n"
        "    format: template\n"
        "timing: {settle: 2m}\n"
        "api_versions:\n"
        "  batch: 2024-07-01\n"
        "freeze:\n"
        "  - {from: 2026-12-20, to: 2027-01-02, policies: [p]}\n"
        "  - {from: 2027-12-20, to: 2028-01-02, policies: q}\n"
        "defaults:\n"
        "  adopt_active: secondary\n"
        "  policy: q\n"
        "accounts:\n"
        "  - id: " ACCOUNT_ID
        "\n"
        "    policy: p\n"
        "  - {name: other, resource_group: g, subscription_id: "
        "00000000-0000-0000-0000-000000000000}\n";
    static const char *const lines[] = {
        ("id=" ACCOUNT_ID " k.yaml:25"),
        "type=batch id",
        "adopt_active=secondary k.yaml:22",
        "identity=vm k.yaml:2",
        "policy=p k.yaml:26",
        "policy.max_key_age=90d k.yaml:5",
        "policy.rotate_every=40d default",
        "policy.overlap=7d k.yaml:6",
        "policy.window={days: [Sat], to: 04:00} k.yaml:7",
        "policy.check_every=6h default",
        "policy.verify=auto default",
        "rotate=true default",
        "freeze={from: 2026-12-20, to: 2027-01-02, policies: [p]} k.yaml:19",
        "deliver_to=f k.yaml:10",
        "target.f.path=/k/{account} k.yaml:12",
        "target.f.mode=0600 default",
        "target.f.template=(a text of 34 bytes) k.yaml:13",
        "timing.settle=2m k.yaml:15",
        "timing.unknown_wait=1m30s default",
        "api_version=2024-07-01 k.yaml:17",
        "cloud=AzureCloud default",
        "limits.requests=64 default",
        NULL};
    struct buf rows;

    (void)state;
    list(text, &rows);
    expect(&rows, lines);
    assert_null(strstr(buf_str(&rows), "hunter2"));
    assert_null(strstr(buf_str(&rows), "2027-12-20"));
    buf_done(&rows);
}

static void test_what_may_be_secret_is_left_out(void **state)
{
    static const struct {
        const char *text, *masked;
    } cases[] = {
        {"nothing", "nothing"},
        {"", ""},
        {"https://host/path", "https://host/path"},
        {"https://host/path?sig=abc", "https://host/path?..."},
        {"https://host?sig=a/b@c", "https://host?..."},
        {"http://user:pass@proxy:3128", "http://...@proxy:3128"},
        {"http://user:pass@proxy/?a=b, and", "http://...@proxy/?..., and"},
        {"webhook https://h/{account}?s=1 (with the key)",
         "webhook https://h/{account}?... (with the key)"},
        {"https://h/a@b", "https://h/a@b"},
        {"a://b?c d://e?f", "a://b?... d://e?..."},
        {"who? me", "who? me"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out;

        buf_init(&out, 256);
        origin_append_masked(&out, cases[i].text);
        assert_string_equal(buf_str(&out), cases[i].masked);
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_places, config_fixture_enter, config_fixture_leave),
        cmocka_unit_test(test_what_may_be_secret_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
