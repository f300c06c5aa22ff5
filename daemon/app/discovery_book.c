#include "app/discovery_book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/must.h"
#include "base/str.h"

/* --- the list, sorted by key --- */

/* The index of the first item that is not before the key. */
static size_t lower_bound(const struct discovery_book *book, const char *key)
{
    size_t low = 0, high = book->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (strcmp(book->items[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct known *discovery_book_find(const struct discovery_book *book, const char *key)
{
    const size_t index = lower_bound(book, key);

    return index < book->count && strcmp(book->items[index].key, key) == 0 ? &book->items[index]
                                                                           : NULL;
}

static void free_known(struct known *known)
{
    free(known->key);
    free(known->id);
    free(known->identity);
    free(known->rule);
    free(known->location);
    free(known->tags);
}

static struct known *insert(struct discovery_book *book, const char *key)
{
    const size_t index = lower_bound(book, key);

    if (book->count == book->room) {
        book->room = book->room == 0 ? 16 : 2 * book->room;
        book->items = must(reallocarray(book->items, book->room, sizeof(*book->items)));
    }
    memmove(&book->items[index + 1], &book->items[index],
            (book->count - index) * sizeof(*book->items));
    book->count++;
    book->items[index] = (struct known){.key = must_dup(key)};
    return &book->items[index];
}

void discovery_book_remove(struct discovery_book *book, const char *key)
{
    struct known *known = discovery_book_find(book, key);

    if (!known)
        return;
    free_known(known);
    book->count--;
    memmove(known, known + 1, (size_t)(book->items + book->count - known) * sizeof(*known));
}

void discovery_book_done(struct discovery_book *book)
{
    for (size_t i = 0; i < book->count; i++)
        free_known(&book->items[i]);
    free(book->items);
    *book = (struct discovery_book){.count = 0};
}

/* --- entries --- */

static int compare_tags(const void *left, const void *right)
{
    return strcmp(((const struct arm_tag *)left)->name, ((const struct arm_tag *)right)->name);
}

char *discovery_book_tags(const struct arm_resource *resource)
{
    struct arm_tag tags[ARM_TAGS_MAX];
    struct buf out;
    char *text;

    memcpy(tags, resource->tags, resource->tag_count * sizeof(tags[0]));
    if (resource->tag_count > 1) /* each answer of Azure's may have an order of its own */
        qsort(tags, resource->tag_count, sizeof(tags[0]), compare_tags);
    buf_init(&out, DISCOVERY_TAGS_MAX);
    json_write_open(&out, NULL, '{');
    for (size_t i = 0; i < resource->tag_count; i++)
        json_write_text(&out, tags[i].name, tags[i].value);
    json_write_close(&out, '}');
    text = must_dup(out.failed ? "{}" : buf_str(&out));
    buf_done(&out);
    return text;
}

static void replace(char **text, const char *with)
{
    char *copy = must_dup(with);

    free(*text);
    *text = copy;
}

void discovery_book_put_row(struct discovery_book *book, const struct discovery *row)
{
    struct known *known = discovery_book_find(book, row->account_key);

    if (!known)
        known = insert(book, row->account_key);
    replace(&known->id, row->id);
    replace(&known->identity, row->identity);
    replace(&known->rule, row->rule);
    replace(&known->location, row->location);
    replace(&known->tags, row->tags);
}

void discovery_book_put(struct discovery_book *book, const char *key, const char *identity,
                        const char *rule, const struct arm_resource *resource)
{
    char *tags = discovery_book_tags(resource);

    discovery_book_put_row(book, &(struct discovery){.account_key = key,
                                                     .id = resource->id,
                                                     .identity = identity,
                                                     .rule = rule,
                                                     .location = resource->location,
                                                     .tags = tags});
    free(tags);
}

bool discovery_book_differs(const struct known *known, const char *identity, const char *rule,
                            const struct arm_resource *resource)
{
    char *tags = discovery_book_tags(resource);
    const bool same = str_equal(known->identity, identity) && str_equal(known->rule, rule) &&
                      str_equal(known->location, resource->location) &&
                      str_equal(known->tags, tags);

    free(tags);
    return !same;
}

bool discovery_book_assign(struct known *known, const struct discovery_rule *rule)
{
    if (str_equal(known->rule, rule->name) && str_equal(known->identity, rule->identity->name))
        return false;
    replace(&known->rule, rule->name);
    replace(&known->identity, rule->identity->name);
    return true;
}

/* A rule that has another identity than before keeps its accounts: they are not found anew, some at
 * a time, while nobody takes care of them. */
static const struct discovery_rule *find_rule(const struct config *config,
                                              const struct known *known,
                                              const struct arm_resource *resource)
{
    const struct discovery_rule *owner = discovery_rule_named(config, known->rule);
    const struct discovery_rule *rule = discovery_find_rule(config, known->identity, resource);

    if (rule || !owner || !discovery_matches(owner, resource))
        return rule;
    return discovery_find_rule(config, owner->identity->name, resource);
}

/* The rule of the resource that the entry describes, and what it gives the configuration. */
static const struct discovery_rule *look_at(const struct config *config, const struct known *known,
                                            struct config_found *ret_found)
{
    const struct discovery_rule *rule = NULL;
    struct arm_resource resource;
    struct arm_page *page;
    struct err err;

    if (arm_tags_read(known->tags, strlen(known->tags), &page, &resource, &err) == -ENOMEM)
        fault_out_of_memory();
    resource.id = known->id;
    resource.location = known->location;
    rule = find_rule(config, known, &resource);
    if (rule)
        *ret_found = (struct config_found){.id = known->id, .rule = rule->name};
    if (rule)
        ret_found->has_active = discovery_active_key(rule, &resource, &ret_found->active);
    arm_page_free(page);
    return rule;
}

const struct discovery_rule *discovery_book_rule(const struct config *config,
                                                 const struct known *known)
{
    struct config_found found;

    return look_at(config, known, &found);
}

struct config *discovery_book_expand(const struct discovery_book *book, const struct config *config,
                                     struct err *err)
{
    struct config_found *found = must_alloc_array(book->count, sizeof(*found));
    struct config *expanded;
    size_t count = 0;

    for (size_t i = 0; i < book->count; i++)
        if (look_at(config, &book->items[i], &found[count]))
            count++;
    expanded = config_expand(config, found, count, err);
    free(found);
    return expanded;
}

/* --- the journal --- */

struct discovery discovery_book_row(const struct known *known, bool gone)
{
    return (struct discovery){
        .account_key = known->key,
        .id = known->id,
        .identity = known->identity,
        .rule = known->rule,
        .location = known->location,
        .tags = known->tags,
        .gone = gone,
    };
}

static void on_found(void *context, const struct discovery *discovery)
{
    discovery_book_put_row(context, discovery);
}

int discovery_book_load(struct discovery_book *book, struct store *store, struct err *err)
{
    return store_load_discoveries(store, on_found, book, err);
}
