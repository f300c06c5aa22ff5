"""Rule 13, as far as it is about resources that are written back whole to renew a key."""

from .mutation import mutation
from .pairs import INTENT_IS_CHECKED

MUTATIONS = [
    mutation("hub-written-without-etag", 13,
             "a hub is written back without the etag that its description has shown",
             "hub-kept",
             "a key that somebody renewed between the list and the request is undone",
             ("proto/two_key/rewrite.c",
              "        (void)str_copy(whole->etag, sizeof(whole->etag), etag);\n", ""),
             scenario="hub-changed-in-between"),
    mutation("hub-etag-taken-for-the-list", 13,
             "a hub is written back however short a while ago its etag was another one",
             "hub-kept",
             "a list that is late undoes what others have renewed since",
             ("proto/two_key/unchanged.c",
              "    return time_max(0, time_add(unchanged->since, wait) - now);", "    return 0;")),
    mutation("hub-changes-under-way-ignored", 13,
             "that a description says that a change is under way does not count",
             "hub-kept",
             "the etag was given when the change began, and the list shows the hub before its end",
             ("proto/two_key/unchanged.c",
              " || unchanged->is_changing || is_changing)", ")"),
             scenario="hub-change-under-way"),
    mutation("hub-neighbours-ignored", 13,
             "the list is not held against what the records say of the other policies",
             "hub-kept",
             "a list that is very late brings a dead key of another policy back to life",
             ("proto/two_key/neighbours.c", """\
        if (is_replaced(neighbour, &key))
            return""", """\
        if (false)
            return"""),
             ("proto/two_key/neighbours.c", "        if (neighbour->known[slot] &&",
              "        if (false &&")),
    mutation("hub-own-keys-ignored", 13,
             "the list is not held against the account's own keys, as the look has shown them",
             "one-key",
             "a list that is very late replaces the key that consumers use by a dead one",
             ("io/azure/azure_rewrite.c", "        known = are_known(call, keys);",
              "        known = true;\n        (void)are_known;")),
    mutation("hub-policies-at-once", 13,
             "the interlock does not ask whether another policy of the hub is being renewed",
             "one-operation",
             "Azure refuses the second change, or loses one of the two",
             ("core/interlock.c", "    else if (context->pair_busy) {", "    else if (false) {"),
             INTENT_IS_CHECKED),
    mutation("hub-both-keys-left-out", 13,
             "both keys of the policy are left out of what is written back",
             "one-key",
             "the key that consumers use is renewed, too",
             ("proto/two_key/rewrite.c",
              "str_equal(member, by->keys[rewriting->slot]))\n            continue;",
              "is_key_member(by, member))\n            continue;"),
             ("proto/two_key/rewrite.c",
              "    if (rewriting->keys_written != elements * SLOT_COUNT - 1)", "    if (false)")),
    mutation("hub-seen-uncounted", 16,
             "what one account has seen of the hub does not count the others anew",
             "sound",
             "the metrics name a time for the next rotation at which it may not begin",
             ("app/engine_whole_share.c", """\
        if (unchanged->since != since)
            engine_account_make_ready(other);
""", "        (void)since;\n")),
]
