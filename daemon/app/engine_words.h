/*
 * Texts about an account: its name in messages, in a form that people can type (its name if that is
 * unique, else with its group, else its resource id), and a description of unexpected findings.
 */
#ifndef KEYROTATED_APP_ENGINE_WORDS_H
#define KEYROTATED_APP_ENGINE_WORDS_H

#include "app/engine_account.h"

enum { ENGINE_WORDS_MAX = 512 };

/* Finds out anew how each account has to be named. */
void engine_words_name_accounts(struct engine *engine);
/* The shortest name that keyrotatectl takes for this account alone. */
void engine_words_account(const struct engine_account *account, char out[ENGINE_WORDS_MAX]);
/* The account that `typed` names, as keyrotatectl accepts names. NULL, with err set: -ENOENT
 * (none), -ENOTUNIQ (several). */
struct engine_account *engine_words_find(const struct engine *engine, const char *typed,
                                         struct err *err);
/* What a look showed in one target, by the last one: "nothing", "the primary key"; NULL: it could
 * not be read. */
const char *engine_words_holding(enum holding holding);
/* While a second look is awaited: what the first one showed, and what decides. */
void engine_words_unexpected(const struct engine_account *account, char *out, size_t size);

#endif
