#include "ctl/history.h"

#include <stdio.h>

#include "base/str.h"
#include "ctl/ctl.h"

static const struct history_form *form_of(const struct ctl_options *options)
{
    if (options->json)
        return &history_as_json;
    return options->csv ? &history_as_csv : &history_as_text;
}

/* Fetches the page that goes on after `after` (NULL: the first one). */
static enum ctl_exit fetch_page(const struct ctl_options *options, const char *after,
                                struct control_history *page)
{
    const struct control_history_wish wish = {
        .names = options->accounts,
        .name_count = options->account_count,
        .since = options->since,
        .until = options->request.until,
        .failed = options->failed,
    };
    enum ctl_exit result;
    struct buf path, text;
    struct err err;

    buf_init(&path, CONTROL_URI_MAX);
    buf_init(&text, CONTROL_REPLY_MAX);
    (void)control_history_path(&wish, after, &path);
    result = ctl_fetch_path(options, &path, &text);
    if (result == CTL_DONE && control_history_parse(buf_str(&text), text.length, page, &err) != 0)
        result = ctl_complain(CTL_UNREACHABLE, "%s", err.text);
    buf_done(&path);
    buf_done(&text);
    return result;
}

/* `before`: how many rows were printed. */
static void print_page(const struct history_form *form, const struct control_history *page,
                       bool first, size_t before)
{
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    if (first)
        form->head(&out, page->now);
    else if (before > 0 && page->row_count > 0)
        fputs(form->between, stdout);
    for (size_t i = 0; i < page->row_count; i++)
        form->row(&out, &page->rows[i]);
    ctl_print(stdout, &out);
}

static void print_end(const struct history_form *form, size_t rows)
{
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    form->end(&out, rows);
    if (form == &history_as_json) {
        ctl_complaint_write(&out);
        (void)buf_append_str(&out, "}\n");
    }
    ctl_print(stdout, &out);
}

/* What has been printed when a later page fails stays, and the exit status says that it is not
 * whole. Nothing is printed where the first one fails. */
enum ctl_exit ctl_history(const struct ctl_options *options)
{
    const struct history_form *form = form_of(options);
    char after[CONTROL_ID_MAX] = "";
    enum ctl_exit result = CTL_DONE;
    size_t pages = 0, rows = 0;
    bool more = false;

    if (options->verify)
        return history_verify(options);
    do {
        struct control_history page;

        result = fetch_page(options, str_or_null(after), &page);
        if (result != CTL_DONE)
            break;
        print_page(form, &page, pages++ == 0, rows);
        rows += page.row_count;
        more =
            page.next && !str_equal(page.next, after) && str_copy(after, sizeof(after), page.next);
        control_history_done(&page);
    } while (more);
    if (pages > 0)
        print_end(form, rows);
    return result;
}
