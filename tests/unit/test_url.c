/* URLs of one server, written in different ways. */
#include "conf/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *url, *base, *whole; /* whole: NULL for the same as `base` */
} ways[] = {
    {"https://v.example", "https://v.example", NULL},
    {"https://v.example/", "https://v.example", NULL},
    {"HTTPS://V.Example:443/", "https://v.example", NULL},
    {"https://v.example:0443", "https://v.example", NULL},
    {"https://v.example:8200", "https://v.example:8200", NULL},
    {"https://v.example:80", "https://v.example:80", NULL},
    {"http://LOCALHOST:80//", "http://localhost", "http://localhost//"},
    {"http://127.0.0.1:443", "http://127.0.0.1:443", NULL},
    {"https://[::1]", "https://[::1]", NULL},
    {"https://[2001:DB8:0:0::1]:443/", "https://[2001:db8::1]", NULL},
    {"https://[2001:db8:0:0:0:0:0:1]:8443/x", "https://[2001:db8::1]:8443/x", NULL},
    {"https://V.example/Vault/", "https://v.example/Vault", "https://v.example/Vault/"},
    {"https://V.example/a//b//", "https://v.example/a//b", "https://v.example/a//b//"},
    {"https://{location}.V.example/{location}/A", "https://{location}.v.example/{location}/A",
     NULL},
};

static void test_ways_to_write_one_server(void **state)
{
    struct arena *arena = arena_new(64 * 1024);

    (void)state;
    assert_non_null(arena);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        const char *whole = ways[i].whole ? ways[i].whole : ways[i].base;

        assert_string_equal(url_normal(arena, ways[i].url, true), ways[i].base);
        assert_string_equal(url_normal(arena, ways[i].url, false), whole);
        /* What is written so already stays. */
        assert_string_equal(url_normal(arena, ways[i].base, true), ways[i].base);
        assert_string_equal(url_normal(arena, whole, false), whole);
    }
    arena_free(arena);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    for (size_t maximum = 1; maximum < 64; maximum++) {
        struct arena *arena = arena_new(maximum);

        if (!url_normal(arena, "https://[2001:DB8:0:0::1]:443/path", true))
            assert_true(arena_failed(arena));
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ways_to_write_one_server),
        cmocka_unit_test(test_memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
