/* Kubeconfigs: what is taken from them, what is refused and how, and what a parser gets to see. */
#include "conf/kubeconfig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/masked_text.h"

#define TOKEN "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJrZXlyb3RhdGVkIn0.c2lnbmF0dXJl"

/* A whole kubeconfig around the members of cluster and user. */
#define CONFIG(cluster, user)                                                                      \
    "apiVersion: v1\nkind: Config\ncurrent-context: here\n"                                        \
    "contexts:\n- name: here\n  context: {cluster: c, user: u, namespace: x}\n"                    \
    "- name: arn:aws:eks:eu-west-1:123456789012:cluster/the-production-cluster\n"                  \
    "  context: {cluster: c2, user: u}\n"                                                          \
    "clusters:\n- name: c\n  cluster: {" cluster                                                   \
    "}\n"                                                                                          \
    "- name: c2\n  cluster: {server: https://other:6443}\n"                                        \
    "users:\n- name: u\n  user: {" user "}\n"

static int read_text(struct kubeconfig *out, const char *text, const char *context, struct err *err)
{
    err_clear(err);
    return kubeconfig_read(out, "/etc/k/config", text, strlen(text), context, err);
}

static void test_a_token(void **state)
{
    struct kubeconfig out;
    struct err err;

    (void)state;
    if (read_text(&out,
                  CONFIG("server: 'https://k:6443', certificate-authority-data: LS0tLS1CRUdJTg==, "
                         "tls-server-name: api.k",
                         "token: " TOKEN),
                  NULL, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(out.context, "here");
    assert_string_equal(out.server, "https://k:6443");
    assert_string_equal(out.server_name, "api.k");
    assert_string_equal(out.user, "u");
    assert_string_equal(buf_str(&out.authorities.text), "-----BEGIN");
    assert_null(out.authorities.file);
    assert_string_equal(secret_bytes(out.token), TOKEN);
    assert_null(out.token_file);
    kubeconfig_done(&out);
}

static void test_files_and_another_context(void **state)
{
    struct kubeconfig out;
    struct err err;

    (void)state;
    if (read_text(&out,
                  CONFIG("server: 'https://k:6443'",
                         "tokenFile: token, client-certificate: /pki/c.pem, client-key: sub/k.pem"),
                  "arn:aws:eks:eu-west-1:123456789012:cluster/the-production-cluster", &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(out.server, "https://other:6443");
    assert_string_equal(out.token_file, "/etc/k/token");
    assert_string_equal(out.certificate.file, "/pki/c.pem");
    assert_string_equal(out.private_key.file, "/etc/k/sub/k.pem");
    kubeconfig_done(&out);
}

static void test_json(void **state)
{
    static const char text[] =
        "{\"current-context\":\"x\",\"contexts\":[{\"name\":\"x\",\"context\":{\"cluster\":\"c\","
        "\"user\":\"u\"}}],\"clusters\":[{\"name\":\"c\",\"cluster\":{\"server\":\"https://k\","
        "\"certificate-authority-data\":"
        "\"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==\"}}],\"users\":[{\"name\":\"u\",\"user\":"
        "{\"token\":\"" TOKEN "\"}}]}";
    struct kubeconfig out;
    struct err err;

    (void)state;
    if (read_text(&out, text, NULL, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(buf_str(&out.authorities.text), "-----BEGIN CERTIFICATE-----\n");
    assert_string_equal(secret_bytes(out.token), TOKEN);
    kubeconfig_done(&out);
}

struct refusal {
    const char *text;
    const char *said; /* after "/etc/k/config" */
};

#define SERVER "server: 'https://k:6443'"

static const struct refusal refusals[] = {
    {"", " is empty"},
    {"kind: Config\n",
     ": it names no current-context; name one there, or give `context` of the "
     "target"},
    {"current-context: ''\n",
     ": it names no current-context; name one there, or give `context` of "
     "the target"},
    {"current-context: x\n", ": there is no context \"x\" in it"},
    {"current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n",
     ": context \"x\" has no user"},
    {"current-context: x\ncontexts: [{name: x, context: {user: c}}]\n",
     ": context \"x\" has no cluster"},
    {"current-context: x\ncontexts: [{name: x, context: {user: c, cluster: c}}]\n",
     ": there is no cluster \"c\" in it"},
    {"current-context: x\ncontexts: [{name: x, context: {user: u, cluster: c}}]\n"
     "clusters: [{name: c, cluster: {server: 'https://k'}}]\n",
     ": there is no user \"u\" in it"},
    {"a: [\n",
     ":2:1: a: is not valid YAML: did not find expected node content, while parsing a flow "
     "node"},
    {"a: &x y\n", ":1:4: a: anchors (&name) are not read; write the value where it is needed"},
    {CONFIG("", "token: t"), ": server of cluster \"c\" is missing; write https://HOST:PORT"},
    {CONFIG("server: 'http://k:80'", "token: t"),
     ": server of cluster \"c\" would send tokens unencrypted; write https:// (http:// is accepted "
     "for loopback hosts and 169.254.169.254 alone)"},
    {CONFIG(SERVER ", insecure-skip-tls-verify: true", "token: t"),
     ": cluster \"c\" has insecure-skip-tls-verify, which is not supported; give "
     "certificate-authority, and remove it"},
    {CONFIG(SERVER ", proxy-url: 'http://p'", "token: t"),
     ": cluster \"c\" has proxy-url, which is not supported; give `proxy` in the configuration of "
     "keyrotated"},
    {CONFIG(SERVER ", certificate-authority: a, certificate-authority-data: YQ==", "token: t"),
     ": certificate-authority and certificate-authority-data are both given; keep one"},
    {CONFIG(SERVER ", certificate-authority-data: '***'", "token: t"),
     ": certificate-authority-data is not PEM text in base64"},
    {CONFIG(SERVER, ""),
     ": user \"u\" has no credential; give it token, tokenFile, or "
     "client-certificate and client-key"},
    {CONFIG(SERVER, "token: ''"),
     ": user \"u\" has no credential; give it token, tokenFile, or "
     "client-certificate and client-key"},
    {CONFIG(SERVER, "token: t, tokenFile: f"),
     ": user \"u\" has both token and tokenFile; keep one"},
    {CONFIG(SERVER, "client-certificate: f"),
     ": user \"u\" has no client-key to its client-certificate; give both"},
    {CONFIG(SERVER, "client-key: f"),
     ": user \"u\" has no client-certificate to its client-key; give both"},
    {CONFIG(SERVER, "exec: {command: aws}"),
     ": user \"u\" has exec, which is not supported; give it a token, a tokenFile or a client "
     "certificate"},
    {CONFIG(SERVER, "auth-provider: {name: gcp}"),
     ": user \"u\" has auth-provider, which is not supported; give it a token, a tokenFile or a "
     "client certificate"},
    {CONFIG(SERVER, "username: x, password: y"),
     ": user \"u\" has username, which is not supported; give it a token, a tokenFile or a client "
     "certificate"},
    {CONFIG(SERVER, "token: t, as: root"),
     ": user \"u\" has as, which is not supported; give the user itself the permissions"},
    {CONFIG(SERVER, "token: [t]"), ":16: token is not a text"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct kubeconfig out;
        struct err err;

        assert_int_equal(read_text(&out, refusals[i].text, NULL, &err), -EINVAL);
        assert_true(strncmp(err.text, "/etc/k/config", strlen("/etc/k/config")) == 0);
        assert_string_equal(err.text + strlen("/etc/k/config"), refusals[i].said);
        kubeconfig_done(&out);
    }
}

static void test_false_and_null_are_no_refusals(void **state)
{
    struct kubeconfig out;
    struct err err;

    (void)state;
    if (read_text(&out,
                  CONFIG(SERVER ", insecure-skip-tls-verify: false, proxy-url: null",
                         "token: t, exec: null, username: ''"),
                  NULL, &err) != 0)
        fail_msg("%s", err.text);
    kubeconfig_done(&out);
}

/* --- masking --- */

static void expect_masked(const char *text, const char *const plain[], const char *expected)
{
    struct masked_text masked;
    struct buf restored;

    buf_init(&restored, 1024);
    assert_int_equal(masked_text_init(&masked, text, strlen(text), plain), 0);
    assert_string_equal(buf_str(&masked.text), expected);
    assert_int_equal(masked_text_restore(&masked, buf_str(&masked.text), &restored), 0);
    assert_string_equal(buf_str(&restored), text);
    assert_true(masked_text_is(&masked, buf_str(&masked.text), text));
    assert_int_equal(masked_text_is(&masked, buf_str(&masked.text), "a: b"),
                     strcmp(text, "a: b") == 0);
    (void)buf_append_char(&restored, 'x');
    assert_false(masked_text_is(&masked, buf_str(&masked.text), buf_str(&restored)));
    buf_done(&restored);
    masked_text_done(&masked);
}

static void test_masking(void **state)
{
    static const char *const plain[] = {"certificate-authority-data", NULL};

    (void)state;
    expect_masked("", plain, "");
    expect_masked("a: b", plain, "a: b");
    expect_masked("abcdefghijklmnopqrstuvw", plain, "abcdefghijklmnopqrstuvw");
    expect_masked("abcdefghijklmnopqrstuvwx", plain, "x00000000000000000000000");
    expect_masked("t: " TOKEN "\nu: x", plain, "t: x00000000000000000000000\nu: x");
    expect_masked("certificate-authority-data: " TOKEN, plain,
                  "certificate-authority-data: x00000000000000000000000");
    /* equal runs look alike, and a text that looks like a replacement is replaced, too */
    expect_masked(TOKEN " " TOKEN " x00000000000000000000000", plain,
                  "x00000000000000000000000 x00000000000000000000000 x00000000000000000000001");
    expect_masked("\"\\nabcdefghijklmnopqrstuvwxyz\"", plain, "\"\\nabcdefghijklmnopqrstuvwxyz\"");
}

static void test_too_many_runs(void **state)
{
    struct masked_text masked;
    struct buf text;
    static const char *const plain[] = {NULL};

    (void)state;
    buf_init(&text, 1024 * 1024);
    for (int i = 0; i <= MASKED_RUNS_MAX; i++)
        (void)buf_append_format(&text, "%030d\n", i);
    assert_int_equal(masked_text_init(&masked, buf_str(&text), text.length, plain), -EMSGSIZE);
    masked_text_done(&masked);
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token),
        cmocka_unit_test(test_files_and_another_context),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_false_and_null_are_no_refusals),
        cmocka_unit_test(test_masking),
        cmocka_unit_test(test_too_many_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
