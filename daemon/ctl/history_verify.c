/* history --verify: is the history as it was written? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/str.h"
#include "ctl/ctl.h"
#include "ctl/history.h"
#include "ctl/status_text.h"
#include "proto/control_chain.h"

struct sums {
    size_t accounts, faults, pages;
    uint64_t rows, older;
};

static enum ctl_exit fetch_page(const struct ctl_options *options, const char *after,
                                struct control_chains *page)
{
    enum ctl_exit result;
    struct buf path, text;
    struct err err;

    buf_init(&path, CONTROL_URI_MAX);
    buf_init(&text, CONTROL_REPLY_MAX);
    (void)control_chains_path(options->accounts, options->account_count, after, &path);
    result = ctl_fetch_path(options, &path, &text);
    if (result == CTL_DONE && control_chains_parse(buf_str(&text), text.length, page, &err) != 0)
        result = ctl_complain(CTL_UNREACHABLE, "%s", err.text);
    buf_done(&path);
    buf_done(&text);
    return result;
}

static void print_fault(const struct chain_snapshot *chain)
{
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    ctl_write(&out, "%s/%s: ", ctl_shown(chain->resource_group), ctl_shown(chain->name));
    if (chain->number != 0)
        ctl_write(&out, "row %" PRIu64 ": ", chain->number);
    ctl_write(&out, "%s\n", chain->fault);
    ctl_print(stdout, &out);
}

/* In JSON all chains, for people those that are not whole. */
static void print_page(const struct ctl_options *options, const struct control_chains *page,
                       struct sums *sums)
{
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    if (sums->pages++ == 0)
        control_chain_start(&out, page->now);
    else if (options->json && sums->accounts > 0 && page->count > 0)
        fputs(",", stdout);
    for (size_t i = 0; i < page->count; i++) {
        const struct chain_snapshot *chain = &page->chains[i];

        control_chain_write(&out, chain);
        sums->accounts++;
        sums->rows += chain->rows;
        sums->older += chain->older;
        sums->faults += chain->fault ? 1 : 0;
        if (!options->json && chain->fault)
            print_fault(chain);
    }
    if (options->json)
        ctl_print(stdout, &out);
    buf_done(&out);
}

static void print_end(const struct ctl_options *options, const struct sums *sums, bool whole)
{
    struct buf out;

    buf_init(&out, CONTROL_REPLY_MAX);
    if (options->json) {
        json_write_close(&out, ']');
        json_write_bool(&out, "whole", whole && sums->faults == 0);
        ctl_complaint_write(&out);
        (void)buf_append_str(&out, "}\n");
    } else if (sums->faults > 0) {
        ctl_write(&out, "of %zu of %zu accounts the history is not as it was written\n",
                  sums->faults, sums->accounts);
    } else {
        ctl_write(&out, "%" PRIu64 " rows of %zu %s are as they were written\n", sums->rows,
                  sums->accounts, str_plural(sums->accounts, "account", "accounts"));
    }
    if (!options->json && sums->older > 0)
        ctl_write(&out,
                  "%" PRIu64
                  " older rows were written by an earlier version: whether they were "
                  "altered cannot be told\n",
                  sums->older);
    ctl_print(stdout, &out);
}

enum ctl_exit history_verify(const struct ctl_options *options)
{
    char after[CONTROL_ID_MAX] = "";
    struct sums sums = {.accounts = 0};
    enum ctl_exit result;
    bool more = false;

    do {
        struct control_chains page;

        result = fetch_page(options, str_or_null(after), &page);
        if (result != CTL_DONE)
            break;
        print_page(options, &page, &sums);
        more =
            page.next && !str_equal(page.next, after) && str_copy(after, sizeof(after), page.next);
        control_chains_done(&page);
    } while (more);
    if (sums.pages > 0 && (result == CTL_DONE || options->json))
        print_end(options, &sums, result == CTL_DONE);
    return result == CTL_DONE && sums.faults > 0 ? CTL_NOT_DONE : result;
}
