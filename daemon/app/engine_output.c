#include "app/engine_private.h"

void engine_output_log(const struct engine_account *account, const struct target_id *target,
                       const char *output)
{
    const struct destination *destination = engine_account_destination(account, target);
    struct log *log = account->engine->parts.log;
    struct log_line line;
    char place[512];

    if (!output || !destination || !log_enabled(log, LEVEL_INFO))
        return;
    target_describe(destination, account->azure.location, place, sizeof(place));
    log_line_start(&line, loop_now(account->engine->parts.loop), LEVEL_INFO, "delivery.output",
                   "%s: %s wrote", account->account->name, place);
    engine_report_account(&line, account);
    log_line_number(&line, "cycle", (int64_t)account->record.cycle);
    log_line_text(&line, "target", place);
    log_line_text(&line, "output", output);
    log_emit(log, &line);
}
