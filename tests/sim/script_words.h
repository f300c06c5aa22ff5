/*
 * Inside the language of scenarios: what the files that implement script_parse() and script_print()
 * share. A line is a list of words; a comma and a colon are words of their own.
 */
#ifndef KEYROTATED_TESTS_SIM_SCRIPT_WORDS_H
#define KEYROTATED_TESTS_SIM_SCRIPT_WORDS_H

#include "base/buf.h"
#include "script.h"

enum { WORDS_MAX = 48, WORD_MAX = 40, WORDS_ERROR_MAX = 200 };

struct words {
    char word[WORDS_MAX][WORD_MAX];
    size_t count;
    char error[WORDS_ERROR_MAX]; /* what is wrong with them */
};

/* Splits a line; `#` begins a comment. */
bool words_split(struct words *words, const char *line, size_t length);
/* Is that word at that place? */
bool words_are(const struct words *words, size_t at, const char *word);
/* Sets the error. Returns false, for the caller to return. */
bool words_wrong(struct words *words, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- script_policy.c --- */
/* Does the word begin a part of a policy? */
bool policy_begins(const char *word);
/* Reads "every 30d, overlap 7d, …" from that word to the last one, over what `policy` says. */
bool policy_read(struct words *words, size_t at, struct script_policy *policy);
/* Writes what differs from `base`, and `every` and `overlap` always. */
void policy_print(const struct script_policy *policy, const struct script_policy *base,
                  struct buf *out);

/* --- script_sentence.c --- */
/* Reads what happens (all but `at`) from that word to the last one. The script's accounts and
 * targets are known already. */
bool sentence_read(struct words *words, size_t at, const struct script *script,
                   struct incident *incident);

#endif
