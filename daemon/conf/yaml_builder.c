#include <string.h>

#include <yaml.h>

#include "base/secret.h"
#include "conf/report.h"
#include "conf/yaml_problem.h"
#include "conf/yaml_tree.h"

enum { BOM_LENGTH = 3 };

/*
 * libyaml delivers events one at a time. Its time grows with the square of the nesting of brackets,
 * so depth and number are counted here, and the builder stops before the first event beyond a
 * limit.
 */
struct builder {
    struct arena *arena;
    struct report *report;
    struct mark file;
    struct tree_node *open[TREE_DEPTH_MAX]; /* the mappings and lists around the next event */
    size_t depth;
    const char *key; /* the key of the innermost mapping that has no value yet, or NULL */
    struct mark key_mark;
    bool key_refused; /* its value is checked for errors, but dropped */
    size_t events;
    size_t documents;
    struct tree_node *root;
    bool stopped; /* the rest of the file cannot be parsed */
};

static struct tree_node *innermost(const struct builder *builder)
{
    return builder->depth > 0 ? builder->open[builder->depth - 1] : NULL;
}

static struct mark mark_of(const struct builder *builder, yaml_mark_t yaml)
{
    struct mark mark = builder->file;

    mark.line = (unsigned)yaml.line + 1;
    mark.column = (unsigned)yaml.column + 1;
    return mark;
}

/* Reports about a key (NULL: about the innermost mapping or list itself). */
static void report_here(struct builder *builder, struct mark mark, const char *key,
                        const char *sentence)
{
    struct buf path;

    buf_init(&path, TREE_SCALAR_MAX);
    tree_append_path(&path, innermost(builder));
    if (key)
        (void)buf_append_format(&path, "%s%s", path.length > 0 ? "." : "", key);
    report_error_at(builder->report, mark, report_part(builder->report, &path), "%s",
                    sentence ? sentence : "out of memory");
    buf_done(&path);
}

static bool expects_key(const struct builder *builder)
{
    const struct tree_node *parent = innermost(builder);

    return parent && parent->kind == TREE_MAP && !builder->key;
}

/* Makes the node for a value and puts it where it belongs. NULL when memory is out. */
static struct tree_node *add_value(struct builder *builder, enum tree_kind kind,
                                   const yaml_event_t *event)
{
    struct tree_node *parent = innermost(builder);
    struct tree_node *node = tree_new(builder->arena, kind, mark_of(builder, event->start_mark));

    if (!node) {
        builder->stopped = true;
        return NULL;
    }
    if (!parent) {
        builder->root = node;
        return node;
    }
    node->parent = parent;
    node->index = parent->count;
    node->name = builder->key;
    node->name_mark = builder->key_mark;
    if (parent->kind == TREE_LIST || !builder->key_refused)
        tree_append(parent, node);
    builder->key = NULL;
    return node;
}

static void refuse_properties(struct builder *builder, const yaml_event_t *event,
                              const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct mark mark = mark_of(builder, event->start_mark);

    if (anchor)
        report_here(builder, mark, builder->key,
                    "anchors (&name) are not read; write the value where it is needed");
    if (tag)
        report_here(builder, mark, builder->key,
                    "tags (!name) are not read; write the value alone");
}

static void refuse_key(struct builder *builder, const char *shown, const char *sentence)
{
    report_here(builder, builder->key_mark, shown, sentence);
    builder->key_refused = true;
}

static void take_key(struct builder *builder, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    const char *problem = scalar_problem(text, length, false);
    const struct tree_node *map = innermost(builder);
    const struct tree_node *twin;

    builder->key_mark = mark_of(builder, event->start_mark);
    builder->key_refused = false;
    builder->key = problem ? "?" : arena_dup_n(builder->arena, text, length);
    if (!builder->key) {
        builder->stopped = true;
        return;
    }
    twin = tree_child(map, builder->key);
    if (problem) {
        refuse_key(builder, NULL, problem);
    } else if (length == 0) {
        refuse_key(builder, NULL, "a key is empty; write its name before the ':'");
    } else if (strcmp(text, "<<") == 0) {
        refuse_key(builder, text, "merge keys are not read; write the keys out");
    } else if (twin) {
        report_here(builder, builder->key_mark, text,
                    arena_format(builder->arena, "stands twice, first at %s:%u:%u; keep one",
                                 twin->name_mark.file, twin->name_mark.line,
                                 twin->name_mark.column));
        builder->key_refused = true;
    } else if (map->count >= TREE_KEYS_MAX) {
        refuse_key(builder, NULL, "this mapping has too many keys; 10000 is the most");
        builder->stopped = true;
    }
}

static void take_scalar(struct builder *builder, yaml_event_t *event)
{
    char *text = (char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    const yaml_scalar_style_t style = event->data.scalar.style;
    const char *problem = scalar_problem(text, length, !expects_key(builder));
    struct tree_node *node;

    refuse_properties(builder, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (expects_key(builder)) {
        take_key(builder, event);
    } else {
        node = add_value(builder, TREE_SCALAR, event);
        if (!node)
            return;
        node->quoted = style != YAML_PLAIN_SCALAR_STYLE;
        node->has_lines = !problem && strpbrk(text, "\n\t");
        node->joins_lines = style != YAML_LITERAL_SCALAR_STYLE &&
                            style != YAML_DOUBLE_QUOTED_SCALAR_STYLE && node->has_lines &&
                            strchr(text, '\n');
        if (!problem) {
            node->text = arena_dup_n(builder->arena, text, length);
            builder->stopped = !node->text;
        } else {
            report_error(builder->report, node, "%s", problem);
            node->invalid = true;
        }
    }
    if (problem)
        wipe(text, length); /* the text may be an account key */
}

static void take_alias(struct builder *builder, const yaml_event_t *event)
{
    struct tree_node *node;

    report_here(builder, mark_of(builder, event->start_mark), builder->key,
                "aliases (*name) are not read; write the value where it is needed");
    if (expects_key(builder)) {
        builder->key = "?";
        builder->key_refused = true;
        return;
    }
    node = add_value(builder, TREE_SCALAR, event);
    if (node)
        node->invalid = true;
}

static void enter(struct builder *builder, enum tree_kind kind, const yaml_event_t *event)
{
    struct mark mark = mark_of(builder, event->start_mark);
    struct tree_node *node;

    if (expects_key(builder)) {
        report_here(builder, mark, NULL,
                    "a key is a mapping or a list; put text with '{' or '[' in quotes");
        builder->stopped = true;
        return;
    }
    if (builder->depth == TREE_DEPTH_MAX) {
        report_here(builder, mark, builder->key,
                    "is nested too deeply; 16 mappings and lists inside each other are the most");
        builder->stopped = true;
        return;
    }
    node = add_value(builder, kind, event);
    if (node)
        builder->open[builder->depth++] = node;
}

static void start_document(struct builder *builder, const yaml_event_t *event)
{
    struct mark mark = mark_of(builder, event->start_mark);

    if (event->data.document_start.version_directive ||
        event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end)
        report_here(builder, mark, NULL, "directives (%) are not read; remove the line");
    if (++builder->documents > 1) {
        report_here(builder, mark, NULL,
                    "a second document begins here; one file holds one document");
        builder->stopped = true;
    }
}

static void take_event(struct builder *builder, yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        start_document(builder, event);
        break;
    case YAML_ALIAS_EVENT:
        take_alias(builder, event);
        break;
    case YAML_SCALAR_EVENT:
        take_scalar(builder, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        refuse_properties(builder, event, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
        enter(builder, TREE_LIST, event);
        break;
    case YAML_MAPPING_START_EVENT:
        refuse_properties(builder, event, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
        enter(builder, TREE_MAP, event);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        builder->depth--;
        break;
    default:
        break;
    }
}

static void read_events(struct builder *builder, yaml_parser_t *parser, const char *text,
                        size_t length)
{
    bool ended = false;

    while (!ended && !builder->stopped) {
        yaml_event_t event;

        if (!yaml_parser_parse(parser, &event)) {
            struct mark mark = builder->file;
            const char *sentence = yaml_problem(parser, text, length, builder->arena, &mark);

            report_here(builder, mark, builder->key, sentence);
            builder->stopped = true;
            return;
        }
        ended = event.type == YAML_STREAM_END_EVENT;
        if (++builder->events > TREE_EVENTS_MAX) {
            report_here(builder, mark_of(builder, event.start_mark), NULL,
                        "the file holds too many values; spread them over files in conf.d");
            builder->stopped = true;
        } else {
            take_event(builder, &event);
        }
        yaml_event_delete(&event);
    }
}

struct tree_node *tree_parse(struct arena *arena, struct mark file, const char *text, size_t length,
                             struct report *report, bool *ret_empty)
{
    struct builder builder = {.arena = arena, .report = report, .file = file};
    yaml_parser_t parser;

    /* Skip a byte order mark, which some editors write and libyaml would count as a column. */
    if (length >= BOM_LENGTH && memcmp(text, "\xef\xbb\xbf", BOM_LENGTH) == 0) {
        text += BOM_LENGTH;
        length -= BOM_LENGTH;
    }
    builder.file.line = 1;
    builder.file.column = 1;
    *ret_empty = false;
    if (!yaml_parser_initialize(&parser)) {
        report_error_at(report, builder.file, "", "out of memory");
        return NULL;
    }
    /* Otherwise a byte order mark could switch libyaml to UTF-16, and all positions would be
     * wrong. */
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    read_events(&builder, &parser, text, length);
    yaml_parser_delete(&parser);
    if (builder.stopped)
        return NULL;
    if (!builder.root || (builder.root->kind == TREE_SCALAR && !builder.root->quoted &&
                          builder.root->text[0] == '\0')) {
        *ret_empty = true;
        return NULL;
    }
    if (builder.root->kind != TREE_MAP) {
        report_error_at(report, builder.root->mark, "",
                        "the file does not begin with a key; write \"key: value\" lines");
        return NULL;
    }
    return builder.root;
}
