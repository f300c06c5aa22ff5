/*
 * Remedies with the words of an account.
 */
#ifndef KEYROTATED_APP_ENGINE_REMEDY_H
#define KEYROTATED_APP_ENGINE_REMEDY_H

#include "app/engine_account.h"
#include "proto/remedy.h"

/* `text` with its placeholders filled (proto/remedy.h). The account is named as `typed`; NULL: as
 * engine_words_account() has it. */
void engine_remedy_expand(const struct engine_account *account, const char *typed, const char *text,
                          char *out, size_t size);

#endif
