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
    if (!str_equal(unchanged->etag, etag) || unchanged->is_changing || is_changing)
        unchanged->since = at;
    (void)str_copy(unchanged->etag, sizeof(unchanged->etag), etag);
    unchanged->seen_at = at;
    unchanged->is_changing = is_changing;
}

/* Where one has seen it for longer, that counts if the other has seen nothing else in between. */
void two_key_unchanged_learn(struct two_key_unchanged *unchanged,
                             const struct two_key_unchanged *other)
{
    const bool goes_on = str_equal(unchanged->etag, other->etag) && !unchanged->is_changing &&
                         !other->is_changing && other->since <= unchanged->seen_at;
    const duration_ms since = goes_on ? time_min(unchanged->since, other->since) : other->since;

    if (other->etag[0] == '\0' || other->seen_at < unchanged->seen_at)
        return;
    *unchanged = *other;
    unchanged->since = since;
}

duration_ms two_key_unchanged_left(const struct two_key_unchanged *unchanged, duration_ms wait,
                                   duration_ms now)
{
    if (unchanged->etag[0] == '\0')
        return 0;
    return time_max(0, time_add(unchanged->since, wait) - now);
}
