/* Logins at HashiCorp Vault: shared, outliving those who wait for them, remembered where they fail,
 * replaced where the token is refused. */
#include "vault_fixture.h"

/* One logs in, and all others wait for it. */
static void test_login_is_shared(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < JOBS; i++)
        start_read(f, i);
    loop_run(f->loop);
    for (size_t i = 0; i < JOBS; i++)
        assert_empty(&f->answers[i]);
    assert_int_equal(vault.logins, 1);
    read_one(f);
    assert_int_equal(vault.logins, 1);
    assert_int_equal(vault.reads, JOBS + 1);
}

/* Another role is another login. */
static void test_logins_differ(void **state)
{
    struct fixture *f = *state;

    read_one(f);
    f->settings.login.role = "other";
    read_one(f);
    assert_empty(&f->answers[0]);
    f->settings.object.name_space = "team";
    read_one(f);
    assert_int_equal(vault.logins, 3);
}

/* A token is used until a tenth of its life is left. */
static void test_token_runs_out(void **state)
{
    struct fixture *f = *state;

    vault.lease_s = 1;
    read_one(f);
    usleep(950 * 1000);
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_int_equal(vault.logins, 2);
}

static void start_second(struct timer *timer)
{
    struct fixture *f = container_of(timer, struct fixture, timer);

    start_read(f, 1);
    timer_close(timer, NULL);
}

/* The answer to the login does not come; those who wait get the token of the second one. */
static void test_lost_login_is_repeated(void **state)
{
    struct fixture *f = *state;

    f->world.timeout = 2 * PATIENCE;
    vault.hanging_logins = 1;
    start_read(f, 0);
    timer_init(f->loop, &f->timer, start_second);
    timer_set_delay(&f->timer, PATIENCE / 2);
    loop_run(f->loop);
    assert_empty(&f->answers[0]);
    assert_empty(&f->answers[1]);
    assert_int_equal(vault.logins, 2);
}

/* Once. A secret id that was wrapped may serve for one login alone, whose answer was lost. */
static void test_login_is_lost_for_good(void **state)
{
    struct fixture *f = *state;

    f->world.timeout = PATIENCE / 2;
    f->settings.login.wrapped = true;
    vault.hanging_logins = 1;
    read_one(f);
    assert_true(f->answers[0].failed);
    assert_false(f->answers[0].failure.outcome_unknown);
    assert_int_equal(vault.logins, 1);
    boot_offset_s += 3; /* the failure is forgotten */
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_int_equal(vault.unwraps, 1);
}

/* The operation that needed the secret id is given up, and the next one finds it. */
static void test_unwrapping_outlives_its_operation(void **state)
{
    struct fixture *f = *state;

    f->world.timeout = PATIENCE / 5;
    f->settings.login.wrapped = true;
    vault.slow_unwrap_ms = 2 * PATIENCE / 5;
    read_one(f); /* the loop runs until the unwrapping has ended, too */
    assert_true(f->answers[0].failed);
    assert_non_null(
        strstr(f->answers[0].failure.text, "did not answer for secret/a0 within 200ms"));
    assert_false(f->answers[0].failure.outcome_unknown);
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_int_equal(vault.unwraps, 1);
    assert_int_equal(vault.logins, 1);
}

/* The wrapping token is used up, and nobody has the secret id. */
static void test_lost_unwrapping_is_told(void **state)
{
    struct fixture *f = *state;

    f->settings.login.wrapped = true;
    vault.cut_unwraps = 1;
    read_one(f);
    assert_true(f->answers[0].failed);
    assert_non_null(strstr(f->answers[0].failure.remedy, "if the next attempt is refused, write"));
    assert_int_equal(vault.unwraps, 1);
    vault.refuses_unwraps = true;
    boot_offset_s += 3; /* the failure is forgotten */
    read_one(f);
    assert_true(f->answers[0].failed);
    assert_int_equal(f->answers[0].failure.reason, REASON_TARGET_DENIED);
    assert_non_null(strstr(f->answers[0].failure.remedy, "by the daemon itself, was lost"));
    /* Another token has another history. */
    write_text(f->secret_file, "another\n");
    boot_offset_s += 3;
    read_one(f);
    assert_non_null(strstr(f->answers[0].failure.remedy, "who used it"));
}

/* Both wait for nothing until their time is up. */
static void test_those_who_wait_are_given_up(void **state)
{
    struct fixture *f = *state;

    f->world.timeout = PATIENCE / 4;
    vault.hanging_logins = 2;
    start_read(f, 0);
    start_read(f, 1);
    loop_run(f->loop);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(f->answers[i].count, 1);
        assert_true(f->answers[i].failed);
    }
    vault.hanging_logins = 0;
    boot_offset_s += 3; /* the failure is forgotten */
    read_one(f);
    assert_empty(&f->answers[0]);
}

static void cancel_all(struct timer *timer)
{
    struct fixture *f = container_of(timer, struct fixture, timer);

    target_cancel_all(&f->world);
    timer_close(timer, NULL);
}

/* Nobody logs in any more for those that wait, when the daemon stops. */
static void test_daemon_stops(void **state)
{
    struct fixture *f = *state;

    vault.hanging_logins = JOBS;
    for (size_t i = 0; i < 3; i++)
        start_read(f, i);
    timer_init(f->loop, &f->timer, cancel_all);
    timer_set_delay(&f->timer, PATIENCE / 4);
    loop_run(f->loop);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(f->answers[i].count, 1);
        assert_true(f->answers[i].canceled);
    }
    assert_int_equal(vault.logins, 1);
    assert_false(target_is_busy(&f->world));
}

/* Many accounts with a wrong secret make one request. */
static void test_failed_login_is_remembered(void **state)
{
    struct fixture *f = *state;

    vault.refuses_logins = true;
    for (size_t i = 0; i < JOBS; i++)
        start_read(f, i);
    loop_run(f->loop);
    read_one(f);
    for (size_t i = 0; i < JOBS; i++) {
        assert_true(f->answers[i].failed);
        assert_int_equal(f->answers[i].failure.reason, REASON_TARGET_DENIED);
        assert_non_null(strstr(f->answers[i].failure.text, "invalid role or secret ID"));
        assert_non_null(strstr(f->answers[i].failure.remedy, f->secret_file));
    }
    assert_int_equal(vault.logins, 1);
    assert_int_equal(vault.reads, 0);
}

/* A token that is refused is replaced once; a second refusal is final, and another operation does
 * not log in again within seconds. */
static void test_refused_token(void **state)
{
    struct fixture *f = *state;

    vault.refused_reads = 1;
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_int_equal(vault.logins, 2);

    vault.refused_reads = 9;
    read_one(f);
    assert_true(f->answers[0].failed);
    assert_int_equal(f->answers[0].failure.reason, REASON_TARGET_DENIED);
    assert_int_equal(vault.logins, 2);
    assert_int_equal(vault.reads, 3);
}

/* All operations with the refused token wait for its successor, whoever noticed first. */
static void test_token_refused_to_many(void **state)
{
    struct fixture *f = *state;

    vault.refused_reads = JOBS;
    vault.slow_renewal = true;
    for (size_t i = 0; i < JOBS; i++)
        start_read(f, i);
    loop_run(f->loop);
    for (size_t i = 0; i < JOBS; i++)
        assert_empty(&f->answers[i]);
    assert_int_equal(vault.logins, 2);
    assert_int_equal(vault.reads, 2 * JOBS);
}

static void test_refused_token_of_a_file(void **state)
{
    struct fixture *f = *state;

    f->settings.login.kind = VAULT_LOGIN_TOKEN;
    vault.refused_reads = 1;
    read_one(f);
    assert_true(f->answers[0].failed); /* the file has no other */
    assert_non_null(strstr(f->answers[0].failure.remedy, "write a valid token to /tmp/"));
    assert_int_equal(vault.reads, 1);

    /* Somebody renews it just then. */
    (void)str_copy(vault.next_token_file, sizeof(vault.next_token_file), f->secret_file);
    vault.refused_reads = 1;
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_non_null(strstr(f->server->last_request, "X-Vault-Token: the next token"));
    assert_int_equal(vault.logins, 0);
}

/* The secret id is kept, for its wrapping token works once; another token in the file is new. */
static void test_wrapped_secret_id(void **state)
{
    struct fixture *f = *state;

    f->settings.login.wrapped = true;
    vault.refused_reads = 1;
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_int_equal(vault.logins, 2);
    assert_int_equal(vault.unwraps, 1);

    write_text(f->secret_file, "another\n");
    vault.lease_s = 1;
    f->settings.login.role = "other";
    read_one(f);
    assert_int_equal(vault.unwraps, 2);
    usleep(950 * 1000);
    write_text(f->secret_file, "a third one\n");
    read_one(f);
    assert_empty(&f->answers[0]);
    assert_int_equal(vault.unwraps, 3);
}

/* A token that no header takes fails its own operation alone, and every later one. */
static void test_unusable_secret(void **state)
{
    struct fixture *f = *state;

    f->settings.login.wrapped = true;
    f->settings.object.name_space = "a\nb";
    for (size_t i = 0; i < 2; i++)
        start_read(f, i);
    loop_run(f->loop);
    for (size_t i = 0; i < 2; i++) {
        assert_true(f->answers[i].failed);
        assert_non_null(strstr(f->answers[i].failure.text, "cannot be made"));
    }
    assert_int_equal(f->server->requests, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_login_is_shared),
        TEST(test_logins_differ),
        TEST(test_token_runs_out),
        TEST(test_lost_login_is_repeated),
        TEST(test_login_is_lost_for_good),
        TEST(test_unwrapping_outlives_its_operation),
        TEST(test_lost_unwrapping_is_told),
        TEST(test_those_who_wait_are_given_up),
        TEST(test_daemon_stops),
        TEST(test_failed_login_is_remembered),
        TEST(test_refused_token),
        TEST(test_token_refused_to_many),
        TEST(test_refused_token_of_a_file),
        TEST(test_wrapped_secret_id),
        TEST(test_unusable_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
