#!/usr/bin/python3
"""Do the includes point downwards only, are the wings of io/ closed, and is core/ pure?

    layering.py DIRECTORY     checks the C files below DIRECTORY (the one that holds base/, core/, …)
    layering.py --self-test   makes one violation of each kind, and fails if one goes unnoticed

Prints one line FILE:LINE: what is wrong, per violation.
"""

import pathlib
import re
import sys
import tempfile

# A layer may include itself and what stands here.
MAY_INCLUDE = {
    "base": set(),
    "core": {"base"},
    "proto": {"base", "core"},
    "conf": {"base", "core", "proto"},
    "io": {"base", "core", "conf", "proto"},
    "app": {"base", "core", "conf", "proto", "io"},
    "ctl": {"base", "proto"},
}

# io/ consists of wings, a directory each. Whoever is outside of a wing, in io/ or above, includes its
# public headers and nothing else of it.
WINGS = {
    "access": {"access.h", "admission.h", "identity_copy.h", "secret_file.h", "token.h"},
    "azure": {"arm_get.h", "azure.h"},
    "http": {"http.h"},
    "log": {"sink.h"},
    "loop": {"clock_watch.h", "file_write.h", "loop.h", "notify.h", "signals.h", "work.h"},
    "sandbox": {"privileges.h", "process.h", "syscall_filter.h"},
    "spawner": {"program.h", "program_environment.h", "program_failure.h", "spawner.h"},
    "server": {"control.h", "http_server.h", "metrics_server.h"},
    "store": {"store.h"},
    "target": {"target.h"},
}

# Which layers may use a library, by the beginning of the header's name.
LIBRARIES = {
    "uv.h": {"io"},
    "sqlite3.h": {"io"},
    "systemd/": {"io"},
    "microhttpd.h": {"io"},
    "seccomp.h": {"io"},
    "curl/": {"io", "ctl"},
    "yaml.h": {"conf"},
    "openssl/": {"base"},
    "json-c/": {"base", "proto", "io", "ctl"},
}

# core/ decides and does nothing. <stdio.h> is there for snprintf() alone.
CORE_SYSTEM_HEADERS = {"assert.h", "inttypes.h", "limits.h", "stdarg.h", "stdbool.h", "stddef.h",
                       "stdint.h", "stdio.h", "string.h", "strings.h"}
CORE_MAY_NOT_CALL = """
    printf fprintf vprintf vfprintf dprintf puts fputs putchar fopen fclose fread fwrite fflush perror
    open openat close read write stat unlink rename fsync socket connect send recv poll
    time clock clock_gettime gettimeofday localtime localtime_r gmtime gmtime_r mktime sleep usleep
    nanosleep getenv setenv putenv rand srand random getrandom malloc calloc realloc free strdup
    exit abort raise kill fork system syslog pthread_create pthread_mutex_lock
    log_emit log_line_start time_now fs_read fs_replace
""".split()
# `static` at the beginning of a line, neither const nor a function: state that outlives a call.
CORE_GLOBAL = re.compile(r"^(?:static\s+)?(?!.*\b(?:const|typedef|extern|enum\s*\{)\b)"
                         r"(?:struct\s+\w+|enum\s+\w+|unsigned|\w+_t|\w+_ms|int|char|bool|size_t)"
                         r"[\s*]+\w+(?:\[[^]]*\])*\s*(?:=|;)")
CALL = re.compile(r"(?<![\w.>])(" + "|".join(CORE_MAY_NOT_CALL) + r")\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def blank_out(match):
    """Strings stay for #include lines; comments and the rest keep their line breaks alone."""
    return re.sub(r"[^\n]", " ", match.group())


def wing_of(parts):
    """The wing that a file of io/ belongs to, by the parts of its path; None for other layers."""
    return parts[1] if parts[0] == "io" and len(parts) > 2 else None


def reaches_into_a_wing(name, wing):
    """What is wrong with including "name" from a file of `wing` (None: of a layer above), or None."""
    parts = name.split("/")
    other = wing_of(parts)
    if parts[0] != "io":
        return None
    if other is None or other not in WINGS:
        return f'"{name}" is in no wing of io/: {", ".join(WINGS)} are'
    inner = "/".join(parts[2:])
    if other != wing and inner not in WINGS[other]:
        return f"io/{other}/{inner} is that wing's own; {', '.join(sorted(WINGS[other]))} may be included"
    return None


def included(line, layer, wing):
    """What is wrong with an #include line, or None."""
    match = INCLUDE.match(line)
    if not match:
        return None
    kind, name = match.groups()
    for library, layers in LIBRARIES.items():
        if name.startswith(library) and layer not in layers:
            return f"{layer}/ may not use <{name}>; {', '.join(sorted(layers))} may"
    if kind == "<":
        if layer == "core" and name not in CORE_SYSTEM_HEADERS:
            return f"core/ is pure: no <{name}>"
        return None
    if "/" not in name:
        return f'"{name}": name the layer, as in "{layer}/{name}"'
    other = name.split("/")[0]
    if other not in MAY_INCLUDE:
        return f'"{name}" is in no layer'
    if other != layer and other not in MAY_INCLUDE[layer]:
        return f"{layer}/ may not include {other}/"
    return reaches_into_a_wing(name, wing)


def violations(root):
    """Yields (file, line number, sentence)."""
    for file in sorted(root.glob("**/*.[ch]")):
        parts = file.relative_to(root).parts
        layer, wing = parts[0], wing_of(parts)
        if layer not in MAY_INCLUDE:
            yield file, 1, f"{layer} is no layer: {', '.join(MAY_INCLUDE)} are"
            continue
        if layer == "io" and wing not in WINGS:
            yield file, 1, f"a file of io/ belongs to a wing: {', '.join(WINGS)}"
        text = file.read_text()
        code = NOT_CODE.sub(blank_out, text).splitlines()
        for number, (line, bare) in enumerate(zip(text.splitlines(), code), 1):
            if bare.lstrip().startswith("#"):
                wrong = included(line, layer, wing)
                if wrong:
                    yield file, number, wrong
            elif layer == "core":
                call = CALL.search(bare)
                if call:
                    yield file, number, f"core/ is pure: no {call.group(1)}()"
                if file.suffix == ".c" and CORE_GLOBAL.match(bare):
                    yield file, number, "core/ is pure: no variable that outlives a call"


def self_test():
    """Each line below is one violation in a file of its own; the last file has none."""
    bad = {
        "base/a.c": '#include "core/slot.h"',
        "core/a.c": '#include "conf/config.h"',
        "core/b.c": "#include <time.h>",
        "core/c.c": "#include <sqlite3.h>",
        "core/d.c": "static int calls;",
        "core/e.c": '    printf("%d", 1);',
        "core/f.c": "    now = time (NULL);",
        "core/g.c": 'static struct list waiting = {.next = NULL};',
        "core/h.h": '    return getenv("HOME");',
        "conf/a.c": "#include <uv.h>",
        "conf/b.c": '#include "io/http/http.h"',
        "proto/a.c": '#include "conf/config.h"',
        "proto/b.c": "#include <curl/curl.h>",
        "io/http/a.c": '#include "app/engine.h"',
        "app/a.c": "#  include <uv.h>",
        "app/b.c": '#include "ctl/main.h"',
        "ctl/a.c": '#include "io/http/http.h"',
        "ctl/b.c": '#include "core/reason.h"',
        "io/http/b.c": '#include "http.h"',
        "io/c.c": "int x;",
        "io/hall/d.c": "int x;",
        "io/azure/e.c": '#include "io/http/http_multi.h"',
        "io/http/f.c": '#include "io/store/sqlite/rows.h"',
        "app/c.c": '#include "io/http/http_multi.h"',
        "app/d.c": '#include "io/http.h"',
        "util/a.c": "int x;",
    }
    good = {
        "core/good.c": '#include "core/slot.h"\n#include <string.h>\n'
                       "/* no time() and no printf() here: */\n"
                       'static const char *const names[] = {"time(", "open("};\n'
                       "static int twice(int x)\n{\n    int y = 2 * x;\n    return y;\n}\n"
                       "int event_time(struct event *e);\n    snprintf(out, size, names[0]);\n"
                       "    x = operations->read(y) + queue.open(z);\n",
        "io/http/good.c": '#include <uv.h>\n#include "proto/arm.h"\n#include "io/http/http_multi.h"\n'
                          '#include "io/loop/loop.h"\nstatic int state;\n',
        "app/good.c": '#include "io/store/store.h"',
    }
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in {**bad, **good}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text + "\n")
        found = {file.relative_to(root).as_posix() for file, _, _ in violations(root)}
    for name in sorted(set(bad) - found):
        print(f"self-test: not noticed: {name}: {bad[name]}", file=sys.stderr)
    for name in sorted(found - set(bad)):
        print(f"self-test: false alarm: {name}", file=sys.stderr)
    return 0 if found == set(bad) else 1


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1]).is_dir():
        print(__doc__, file=sys.stderr)
        return 64
    found = list(violations(pathlib.Path(sys.argv[1])))
    for file, number, wrong in found:
        print(f"{file}:{number}: {wrong}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
