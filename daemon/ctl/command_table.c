#include "ctl/command_table.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "proto/remedy.h"

/* clang-format off */
#define OF_ALL_TOO(about) ((about) == (ABOUT_ACCOUNT | ABOUT_ALL) ? OPTION_ALL : 0)
#define ROW(NAME, name, CARRIER, ABOUT, MEMBERS, REQUIRED, OPTIONS, run, TYPED, SYNOPSIS, SUMMARY, SEVERAL) \
    {TYPED, SYNOPSIS, SUMMARY, ABOUT, (MEMBERS) | (OPTIONS) | OF_ALL_TOO(ABOUT), REQUIRED,         \
     CONTROL_##NAME, false, ctl_##run},
#define ASKING(name, ABOUT, OPTIONS, SYNOPSIS, SUMMARY)                                            \
    {#name, SYNOPSIS, SUMMARY, ABOUT, OPTIONS, 0, 0, true, ctl_##name},
static const struct ctl_command commands[] = {
    CTL_QUESTION_LIST(ASKING)
    COMMAND_LIST(ROW)
    {.name = "revoke"}, /* not in this version, like those that follow */
    {.name = "doctor"},
};
/* clang-format on */
enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

/* What the words of synopses stand for, and what the exit status says. */
static void print_words(void)
{
    fputs("\n  --socket PATH  the daemon's control socket (default " CONTROL_SOCKET_DEFAULT
          ")\n"
          "  --json         answer as the daemon does, for programs\n"
          "  --version      print the version\n"
          "  --help         print this\n\n"
          "ACCOUNT is a name where it is unique, group/name, or a resource id; PATTERN is the same "
          "with *\n"
          "for any text or ? for any character, in quotes ('group/*').\n"
          "STATE is adopting, ok, rotating, retrying, held, blocked, overdue, at_risk, watched\n"
          "(rotate: false) or frozen (change freeze).\n"
          "DURATION is written 90s, 15m, 12h, 30d or 2w; TIME 2026-11-22T12:00:00Z, or\n"
          "2026-11-22 or \"2026-11-22 14:00\" in the local time zone, or a DURATION from now (of\n"
          "history: ago).\n\n"
          "Exit status: 0 done; 1 not done; 2 refused; 3 the daemon cannot be reached; 64 usage;\n"
          "77 not permitted. Of status: 0 all well; 1 something retrying or held; 2 something\n"
          "blocked, overdue, or with consumers at risk; 3 the daemon cannot be reached.\n"
          "Of identify: 0 the key is live and in use; 4 live and idle; 5 dead; 6 unknown.\n",
          stdout);
}

void ctl_print_usage(void)
{
    FILE *out = stdout;

    fputs(
        "Usage: keyrotatectl [--socket PATH] [--json] COMMAND [ACCOUNT...] [OPTION...]\n"
        "Queries and controls keyrotated, which rotates the keys of Azure resources.\n\n",
        out);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].synopsis)
            fprintf(out, "  %s%s%s\n          %s\n", commands[i].name,
                    *commands[i].synopsis ? " " : "", commands[i].synopsis, commands[i].summary);
    }
    print_words();
}

void ctl_print_use(const struct ctl_command *command)
{
    printf("Usage: keyrotatectl [--socket PATH] [--json] %s%s%s\n          %s\n", command->name,
           *command->synopsis ? " " : "", command->synopsis, command->summary);
    print_words();
}

/* Of a command that there is not, --help shows no use, but which ones there are. */
static enum ctl_exit complain_of_command(const char *before, const char *name, const char *after)
{
    return ctl_complain(CTL_USAGE, "%s%s%s; --help lists the commands", before, name, after);
}

enum ctl_exit ctl_command_find(const char *name, const struct ctl_command **ret_command)
{
    const char *names[COMMAND_COUNT + 1] = {NULL};
    const char *nearest;
    size_t available = 0;

    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].synopsis)
            names[available++] = commands[i].name;
        if (strcmp(commands[i].name, name) != 0)
            continue;
        *ret_command = &commands[i];
        return commands[i].synopsis
                   ? CTL_DONE
                   : complain_of_command("", name, " is not available in this version");
    }
    nearest = str_nearest(name, names);
    if (nearest)
        return ctl_complain_of_use("there is no command %s; did you mean %s?", name, nearest);
    return complain_of_command("there is no command ", name, "");
}

bool ctl_command_is_to_come(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (!commands[i].synopsis && strcmp(commands[i].name, name) == 0)
            return true;
    return false;
}
