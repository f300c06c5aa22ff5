#include "core/slot.h"
#include "proto/metrics.h"
#include "proto/metrics_list.h"
#include "proto/metrics_text.h"

#define FAMILY(NAME, type, name, help) FAMILY_##NAME,
enum family { METRICS_OF_ACCOUNTS(FAMILY) };
#undef FAMILY

#define FAMILY(NAME, type, name, help) {"keyrotated_" name, type, help},
static const struct {
    const char *name, *type, *help;
} families[] = {METRICS_OF_ACCOUNTS(FAMILY)};
#undef FAMILY

/* The labels of every sample, and room for two more. */
enum { LABELS_OWN = 3, LABELS_MAX = 5 };

static size_t label_account(const struct metrics_account *account,
                            struct metric_label labels[LABELS_MAX])
{
    labels[0] = (struct metric_label){"account", account->name};
    labels[1] = (struct metric_label){"resource_group", account->resource_group};
    labels[2] = (struct metric_label){"id", account->id};
    return LABELS_OWN;
}

static void write_number(struct buf *out, const char *name, const struct metrics_account *account,
                         const char *label, const char *value, uint64_t number)
{
    struct metric_label labels[LABELS_MAX];
    size_t count = label_account(account, labels);

    labels[count++] = (struct metric_label){label, value};
    metric_number(out, name, (struct metric_labels){labels, count}, number);
}

static void write_time(struct buf *out, const char *name, const struct metrics_account *account,
                       const char *label, const char *value, time_ms at)
{
    struct metric_label labels[LABELS_MAX];
    size_t count = label_account(account, labels);

    labels[count++] = (struct metric_label){label, value};
    metric_time(out, name, (struct metric_labels){labels, count}, at);
}

static void write_state(struct buf *out, const char *name, const struct metrics_account *account)
{
    struct metric_label labels[LABELS_MAX];
    size_t count = label_account(account, labels);

    labels[count++] = (struct metric_label){"state", account->state};
    labels[count++] = (struct metric_label){"reason", account->reason};
    metric_number(out, name, (struct metric_labels){labels, count}, 1);
}

static void write_targets(struct buf *out, const char *name, const struct metrics_account *account)
{
    static const char *const results[METRICS_RESULTS] = {"delivered", "failing", "waiting"};

    for (int i = 0; i < METRICS_RESULTS; i++)
        write_number(out, name, account, "result", results[i], account->targets[i]);
}

static void write_sample(struct buf *out, enum family family, const struct metrics_account *account)
{
    const char *name = families[family].name;

    switch (family) {
    case FAMILY_STATE:
        write_state(out, name, account);
        break;
    case FAMILY_KEY_BORN:
        for (int slot = 0; slot < CONTROL_KEYS; slot++)
            write_time(out, name, account, "slot", slot_name((enum slot)slot), account->born[slot]);
        break;
    case FAMILY_ROTATED:
        write_time(out, name, account, "", NULL, account->rotated_at);
        break;
    case FAMILY_ROTATES:
        write_time(out, name, account, "", NULL, account->next_at);
        break;
    case FAMILY_LOOKED:
        write_time(out, name, account, "", NULL, account->looked_at);
        break;
    case FAMILY_IS_OVERDUE:
        write_number(out, name, account, "", NULL, account->overdue);
        break;
    case FAMILY_IS_AT_RISK:
        write_number(out, name, account, "", NULL, account->at_risk);
        break;
    case FAMILY_HELD_UNTIL:
        write_time(out, name, account, "", NULL, account->held_until);
        break;
    case FAMILY_TARGETS:
        write_targets(out, name, account);
        break;
    }
}

void metrics_write_accounts(const struct metrics *metrics, struct buf *out)
{
    for (size_t family = 0; family < sizeof(families) / sizeof(families[0]); family++) {
        metric_family(out, families[family].name, families[family].type, families[family].help);
        for (size_t i = 0; i < metrics->account_count; i++)
            write_sample(out, (enum family)family, &metrics->accounts[i]);
    }
}
