#include "ctl/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

/* Of 32 accounts each: a million accounts have fewer. */
enum { PAGES_MAX = 40000 };

struct pages {
    struct control_plan *items;
    size_t count, room;
};

static void free_pages(struct pages *pages)
{
    for (size_t i = 0; i < pages->count; i++)
        control_plan_done(&pages->items[i]);
    free(pages->items);
}

static bool make_room(struct pages *pages)
{
    const size_t room = pages->room ? 2 * pages->room : 16;
    struct control_plan *items;

    if (pages->count < pages->room)
        return true;
    items = realloc(pages->items, room * sizeof(*items));
    if (!items)
        return false;
    pages->items = items;
    pages->room = room;
    return true;
}

/* What the page after the last one goes on after; NULL: there is none, or no page yet. */
static const char *after_last(const struct pages *pages)
{
    return pages->items && pages->count > 0 ? pages->items[pages->count - 1].next : NULL;
}

/* Fetches the page after the last one. */
static enum ctl_exit fetch_page(const struct ctl_options *options, time_ms until,
                                struct pages *pages)
{
    const char *after = after_last(pages);
    struct control_plan page;
    enum ctl_exit result;
    struct buf path, text;
    struct err err;

    buf_init(&path, CONTROL_URI_MAX);
    buf_init(&text, CONTROL_REPLY_MAX);
    (void)control_plan_path(options->accounts, options->account_count, until, after, &path);
    result = ctl_fetch_path(options, &path, &text);
    if (result == CTL_DONE && control_plan_parse(buf_str(&text), text.length, &page, &err) != 0)
        result = ctl_complain(CTL_UNREACHABLE, "%s", err.text);
    else if (result == CTL_DONE && make_room(pages))
        pages->items[pages->count++] = page;
    else if (result == CTL_DONE) {
        control_plan_done(&page);
        result = ctl_complain(CTL_NOT_DONE, "no memory for the plan");
    }
    buf_done(&path);
    buf_done(&text);
    return result;
}

static enum ctl_exit fetch_pages(const struct ctl_options *options, struct pages *pages)
{
    const time_ms until = options->request.until != TIME_NEVER
                              ? options->request.until
                              : time_add(options->now, CONTROL_PLAN_DEFAULT);
    enum ctl_exit result;

    do {
        result = fetch_page(options, until, pages);
    } while (result == CTL_DONE && after_last(pages) && pages->count < PAGES_MAX);
    if (result == CTL_DONE && after_last(pages))
        result = ctl_complain(CTL_UNREACHABLE, "the daemon's plan has no end");
    return result;
}

static enum ctl_exit print(const struct ctl_options *options, const struct pages *pages)
{
    enum ctl_exit result = CTL_DONE;
    struct plan plan;
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    if (plan_collect(&plan, pages->items, pages->count) != 0)
        result = ctl_complain(CTL_NOT_DONE, "no memory for the plan");
    else if (options->json)
        plan_write_json(&out, &plan);
    else if (options->ics)
        plan_write_ics(&out, &plan);
    else if (options->calendar)
        plan_write_calendar(&out, &plan);
    else
        plan_write_text(&out, &plan);
    if (out.failed)
        result =
            ctl_complain(CTL_NOT_DONE, "the plan is too long: say --for 30d, or name accounts");
    else if (result == CTL_DONE)
        fputs(buf_str(&out), stdout);
    plan_done(&plan);
    buf_done(&out);
    return result;
}

enum ctl_exit ctl_plan(const struct ctl_options *options)
{
    struct pages pages = {.items = NULL};
    enum ctl_exit result = fetch_pages(options, &pages);

    if (result == CTL_DONE)
        result = print(options, &pages);
    free_pages(&pages);
    return result;
}
