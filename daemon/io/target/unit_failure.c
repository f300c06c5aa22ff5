#include "io/target/unit_failure.h"

#include <string.h>

#include "base/str.h"

/* As systemd 252 asks polkit for this call; a rule must name the verb exactly. */
#define VERB "reload-or-try-restart"

void unit_failure_bus(struct failure *failure, const char *unit, int saved_errno)
{
    failure_set(failure, REASON_TARGET_FAILED, "unit %s: the system bus cannot be reached: %s",
                unit, strerrordesc_np(saved_errno));
    failure_set_remedy(failure,
                       "start it (`systemctl start dbus.socket`), or take the unit out of `after`; "
                       "in a container there is none, so use a target of type socket there");
}

void unit_failure_missing(struct failure *failure, const char *unit)
{
    failure_set(failure, REASON_TARGET_FAILED, "unit %s: there is no such unit", unit);
    failure_set_remedy(failure, "correct its name in `after`, or install it (`systemctl cat %s`)",
                       unit);
}

/* A rule for polkit that allows this unit, this verb and nothing else. */
static void set_rule(struct failure *failure, const char *unit, const char *before)
{
    failure_set_remedy(failure,
                       "%sas /etc/polkit-1/rules.d/60-keyrotated.rules: "
                       "polkit.addRule(function(a,s){if(a.id=="
                       "\"org.freedesktop.systemd1.manage-units\"&&a.lookup(\"unit\")==\"%s\"&&"
                       "a.lookup(\"verb\")==\"" VERB "\"&&s.user==\"keyrotated\")return \"yes\"})",
                       before, unit);
}

void unit_failure_refused(struct failure *failure, const char *unit, const char *name,
                          const char *message)
{
    const char *words = message ? message : "";

    failure_init(failure, REASON_TARGET_FAILED);
    if (str_equal(name, "org.freedesktop.systemd1.NoSuchUnit")) {
        unit_failure_missing(failure, unit);
    } else if (str_equal(name, "org.freedesktop.DBus.Error.AccessDenied")) {
        failure->reason = REASON_TARGET_DENIED;
        failure_set_text(failure,
                         "unit %s: systemd answered the restart with AccessDenied: %s (no polkit "
                         "runs, or its rule says no)",
                         unit, words);
        set_rule(failure, unit, "install polkit (apt install polkitd), and write ");
    } else if (str_equal(name, "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")) {
        failure->reason = REASON_TARGET_DENIED;
        failure_set_text(failure,
                         "unit %s: systemd answered the restart with "
                         "InteractiveAuthorizationRequired: %s (polkit has no rule for it)",
                         unit, words);
        set_rule(failure, unit, "write ");
    } else if (str_equal(name, "org.freedesktop.systemd1.UnitMasked")) {
        /* It may be polkit's own, which systemd starts to ask it. */
        failure_set_text(failure, "unit %s: systemd answered the restart with UnitMasked: %s", unit,
                         words);
        failure_set_remedy(failure, "`systemctl unmask` the unit that is masked");
    } else {
        failure_set_text(failure, "unit %s: systemd answered with %s: %s", unit, name, words);
        failure_set_remedy(failure, "see what `systemctl status %s` says", unit);
    }
    failure_set_code(failure, name);
}

void unit_failure_failed(struct failure *failure, const char *unit, bool told, const char *result)
{
    const bool is_limit = result && str_equal(result, "start-limit-hit");

    failure_set(failure, REASON_TARGET_FAILED, "unit %s: %s (%s%s)", unit,
                told ? "it failed when it was told to take the new key"
                     : "it has failed, and so cannot be told",
                result ? result : "no result",
                is_limit ? ": it was started too often within a short time" : "");
    failure_set_remedy(failure,
                       "see why (`journalctl -u %s`), then `systemctl reset-failed %s` and "
                       "`systemctl start %s`; it is told again by itself",
                       unit, unit, unit);
}

void unit_failure_await(struct failure *failure, const char *unit)
{
    failure_set_remedy(
        failure, "see what it waits for: `systemctl status %s`; it is told again by itself", unit);
}

void unit_failure_hangs(struct failure *failure, const char *unit, const char *timeout)
{
    failure_set(failure, REASON_TARGET_FAILED,
                "unit %s: it was told, but has neither started nor failed within %s", unit,
                timeout);
    unit_failure_await(failure, unit);
}
