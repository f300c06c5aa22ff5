/* YAML as a tree: what is kept, what is refused, and where messages point. */
#include "conf/yaml_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/report.h"

struct parsed {
    struct arena *arena;
    struct tree_node *root;
    bool is_empty;
    struct config_messages messages;
};

static void parse(struct parsed *parsed, const char *text, size_t length)
{
    struct report report;

    parsed->arena = arena_new(64 * 1024 * 1024);
    assert_non_null(parsed->arena);
    report_init(&report, parsed->arena);
    config_messages_init(&parsed->messages);
    parsed->root = tree_parse(parsed->arena, (struct mark){.file = "f"}, text, length, &report,
                              &parsed->is_empty);
    report_finish(&report, &parsed->messages);
}

static void parsed_done(struct parsed *parsed)
{
    config_messages_done(&parsed->messages);
    arena_free(parsed->arena);
}

#define KEY_CHARACTERS "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/"
#define ACCOUNT_KEY    KEY_CHARACTERS KEY_CHARACTERS "ABCDEFGHIJ=="

struct mistake {
    const char *text;
    const char *expected;
};

static const struct mistake mistakes[] = {
    {"a: &x 1\n", "f:1:4: a: anchors (&name) are not read; write the value where it is needed\n"},
    {"a: &x [1]\n", "f:1:4: a: anchors (&name) are not read; write the value where it is needed\n"},
    {"a: *x\n", "f:1:4: a: aliases (*name) are not read; write the value where it is needed\n"},
    {"*x : 1\n", "f:1:1: aliases (*name) are not read; write the value where it is needed\n"},
    {"a: !!str 1\n", "f:1:4: a: tags (!name) are not read; write the value alone\n"},
    {"a: !x {b: 1}\n", "f:1:4: a: tags (!name) are not read; write the value alone\n"},
    {"a: !e!x 1\n", "f:1:4: a: tags (!name) are not read; write the value alone\n"},
    {"%YAML 1.2\n---\na: 1\n", "f:1:1: directives (%) are not read; remove the line\n"},
    {"%YAML 1.3\n---\na: 1\n", "f:1:1: directives (%) are not read; remove the line\n"},
    {"%TAG ! tag:x,2000:\n---\na: 1\n", "f:1:1: directives (%) are not read; remove the line\n"},
    {"a:\n  <<: {b: 1}\n", "f:2:3: a.<<: merge keys are not read; write the keys out\n"},
    {"a: 1\nb: 2\na: 3\n", "f:3:1: a: stands twice, first at f:1:1; keep one\n"},
    {"m: {x: 1, y: 2, x: 3}\n", "f:1:17: m.x: stands twice, first at f:1:5; keep one\n"},
    {"a: 1\n---\nb: 2\n", "f:2:1: a second document begins here; one file holds one document\n"},
    {"- 1\n", "f:1:1: the file does not begin with a key; write \"key: value\" lines\n"},
    {"word\n", "f:1:1: the file does not begin with a key; write \"key: value\" lines\n"},
    {"? [a]\n: 1\n", "f:1:3: a key is a mapping or a list; put text with '{' or '[' in quotes\n"},
    {"\"\": 1\n", "f:1:1: a key is empty; write its name before the ':'\n"},
    {"a:\n\tb: 1\n", "f:2:1: a: a tab stands in the indentation; indent with spaces\n"},
    {"a: \"x\n\nb: 1\n", "f:1:4: a: this quote is never closed; add the closing quote\n"},
    {"a: 'x\nb: 1\n", "f:1:4: a: this quote is never closed; add the closing quote\n"},
    {"a: {b: 1\nc: 2\n",
     "f:1:4: a: this '{' is never closed; add '}', or the ',' that is missing inside\n"},
    {"a: [1, 2\nc: 3\n",
     "f:1:4: a: this '[' is never closed; add ']', or the ',' that is missing inside\n"},
    {"a: 1\nb\nc: 2\n", "f:2:1: a ':' is missing after this; write \"key: value\"\n"},
    {"a: b: c\n",
     "f:1:5: a ': ' cannot stand here; put the value in quotes, or correct the "
     "indentation\n"},
    {"a:\n   b: 1\n  c: 2\n",
     "f:3:3: this does not line up with the keys above; correct the indentation or the "
     "quotes\n"},
    {"a: @b\n", "f:1:4: a: nothing can begin with '@'; put the value in quotes\n"},
    {"a: \"\\q\"\n",
     "f:1:5: a: the backslash means something else in double quotes; use single "
     "quotes or write \\\\\n"},
    {"a: \"x\\0y\"\n",
     "f:1:4: a: contains a line break or another control character; write it "
     "in one line\n"},
    {"a: \"x\\ry\"\n",
     "f:1:4: a: contains a line break or another control character; write it "
     "in one line\n"},
    {"\"a\\nb\": 1\n",
     "f:1:1: contains a line break or another control character; write it in one line\n"},
    {"a: 1\nb: \xc3\xa4\xff\n", "f:2:5: the file is not valid UTF-8 here; save it as UTF-8\n"},
    {"a: [" ACCOUNT_KEY "]\n",
     "f:1:5: a[0]: looks like an account key; a key does not belong in the configuration: remove "
     "it here, and regenerate it if others could read the file\n"},
    {"a: \"AccountKey=" ACCOUNT_KEY ";x\"\n",
     "f:1:4: a: looks like an account key; a key does not belong in the configuration: remove "
     "it here, and regenerate it if others could read the file\n"},
    {ACCOUNT_KEY ": 1\n",
     "f:1:1: looks like an account key; a key does not belong in the configuration: remove "
     "it here, and regenerate it if others could read the file\n"},
    /* Columns count characters; what follows a mistake that leaves the rest readable is read. */
    {"\xc3\xa4: {\xe2\x82\xac: &a 1, b: *c}\n",
     "f:1:8: \xc3\xa4.\xe2\x82\xac: anchors (&name) are not read; write the value where it is "
     "needed\n"
     "f:1:17: \xc3\xa4.b: aliases (*name) are not read; write the value where it is needed\n"},
};

static void refuses_with_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        const struct mistake *mistake = &mistakes[i];
        struct parsed parsed;

        parse(&parsed, mistake->text, strlen(mistake->text));
        assert_string_equal(buf_str(&parsed.messages.text), mistake->expected);
        assert_true(parsed.messages.error_count > 0);
        parsed_done(&parsed);
    }
}

static void refuses_bytes_that_are_no_text(void **state)
{
    (void)state;
    static const char nul[] = {'a', ':', ' ', 'x', '\0', 'y', '\n'};
    static const unsigned char utf16[] = {0xff, 0xfe, 'a', 0, ':', 0};
    struct parsed parsed;

    parse(&parsed, nul, sizeof(nul));
    assert_string_equal(buf_str(&parsed.messages.text),
                        "f:1:5: a control character stands here; remove it\n");
    parsed_done(&parsed);
    parse(&parsed, (const char *)utf16, sizeof(utf16));
    assert_string_equal(buf_str(&parsed.messages.text),
                        "f:1:1: the file is UTF-16; save it as UTF-8\n");
    parsed_done(&parsed);
}

static void keeps_what_was_written(void **state)
{
    (void)state;
    static const char text[] =
        "# comment\n"
        "on: yes\n"
        "time: 12:30\n"
        "mode: \"0640\"\n"
        "none:\n"
        "list:\n"
        "- {deep: [x, 'y z']}\n";
    const struct tree_node *node;
    struct parsed parsed;
    struct buf path;

    parse(&parsed, text, strlen(text));
    assert_string_equal(buf_str(&parsed.messages.text), "");
    assert_non_null(parsed.root);
    assert_int_equal(parsed.root->count, 5);
    assert_string_equal(tree_child(parsed.root, "on")->text, "yes");
    assert_string_equal(tree_child(parsed.root, "time")->text, "12:30");
    assert_false(tree_child(parsed.root, "time")->quoted);
    assert_true(tree_child(parsed.root, "mode")->quoted);
    assert_string_equal(tree_child(parsed.root, "none")->text, "");
    assert_null(tree_child(parsed.root, "nothing"));
    node = tree_child(parsed.root, "list")->first;
    node = tree_child(node, "deep")->first->next;
    assert_string_equal(node->text, "y z");
    assert_int_equal(node->mark.line, 7);
    assert_int_equal(node->mark.column, 14);
    buf_init(&path, 100);
    tree_append_path(&path, node);
    assert_string_equal(buf_str(&path), "list[0].deep[1]");
    buf_done(&path);
    parsed_done(&parsed);
}

static void tells_an_empty_file(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "# nothing\n", "---\n", "\xef\xbb\xbf# mark\n"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct parsed parsed;

        parse(&parsed, texts[i], strlen(texts[i]));
        assert_null(parsed.root);
        assert_true(parsed.is_empty);
        assert_int_equal(parsed.messages.error_count, 0);
        parsed_done(&parsed);
    }
}

/* `count` times `piece` after `head`. */
static char *repeat(const char *head, const char *piece, size_t count)
{
    size_t head_length = strlen(head);
    size_t length = strlen(piece);
    char *text = malloc(head_length + count * length + 1);

    assert_non_null(text);
    memcpy(text, head, head_length);
    for (size_t i = 0; i < count; i++)
        memcpy(text + head_length + i * length, piece, length);
    text[head_length + count * length] = '\0';
    return text;
}

static void bounds_depth_and_number(void **state)
{
    (void)state;
    char *deep = repeat("a: ", "[", 300000);
    char *many = repeat("a: [", "1,", 250000);
    char *keys = malloc(20 * 10002);
    size_t length = 0;
    struct parsed parsed;

    parse(&parsed, deep, strlen(deep));
    assert_null(parsed.root);
    assert_non_null(
        strstr(buf_str(&parsed.messages.text), "[0]: is nested too deeply; 16 mappings and lists"));
    assert_int_equal(parsed.messages.error_count, 1);
    parsed_done(&parsed);

    parse(&parsed, many, strlen(many));
    assert_null(parsed.root);
    assert_non_null(strstr(buf_str(&parsed.messages.text), "the file holds too many values"));
    parsed_done(&parsed);

    assert_non_null(keys);
    for (int i = 0; i < 10001; i++)
        length += (size_t)snprintf(keys + length, 20, "k%d: 1\n", i);
    parse(&parsed, keys, length);
    assert_string_equal(buf_str(&parsed.messages.text),
                        "f:10001:1: this mapping has too many keys; 10000 is the most\n");
    parsed_done(&parsed);
    free(deep);
    free(many);
    free(keys);
}

/* Whatever is cut off or flipped, the result is a tree or a message, and never neither. */
static void survives_damage(void **state)
{
    (void)state;
    static const char text[] =
        "version: 1\nidentities: {vm: {type: managed_identity}}\n"
        "list:\n  - a: \"x\"\n    b: 'y'\n  - [1, {c: d}]\n";
    uint32_t random = 12345;

    for (int round = 0; round < 20000; round++) {
        char damaged[sizeof(text)];
        size_t length = sizeof(text) - 1;
        struct parsed parsed;

        memcpy(damaged, text, sizeof(text));
        random = random * 1664525U + 1013904223U;
        damaged[(random >> 8) % length] = (char)(random >> 24);
        if (round % 4 == 0)
            length = (random >> 4) % length;
        parse(&parsed, damaged, length);
        assert_true(parsed.root || parsed.is_empty || parsed.messages.error_count > 0);
        parsed_done(&parsed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_a_place),    cmocka_unit_test(refuses_bytes_that_are_no_text),
        cmocka_unit_test(keeps_what_was_written),  cmocka_unit_test(tells_an_empty_file),
        cmocka_unit_test(bounds_depth_and_number), cmocka_unit_test(survives_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
