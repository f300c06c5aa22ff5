#include "io/target/unit_failure.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

/* As systemd 252 asks polkit for this call; a rule must name the verb exactly. */
#define VERB "reload-or-try-restart"

static void set_remedy_for_bus(struct failure *failure)
{
    failure_set_remedy(failure,
                       "see what `systemctl status dbus.service` and `busctl --system status` say; "
                       "the unit is told by itself when the bus answers");
}

void unit_failure_bus(struct failure *failure, const char *unit, int saved_errno)
{
    const bool is_denied = saved_errno == EACCES || saved_errno == EPERM;

    failure_set(failure, is_denied ? REASON_TARGET_DENIED : REASON_TARGET_FAILED,
                "unit %s: the system bus cannot be reached: %s", unit,
                strerrordesc_np(saved_errno));
    switch (saved_errno) {
    case EAGAIN: /* connect(2) of a Unix socket */
        failure_set_text(failure,
                         "unit %s: the system bus does not accept connections at the moment, and "
                         "its queue is full",
                         unit);
        failure_set_remedy(failure,
                           "none needed where the bus is busy for a moment: the unit is told by "
                           "itself; where it lasts, see `systemctl status dbus.service`");
        break;
    case ENOENT:
    case ECONNREFUSED:
        failure_set_remedy(failure,
                           "start it (`systemctl start dbus.socket`), or take the unit out of "
                           "`after`; in a container there is none, so use a target of type socket "
                           "there");
        break;
    default:
        set_remedy_for_bus(failure);
        break;
    }
}

void unit_failure_missing(struct failure *failure, const char *unit)
{
    failure_set(failure, REASON_TARGET_FAILED, "unit %s: there is no such unit", unit);
    failure_set_remedy(failure, "correct its name in `after`, or install it (`systemctl cat %s`)",
                       unit);
}

/* What the library says by itself where the connection ends before the answer has come, and what
 * the bus answers in systemd's place. */
static bool is_silence(const char *name)
{
    static const char *const names[] = {
        "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Disconnected",
        "org.freedesktop.DBus.Error.Timeout", "org.freedesktop.DBus.Error.TimedOut"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_equal(name, names[i]))
            return true;
    }
    return false;
}

static bool is_absence(const char *name)
{
    return str_equal(name, "org.freedesktop.DBus.Error.ServiceUnknown") ||
           str_equal(name, "org.freedesktop.DBus.Error.NameHasNoOwner");
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
    } else if (is_silence(name)) {
        failure_set_text(failure, "unit %s: no answer came over the system bus: %s", unit, words);
        set_remedy_for_bus(failure);
    } else if (is_absence(name)) {
        failure_set_text(failure, "unit %s: there is no systemd at the system bus: %s", unit,
                         words);
        failure_set_remedy(failure,
                           "take the unit out of `after` where another program starts services, "
                           "and use a target of type socket there");
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
