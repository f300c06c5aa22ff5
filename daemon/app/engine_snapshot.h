/*
 * One account as `status` shows it.
 */
#ifndef KEYROTATED_APP_ENGINE_SNAPSHOT_H
#define KEYROTATED_APP_ENGINE_SNAPSHOT_H

#include "app/engine_account.h"
#include "proto/control_protocol.h"
#include "proto/remedy.h"

enum { HOLDS_SHOWN_MAX = 16 };

/* The texts that a snapshot borrows. */
struct snapshot_texts {
    char fingerprints[SLOT_COUNT][FINGERPRINT_TEXT_MAX];
    char held_marks[TARGETS_MAX][2 * HELD_MARK_LENGTH + 1];
    char destinations[TARGETS_MAX][512];
    char remedy[REMEDY_MAX];
    char meaning[700];
    struct target_snapshot targets[TARGETS_MAX];
    struct abandoned_snapshot abandoned[TARGETS_MAX];
    struct hold_snapshot holds[HOLDS_SHOWN_MAX];
};

void engine_snapshot_account(const struct engine_account *account,
                             struct account_snapshot *snapshot, struct snapshot_texts *texts);

#endif
