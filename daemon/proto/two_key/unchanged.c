#include "proto/two_key/unchanged.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

static bool fits_header(const char *etag)
{
    const size_t length = strlen(etag);

    for (size_t i = 0; i < length; i++)
        if (etag[i] <= ' ' || etag[i] > '~')
            return false;
    return length > 0 && length < TWO_KEY_ETAG_MAX && !str_equal(etag, "*");
}

int two_key_etag_check(const char *etag, struct err *err)
{
    if (!etag || !fits_header(etag))
        return err_set(err, -EBADMSG,
                       "it has no \"etag\" that can be used, without which a change could undo "
                       "somebody else's");
    if (str_starts_with_nocase(etag, "W/\""))
        return err_set(err, -EBADMSG,
                       "its \"etag\" is a weak one, with which Azure does not tell whether it was "
                       "changed: a change could undo somebody else's");
    return 0;
}

void two_key_unchanged_saw(struct two_key_unchanged *unchanged, const char *etag, bool is_changing,
                           duration_ms at)
{
    if (!str_equal(unchanged->etag, etag)) {
        *unchanged = (struct two_key_unchanged){.since = at};
        (void)str_copy(unchanged->etag, sizeof(unchanged->etag), etag);
    }
    unchanged->seen_at = at;
    if (is_changing)
        unchanged->changing_at = at;
}

void two_key_unchanged_learn(struct two_key_unchanged *unchanged,
                             const struct two_key_unchanged *other)
{
    if (str_equal(unchanged->etag, other->etag)) {
        unchanged->since = time_min(unchanged->since, other->since);
        unchanged->changing_at = time_max(unchanged->changing_at, other->changing_at);
        unchanged->seen_at = time_max(unchanged->seen_at, other->seen_at);
    } else if (other->etag[0] != '\0' && other->seen_at >= unchanged->seen_at) {
        *unchanged = *other;
    }
}

duration_ms two_key_unchanged_left(const struct two_key_unchanged *unchanged, duration_ms wait,
                                   duration_ms now)
{
    if (unchanged->etag[0] == '\0')
        return 0;
    return time_max(0, time_add(time_max(unchanged->since, unchanged->changing_at), wait) - now);
}
