#include "proto/template.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/key_text.h"

#define KEY                                                                                        \
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

#define ID                                                                                         \
    "/subscriptions/ABCDEF00-0000-0000-0000-000000000000/resourceGroups/Render-(West)/providers/"  \
    "Microsoft.Batch/batchAccounts/Acct"

static struct two_key_resource with_string(const char *connection_string)
{
    struct two_key_resource type = *two_key_resource_find(ID);

    type.connection_string = connection_string;
    return type;
}

static struct key_file example(struct secret **ret_key)
{
    *ret_key = secret_new(KEY, sizeof(KEY) - 1);
    return (struct key_file){.account = "Acct",
                             .resource_id = ID,
                             .account_endpoint = "acct.westeurope.batch.azure.com",
                             .slot = SLOT_SECONDARY,
                             .key = *ret_key,
                             .cycle = 17,
                             .delivered_at = 1795348800000};
}

static void expect_expanded(const char *text, const char *expected)
{
    const struct two_key_resource type =
        with_string("Endpoint=https://{endpoint};AccountName={name};AccountKey={key};");
    char problem[TEMPLATE_PROBLEM_MAX];
    struct secret *key;
    const struct key_file file = example(&key);
    struct buf out;

    assert_null(template_problem(text, &type, problem, sizeof(problem)));
    buf_init(&out, KEY_FILE_MAX);
    assert_int_equal(template_expand(text, &type, &file, &out), 0);
    assert_string_equal(buf_str(&out), expected);
    buf_done(&out);
    secret_free(key);
}

static void test_values(void **state)
{
    (void)state;
    expect_expanded("no placeholder", "no placeholder");
    expect_expanded("{key}", KEY);
    expect_expanded("key = \"{key}\"\n", "key = \"" KEY "\"\n");
    expect_expanded("{name} {account}", "Acct acct");
    expect_expanded("https://{endpoint}/", "https://acct.westeurope.batch.azure.com/");
    expect_expanded("{slot}{cycle}", "secondary17");
    expect_expanded("{resource_group}@{subscription_id}",
                    "render-(west)@abcdef00-0000-0000-0000-000000000000");
    expect_expanded("cs: {connection_string}",
                    "cs: Endpoint=https://acct.westeurope.batch.azure.com;AccountName=Acct;"
                    "AccountKey=" KEY ";");
}

static void test_escapes(void **state)
{
    (void)state;
    expect_expanded("{{\"key\": \"{key}\"}}\n", "{\"key\": \"" KEY "\"}\n");
    expect_expanded("{{{{}}}}", "{{}}");
    expect_expanded("{{key}}", "{key}");
    expect_expanded("{{{key}}}", "{" KEY "}");
}

static void test_what_was_written_is_found(void **state)
{
    static const char *const texts[] = {"{key}",     "x={key}\n",
                                        "a:{key};b", "{{{key}}}",
                                        "'{key}'",   "AccountKey={key};EndpointSuffix=core"};
    const struct two_key_resource type = with_string(NULL);
    struct secret *key;
    const struct key_file file = example(&key);

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char problem[TEMPLATE_PROBLEM_MAX];
        struct key_text found;
        struct buf out;

        assert_null(template_problem(texts[i], &type, problem, sizeof(problem)));
        buf_init(&out, KEY_FILE_MAX);
        assert_int_equal(template_expand(texts[i], &type, &file, &out), 0);
        assert_int_equal(key_text_find(&found, type.key_shape, buf_str(&out), out.length), 0);
        assert_int_equal(found.key_count, 1);
        assert_true(secret_equal(found.keys[0], key));
        key_text_done(&found);
        buf_done(&out);
    }
    secret_free(key);
}

static void test_problems(void **state)
{
    static const struct {
        const char *text, *problem;
    } cases[] = {
        {"{kye}", "unknown placeholder {kye}; did you mean {key}?"},
        {"{conection_string}",
         "unknown placeholder {conection_string}; did you mean {connection_string}?"},
        {"{location}",
         "unknown placeholder {location}; known are {key}, {name}, {endpoint}, {key_id}, {slot}, "
         "{cycle}, "
         "{connection_string}, {account}, {resource_group}, {subscription_id} and {name_1} to "
         "{name_3}"},
        {"{}",
         "unknown placeholder {}; known are {key}, {name}, {endpoint}, {key_id}, {slot}, {cycle}, "
         "{connection_string}, {account}, {resource_group}, {subscription_id} and {name_1} to "
         "{name_3}"},
        {"{\"key\": \"{key}\"}",
         "holds a '{' without its partner; braces enclose placeholders such as {key}, and a brace "
         "that is to stay is doubled, \"{{\""},
        {"key}",
         "holds a '}' without its partner; braces enclose placeholders such as {key}, and "
         "a brace that is to stay is doubled, \"}}\""},
        {"{key",
         "holds a '{' without its partner; braces enclose placeholders such as {key}, and "
         "a brace that is to stay is doubled, \"{{\""},
        {"x/{key}",
         "{key} touches what stands before it, so that the key could not be found "
         "again; put a blank, a quote or the end of a line between them"},
        {"{name}{key}",
         "{key} touches what stands before it, so that the key could not be found "
         "again; put a blank, a quote or the end of a line between them"},
        {"{key}{cycle}",
         "{key} touches what stands behind it, so that the key could not be found "
         "again; put a blank, a quote or the end of a line between them"},
        {"{key}=",
         "{key} touches what stands behind it, so that the key could not be found "
         "again; put a blank, a quote or the end of a line between them"},
        {"{connection_string}",
         "{connection_string}: clients of a Batch account take none; write {name}, {key} and "
         "{endpoint} in the form that they read"},
        {"{key} {name_2}", "{name_2}: the id of a Batch account holds one name; write {name_1}"},
        {"{key} {name_1} {name_3}",
         "{name_3}: the id of a Batch account holds one name; write {name_1}"},
    };
    const struct two_key_resource *type = two_key_resource_find(ID);
    char problem[TEMPLATE_PROBLEM_MAX], large[TEMPLATE_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *found = template_problem(cases[i].text, type, problem, sizeof(problem));

        assert_non_null(found);
        assert_string_equal(found, cases[i].problem);
    }
    assert_null(template_problem("{connection_string}", NULL, problem, sizeof(problem)));
    memset(large, 'x', sizeof(large));
    large[TEMPLATE_MAX + 1] = '\0';
    assert_string_equal(template_problem(large, type, problem, sizeof(problem)),
                        "is longer than 8192 bytes; shorten it");
    large[TEMPLATE_MAX] = '\0';
    assert_null(template_problem(large, type, problem, sizeof(problem)));
}

/* A placeholder for each name that ids of the type hold, and for none besides. */
static void test_names_that_there_are(void **state)
{
    static const char *const texts[] = {"{key} {name_1}", "{key} {name_2}", "{key} {name_3}"};
    const struct two_key_resource *type;
    char problem[TEMPLATE_PROBLEM_MAX];

    (void)state;
    for (size_t i = 0; (type = two_key_resource_at(i)); i++)
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
            assert_true(!template_problem(texts[k], type, problem, sizeof(problem)) ==
                        (k < two_key_depth(type)));
    assert_string_equal(
        template_problem(texts[2], two_key_resource_named("relay"), problem, sizeof(problem)),
        "{name_3}: the id of a rule of a Relay namespace holds two names; write {name_1} or "
        "{name_2}");
    assert_null(template_problem(texts[2], NULL, problem, sizeof(problem)));
}

static void test_questions(void **state)
{
    const struct two_key_resource with = with_string("E={endpoint};K={key}");
    const struct two_key_resource without = with_string("K={key}");

    (void)state;
    assert_true(template_holds_key("a {key}"));
    assert_true(template_holds_key("{connection_string}"));
    assert_false(template_holds_key("{{key}} {name}"));
    assert_true(template_needs_endpoint("{endpoint}", &without));
    assert_true(template_needs_endpoint("{connection_string}", &with));
    assert_false(template_needs_endpoint("{connection_string}", &without));
    assert_false(template_needs_endpoint("{key} {{endpoint}}", &with));
}

static void test_doubled_braces(void **state)
{
    (void)state;
    assert_true(template_doubles_key("{{key}}"));
    assert_true(template_doubles_key("{{ connection_string }}"));
    assert_false(template_doubles_key("{key}"));
    assert_false(template_doubles_key("{{name}} {{key} {{keys}} {{"));
    assert_non_null(strstr(template_keyless_problem("k = {{key}}"), "single braces"));
    assert_non_null(strstr(template_keyless_problem("k = {name}"), "add {key}"));
}

static void test_what_cannot_be_expanded(void **state)
{
    static const char *const texts[] = {"{unknown}", "{", "}", "{connection_string}"};
    const struct two_key_resource *type = two_key_resource_find(ID);
    struct secret *key;
    const struct key_file file = example(&key);
    struct buf out;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        buf_init(&out, KEY_FILE_MAX);
        assert_int_equal(template_expand(texts[i], type, &file, &out), -EINVAL);
        buf_done(&out);
    }
    buf_init(&out, 40);
    assert_int_equal(template_expand("{key}", type, &file, &out), -EMSGSIZE);
    buf_done(&out);
    secret_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_what_was_written_is_found),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_names_that_there_are),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_doubled_braces),
        cmocka_unit_test(test_what_cannot_be_expanded),
    };

    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
