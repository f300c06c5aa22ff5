#include "ctl/adoption_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct account_snapshot accounts[] = {
    {.id = "/subscriptions/s/resourceGroups/g/providers/P/t/one",
     .name = "one",
     .resource_group = "g"},
    {.id = "/subscriptions/s/resourceGroups/h/providers/P/t/one",
     .name = "one",
     .resource_group = "h"},
    {.id = "/subscriptions/s/resourceGroups/g/providers/P/t/two",
     .name = "two",
     .resource_group = "g"},
};
static const struct control_status status = {.accounts = accounts, .account_count = 3};

static struct adoption_list list;
static struct buf errors;

static const char *read_text(const char *text)
{
    buf_init(&errors, CONTROL_REPLY_MAX);
    assert_int_equal(adoption_list_read(&list, "f", text, strlen(text), &status, &errors), 0);
    return errors.length > 0 ? buf_str(&errors) : "";
}

static void done(void)
{
    adoption_list_done(&list);
    buf_done(&errors);
}

static void test_good_file(void **state)
{
    (void)state;
    assert_string_equal(read_text("\xef\xbb\xbf# after the fire\r\n\r\n  TWO\tPrimary \r\n\n"
                                  "h/one secondary"),
                        "");
    assert_int_equal(list.count, 2);
    assert_int_equal(list.lines[0].number, 3);
    assert_string_equal(list.lines[0].account, "TWO");
    assert_string_equal(list.lines[0].active, "primary");
    assert_ptr_equal(list.lines[0].subject, &accounts[2]);
    assert_int_equal(list.lines[1].number, 5);
    assert_string_equal(list.lines[1].active, "secondary");
    assert_ptr_equal(list.lines[1].subject, &accounts[1]);
    done();
}

/* All that is wrong is told in one run, in the order of the lines. */
static void test_everything_that_is_wrong(void **state)
{
    (void)state;
    assert_string_equal(
        read_text("one primary\ntwo\ntwo tertiary\ntwo primary now\nnobody primary\n"
                  "two primary\n# two primary\nG/TWO secondary\nt\x01o primary\n"),
        "f:1: more than one account is named one: say group/name, or the id: "
        "/subscriptions/s/resourceGroups/g/providers/P/t/one, "
        "/subscriptions/s/resourceGroups/h/providers/P/t/one\n"
        "f:2: two: primary or secondary has to follow\n"
        "f:3: two: \"tertiary\" is neither primary nor secondary\n"
        "f:4: two: a line is an account and a slot, and \"now\" is too much\n"
        "f:5: no account nobody is configured\n"
        "f:9: no account t?o is configured\n"
        "f:8: G/TWO stands in line 6 already\n");
    done();
}

static void test_no_list_at_all(void **state)
{
    (void)state;
    assert_string_equal(read_text(""), "f:1: there is no line ACCOUNT primary|secondary in it\n");
    done();
    assert_string_equal(read_text("# nothing\n"),
                        "f:1: there is no line ACCOUNT primary|secondary in it\n");
    done();
    assert_string_equal(read_text("tw\xff primary"), "f:1: this is no account's name\n");
    done();
    buf_init(&errors, CONTROL_REPLY_MAX);
    assert_int_equal(adoption_list_read(&list, "f", "two\0primary", 11, &status, &errors), 0);
    assert_string_equal(buf_str(&errors), "f:1: the file is not text\n");
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_file),
        cmocka_unit_test(test_everything_that_is_wrong),
        cmocka_unit_test(test_no_list_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
