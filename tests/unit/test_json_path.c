#include "base/json_path.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_places(void **state)
{
    static const struct {
        const char *document, *path;
        int rc;
        const char *text; /* NULL: there is none */
    } cases[] = {
        {"{\"a\":\"1\"}", "a", 0, "1"},
        {"{\"a\":{\"b\":{\"c\":\"1\"}}}", "a.b.c", 0, "1"},
        {"{\"a\":{\"b\":\"1\"}}", "a.c", 0, NULL},
        {"{\"a\":{\"b\":\"1\"}}", "a", 0, NULL},
        {"{\"a\":null}", "a.b", 0, NULL},
        {"{\"a\":17}", "a", 0, NULL},
        {"[]", "a", 0, NULL},
        {"{\"k\":[{\"n\":\"key1\",\"v\":\"1\"},{\"n\":\"key2\",\"v\":\"2\"}]}", "k[n=key2].v", 0,
         "2"},
        {"{\"k\":[{\"n\":\"KEY2\",\"v\":\"2\"}]}", "k[n=key2].v", 0, "2"},
        {"{\"k\":[{\"n\":\"key20\",\"v\":\"2\"}]}", "k[n=key2].v", 0, NULL},
        {"{\"k\":[17,null,[],{\"n\":\"key2\",\"v\":\"2\"}]}", "k[n=key2].v", 0, "2"},
        {"{\"k\":{\"n\":\"key2\",\"v\":\"2\"}}", "k[n=key2].v", 0, NULL},
        {"{\"p\":{\"s\":[{\"n\":\"a\",\"k\":{\"x\":\"1\"}}]}}", "p.s[n=a].k.x", 0, "1"},
        {"{\"k\":[{\"n\":\"a\",\"v\":\"1\"},{\"n\":\"A\",\"v\":\"2\"}]}", "k[n=a].v", -EBADMSG,
         NULL},
        {"{\"a\":\"1\",\"a\":\"2\"}", "a", -EBADMSG, NULL},
        {"{\"a\":{\"b\":\"1\",\"b\":\"2\"}}", "a.b", -EBADMSG, NULL},
        {"{\"k\":[{\"n\":\"a\",\"n\":\"a\",\"v\":\"1\"}]}", "k[n=a].v", -EBADMSG, NULL},
        {"{\"a\":\"\\ud83d\"}", "a", -EBADMSG, NULL},
        {"{\"b\":\"1\",\"b\":\"2\",\"a\":\"3\"}", "a", 0, "3"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {.code = 0};
        struct json_object *document =
            json_parse_foreign(cases[i].document, strlen(cases[i].document), &err);
        const char *text = "untouched";

        assert_non_null(document);
        assert_int_equal(json_text_at(document, cases[i].path, &text, &err), cases[i].rc);
        if (cases[i].text)
            assert_string_equal(text, cases[i].text);
        else
            assert_null(text);
        assert_true(cases[i].rc == 0 || err.text[0] != '\0');
        json_object_put(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests_name("json_path", tests, NULL, NULL);
}
