/*
 * From the machine's notes to log lines and rows of history. Everything a person needs to monitor
 * the accounts is in these lines: names and fields are part of the contract.
 */
#ifndef KEYROTATED_APP_ENGINE_REPORT_H
#define KEYROTATED_APP_ENGINE_REPORT_H

#include "app/engine_account.h"

/* Writes the log lines of a transaction's notes: the urgent ones, or the others. Urgent notes
 * report trouble, at once, also while the journal cannot be written. Good news is logged when the
 * journal has it. */
void engine_report_notes(struct engine_account *account, const struct transaction *transaction,
                         bool urgent);
/* Ends in the log the troubles of the record `before` that are gone. */
void engine_report_ended(const struct engine_account *account, const struct record *before);

/* Fills history rows from the notes; texts are borrowed from `transaction`, `account` and `texts`.
 */
struct history_text {
    char fingerprint[FINGERPRINT_TEXT_MAX];
};
size_t engine_report_history(struct engine_account *account, const struct transaction *transaction,
                             struct history_row rows[STORE_HISTORY_PER_SAVE],
                             struct history_text texts[STORE_HISTORY_PER_SAVE]);

#endif
