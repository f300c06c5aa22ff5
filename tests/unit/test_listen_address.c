/* Where a server listens, and by which names it is asked. */
#include "base/listen_address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void addresses_are_read(void **state)
{
    (void)state;
    struct listen_address address;

    assert_true(listen_address_parse("127.0.0.1:9877", &address));
    assert_true(address.is_loopback);
    assert_int_equal(address.address.ss_family, AF_INET);
    assert_int_equal(address.length, sizeof(struct sockaddr_in));
    assert_int_equal(ntohs(((struct sockaddr_in *)&address.address)->sin_port), 9877);
    assert_true(listen_address_parse("[::1]:1", &address));
    assert_true(address.is_loopback);
    assert_int_equal(address.address.ss_family, AF_INET6);
    assert_int_equal(ntohs(((struct sockaddr_in6 *)&address.address)->sin6_port), 1);
    assert_true(listen_address_parse("0.0.0.0:65535", &address));
    assert_false(address.is_loopback);
    assert_true(listen_address_parse("[::]:80", &address));
    assert_false(address.is_loopback);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        ":9877",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        "127.0.0.1:0",
                                        "1.2.3:80",
                                        "localhost:1",
                                        "::1:9877",
                                        "[::1]",
                                        "[::1]9877",
                                        "[::1:9877",
                                        "[::1]:x",
                                        "[1.2.3.4]]:1",
                                        "127.0.0.1:65536",
                                        "127.0.0.1:-1",
                                        "127.0.0.1 :1",
                                        "[fe80::1%lo]:1"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(listen_address_parse(texts[i], NULL));
}

static void names_of_this_machine(void **state)
{
    (void)state;
    static const char *const here[] = {"localhost",     "LocalHost:80", "127.0.0.1",
                                       "10.0.0.7:9877", "[::1]:9877",   "[2001:db8::1]"};
    static const char *const elsewhere[] = {"",
                                            "evil.example",
                                            "evil.example:9877",
                                            "localhost.",
                                            "localhost.evil",
                                            "127.0.0.1.nip.example",
                                            "[::1",
                                            "::1"};

    for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
        assert_true(listen_address_is_host_here(here[i]));
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++)
        assert_false(listen_address_is_host_here(elsewhere[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(names_of_this_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
