/*
 * The accounts that rules have found, as the journal has them. They stay in it while Azure cannot
 * be asked.
 */
#ifndef KEYROTATED_APP_DISCOVERY_BOOK_H
#define KEYROTATED_APP_DISCOVERY_BOOK_H

#include "conf/discovery.h"
#include "io/store/store.h"

struct known {
    char *key; /* the id in lower case */
    char *id;
    char *identity;
    char *rule;
    char *location;
    char *tags;         /* a JSON object of texts */
    uint64_t listed_in; /* the number of the last listing that showed it */
};

struct discovery_book {
    struct known *items; /* sorted by key */
    size_t count;
    size_t room;
};

int discovery_book_load(struct discovery_book *book, struct store *store, struct err *err);
void discovery_book_done(struct discovery_book *book);

/* NULL: it is not in the book. Valid until the book changes. */
struct known *discovery_book_find(const struct discovery_book *book, const char *key);

/* Adds the resource, or changes its entry. `key`: its id in lower case. */
void discovery_book_put(struct discovery_book *book, const char *key, const char *identity,
                        const char *rule, const struct arm_resource *resource);
void discovery_book_put_row(struct discovery_book *book, const struct discovery *row);
void discovery_book_remove(struct discovery_book *book, const char *key);

/* The tags as text: a JSON object, sorted by name. The caller frees it. */
char *discovery_book_tags(const struct arm_resource *resource);

/* Is there something in the resource that the entry has otherwise? */
bool discovery_book_differs(const struct known *known, const char *identity, const char *rule,
                            const struct arm_resource *resource);

/* The rule of the configuration that the entry belongs to now, or NULL. */
const struct discovery_rule *discovery_book_rule(const struct config *config,
                                                 const struct known *known);

/* Gives the entry to that rule. False: the rule, of that identity, has it already. */
bool discovery_book_assign(struct known *known, const struct discovery_rule *rule);

/* The configuration with all entries that have a rule in it, or NULL with err set. Nothing changes.
 */
struct config *discovery_book_expand(const struct discovery_book *book, const struct config *config,
                                     struct err *err);

/* The entry as the journal writes it, borrowed. */
struct discovery discovery_book_row(const struct known *known, bool gone);

#endif
