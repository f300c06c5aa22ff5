# Builds, tests and installs keyrotated. `make help` lists what there is.
#
# One make, no sub-directories. `test` and `demo` call make a second time, because what `deps`
# installs (compiler, libraries) has to be there before the build is planned.

VERSION := 0.1.0

# --- what a user or a packager may set -----------------------------------------------------------
PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
SBINDIR    ?= $(PREFIX)/sbin
BINDIR     ?= $(PREFIX)/bin
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/keyrotated
SYSTEMDDIR ?= $(PREFIX)/lib/systemd
UNITDIR    ?= $(SYSTEMDDIR)/system
SYSUSERDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILEDIR ?= $(PREFIX)/lib/tmpfiles.d
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
DESTDIR    ?=

CC         ?= cc
AR         ?= ar
PKG_CONFIG ?= pkg-config
PYTHON     ?= /usr/bin/python3
CFLAGS     ?= -O2 -g
JOBS       ?= $(shell nproc 2>/dev/null || echo 2)

# WERROR=1       warnings are errors
# SANITIZE=LIST  e.g. address,undefined: everything once more, instrumented, in build-asan/
# FUZZ=1         set by `make fuzz`: instrumented for libFuzzer, in build-fuzz/
# V=1            show the commands
WERROR     ?=
SANITIZE   ?=
FUZZ       ?=
V          ?=

# --- what it is made of --------------------------------------------------------------------------
PACKAGES := libuv>=1.44 libcurl>=7.88 json-c>=0.16 yaml-0.1>=0.2.5 sqlite3>=3.40 libcrypto>=3.0 libssl>=3.0 \
            libsystemd>=252 libmicrohttpd>=0.9.75 libseccomp>=2.5
TEST_PACKAGES := cmocka>=1.1.5

# The same as Debian 12 calls them, and what the tests and the demo run.
DEBIAN_PACKAGES := gcc libc6-dev pkg-config libuv1-dev libcurl4-openssl-dev libjson-c-dev \
    libyaml-dev libsqlite3-dev libssl-dev libsystemd-dev libmicrohttpd-dev \
    libseccomp-dev libcmocka-dev python3 python3-pytest python3-pytest-xdist openssl ca-certificates \
    curl procps tzdata systemd
DEBIAN_LINT_PACKAGES := clang-format clang-tidy cppcheck mandoc groff-base valgrind

# What `make fuzz` needs besides.
DEBIAN_FUZZ_PACKAGES := clang-14 libclang-rt-14-dev llvm-14

B := $(if $(FUZZ),build-fuzz,$(if $(SANITIZE),build-asan,build))

# A family of files (a wing of io/) is a directory below its layer, at most two deep.
below_daemon      = $(sort $(foreach depth,*/* */*/* */*/*/*,$(wildcard daemon/$(depth)$1)))
DAEMON_SOURCES   := $(call below_daemon,.c)
MAIN_SOURCES     := daemon/app/main.c daemon/ctl/main.c
AZURESIM_SOURCES := $(sort $(wildcard tests/azuresim/*.c tests/azuresim/types/*.c))
UNIT_SOURCES     := $(sort $(wildcard tests/unit/*.c))
SIM_SOURCES      := $(sort $(wildcard tests/sim/*.c))
FUZZ_SOURCES     := $(sort $(wildcard tests/fuzz/*.c))
TEST_NAMES       := $(basename $(notdir $(filter tests/unit/test_%,$(UNIT_SOURCES))))
FUZZER_NAMES     := $(basename $(notdir $(filter tests/fuzz/fuzz_%,$(FUZZ_SOURCES))))

objects = $(patsubst %.c,$B/obj/%.o,$1)
ALL_SOURCES  := $(DAEMON_SOURCES) $(AZURESIM_SOURCES) $(UNIT_SOURCES) $(SIM_SOURCES) $(FUZZ_SOURCES)
LIBRARY      := $B/libkeyrotated.a
TEST_LIBRARY := $B/libtest.a
MADE_PAGE    := $B/man/keyrotated-resources.7
PROGRAMS     := $B/keyrotated $B/keyrotatectl $B/azuresim
FUZZERS      := $(addprefix $B/tests/,$(FUZZER_NAMES))
TESTS        := $(addprefix $B/tests/,$(TEST_NAMES))

FORMATTED := $(sort $(call below_daemon,.[ch]) $(wildcard tests/azuresim/*.[ch] \
    tests/azuresim/types/*.c tests/unit/*.[ch] \
    tests/sim/*.[ch] tests/crash/*.[ch] tests/fuzz/*.[ch]))

# --- flags ---------------------------------------------------------------------------------------
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
    -Wold-style-definition -Wmissing-prototypes -Wcast-align -Wformat=2 -Wundef -Wvla \
    -Wwrite-strings -Wpointer-arith -Wnull-dereference
ifeq ($(findstring clang,$(CC)),)
WARNINGS += -Wimplicit-fallthrough=5 -Wlogical-op -Wduplicated-cond
endif

HARDENING := -fPIE -fstack-protector-strong -fstack-clash-protection
HARDENING_LD := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
ifneq ($(filter x86_64 i%86,$(shell uname -m)),)
HARDENING += -fcf-protection
endif

ifneq ($(FUZZ),)
override SANITIZE := fuzzer-no-link,address,undefined
# The other builds warn. What clang has to say about macros of libraries is no reason to stop this one.
WARNINGS := -w
endif
ifneq ($(SANITIZE),)
INSTRUMENTATION := -O1 -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
# What was freed is watched in the last 8 MiB of each process: filling 256 costs more than the tests do.
export ASAN_OPTIONS  ?= detect_stack_use_after_return=1:strict_string_checks=1:quarantine_size_mb=8:malloc_context_size=12
export UBSAN_OPTIONS ?= print_stacktrace=1
else
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif

# Names are looked up with -iquote, so that <memory.h> is the system's and "memory.h" is ours.
own_headers = -iquote $(if $(filter tests/azuresim/%,$1),tests/azuresim,daemon \
    -iquote $(if $(filter tests/sim/%,$1),tests/sim,tests/unit))
compile_flags = -std=gnu17 -D_GNU_SOURCE $(call own_headers,$1) $(PACKAGE_CFLAGS) $(CPPFLAGS) \
    $(WARNINGS) $(if $(WERROR),-Werror) $(HARDENING) $(CFLAGS) $(INSTRUMENTATION)
link_flags = $(HARDENING_LD) -Wl,--as-needed $(CFLAGS) $(INSTRUMENTATION) $(LDFLAGS)
# The many programs that are tests are linked by the faster linker, where it is there.
FAST_LINKER := $(if $(shell command -v ld.gold),-fuse-ld=gold)
test_link_flags = $(FAST_LINKER) $(link_flags)

# A tag on the commit that is built, or the version of this tree.
DESCRIPTION := $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null)
FULL_VERSION := $(or $(patsubst v%,%,$(DESCRIPTION)),$(VERSION))

# --- are the libraries there? --------------------------------------------------------------------
GOALS_WITHOUT_LIBRARIES := deps deps-lint deps-fuzz fuzz fuzz-mutants deps-package deps-test-package deb dist test-package lint-units lint-packaging clean help format uninstall test demo azure lint-format lint-layers lint-circles lint-idioms lint-lengths lint-ways
spaced = $(subst >=, >= ,$1)
GOALS_WITHOUT_LIBRARIES += deps-system test-system image deps-test-image test-image deps-clients test-clients
GOALS_WITHOUT_LIBRARIES += deps-monitoring test-monitoring
ifneq ($(filter-out $(GOALS_WITHOUT_LIBRARIES),$(or $(MAKECMDGOALS),all)),)
NEEDED  := $(PACKAGES) $(if $(filter-out programs install,$(or $(MAKECMDGOALS),all)),$(TEST_PACKAGES))
MISSING := $(shell for package in $(foreach p,$(NEEDED),'$(call spaced,$p)'); do \
    $(PKG_CONFIG) --exists "$$package" 2>/dev/null || echo "$$package"; done)
ifneq ($(MISSING),)
$(error These libraries are missing or too old: $(MISSING). Run `make deps`, which installs them on Debian 12)
endif
PACKAGE_CFLAGS := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(foreach p,$(PACKAGES),'$(call spaced,$p)')))
PACKAGE_LIBS   := $(shell $(PKG_CONFIG) --libs $(foreach p,$(PACKAGES),'$(call spaced,$p)')) -lm
TEST_LIBS      := $(shell $(PKG_CONFIG) --libs $(foreach p,$(TEST_PACKAGES),'$(call spaced,$p)'))
endif

# --- building ------------------------------------------------------------------------------------
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $1 $2)
again = +$(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:

all: $(PROGRAMS) $(MADE_PAGE) ## Build the daemon, keyrotatectl and the Azure stand-in (the default)

programs: $B/keyrotated $B/keyrotatectl $(MADE_PAGE) ## Build what is installed, and no more

# What is compiled with a warning is compiled again until it has none: so WERROR=1 finds it, which
# is therefore no reason to compile the others again.
$B/obj/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(call compile_flags,$<) -MMD -MP -c -o $@ $< 2> $@.warned; \
	    status=$$?; cat $@.warned >&2; [ -s $@.warned ] || rm -f $@.warned; exit $$status
$(patsubst %.warned,%,$(wildcard $(foreach depth,*/*/* */*/*/* */*/*/*/*,$B/obj/$(depth).o.warned))): FORCE

# Only what mentions the version or a path is compiled again when one of them changes.
SOURCES_WITH_SETTINGS := $(shell grep -lE 'KEYROTATED_(VERSION|SYSCONFDIR|DOCDIR)' $(DAEMON_SOURCES) /dev/null)
$(call objects,$(SOURCES_WITH_SETTINGS)): $B/settings
$(call objects,$(SOURCES_WITH_SETTINGS)): private CPPFLAGS += \
    -DKEYROTATED_VERSION='"$(FULL_VERSION)"' -DKEYROTATED_SYSCONFDIR='"$(SYSCONFDIR)"' \
    -DKEYROTATED_DOCDIR='"$(DOCDIR)"'

# Files that hold what is no file, for others to depend on: they are written when that changes ("+":
# with -n, too, which would take everything for changed).
RECORDS := $B/settings $B/flags $B/sources
$B/settings: export RECORD = $(FULL_VERSION) $(SYSCONFDIR) $(DOCDIR)
# How things are compiled and linked; and headers of one name, for a new one may hide another.
HEADERS := $(sort $(call below_daemon,.h) $(wildcard tests/*/*.h))
twice_named = $(foreach name,$(sort $(notdir $1)),\
    $(if $(word 2,$(filter $(name),$(notdir $1))),%/$(name)))
$B/flags: export RECORD = $(CC) $(shell $(CC) --version 2>/dev/null | head -n 1) \
    $(foreach source,daemon/. tests/azuresim/. tests/sim/.,\
        $(filter-out -Werror,$(call compile_flags,$(source)))) \
    $(test_link_flags) $(PACKAGE_LIBS) $(TEST_LIBS) $(filter $(call twice_named,$(HEADERS)),$(HEADERS))
# Without this, what a source that was removed had become would stay in archives and programs.
$B/sources: export RECORD = $(filter-out tests/unit/test_% tests/fuzz/%,$(ALL_SOURCES))
$(RECORDS): FORCE
	+@mkdir -p $(@D)
	+@printf '%s\n' "$$RECORD" | cmp -s - $@ || printf '%s\n' "$$RECORD" > $@

# Everything but the two main functions. A test that defines a function of a module itself, whole,
# gets its own: the linker takes a module from the archive only for what is still missing.
$(LIBRARY): $(call objects,$(filter-out $(MAIN_SOURCES),$(DAEMON_SOURCES)))
$(TEST_LIBRARY): $(call objects,$(filter-out tests/unit/test_%,$(UNIT_SOURCES)))
$(LIBRARY) $(TEST_LIBRARY): $B/sources
	$(call say,AR,$@)
	@mkdir -p $(@D) && rm -f $@
	$Q$(AR) rcs $@ $(filter %.o,$^)

# The real core and engine in a simulated world: what tests/sim defines (clock, disk, Azure, targets)
# takes the place of daemon/io. An oracle makes each step twice.
sim_wraps := -Wl,--wrap=rotation_step
$B/sim: $(call objects,$(SIM_SOURCES)) $(LIBRARY)
	$(call say,LD,$@)
	$Q$(CC) $(test_link_flags) $(sim_wraps) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PACKAGE_LIBS)

# The manual page of the types of resources says what their table says.
PAGE_SOURCES := man/resources.c
FORMATTED += $(PAGE_SOURCES)
-include $(patsubst %.o,%.d,$(call objects,$(PAGE_SOURCES)))
$B/print_resources: $(call objects,$(PAGE_SOURCES)) $(LIBRARY)
	$(call say,LD,$@)
	$Q$(CC) $(link_flags) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PACKAGE_LIBS)
$(MADE_PAGE): man/keyrotated-resources.7.in $B/print_resources
	@mkdir -p $(@D)
	$(call say,MAN,$@)
	$Q$B/print_resources < $< > $@

# With what tests/sim/mutants.py compiles a changed copy of FILE, and links a simulation with it.
print-sim-compile:
	@echo '$(CC) $(call compile_flags,$(FILE))'
print-sim-link:
	@echo '$(CC) $(test_link_flags) $(sim_wraps) CHANGED $(call objects,$(SIM_SOURCES)) $(LIBRARY) $(PACKAGE_LIBS)'

$B/keyrotated: $(call objects,daemon/app/main.c) $(LIBRARY)
$B/keyrotatectl: $(call objects,daemon/ctl/main.c) $(LIBRARY)
$B/azuresim: $(call objects,$(AZURESIM_SOURCES))
$(PROGRAMS) $B/sim: $B/sources
$(PROGRAMS):
	$(call say,LD,$@)
	$Q$(CC) $(link_flags) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PACKAGE_LIBS)

$(TESTS): $B/tests/%: $B/obj/tests/unit/%.o $(TEST_LIBRARY) $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$Q$(CC) $(test_link_flags) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PACKAGE_LIBS) $(TEST_LIBS)

# A fuzzer is driven by libFuzzer; in every other build, as one more unit test, by its seeds.
FUZZ_OBJECTS := $(call objects,tests/fuzz/fuzz.c $(if $(FUZZ),,tests/fuzz/replay.c))
$(FUZZERS): $B/tests/%: $B/obj/tests/fuzz/%.o $(FUZZ_OBJECTS) $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$Q$(CC) $(test_link_flags) $(if $(FUZZ),-fsanitize=fuzzer) -o $@ $(filter %.o,$^) $(filter %.a,$^) \
	    $(PACKAGE_LIBS)

-include $(patsubst %.o,%.d,$(call objects,$(ALL_SOURCES)))

# --- what it needs -------------------------------------------------------------------------------
# $(call install_packages,PACKAGES): nothing happens, and quickly, when all of them are there.
define install_packages
	@if ! command -v dpkg-query >/dev/null; then \
	    echo 'This is no Debian: please install what Debian 12 calls $1' >&2; exit 0; fi; \
	missing=; for package in $1; do \
	    case "$$(dpkg-query -W -f '$${db:Status-Status}' "$$package" 2>/dev/null)" in \
	    installed) ;; *) missing="$$missing $$package" ;; esac; done; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" = 0 ]; then as_root=; elif command -v sudo >/dev/null; then as_root=sudo; \
	else echo "Neither root nor sudo: please have these installed:$$missing" >&2; exit 1; fi; \
	echo "Installing:$$missing"; \
	$$as_root apt-get update -qq && \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
	    $$missing >/dev/null
endef

deps: ## Install what building, testing and the demo need (Debian 12; asks sudo where not root)
	$(call install_packages,$(DEBIAN_PACKAGES))

deps-lint: deps ## Install what `make lint`, `make valgrind` and `make model` need besides
	$(call install_packages,$(DEBIAN_LINT_PACKAGES))

deps-fuzz: deps ## Install what `make fuzz` needs besides
	$(call install_packages,$(DEBIAN_FUZZ_PACKAGES))

# --- trying and testing --------------------------------------------------------------------------
demo: deps ## Rotate the keys of a few accounts of a pretended Azure (DEMO_SECONDS=20 to end by itself)
	$(again) all
	@$(PYTHON) tests/demo.py --build $B $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS))

# Ports and account are those of tests/azuresim/keyrotated.yaml.
azure: deps ## Serve a pretended Azure with one account, to try the service with (see README.md)
	$(again) $B/azuresim
	@$B/azuresim --dir build/azure --port 8443 --imds-port 8444 --account sampleacct
.PHONY: azure

test: deps ## Install what is needed, build, run all tests
	$(again) all test-programs $B/sim
	@rm -f $(TEST_RESULTS)
	+@status=0; for suite in test-unit test-sim test-e2e; do \
	    $(MAKE) --no-print-directory $$suite || status=1; done; \
	$(PYTHON) tests/tally.py $(TEST_RESULTS) || status=1; exit $$status

# Other targets keep theirs beside these, and may be writing them at the same time.
TEST_RESULTS = $(addprefix $B/results/,unit.xml scenarios.xml sim.xml e2e.xml)

test-programs: $(TESTS) $(FUZZERS)

test-unit: $(TESTS) $(FUZZERS) ## Unit tests alone, and the seeds of the fuzzers
	@$(PYTHON) tests/run_unit.py --results $B/results/unit.xml --jobs $(JOBS) $(TESTS) $(FUZZERS)

# They wait most of the time, so that more of them run at once than there are processors.
E2E_JOBS ?= 6
# Preloaded into the daemon by one of them each; not instrumented, as fail_calls.so.
E2E_PRELOADED := $B/no_memory.so $B/watched_files.so
$(E2E_PRELOADED): $B/%.so: tests/e2e/%.c $B/flags
	$(call say,LD,$@)
	$Q$(CC) -shared -fPIC -std=gnu17 -D_GNU_SOURCE $(WARNINGS) $(if $(WERROR),-Werror) $(CFLAGS) \
	    $(LDFLAGS) -o $@ $<
# Instrumented, the stand-in runs in the tests of itself alone: in the others it is not what is tested.
ifneq ($(SANITIZE),)
export KEYROTATED_STAND_IN := $(abspath build)
test-e2e: plain-stand-in
plain-stand-in:
	+@$(MAKE) --no-print-directory SANITIZE= build/azuresim
.PHONY: plain-stand-in
endif
test-e2e: all $(E2E_PRELOADED) ## End-to-end tests alone: the real daemon against the Azure stand-in
	@mkdir -p $B/results
	@KEYROTATED_BUILD='$(abspath $B)' $(PYTHON) -m pytest -q -p no:cacheprovider \
	    $(if $(filter-out 1,$(E2E_JOBS)),-n $(E2E_JOBS) --dist loadgroup) \
	    --junit-xml=$B/results/e2e.xml tests/e2e $(PYTEST_ARGS)

# So many account-years, in worlds from that seed on: the same every time, whatever the machine.
YEARS ?= $(if $(SANITIZE),300,10000)
SEED  ?= 1

test-sim: $B/sim ## The simulated world: scenarios, and YEARS of random ones
	@mkdir -p $B/results
	@$B/sim --scenario --results $B/results/scenarios.xml tests/sim/scenarios/*.txt
	@$B/sim --years $(YEARS) --seed $(SEED) --jobs $(JOBS) --results $B/results/sim.xml

sim: $B/sim ## Random worlds alone: YEARS=1000000 account-years of them, from SEED=1 (PLAIN=1: no slow ones)
	@mkdir -p $B/results
	@$B/sim --years $(YEARS) --seed $(SEED) --jobs $(JOBS) $(if $(PLAIN),--plain) \
	    --results $B/results/sim-$(if $(PLAIN),plain,long).xml

mutants: $B/sim ## The field's designs and changed copies of our own rules: all have to be convicted
	@mkdir -p $B/results
	@$(PYTHON) tests/sim/mutants.py --build $B --results $B/results/mutants.xml --jobs $(JOBS)

valgrind: $(TESTS) $(FUZZERS) ## Unit tests under valgrind
	@$(PYTHON) tests/run_unit.py --results $B/results/valgrind.xml --jobs $(JOBS) --valgrind $(TESTS) \
	    $(FUZZERS)

# Each parser is given nonsense for so many seconds, a few of them at a time. FUZZ_ONLY='json dates'
# runs some of them. What was learned is kept in build-fuzz/fuzz, and is where the next run begins.
FUZZ_SECONDS ?= 60
FUZZ_JOBS    ?= $(JOBS)
FUZZ_ONLY    ?=
FUZZ_CC      ?= clang-14
fuzz: deps-fuzz ## Fuzz all parsers, FUZZ_SECONDS=60 each (clang's libFuzzer, in build-fuzz/)
	$(again) FUZZ=1 CC='$(FUZZ_CC)' fuzz-run
fuzz-run: $(FUZZERS)
	@$(PYTHON) -B tests/fuzz/run.py --build $B --seconds $(FUZZ_SECONDS) --jobs $(FUZZ_JOBS) \
	    --results $B/results/fuzz.xml $(if $(FUZZ_ONLY),$(addprefix $B/tests/fuzz_,$(FUZZ_ONLY)),$(FUZZERS))
fuzz-mutants: deps-fuzz ## Does every fuzzer find the fault that is planted for it?
	$(again) FUZZ=1 CC='$(FUZZ_CC)' fuzz-mutants-run
fuzz-mutants-run: $(FUZZERS)
	@$(PYTHON) -B tests/fuzz/mutants.py --build $B --jobs $(FUZZ_JOBS) --results $B/results/fuzz-mutants.xml
print-fuzz-link:
	@echo '$(CC) $(test_link_flags) -fsanitize=fuzzer -o PROGRAM CHANGED $(FUZZ_OBJECTS) FUZZER $(LIBRARY) $(PACKAGE_LIBS)'
.PHONY: deps-fuzz fuzz fuzz-run fuzz-mutants fuzz-mutants-run print-fuzz-link

# Preloaded into the daemon by the campaign. Whatever the daemon is instrumented with, this is not.
$B/fail_calls.so: tests/crash/fail_calls.c $B/flags
	$(call say,LD,$@)
	$Q$(CC) -shared -fPIC -std=gnu17 -D_GNU_SOURCE $(WARNINGS) $(if $(WERROR),-Werror) $(CFLAGS) \
	    $(LDFLAGS) -o $@ $<

# Another seed each time, unless SEED is given. From KILLS=1000 on nothing is left out.
KILLS ?= 200
crash: all $B/fail_calls.so ## The real daemon, killed KILLS=200 times and more, while programs use its keys
	@$(PYTHON) tests/crash/campaign.py --build $B --kills $(KILLS) --results $B/results/crash.xml \
	    $(if $(filter command environment,$(firstword $(origin SEED))),--seed $(SEED))
.PHONY: crash

# Microsoft's clients, unchanged, at the stand-in. They are kept for the next time, whatever $B is.
CLIENTS := build/clients
DEBIAN_CLIENT_PACKAGES = $(if $(shell command -v npm),,npm)
deps-clients: deps ## Fetch what `make test-clients` needs: Microsoft's clients, pinned, into build/clients
	$(call install_packages,$(DEBIAN_CLIENT_PACKAGES))
	@$(PYTHON) -B tests/clients/install.py $(CLIENTS)

CLIENTS_JOBS ?= 4
test-clients: deps-clients ## Microsoft's clients (az, Python, JavaScript) at the stand-in, and beside the daemon
	$(again) all
	@mkdir -p $B/results
	@KEYROTATED_BUILD='$(abspath $B)' CLIENTS=$(CLIENTS) $(PYTHON) -B -m pytest -q -rs -p no:cacheprovider \
	    $(if $(filter-out 1,$(CLIENTS_JOBS)),-n $(CLIENTS_JOBS)) --junit-xml=$B/results/clients.xml \
	    tests/clients $(PYTEST_ARGS)
.PHONY: deps-clients test-clients

deps-monitoring: deps
	$(call install_packages,prometheus)

test-monitoring: deps-monitoring ## The metrics and alerts, read by a real Prometheus
	$(again) all
	@mkdir -p $B/results
	@KEYROTATED_BUILD='$(abspath $B)' $(PYTHON) -B -m pytest -q -p no:cacheprovider \
	    --junit-xml=$B/results/monitoring.xml tests/monitoring $(PYTEST_ARGS)
.PHONY: deps-monitoring test-monitoring

# Real clients of the servers that get keys: installs pinned packages, so it needs a network.
interop: all $B/azuresim ## Do the clients that people use read what the daemon wrote? (needs a network)
	@for run in tests/interop/*/run; do echo "=== $$run"; $$run $B || exit 1; done
.PHONY: interop

# One daemon for SOAK_SECONDS in bad weather; .ci/run gives it two minutes.
SOAK_SECONDS ?= 1800
soak: all ## The real daemon for SOAK_SECONDS=1800 in bad weather: does anything grow, does anybody suffer?
	@$(PYTHON) -B tests/endurance/soak.py --build $B --seconds $(SOAK_SECONDS) --results $B/results/soak.xml
hostile: all ## The real daemon among 4,000 clients of bad habits, 500 servers and 300 targets that hang
	@$(PYTHON) -B tests/endurance/hostile.py --build $B --results $B/results/hostile.xml
.PHONY: soak hostile

# The protocol itself, checked by spin; and its moves, held against those of the code.
DEBIAN_LINT_PACKAGES += spin
MODEL_SOURCES := tests/model/print_moves.c
FORMATTED += $(MODEL_SOURCES)
-include $(patsubst %.o,%.d,$(call objects,$(MODEL_SOURCES)))
$B/print_moves: $(call objects,$(MODEL_SOURCES)) $(LIBRARY)
	$(call say,LD,$@)
	$Q$(CC) $(link_flags) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PACKAGE_LIBS)

model: $B/print_moves ## The model of the rotation protocol in tests/model, checked by spin (needs deps-lint)
	@$(PYTHON) tests/model/check.py --moves $B/print_moves --results $B/results/model.xml
.PHONY: model

# The daemon's memory, searched for keys and tokens; and the daemon without the measures, which has to
# be convicted. unwiped.c takes the place of the modules that it defines, for it comes first.
MEMORY_SOURCES := tests/memory/unwiped.c
FORMATTED += $(MEMORY_SOURCES)
-include $(patsubst %.o,%.d,$(call objects,$(MEMORY_SOURCES)))
$B/keyrotated-unwiped: $(call objects,daemon/app/main.c $(MEMORY_SOURCES)) $(LIBRARY) $B/sources
	$(call say,LD,$@)
	$Q$(CC) $(link_flags) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(PACKAGE_LIBS)

memory-test: all $B/keyrotated-unwiped ## The daemon's memory, searched for traces of keys and tokens (needs root)
	@$(PYTHON) tests/memory/measure.py --build $B --results $B/results/memory.xml
.PHONY: memory-test

# --- looking at the source -----------------------------------------------------------------------
LINTS := lint-format lint-layers lint-circles lint-idioms lint-lengths lint-ways lint-man lint-units \
    lint-packaging lint-mutants lint-cppcheck lint-tidy
lint: ## Format, layers, circles, idioms, file lengths, ways of being wrong, man pages, units, lists of mutants, cppcheck, clang-tidy
	$(again) $(LINTS)

lint-format:
	$(call say,LINT,format)
	$Qclang-format --dry-run -Werror $(FORMATTED)

lint-layers:
	$(call say,LINT,layers)
	$Q$(PYTHON) tests/lint/layering.py --self-test
	$Q$(PYTHON) tests/lint/layering.py daemon

lint-circles:
	$(call say,LINT,circles)
	$Q$(PYTHON) tests/lint/circles.py --self-test
	$Q$(PYTHON) tests/lint/circles.py daemon

lint-idioms:
	$(call say,LINT,idioms)
	$Q$(PYTHON) tests/lint/idioms.py --self-test
	$Q$(PYTHON) tests/lint/idioms.py $(FORMATTED)

lint-lengths:
	$(call say,LINT,lengths)
	$Q$(PYTHON) tests/lint/file_length.py --self-test
	$Q$(PYTHON) tests/lint/file_length.py

lint-ways:
	$(call say,LINT,ways)
	$Q$(PYTHON) tests/lint/ways.py --self-test
	$Q$(PYTHON) tests/lint/ways.py

# What mandoc takes for a macro may be text to groff, which most readers have.
MAN_PAGES := man/keyrotated.8 man/keyrotated.yaml.5 man/keyrotatectl.1 $(MADE_PAGE)
lint-man: $(MADE_PAGE)
	$(call say,LINT,man)
	$Qmandoc -Tlint -Wwarning $(MAN_PAGES)
	$Qsaid=$$(groff -Tutf8 -mdoc $(MADE_PAGE) 2>&1 >/dev/null); [ -z "$$said" ] || { echo "$$said"; exit 1; }
	$Qfor page in $(MAN_PAGES); do \
	    text=$$(groff -Tutf8 -Wbreak -P-cbou -mdoc $$page) || exit 1; \
	    if echo "$$text" | grep -nwE 'Lk|Ic|Cm|Li|Pq|Ql|Pa|Ev|Sx|Xr'; then \
	        echo "$$page: shows the name of a macro"; exit 1; fi; done

DEBIAN_LINT_PACKAGES += systemd
lint-units:
	$(call say,LINT,units)
	$Q$(PYTHON) tests/lint/units.py
	$Q$(PYTHON) tests/lint/units.py --self-test

lint-packaging:
	$(call say,LINT,packaging)
	$Q$(PYTHON) tests/lint/packaging.py

# Mutants name the text that they change: it stands in the source as it is, once.
lint-mutants: $B/sim
	$(call say,LINT,mutants)
	$Q$(PYTHON) tests/fuzz/mutants.py --self-test
	$Q$(PYTHON) tests/fuzz/mutants.py --list
	$Q$(PYTHON) tests/sim/mutants.py --build $B --list
.PHONY: lint-units lint-packaging lint-mutants

CPPCHECK := cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j $(JOBS) -D__GNUC__ \
    --enable=warning,performance,portability --suppress=missingIncludeSystem
lint-cppcheck:
	$(call say,LINT,cppcheck)
	$Q$(CPPCHECK) -I daemon daemon
	$Q$(CPPCHECK) -I tests/azuresim tests/azuresim
	$Q$(CPPCHECK) -I daemon -I tests/sim tests/sim

# One file per process, for it is slow; each file with the flags that it is compiled with.
TIDY_MARKS := $(patsubst %.c,$B/tidy/%.ok,$(DAEMON_SOURCES) $(AZURESIM_SOURCES))
lint-tidy: $(TIDY_MARKS)
$B/tidy/%.ok: %.c .clang-tidy $(call below_daemon,.h) $(wildcard tests/azuresim/*.h)
	@mkdir -p $(@D)
	$(call say,TIDY,$<)
	$Qclang-tidy --quiet $< -- -std=gnu17 -D_GNU_SOURCE $(call own_headers,$<) $(PACKAGE_CFLAGS) \
	    -DKEYROTATED_VERSION='""' -DKEYROTATED_SYSCONFDIR='""' -DKEYROTATED_DOCDIR='""' 2>$(@:.ok=.log) || \
	    { cat $(@:.ok=.log) >&2; exit 1; }
	@touch $@

format: ## Format all C source as .clang-format says
	$Qclang-format -i $(FORMATTED)

# --- installing ----------------------------------------------------------------------------------
UNITS := $(notdir $(wildcard systemd/*.service systemd/*.timer))
COMPLETED := keyrotated keyrotatectl
INSTALLED = $(SBINDIR)/keyrotated $(BINDIR)/keyrotatectl $(addprefix $(UNITDIR)/,$(UNITS)) \
    $(SYSUSERDIR)/keyrotated.conf $(TMPFILEDIR)/keyrotated.conf \
    $(SYSTEMDDIR)/catalog/keyrotated.catalog \
    $(MANDIR)/man8/keyrotated.8 $(MANDIR)/man5/keyrotated.yaml.5 $(MANDIR)/man1/keyrotatectl.1 \
    $(MANDIR)/man7/keyrotated-resources.7 \
    $(addprefix $(BASHDIR)/,$(COMPLETED)) $(addprefix $(ZSHDIR)/_,$(COMPLETED))
with_paths = sed -e 's|/usr/sbin/|$(SBINDIR)/|g' -e 's|/usr/bin/keyrotatectl|$(BINDIR)/keyrotatectl|g' \
    -e 's|/etc/keyrotated|$(SYSCONFDIR)/keyrotated|g' -e 's|/usr/share/doc/keyrotated|$(DOCDIR)|g'

install: programs ## Install below PREFIX, configuration directory below SYSCONFDIR
	install -d -m 0755 $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED)))) \
	    $(DESTDIR)$(DOCDIR)/examples $(DESTDIR)$(DOCDIR)/examples/kubernetes \
	    $(DESTDIR)$(DOCDIR)/examples/prometheus $(DESTDIR)$(DOCDIR)/examples/grafana \
	    $(DESTDIR)$(SYSCONFDIR)/keyrotated $(DESTDIR)$(SYSCONFDIR)/keyrotated/conf.d
	install -m 0755 $B/keyrotated $(DESTDIR)$(SBINDIR)/keyrotated
	install -m 0755 $B/keyrotatectl $(DESTDIR)$(BINDIR)/keyrotatectl
	for unit in $(UNITS); do \
	    $(with_paths) systemd/$$unit > $(DESTDIR)$(UNITDIR)/$$unit && \
	    chmod 0644 $(DESTDIR)$(UNITDIR)/$$unit || exit 1; done
	install -m 0644 systemd/keyrotated.sysusers $(DESTDIR)$(SYSUSERDIR)/keyrotated.conf
	install -m 0644 systemd/keyrotated.tmpfiles $(DESTDIR)$(TMPFILEDIR)/keyrotated.conf
	install -m 0644 systemd/keyrotated.catalog $(DESTDIR)$(SYSTEMDDIR)/catalog/keyrotated.catalog
	install -m 0644 man/keyrotated.8 $(DESTDIR)$(MANDIR)/man8/
	install -m 0644 man/keyrotated.yaml.5 $(DESTDIR)$(MANDIR)/man5/
	install -m 0644 $(MADE_PAGE) $(DESTDIR)$(MANDIR)/man7/
	install -m 0644 man/keyrotatectl.1 $(DESTDIR)$(MANDIR)/man1/
	for name in $(COMPLETED); do \
	    install -m 0644 config/completions/$$name.bash $(DESTDIR)$(BASHDIR)/$$name && \
	    install -m 0644 config/completions/_$$name $(DESTDIR)$(ZSHDIR)/_$$name || exit 1; done
	install -m 0644 README.md CHANGELOG.md LICENSE $(DESTDIR)$(DOCDIR)/
	install -m 0644 config/keyrotated.yaml systemd/examples/* $(DESTDIR)$(DOCDIR)/examples/
	install -m 0644 config/kubernetes/* $(DESTDIR)$(DOCDIR)/examples/kubernetes/
	install -m 0644 config/prometheus/* $(DESTDIR)$(DOCDIR)/examples/prometheus/
	install -m 0644 config/grafana/* $(DESTDIR)$(DOCDIR)/examples/grafana/
	install -m 0644 config/polkit/* $(DESTDIR)$(DOCDIR)/examples/

uninstall: ## Remove what `install` put there; configuration, journal and keys stay
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	rm -rf $(DESTDIR)$(DOCDIR)

# --- the real boot -------------------------------------------------------------------------------
# Root alone can do it. The base system and the packages are made once for what they are made of.
DEBIAN_SYSTEM_PACKAGES := systemd-container mmdebstrap
SYSTEM_JOBS ?= 4
deps-system: deps-package
	$(call install_packages,$(DEBIAN_SYSTEM_PACKAGES))

test-system: deps-system ## The package in a booted Debian: service, sandbox, reboots, upgrades (root; a few minutes)
	$(again) $B/azuresim
	@$(PYTHON) -B tests/system/run.py --build $B --results $B/results/system.xml \
	    --jobs $(SYSTEM_JOBS) -- $(PYTEST_ARGS)
.PHONY: deps-system test-system

# --- packages ------------------------------------------------------------------------------------
# Debian takes build-essential for granted, so that debian/control does not name it.
DEBIAN_PACKAGE_TOOLS := build-essential debhelper dpkg-dev
# What checks them: Debian's rules, and the shells whose completions are offered.
DEBIAN_PACKAGE_CHECKERS := lintian systemd git bash zsh fakeroot
PACKAGE_DIR := $B/package

deps-package: deps ## Install what `make deb` needs besides
	$(call install_packages,$(DEBIAN_PACKAGE_TOOLS))

deb: deps-package ## Build the Debian package into build/package
	@sh debian/build.sh $(PACKAGE_DIR)

dist: ## Make a tarball of the last commit
	@sh debian/dist.sh $(PACKAGE_DIR) $(VERSION)

# What the package is built from; its documentation counts, too.
PACKAGE_SOURCES = $(DAEMON_SOURCES) $(call below_daemon,.h) Makefile README.md CHANGELOG.md LICENSE \
    $(wildcard config/* config/*/* debian/* debian/source/* man/* systemd/* systemd/examples/*)
$(PACKAGE_DIR)/built: $(PACKAGE_SOURCES)
	@sh debian/build.sh $(PACKAGE_DIR)
	@touch $@

IMAGE := $B/image/keyrotated-$(VERSION).oci.tar
image: deps-package ## Build a container image (an OCI archive) of the Debian package: build/image
	$(again) $(PACKAGE_DIR)/built
	@$(PYTHON) -B debian/image.py --output $(IMAGE) $(PACKAGE_DIR)/keyrotated_*.deb

# Debian's kubectl cannot be installed beside one from elsewhere, which will do as well.
DEBIAN_IMAGE_CHECKERS = podman crun util-linux mount python3-yaml \
    $(if $(shell command -v kubectl),,kubernetes-client)
deps-test-image: deps-package
	$(call install_packages,$(DEBIAN_IMAGE_CHECKERS))

test-image: deps-test-image ## The container image: built twice, run by podman, and the manifests for Kubernetes (root)
	$(again) $B/azuresim $(PACKAGE_DIR)/built
	@mkdir -p $B/results
	@KEYROTATED_BUILD=$B $(PYTHON) -B -m pytest -q -p no:cacheprovider \
	    --junit-xml=$B/results/image.xml tests/image $(PYTEST_ARGS)
.PHONY: image deps-test-image test-image

sbom: programs ## Write a bill of materials (SPDX 2.3): the libraries of this machine
	@$(PYTHON) debian/sbom.py --version $(VERSION) --output $(PACKAGE_DIR)/keyrotated-$(VERSION).spdx.json \
	    $B/keyrotated $B/keyrotatectl

deps-test-package: deps-package
	$(call install_packages,$(DEBIAN_PACKAGE_CHECKERS))

test-package: deps-test-package ## Build the package twice, and look at it from all sides
	@mkdir -p $B/results
	@$(PYTHON) -m pytest -q -p no:cacheprovider --junit-xml=$B/results/package.xml tests/package \
	    $(PYTEST_ARGS)

.PHONY: programs deps-package deps-test-package deb dist sbom test-package

clean: ## Remove everything that was built
	rm -rf build build-asan build-fuzz

help: ## Show this list
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/  \1|\2/p' Makefile | \
	    while IFS='|' read -r goal text; do printf '%-14s %s\n' "$$goal" "$$text"; done
	@echo 'Variables: PREFIX DESTDIR SYSCONFDIR SBINDIR BINDIR MANDIR CC CFLAGS LDFLAGS JOBS'
	@echo '           V=1 WERROR=1 SANITIZE=address,undefined DEMO_SECONDS=20 PYTEST_ARGS=… E2E_JOBS=6'
	@echo '           FUZZ_SECONDS=60 FUZZ_JOBS FUZZ_ONLY="json dates" SOAK_SECONDS=1800'

FORCE:
.PHONY: all deps deps-lint demo test test-programs test-unit test-sim test-e2e sim mutants valgrind \
    lint lint-format lint-layers lint-circles lint-idioms lint-lengths lint-ways lint-man lint-cppcheck lint-tidy format install \
    uninstall clean help print-sim-compile print-sim-link FORCE
