#!/usr/bin/python3
"""Plants one fault for each fuzzer, and demands that it is found: a fuzzer that cannot fail finds
nothing.

  mutants.py --build DIR   builds and runs them
  mutants.py --list        checks the list alone: is it complete, and true of the source as it is?
  mutants.py --self-test   shows that the check of the list can fail
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

import run

SECONDS = 60


@dataclasses.dataclass
class Fault:
    fuzzer: str
    file: str  # below daemon/
    before: str
    after: str


FAULTS = (
    Fault("app_settings", "proto/app_settings.c", "if (!written) {", "if (false) {"),
    Fault("account", "proto/two_key/two_key.c",
          "if (secret_equal(keys[SLOT_PRIMARY], keys[SLOT_SECONDARY]))", "if (false)"),
    Fault("account", "proto/two_key/two_key.c", "if (!key_text_fits(*ret_key, resource->key_shape))", "if (false)"),
    Fault("arm_list", "proto/arm_list.c",
          "    if (compared == without_default_port(resource_manager, wanted) &&\n",
          "    if (compared <= without_default_port(resource_manager, wanted) &&\n"),
    Fault("arm_operation", "proto/arm_operation.c",
          "if (arm_link_check(url, resource_manager, &ignored) != 0)", "if (false)"),
    Fault("arm_operation", "proto/arm_operation.c", "strlen(url) + strlen(mark) >= size", "strlen(url) >= size"),
    Fault("arm_operation", "proto/arm_operation.c", 'str_starts_with(host, "://")', '(host = strstr(url, "://"))'),
    Fault("arm_reply", "proto/failure.c",
          "    utf8_make_presentable(uncut);\n    key_text_redact(uncut);\n",
          "    utf8_make_presentable(uncut);\n"),
    Fault("rewrite", "proto/two_key/rewrite.c",
          "str_equal(member, by->keys[rewriting->slot])",
          "str_equal(member, by->keys[slot_other(rewriting->slot)])"),
    Fault("secret_file", "io/access/secret_file.c", "length + line_end != content->length", "false"),
    Fault("cloud_error", "proto/cloud_error.c",
          "if (depth > DETAIL_DEPTH_MAX || error->count == CLOUD_ERROR_ITEMS_MAX)",
          "if (depth > DETAIL_DEPTH_MAX)"),
    Fault("cloud_metadata", "proto/cloud_metadata.c", "if (*c <= ' ' || *c > '~')", "if (*c == ' ')"),
    Fault("config", "conf/yaml_builder.c", "if (builder->depth == TREE_DEPTH_MAX)", "if (false)"),
    Fault("control_answer", "ctl/status_text.c", "c < 0x20 || c == 0x7f || is_c1 ? '?' : *from", "*from"),
    Fault("control_request", "base/encoding.c", "c == '_' || c == '~';", "c == '_' || c == '~' || c == '%';"),
    Fault("dates", "base/time.c", "|| sum > longest)", ")"),
    Fault("headers", "proto/http_message.c", "if ((size_t)(end - value) >= size)",
          "if ((size_t)(end - value) > size)"),
    Fault("journal", "core/record_table.c", 'i ? " " : "", text', '"", text'),
    Fault("json", "base/json_writer.c", "return code_point < 0x20 || code_point == '\"'",
          "return code_point == '\"'"),
    Fault("key_file", "proto/key_text.c", "if (run.length >= REDACT_MIN &&",
          "if (run.length > 2 * REDACT_MIN + 10 &&"),
    Fault("kubernetes", "conf/masked_text.c", "if (run < RUN_MIN ||", "if (run < RUN_MIN + 8 ||"),
    Fault("key_vault", "proto/key_vault_challenge.c",
          "length != expected_length || strncasecmp(resource, expected, length) != 0", "false"),
    Fault("names", "conf/url.c", "ntohl(v4.s_addr) >> 24 == 127", "ntohl(v4.s_addr) >> 24 >= 100"),
    Fault("news", "proto/news.c", "    key_text_redact(shown);\n", ""),
    Fault("news", "proto/key_file.c", "    if (!file->without_key)\n", ""),
    Fault("program_output", "proto/program_output.c", "shown + i, PROGRAM_OUTPUT_RUN_MIN)",
          "shown + i, 2 * PROGRAM_OUTPUT_RUN_MIN)"),
    Fault("resource_graph", "proto/resource_graph.c", "if (length == 0 || length > 2)", "if (length == 0)"),
    Fault("schedule", "core/schedule.c", "if (open < next)", "if (open > next || next == TIME_NEVER)"),
    Fault("socket_answer", "proto/socket_answer.c", "end && (size_t)(end - bytes) + 1 != length", "false"),
    Fault("token", "proto/access_token.c", "        refresh < token->lifetime)", "        true)"),
    Fault("vault", "proto/vault_failure.c",
          "failure->outcome_unknown = call == VAULT_CALL_WRITE && leaves_doubt(trouble);",
          "failure->outcome_unknown = leaves_doubt(trouble);"),
)


def ask_make(*what):
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    return shlex.split(subprocess.run(["make", "--no-print-directory", "-s", "FUZZ=1", *what], check=True,
                                      text=True, stdout=subprocess.PIPE, env=environment).stdout)


def misplaced(fault, text):
    """Why the fault cannot be planted in the text of its file; or None."""
    times = text.count(fault.before)
    return None if times == 1 else f"it stands {times} times in daemon/{fault.file}: {fault.before}"


def gaps(faults, fuzzers, read):
    """What is wrong with the list: (fuzzer, sentence) each. read(file) is the text of a source."""
    for name in sorted(fuzzers - {fault.fuzzer for fault in faults}):
        yield name, "no fault is planted for it"
    for fault in faults:
        if fault.fuzzer not in fuzzers:
            yield fault.fuzzer, "there is no such fuzzer"
        problem = misplaced(fault, read(fault.file))
        if problem:
            yield fault.fuzzer, problem


def source_text(file):
    path = pathlib.Path("daemon", file)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def self_test():
    fault = Fault("json", "base/a.c", "if (x)", "if (y)")
    for case in (({"json"}, "if (x) {", 0), ({"json"}, "if (z) {", 1), ({"json"}, "if (x) if (x)", 1),
                 ({"json", "yaml"}, "if (x) {", 1), (set(), "if (x) {", 1)):
        fuzzers, text, expected = case
        found = list(gaps((fault,), fuzzers, lambda _, text=text: text))
        if len(found) != expected:
            sys.exit(f"mutants.py --self-test: {len(found)} gaps, not {expected}, in {text}: {found}")


def build(fault, work, link):
    """The fuzzer with the fault, or None and a sentence."""
    source = pathlib.Path("daemon", fault.file)
    text = source_text(fault.file)
    problem = misplaced(fault, text)
    if problem:
        return None, problem
    changed = work / source.name
    changed.write_text(text.replace(fault.before, fault.after), encoding="utf-8")
    compiled = work / "changed.o"
    compile_line = ask_make("print-sim-compile", f"FILE={source}")
    done = subprocess.run([*compile_line, "-c", "-o", str(compiled), str(changed)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        program = work / f"fuzz_{fault.fuzzer}"
        places = {"PROGRAM": str(program), "CHANGED": str(compiled),
                  "FUZZER": f"build-fuzz/obj/tests/fuzz/fuzz_{fault.fuzzer}.o"}
        done = subprocess.run([places.get(word, word) for word in link], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return (None, done.stdout) if done.returncode else (program, "")


def judge(fault, link):
    """How the fault was found; or an empty text, and why it was not."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as directory:
        work = pathlib.Path(directory)
        program, problem = build(fault, work, link)
        if not program:
            return "", problem
        outcome = run.Outcome(fault.fuzzer)
        done = subprocess.run(run.command(program, fault.fuzzer, work, SECONDS), text=True, check=False,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        run.understand(outcome, done.stdout, done.returncode)
        if done.returncode == 0:
            return "", f"not found in {SECONDS} s, {outcome.executions:,} executions"
        return f"{outcome.executions:,} executions: {outcome.problem}", ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.self_test:
        self_test()
        return 0
    fuzzers = {path.stem.removeprefix("fuzz_") for path in run.HERE.glob("fuzz_*.c")}
    cases = list(gaps(FAULTS, fuzzers, source_text))
    if arguments.list:
        print("".join(f"tests/fuzz/mutants.py: {name}: {problem}\n" for name, problem in cases), end="",
              file=sys.stderr)
        return 1 if cases else 0

    link = ask_make("print-fuzz-link")
    for name, problem in cases:
        print(f"  FAIL  {name:18} {problem}")
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        whole = [fault for fault in FAULTS if fault.fuzzer not in dict(cases)]
        for fault, (found, problem) in zip(whole, pool.map(lambda f: judge(f, link), whole)):
            cases.append((fault.fuzzer, problem))
            print(f"  {'FAIL' if problem else 'ok':4}  {fault.fuzzer:18} {found or problem}", flush=True)
    if arguments.results:
        run.write_results(arguments.results, "fuzz-mutants", cases)
    failed = sum(1 for _, problem in cases if problem)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
