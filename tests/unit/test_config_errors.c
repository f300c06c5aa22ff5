/* Mistakes in single values and sections, each once, with its place and the whole sentence. */
#include "conf/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_fixture.h"

struct mistake {
    struct config_lines lines;
    const char *expected; /* all messages */
};

static const struct mistake service_mistakes[] = {
    {{.version = "version: 2"}, "k.yaml:1:10: version: 2 is not known to this program; write 1\n"},
    {{.version = "version: 01"},
     "k.yaml:1:10: version: \"01\" cannot stand here; write a number\n"},
    {{.version = "version:"}, "k.yaml:1:9: version: has no value; give a number\n"},
    {{.version = "# none"}, "k.yaml:1:1: version: is missing; give a number\n"},
    {{.more = "polices: {}\n"}, "k.yaml:6:1: polices: unknown key; did you mean policies?\n"},
    {{.more = "zzz: 1\n"},
     "k.yaml:6:1: zzz: unknown key; known here: version, state_dir, control_socket, log, history, "
     "metrics, "
     "cloud, ca_file, proxy, no_proxy, api_versions, limits, timing, identities, policies, "
     "targets, defaults, "
     "accounts, notify, discover, freeze\n"},
    {{.more = "log: {level: debg}\n"},
     "k.yaml:6:14: log.level: unknown value \"debg\"; did you mean debug?\n"},
    {{.more = "log: {format: xml}\n"},
     "k.yaml:6:15: log.format: unknown value \"xml\"; write auto, journal, logfmt or json\n"},
    {{.more = "log: info\n"},
     "k.yaml:6:6: log: is a single value; give a mapping of keys (level, format, status_every) to "
     "values\n"},
    {{.more = "log: {status_every: 0s}\n"},
     "k.yaml:6:21: log.status_every: must be longer than 0s; write a duration such as 90s or "
     "30d\n"},
    {{.more = "log: {status_every: 12:30}\n"},
     "k.yaml:6:21: log.status_every: \"12:30\" cannot stand here; write a duration such as 90s, "
     "12h or 30d\n"},
    {{.more = "limits: {requests: 0}\n"},
     "k.yaml:6:20: limits.requests: 0 is out of range; write a number from 1 to 1024\n"},
    {{.more = "limits: {per_subscription: 9999}\n"},
     "k.yaml:6:28: limits.per_subscription: 9999 is out of range; write a number from 1 to 1024\n"},
    {{.more = "limits: {requests: 010}\n"},
     "k.yaml:6:20: limits.requests: \"010\" cannot stand here; write a number\n"},
    {{.more = "state_dir: var/lib\n"},
     "k.yaml:6:12: state_dir: \"var/lib\" cannot stand here; write an absolute path\n"},
    {{.more = "state_dir: /var/../lib\n"},
     "k.yaml:6:12: state_dir: \"/var/../lib\" holds \".\" or \"..\"; write the path without "
     "them\n"},
    {{.more = "control_socket: "
              "/sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"
              "sssssssssssssssssssssssssssssssssssss\n"},
     "k.yaml:6:17: control_socket: is too long for a socket; 107 bytes are the most\n"},
    {{.more = "ca_file: [a]\n"}, "k.yaml:6:10: ca_file: is a list; give an absolute path\n"},
    {{.more = "proxy: socks5://p:1080\n"},
     "k.yaml:6:8: proxy: \"socks5://p:1080\" is not the URL of a proxy that can be used; write "
     "http://HOST:PORT or https://HOST:PORT\n"},
    {{.more = "proxy: p:1080\n"},
     "k.yaml:6:8: proxy: \"p:1080\" is not the URL of a proxy that can be used; write "
     "http://HOST:PORT or https://HOST:PORT\n"},
    {{.more = "proxy: \"http://user:word@proxy:3128\"\n"},
     "k.yaml:6:8: proxy: holds a user name or password; such things do not belong in this file\n"},
    {{.more = "proxy: {url: http://proxy:3128, user: me}\n"},
     "k.yaml:6:8: proxy.password_file: is missing; give user and password_file, or neither\n"},
    {{.more = "proxy: {url: http://proxy:3128, password_file: p}\n"},
     "k.yaml:6:8: proxy.user: is missing; give user and password_file, or neither\n"},
    {{.more = "proxy: {user: me, password_file: p, password: x}\n"},
     "k.yaml:6:8: proxy.url: is missing; give a URL such as http://HOST:PORT\n"
     "k.yaml:6:37: proxy.password: unknown key; known here: url, user, password_file\n"},
    {{.more = "proxy: http://proxy:3128/x\n"},
     "k.yaml:6:8: proxy: \"http://proxy:3128/x\" holds a path; a proxy is http://HOST:PORT or "
     "https://HOST:PORT\n"},
    {{.more = "proxy: http://proxy:99999\n"},
     "k.yaml:6:8: proxy: \"http://proxy:99999\" has no valid port; write :1 to :65535 after the "
     "host, or nothing\n"},
    {{.more = "no_proxy: '*'\n"}, ""},
    {{.more = "no_proxy: '*.example.org'\n"},
     "k.yaml:6:11: no_proxy: \"*.example.org\" cannot stand here; write a host name or suffix such "
     "as .example.org\n"},
    {{.more = "no_proxy: ['*']\n"}, ""},
    {{.more = "no_proxy: [example.org, '*']\n"},
     "k.yaml:6:25: no_proxy[1]: means all hosts and stands alone; keep it, or the names beside "
     "it\n"},
    {{.more = "no_proxy: ['*', '*']\n"},
     "k.yaml:6:12: no_proxy[0]: means all hosts and stands alone; keep it, or the names beside "
     "it\n"},
    {{.more = "no_proxy: [a b]\n"},
     "k.yaml:6:12: no_proxy[0]: \"a b\" cannot stand here; write a host name or suffix such as "
     ".example.org\n"},
    {{.more = "cloud: AzureClod\n"},
     "k.yaml:6:8: cloud: unknown value \"AzureClod\"; did you mean AzureCloud?\n"},
    {{.more = "cloud: AzureGermanCloud\n"},
     "k.yaml:6:8: cloud: unknown value \"AzureGermanCloud\"; write AzureCloud, AzureChinaCloud or "
     "AzureUSGovernment, or a mapping\n"},
    {{.more = "cloud: {resource_manager: https://arm.example}\n"},
     "k.yaml:6:8: cloud.login: is missing; give a URL such as https://HOST, or discover: true\n"},
    {{.more = "cloud: {resource_manager: http://arm.example, login: http://127.0.0.1:1}\n"},
     "k.yaml:6:27: cloud.resource_manager: \"http://arm.example\" would send tokens unencrypted; "
     "write https:// (http:// is accepted for loopback hosts and 169.254.169.254 alone)\n"},
    {{.more = "cloud: {resource_manager: ftp://arm, login: https://l/?x=1}\n"},
     "k.yaml:6:27: cloud.resource_manager: \"ftp://arm\" is not a URL that can be used; write "
     "https://HOST\n"
     "k.yaml:6:45: cloud.login: \"https://l/?x=1\" holds a query or fragment; end the URL before "
     "it\n"},
    {{.more = "cloud: {resource_manager: https://a, login: https://l, api_version: 2024-2-1}\n"},
     "k.yaml:6:69: cloud.api_version: \"2024-2-1\" cannot stand here; write a version such as "
     "2024-02-01\n"},
    {{.more = "cloud: {resource_manager: 'https://[::1', login: 'http://[::2]:1'}\n"},
     "k.yaml:6:27: cloud.resource_manager: \"https://[::1\" has no valid host; close the bracket "
     "of the IPv6 address\n"
     "k.yaml:6:50: cloud.login: \"http://[::2]:1\" would send tokens unencrypted; write https:// "
     "(http:// is accepted for loopback hosts and 169.254.169.254 alone)\n"},
    {{.more = "timing: {retry_initial: 2h, retry_max: 1h}\n"},
     "k.yaml:6:25: timing.retry_initial: retry_initial is longer than retry_max; write 1h or less, "
     "or raise retry_max\n"},
    {{.more = "timing: {settle: 2d}\n"},
     "k.yaml:6:18: timing.settle: is too long; 1d is the most\n"},
    {{.more = "timing: {unknown_wait: 10s}\n"},
     "k.yaml:6:24: timing.unknown_wait: warning: is short; write 1m30s or more, or a regenerate "
     "whose "
     "answer was lost may still kill a key after the daemon took it for failed\n"},
    {{.more = "timing: {unknown_wait: 10}\n"},
     "k.yaml:6:24: timing.unknown_wait: \"10\" cannot stand here; write a duration such as 90s, "
     "12h or 30d\n"},
    {{.more = "metrics: {listen: x}\n"},
     "k.yaml:6:19: metrics.listen: \"x\" cannot stand here; write an address and port such as "
     "127.0.0.1:9877\n"},
    {{.more = "metrics: {listen: \"localhost:9877\"}\n"},
     "k.yaml:6:19: metrics.listen: \"localhost:9877\" cannot stand here; write an address and port "
     "such as 127.0.0.1:9877\n"},
    {{.more = "metrics: {accounts: 10}\n"},
     "k.yaml:6:10: metrics.listen: is missing, and file, too; give one of the two, or both\n"},
    {{.more = "metrics: {file: keys.prom}\n"},
     "k.yaml:6:17: metrics.file: \"keys.prom\" cannot stand here; write an absolute path\n"},
    {{.more = "metrics: {file: /run/keys.txt}\n"},
     "k.yaml:6:17: metrics.file: warning: the textfile collector of Prometheus reads only files "
     "whose name ends with .prom\n"},
    {{.more = "discover: {}\n"},
     "k.yaml:6:11: discover: must be a list; begin each item with \"- \"\n"},
};

static const struct mistake identity_mistakes[] = {
    {{.identities = "identities: {i: {}}"},
     "k.yaml:2:17: identities.i.type: is missing; write " IDENTITY_TYPES "\n"},
    {{.identities = "identities:"},
     "k.yaml:2:12: identities: has no value; give a mapping of keys to values\n"},
    {{.identities = "identities: [a]"},
     "k.yaml:2:13: identities: must be a mapping from names; write \"identities: {NAME: …}\"\n"},
    {{.identities = "# none"},
     "k.yaml:1:1: identities: is missing; give a mapping of keys to values\n"},
    {{.identities = "identities: {\"a b\": {type: managed_identity}}"},
     "k.yaml:2:14: identities.a b: is no name; use letters, digits, '_', '-' and '.', 64 at "
     "most\n"},
    {{.identities = "identities: {i: {type: managd_identity}}"},
     "k.yaml:2:24: identities.i.type: unknown type \"managd_identity\"; did you mean "
     "managed_identity?\n"},
    {{.identities = "identities: {i: {type: password}}"},
     "k.yaml:2:24: identities.i.type: unknown type \"password\"; write " IDENTITY_TYPES "\n"},
    {{.identities = "identities: {i: {type: client_secret}}"},
     "k.yaml:2:17: identities.i.tenant_id: is missing; give a GUID or a domain name\n"
     "k.yaml:2:17: identities.i.client_id: is missing; give a GUID\n"
     "k.yaml:2:17: identities.i.client_secret_file: is missing; give the path of a file\n"},
    {{.identities = "identities: {i: {type: client_secret, tenant_id: x, client_id: y, "
                    "client_secret_file: ../s}}"},
     "k.yaml:2:50: identities.i.tenant_id: \"x\" is not a tenant; write its GUID or a domain such "
     "as contoso.onmicrosoft.com\n"
     "k.yaml:2:64: identities.i.client_id: \"y\" is not a GUID; write it as "
     "00000000-0000-0000-0000-000000000000\n"
     "k.yaml:2:87: identities.i.client_secret_file: \"../s\" holds \".\" or \"..\"; write the path "
     "without them\n"},
    {{.identities = "identities: {i: {type: client_secret, tenant_id: contoso.onmicrosoft.com, "
                    "client_id: 00000000-0000-0000-0000-000000000000, client_secret: x}}"},
     "k.yaml:2:17: identities.i.client_secret_file: is missing; give the path of a file\n"
     "k.yaml:2:124: identities.i.client_secret: unknown key; known here: tenant_id, client_id, "
     "client_secret_file, type\n"},
    {{.identities = "identities: {i: {type: client_certificate, tenant_id: "
                    "00000000-0000-0000-0000-000000000000, client_id: "
                    "00000000-0000-0000-0000-000000000000, client_certificat_file: c.pem}}"},
     "k.yaml:2:142: identities.i.client_certificat_file: unknown key; did you mean "
     "client_certificate_file?\n"},
    {{.identities = "identities: {i: {type: azure_cli, command: az --debug}}"},
     "k.yaml:2:44: identities.i.command: holds a blank; there is no shell, so write the program "
     "and "
     "each argument as an item of a list\n"},
    {{.identities = "identities: {i: {type: azure_cli, command: [bin/az, x y]}}"},
     "k.yaml:2:45: identities.i.command[0]: is a relative path; write az, or a full path\n"},
    {{.identities = "identities: {i: {type: azure_cli, command: []}}"},
     "k.yaml:2:35: identities.i.command: names no program; write az, or its full path\n"},
    {{.identities = "identities: {i: {type: managed_identity, source: app-service}}"},
     "k.yaml:2:50: identities.i.source: unknown value \"app-service\"; did you mean "
     "app_service?\n"},
    {{.identities = "identities: {i: {type: managed_identity, endpoint: http://10.0.0.1}}"},
     "k.yaml:2:52: identities.i.endpoint: \"http://10.0.0.1\" would send tokens unencrypted; write "
     "https:// (http:// is accepted for loopback hosts and 169.254.169.254 alone)\n"},
    {{.identities = "identities: {i: {type: managed_identity, client_id: "
                    "00000000-0000-0000-0000-000000000000, object_id: "
                    "00000000-0000-0000-0000-000000000000}}"},
     "k.yaml:2:91: identities.i.object_id: names the identity again after client_id; keep one of "
     "client_id, object_id and resource_id\n"},
    {{.identities = "identities: {i: {type: managed_identity, source: arc, client_id: "
                    "11111111-1111-1111-1111-111111111111}}"},
     "k.yaml:2:55: identities.i.client_id: selects a user-assigned identity, and the agent of "
     "Azure Arc has the machine's own alone; leave it out, or correct source\n"},
    {{.identities = "identities: {i: {type: managed_identity, object_id: "
                    "11111111-1111-1111-1111-111111111111, source: ARC}}"},
     "k.yaml:2:42: identities.i.object_id: selects a user-assigned identity, and the agent of "
     "Azure Arc has the machine's own alone; leave it out, or correct source\n"},
    {{.identities = "identities: {i: {type: managed_identity, resource_id: /subscriptions/x}}"},
     "k.yaml:2:55: identities.i.resource_id: \"/subscriptions/x\" is not the resource id of a "
     "managed identity; write "
     "/subscriptions/GUID/resourceGroups/GROUP/providers/Microsoft.ManagedIdentity/"
     "userAssignedIdentities/NAME\n"},
};

static const struct mistake policy_mistakes[] = {
    {{.policies = "policies: {p: {}}"},
     "k.yaml:3:15: policies.p.max_key_age: is missing; give max_key_age (such as 90d) or "
     "rotate_every\n"},
    {{.policies = "policies: {p: {max_key_age: 90}}"},
     "k.yaml:3:29: policies.p.max_key_age: \"90\" cannot stand here; write a duration such as 90s, "
     "12h or 30d\n"},
    {{.policies = "policies: {p: {max_key_age: 0s}}"},
     "k.yaml:3:29: policies.p.max_key_age: must be longer than 0s; write a duration such as 90s or "
     "30d\n"},
    {{.policies = "policies: {p: {max_key_age: 4000d}}"},
     "k.yaml:3:29: policies.p.max_key_age: is too long; 3650d is the most\n"},
    {{.policies = "policies: {p: {max_key_age: 2ms}}"},
     "k.yaml:3:29: policies.p.max_key_age: is too short to rotate within; write 1s or more\n"},
    {{.policies = "policies: {p: {rotate_every: 12h}}"}, ""},
    {{.policies = "policies: {p: {rotate_every: 40d, overlap: 41d}}"},
     "k.yaml:3:44: policies.p.overlap: is longer than rotate_every; write 40d or less\n"},
    {{.policies = "policies: {p: {rotate_every: 40d, splay: 41d}}"},
     "k.yaml:3:42: policies.p.splay: is longer than rotate_every; write 40d or less\n"},
    {{.policies = "policies: {p: {rotate_every: 40d, splay: 2h, overlap: 40d}}"},
     "k.yaml:3:55: policies.p.overlap: warning: a rotation can start 2h after its planned time "
     "(wait for a window, splay); with overlap that exceeds rotate_every 40d, so that rotations "
     "will come ever later; shorten overlap or splay\n"},
    {{.policies = "policies: {p: {max_key_age: 90d, rotate_every: 45d}}"},
     "k.yaml:3:48: policies.p.rotate_every: a key could get 94d 12h old, more than max_key_age "
     "90d: twice rotate_every 45d, 0s for the longest wait for a window, and splay; the largest "
     "rotate_every that fits is 42d20h\n"},
    {{.policies = "policies: {p: {max_key_age: 90d, rotate_every: 45d, splay: 0s}}"}, ""},
    {{.policies =
          "policies: {p: {max_key_age: 14d, window: {days: Sat, from: '22:00', to: '04:00'}}}"},
     "k.yaml:3:29: policies.p.max_key_age: a key could get 19d 11h old, more than max_key_age 14d: "
     "twice rotate_every 6d5h20m, 6d18h for the longest wait for a window, and splay; the largest "
     "rotate_every that fits is 3d12h\n"},
    {{.policies =
          "policies: {p: {max_key_age: 5d, window: {days: Sat, from: '22:00', to: '04:00'}}}"},
     "k.yaml:3:29: policies.p.max_key_age: no rotate_every keeps keys below max_key_age 5d: the "
     "longest wait for a window (6d18h) and splay alone exceed it; widen the window or raise "
     "max_key_age\n"},
    {{.policies =
          "policies: {p: {rotate_every: 30d, splay: 2d, window: {from: '22:00', to: '04:00'}}}"},
     "k.yaml:3:42: policies.p.splay: warning: is longer than the shortest window and is cut to it; "
     "write 6h or less\n"},
    {{.policies = "policies: {p: {rotate_every: 30d, window: {days: [Sat, Sunn]}}}"},
     "k.yaml:3:56: policies.p.window.days[1]: \"Sunn\" cannot stand here; write Mon, Tue, Wed, "
     "Thu, Fri, Sat or Sun\n"},
    {{.policies = "policies: {p: {rotate_every: 30d, window: {days: []}}}"},
     "k.yaml:3:50: policies.p.window.days: is empty; name the days, or leave it out for all\n"},
    {{.policies = "policies: {p: {rotate_every: 30d, window: []}}"},
     "k.yaml:3:43: policies.p.window: holds 0 windows; write 1 to 16, or leave it out for any "
     "time\n"},
    {{.policies = "policies: {p: {rotate_every: 30d, window: always}}"},
     "k.yaml:3:43: policies.p.window: is a single value; give a mapping of keys (days, from, to, "
     "time_zone) to values\n"},
    {{.policies = "policies: {p: {rotate_every: 30d, window: {from: '24:00', to: 9:00}}}"},
     "k.yaml:3:50: policies.p.window.from: \"24:00\" cannot stand here; write a time of day such "
     "as \"22:00\"\n"
     "k.yaml:3:63: policies.p.window.to: \"9:00\" cannot stand here; write a time of day such as "
     "\"22:00\"\n"},
    {{.policies = "policies: {p: {rotate_every: 30d, window: {time_zone: Europe/Berln}}}"},
     "k.yaml:3:55: policies.p.window.time_zone: \"Europe/Berln\" is not a time zone of this "
     "system; write a name of the tz database such as Europe/Berlin or UTC (package tzdata)\n"},
    {{.policies = "policies: {p: {rotate_every: 30d, verify: never}}"},
     "k.yaml:3:43: policies.p.verify: unknown value \"never\"; write auto, required or off\n"},
    {{.policies = "policies: {p: {rotate_every: 30d, on_drift: redelivr}}"},
     "k.yaml:3:45: policies.p.on_drift: unknown value \"redelivr\"; did you mean redeliver?\n"},
    {{.policies = "policies: {p: {rotate_every: 30d, rotate: yes}}"},
     "k.yaml:3:43: policies.p.rotate: \"yes\" cannot stand here; write true or false\n"},
    {{.policies = "policies: {p: {rotate_every: 30d, check_every: 1m}}"}, ""},
    {{.policies = "policies: {}"}, "k.yaml:3:11: policies: is empty; name at least one\n"},
};

static void expect_each(const struct mistake *mistakes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[8192];

        config_fixture_compose(&mistakes[i].lines, text, sizeof(text));
        config_unref(config_fixture_expect(text, mistakes[i].expected));
    }
}

#define EXPECT_EACH(table) expect_each(table, sizeof(table) / sizeof((table)[0]))

static void finds_mistakes_in_the_service(void **state)
{
    (void)state;
    EXPECT_EACH(service_mistakes);
}

static void finds_mistakes_in_identities(void **state)
{
    (void)state;
    EXPECT_EACH(identity_mistakes);
}

static void finds_mistakes_in_policies(void **state)
{
    (void)state;
    EXPECT_EACH(policy_mistakes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_mistakes_in_the_service, config_fixture_enter,
                                        config_fixture_leave),
        cmocka_unit_test_setup_teardown(finds_mistakes_in_identities, config_fixture_enter,
                                        config_fixture_leave),
        cmocka_unit_test_setup_teardown(finds_mistakes_in_policies, config_fixture_enter,
                                        config_fixture_leave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
