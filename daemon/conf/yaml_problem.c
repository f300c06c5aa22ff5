#include "conf/yaml_problem.h"

#include <stdbool.h>
#include <string.h>

#include "base/encoding.h"
#include "conf/yaml_tree.h"

/* The usual account keys are 64 bytes in base64: 86 characters and "==". */
enum { ACCOUNT_KEY_CHARACTERS = 86 };

static bool is_base64(char c)
{
    return char_is_alphanumeric(c) || c == '+' || c == '/';
}

static bool holds_account_key(const char *text, size_t length)
{
    size_t run = 0;

    for (size_t i = 0; i + 1 < length; i++) {
        if (run >= ACCOUNT_KEY_CHARACTERS && text[i] == '=' && text[i + 1] == '=')
            return true;
        run = is_base64(text[i]) ? run + 1 : 0;
    }
    return false;
}

const char *scalar_problem(const char *text, size_t length, bool lines)
{
    if (length > TREE_SCALAR_MAX)
        return "is too long; 4096 bytes are the most";
    if (holds_account_key(text, length))
        return "looks like an account key; a key does not belong in the configuration: remove it "
               "here, and regenerate it if others could read the file";
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < 0x20 && !(lines && (c == '\n' || c == '\t'))) || c == 0x7f)
            return TREE_LINES_PROBLEM;
    }
    return NULL;
}

/* libyaml's reader fails before it sets marks, so line and column are counted here. */
static void mark_offset(const char *text, size_t length, size_t offset, struct mark *mark)
{
    mark->line = 1;
    mark->column = 1;
    for (size_t i = 0; i < offset && i < length; i++) {
        bool continues_character = ((unsigned char)text[i] & 0xc0) == 0x80;

        if (text[i] == '\n') {
            mark->line++;
            mark->column = 1;
        } else if (!continues_character) {
            mark->column++;
        }
    }
}

static const char *reader_problem(const yaml_parser_t *parser, const char *text, size_t length,
                                  struct mark *mark)
{
    mark_offset(text, length, parser->problem_offset, mark);
    if (length >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return "the file is UTF-16; save it as UTF-8";
    if (strstr(parser->problem, "control characters"))
        return "a control character stands here; remove it";
    return "the file is not valid UTF-8 here; save it as UTF-8";
}

struct translation {
    const char *context; /* what libyaml was doing; "" for anything */
    const char *problem;
    bool at_context; /* the mistake is at the start of the context */
    const char *sentence;
};

static const struct translation translations[] = {
    {"", "tab character", false, "a tab stands in the indentation; indent with spaces"},
    {"quoted scalar", "unexpected end of stream", true,
     "this quote is never closed; add the closing quote"},
    {"quoted scalar", "unexpected document indicator", true,
     "this quote is never closed; add the closing quote"},
    {"quoted scalar", "unknown escape character", false,
     "the backslash means something else in double quotes; use single quotes or write \\\\"},
    {"flow mapping", "did not find expected ',' or '}'", true,
     "this '{' is never closed; add '}', or the ',' that is missing inside"},
    {"flow sequence", "did not find expected ',' or ']'", true,
     "this '[' is never closed; add ']', or the ',' that is missing inside"},
    {"simple key", "could not find expected ':'", true,
     "a ':' is missing after this; write \"key: value\""},
    {"", "mapping values are not allowed", false,
     "a ': ' cannot stand here; put the value in quotes, or correct the indentation"},
    {"block mapping", "did not find expected key", false,
     "this does not line up with the keys above; correct the indentation or the quotes"},
    {"block collection", "did not find expected '-' indicator", false,
     "this does not line up with the list above; correct the indentation"},
    {"", "block sequence entries are not allowed", false,
     "a list item cannot stand here; begin it on a line of its own"},
    {"", "found incompatible YAML document", false, "directives (%) are not read; remove the line"},
    {"plain scalar", "unexpected ':'", false,
     "put a space after the ':', or quotes around the text"},
    {"", "undefined tag handle", false, "tags (!name) are not read; write the value alone"},
};

static bool contains(const char *text, const char *part)
{
    return part[0] == '\0' || (text && strstr(text, part));
}

/* libyaml reports a character that cannot begin a value; the character shows the likely mistake. */
static const char *cannot_start(const yaml_parser_t *parser, const char *text, size_t length,
                                struct arena *arena)
{
    size_t offset = parser->problem_mark.index;
    char c = '\0';

    /* Marks count characters, so the byte is found by counting them. */
    for (size_t i = 0, characters = 0; i < length && characters <= offset; i++) {
        if (((unsigned char)text[i] & 0xc0) == 0x80)
            continue;
        c = text[i];
        characters++;
    }
    if (c == '\t')
        return "a tab stands in the indentation; indent with spaces";
    return arena_format(arena, "nothing can begin with '%c'; put the value in quotes", c);
}

const char *yaml_problem(const yaml_parser_t *parser, const char *text, size_t length,
                         struct arena *arena, struct mark *mark)
{
    const char *sentence;

    if (parser->error == YAML_MEMORY_ERROR || !parser->problem)
        return "out of memory";
    if (parser->error == YAML_READER_ERROR)
        return reader_problem(parser, text, length, mark);
    mark->line = (unsigned)parser->problem_mark.line + 1;
    mark->column = (unsigned)parser->problem_mark.column + 1;
    if (contains(parser->problem, "cannot start any token")) {
        sentence = cannot_start(parser, text, length, arena);
        return sentence ? sentence : "out of memory";
    }
    for (size_t i = 0; i < sizeof(translations) / sizeof(translations[0]); i++) {
        const struct translation *translation = &translations[i];

        if (!contains(parser->context, translation->context) ||
            !contains(parser->problem, translation->problem))
            continue;
        if (translation->at_context) {
            mark->line = (unsigned)parser->context_mark.line + 1;
            mark->column = (unsigned)parser->context_mark.column + 1;
        }
        return translation->sentence;
    }
    sentence = arena_format(arena, "is not valid YAML: %s%s%s", parser->problem,
                            parser->context ? ", " : "", parser->context ? parser->context : "");
    return sentence ? sentence : "out of memory";
}
