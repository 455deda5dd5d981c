# make            build everything into build/
# make deps       install what building and testing need
# make deps-test  install nginx, Caddy and others for the tests that want them, else skipped
# make deps-lint  install what lint and sanitize need
# make install    copy what was built to where PREFIX says; make uninstall takes it away again
# make demo       see the programs at work in a temporary folder
# make test       run all tests; TESTS="tests/cli/create.bats" runs some
# make doctest    run or check every code block of README.md, docs/ and the manual; DOCS="README.md"
# make picture    take the picture of a terminal in README.md again
# make faults     kill, and fail, the programs at every system call and allocation
# make soak       the promises under load: many writers, revokes, requests
# make fuzz       look for inputs that break the readers; FUZZ_SECONDS=600 for longer, FUZZ=json
# make mutants    break the programs on purpose, and see that tests notice
# make sanitize   the same tests, built with the address and undefined behaviour sanitizers
# make deb        the Debian packages, into build/deb
# make check-deb  look at them, and install, use, upgrade and purge them in a clean Debian
# make deps-deb   install what these two need
# make check-integrations   what docs/integrations shows, with the programs it is for
# make deps-integrations    install those programs; Debian starts sshd and fail2ban when they come
# make lint       format, static analysis, shell scripts, floors, POSIX
# make clean      remove everything that make made
#
# CC, CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS are yours. WERROR=1 makes warnings errors,
# V=1 shows whole commands, BUILD=folder builds elsewhere.
#
# `make install` builds nothing that is there, so it may be run by root. These say where things go,
# and `make uninstall` wants the same:
#
#   PREFIX       above all the others    /usr/local
#   bindir       programs                $(PREFIX)/bin
#   libdir       libraries, pkgconfig/   $(PREFIX)/lib
#   includedir   token_verifier.h        $(PREFIX)/include
#   datadir      completions             $(PREFIX)/share
#   mandir       man pages               $(datadir)/man
#   docdir       licence, example        $(datadir)/doc/token_manager
#   unitdir      systemd units           $(PREFIX)/lib/systemd/system on Linux, else none
#   DESTDIR      in front of them all, but named in no file: for who makes packages
#
# A folder set to nothing gets nothing, and what needs it is left out. Nothing goes to sbindir and sysconfdir.

BUILD ?= build
CFLAGS ?= -O2 -g
FORTIFY ?= 2
PKG_CONFIG ?= pkg-config
OBJCOPY ?= objcopy
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
TEST_JOBS ?= 3

# A program is a folder of src/ with the name of the program. PKGS is what pkg-config calls the
# libraries that all code may use, PKGS_folder what only the files of one folder use. An OPTIONAL
# program is left out where its own libraries are missing.
PROGRAMS := token_manager token_verifier
OPTIONAL := token_authd
PKGS := libcjson libsodium
PKGS_token_authd := libmicrohttpd
PKGS_unit := cmocka

warnings := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Wno-psabi $(if $(WERROR),-Werror)
# Beyond POSIX: flock, extended attributes, and the like; by the name each system gives them.
cppflags = -Isrc -include src/base/bits64.h -D_DEFAULT_SOURCE -D_DARWIN_C_SOURCE -D__BSD_VISIBLE=1 \
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(FORTIFY) $(CPPFLAGS)
# -fPIC, not -fPIE: the same objects can go into a shared library.
system := $(shell uname -s)
cflags = -std=c17 $(warnings) -fPIC -fstack-protector-strong -pthread $(CFLAGS)
ldflags = -pie -pthread $(LDFLAGS)
ifneq ($(system),Darwin)
ldflags += -Wl,-z,relro,-z,now -Wl,-z,noexecstack
endif
ifdef SANITIZE
cflags += -DTOKEN_SANITIZE -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
ldflags += -fsanitize=$(SANITIZE)
# The undefined behaviour sanitizer of gcc ignores log_path when it is a shared library.
ifeq ($(findstring clang,$(shell $(CC) --version)),)
ldflags += $(if $(findstring address,$(SANITIZE)),-static-libasan -static-libubsan)
endif
endif

# `make deps all` on a new machine is one run of make, so pkg-config may be asked in recipes only
# (these expand when a recipe runs), and where deps is a goal, it comes before everything else.
pkg_cflags = $(shell $(PKG_CONFIG) --cflags $(PKGS) $1 2>/dev/null)
pkg_libs = $(shell $(PKG_CONFIG) --libs $(PKGS) $1 2>/dev/null)
need = for p in $1; do $(PKG_CONFIG) --exists $$p 2>/dev/null || \
	{ echo "$$p is missing: run 'make deps'" >&2; exit 1; }; done
first := $(filter deps deps-test deps-lint deps-deb deps-integrations,$(MAKECMDGOALS))

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(addsuffix /*.c,$1)))
lib_objects := $(call objects,src/base src/token src/store src/verify)
cli_objects := $(call objects,src/cli)
unit_objects := $(call objects,tests/unit)
helper_objects := $(call objects,tests/helpers)
preload_objects := $(call objects,tests/preload)
archives := $(BUILD)/libcli.a $(BUILD)/libtoken.a
# What others link: only what token_verifier.h names is to be seen from outside.
version := $(shell sed -n 's/.*TOKEN_MANAGER_VERSION "\(.*\)"/\1/p' src/base/version.h)
major := $(firstword $(subst ., ,$(version)))
# The file, the name that programs ask for, and the one that linkers look for.
ifeq ($(system),Darwin)
shared := $(patsubst %,libtoken_verifier%.dylib,.$(version) .$(major)) libtoken_verifier.dylib
else
shared := $(patsubst %,libtoken_verifier.so.%,$(version) $(major)) libtoken_verifier.so
endif
library := $(BUILD)/libtoken_verifier.a $(BUILD)/$(lastword $(shared))
programs := $(addprefix $(BUILD)/,$(PROGRAMS))
unit_tests := $(patsubst $(BUILD)/tests/unit/%.o,$(BUILD)/tests/%,$(unit_objects))
helpers := $(helper_objects:.o=)
preloads := $(preload_objects:.o=.so)
fuzzers := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))

c_files := $(sort $(wildcard src/*/*.[ch] tests/*/*.[ch]))
scripts := $(wildcard .ci/run docs/*.sh docs/integrations/*/*.sh \
	packaging/*.sh packaging/debian/*.post* packaging/debian/tests/*-* \
	packaging/completions/bash/* \
	tests/*.sh tests/tap tests/mutants tests/check-layers tests/check-posix \
	tests/doctest tests/doctest.rules tests/doctest.session \
	tests/doctest.d/noted tests/doctest.d/refused tests/doctest.d/bin/* \
	tests/*/*.sh tests/*/*.bash tests/*/*.bats)

Q := $(if $(V),,@)
# Arch Linux keeps prove where only a login shell looks.
export PATH := $(PATH):/usr/bin/core_perl

all: $(programs) $(library) $(OPTIONAL:%=optional-%)
ifeq ($(BUILD),build)
all: $(PROGRAMS)
endif

# In a make of its own, because what is missing now may have been brought by this very run.
optional-%: FORCE | $(programs) $(library)
	@if $(PKG_CONFIG) --exists $(PKGS_$*); then \
		$(MAKE) --no-print-directory PROGRAMS=$* OPTIONAL= programs; \
	else \
		rm -f $(BUILD)/$* $(if $(filter build,$(BUILD)),$*); \
		echo "$* is left out: $(PKGS_$*) is missing (make deps brings it)"; \
	fi

$(OPTIONAL): %: optional-%

programs: $(programs)
ifeq ($(BUILD),build)
programs: $(PROGRAMS)
endif

# Everything is built again when the compiler or a flag is not that of the last time. The file is
# looked at in every run but written only when it would change.
$(BUILD)/flags: FORCE | $(first)
	@$(call need,$(PKGS) $(foreach p,$(PROGRAMS),$(PKGS_$p)))
	@mkdir -p $(@D)
	@now='$(subst ','\'',$(CC) $(cppflags) $(cflags) $(call pkg_cflags) $(ldflags) $(LDLIBS))'; \
	[ "$$now" = "$$(cat $@ 2>/dev/null)" ] || printf '%s\n' "$$now" >$@

have-%: | $(first)
	@$(call need,$*)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(Q)$(CC) $(cppflags) $(cflags) $(call pkg_cflags,$(PKGS_$(notdir $(<D)))) -MMD -MP -c -o $@ $<

# What others link must be machine code: names cannot be hidden in what -flto makes.
$(lib_objects): private cflags += -fno-lto

$(BUILD)/libtoken.a: $(lib_objects)
$(BUILD)/libcli.a: $(cli_objects)
$(archives):
	@echo "  AR    $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(foreach p,$(PROGRAMS),$(eval $(BUILD)/$p: $(call objects,src/$p)))
$(programs): $(archives)
	@echo "  LINK  $@"
	$(Q)$(CC) $(cflags) $(ldflags) -o $@ $(filter-out $(archives),$^) $(archives) \
		$(LDLIBS) $(call pkg_libs,$(PKGS_$(@F)))

# (On i386 each source has its copy of what finds out where the code is; a linker keeps one.)
$(BUILD)/libtoken_verifier.a: $(lib_objects)
	@echo "  AR    $@"
ifeq ($(system),Darwin)
	@echo '_token_verifier_*' >$(@:.a=.exports)
	$(Q)$(LD) -r -exported_symbols_list $(@:.a=.exports) -o $(@:.a=.o) $^
else
	$(Q)$(LD) -r -o $(@:.a=.o) $^
	$(Q)$(OBJCOPY) --wildcard --keep-global-symbol='token_verifier_*' \
		--keep-global-symbol='__x86.get_pc_thunk.*' $(@:.a=.o)
endif
	$(Q)rm -f $@ && $(AR) rcs $@ $(@:.a=.o)

$(BUILD)/$(lastword $(shared)): $(lib_objects) src/verify/token_verifier.map
	@echo "  LINK  $@"
ifeq ($(system),Darwin)
	@echo '_token_verifier_*' >$@.exports
	$(Q)$(CC) $(cflags) $(LDFLAGS) -dynamiclib -exported_symbols_list $@.exports \
		-install_name @rpath/$(word 2,$(shared)) -current_version $(version) \
		-o $(BUILD)/$(firstword $(shared)) $(lib_objects) $(LDLIBS) $(call pkg_libs)
else
	$(Q)$(CC) $(cflags) $(filter-out -pie,$(ldflags)) -shared -Wl,-soname,$(word 2,$(shared)) \
		-Wl,--version-script=src/verify/token_verifier.map \
		-o $(BUILD)/$(firstword $(shared)) $(lib_objects) $(LDLIBS) $(call pkg_libs)
endif
	$(Q)ln -sf $(firstword $(shared)) $(BUILD)/$(word 2,$(shared)) && ln -sf $(word 2,$(shared)) $@

$(PROGRAMS): %: $(BUILD)/%
	@ln -sf $< $@

$(unit_objects): | $(addprefix have-,$(PKGS_unit))
# Parts of a program that need none of its own libraries are tested alone.
$(BUILD)/tests/test_connections: $(BUILD)/src/token_authd/connections.o
$(BUILD)/tests/test_log: $(BUILD)/src/token_authd/log.o
$(BUILD)/tests/test_request_head: $(BUILD)/src/token_authd/request_head.o
$(unit_tests): $(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(archives)
	@echo "  LINK  $@"
	$(Q)$(CC) $(cflags) $(ldflags) -o $@ $(filter-out $(archives),$^) $(archives) $(LDLIBS) \
		$(call pkg_libs,$(PKGS_unit))

$(BUILD)/tests/helpers/bad_documents $(BUILD)/tests/helpers/good_documents: \
	$(BUILD)/tests/fuzz/fuzz.o $(BUILD)/tests/fuzz/reference.o
$(helpers): %: %.o $(archives)
	@echo "  LINK  $@"
	$(Q)$(CC) $(cflags) $(ldflags) -o $@ $(filter-out $(archives),$^) $(archives) $(LDLIBS) \
		$(call pkg_libs)

# What a test puts between a program and its C library.
$(preloads): %.so: %.o
	@echo "  LINK  $@"
	$(Q)$(CC) $(cflags) $(filter-out -pie,$(ldflags)) -shared -o $@ $< $(LDLIBS)

# What the fuzzer of clang runs where it is there, and replay.c in the tests.
fuzz_driver := $(if $(findstring fuzzer,$(SANITIZE)),-fsanitize=fuzzer,$(BUILD)/tests/fuzz/replay.o)
$(BUILD)/tests/fuzz_import: $(addprefix $(BUILD)/src/token_manager/, \
	foreign_format.o foreign_keys.o foreign_predecessor.o import_names.o)
$(fuzzers): $(BUILD)/tests/%: $(BUILD)/tests/fuzz/%.o $(addprefix $(BUILD)/tests/fuzz/, \
	fuzz.o reference.o) $(filter %.o,$(fuzz_driver)) $(archives)
	@echo "  LINK  $@"
	$(Q)$(CC) $(cflags) $(ldflags) $(filter-out %.o,$(fuzz_driver)) -o $@ \
		$(filter-out $(archives),$^) $(archives) $(LDLIBS) $(call pkg_libs)

# A unit test may be named by its source, which is the same for every BUILD. What takes long comes
# first, so that nothing long is left alone at the end; by size is near enough.
TESTS ?= $(wildcard tests/promises/*.bats) tests/doctest $(shell ls -S tests/cli/*.bats) \
	$(wildcard tests/unit/test_*.c)
tested := all $(unit_tests) $(helpers) $(preloads) $(fuzzers) $(if $(SANITIZE),,$(BUILD)/tsan)
test: $(tested)
	@BIN='$(abspath $(BUILD))' prove -j$(TEST_JOBS) --exec tests/tap \
		$(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(TESTS))

# Without DOCS, of all documents, and whether tests/doctest.exceptions holds.
doctest: all
	@BIN='$(abspath $(BUILD))' tests/doctest $(DOCS)

picture: all
	@BIN='$(abspath $(BUILD))' docs/terminal.sh >'$(BUILD)/terminal.svg'
	@cp '$(BUILD)/terminal.svg' docs/terminal.svg

# The suites of tests/promises at full scale. Their figures are those of docs/reliability.md.
faults_suites := crash failure order memory
soak_suites := $(filter-out $(faults_suites), \
	$(basename $(notdir $(wildcard tests/promises/*.bats))))
SUITES ?= $($@_suites)
faults soak: $(tested)
	@rm -f '$(BUILD)/figures.$@' && SCALE=full FIGURES='$(abspath $(BUILD))/figures.$@' \
	BIN='$(abspath $(BUILD))' prove -j$(TEST_JOBS) --timer --exec tests/tap \
		$(SUITES:%=tests/promises/%.bats)
	@sort '$(BUILD)/figures.$@'

# The same harnesses, but built to look for inputs that break them. FUZZ names one or more of them.
FUZZ_SECONDS ?= 60
FUZZ ?= $(patsubst fuzz_%,%,$(notdir $(fuzzers)))
fuzz: | $(first)
	@echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | \
		clang -fsanitize=fuzzer,address,undefined -x c -o /dev/null - 2>/dev/null || \
		{ echo "clang with its fuzzer is missing: run 'make deps-lint'" >&2; exit 1; }
	@$(MAKE) --no-print-directory BUILD='$(BUILD)/fuzz' CC=clang FORTIFY=0 \
		SANITIZE=fuzzer-no-link,address,undefined fuzzers
	@BIN='$(abspath $(BUILD)/fuzz)' FIGURES='$(abspath $(BUILD))/figures.fuzz' \
		FUZZ_JOBS=$(TEST_JOBS) tests/fuzz.sh $(FUZZ_SECONDS) $(FUZZ)

fuzzers: $(fuzzers)

mutants: all
	@tests/mutants $(SUITES)

# The library once more, to be looked at by the thread sanitizer in its test.
$(BUILD)/tsan: FORCE $(lib_objects)
	@$(MAKE) --no-print-directory BUILD=$@ SANITIZE=thread FORTIFY=0 $@/libtoken_verifier.a

# Findings go to files, and any file fails the run: a test that expects a command to fail, or
# ignores what became of it, would hide them. (The inner quotes are for the sanitizers.)
findings := $(abspath $(BUILD))/sanitize/findings
sanitize: | $(first)
	@rm -rf '$(findings)' && mkdir -p -m 1777 '$(findings)'
	@failed=0; \
	ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:exitcode=99:log_path='"$(findings)/asan"' \
	UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=0:exitcode=99:log_path='"$(findings)/ubsan"' \
	$(MAKE) --no-print-directory test BUILD=$(BUILD)/sanitize SANITIZE=address,undefined FORTIFY=0 \
		|| failed=1; \
	for f in '$(findings)'/*; do [ ! -e "$$f" ] || { cat "$$f"; failed=1; }; done >&2; exit $$failed

lint: check-layers check-posix check-format check-mutants check-tidy check-cppcheck check-scripts

check-format: | $(first)
	@$(CLANG_FORMAT) --dry-run --Werror $(c_files)

# clang-tidy counts even the warnings that it does not show, so what it says is shown on failure.
quietly = sh -c 'said=$$("$$@" 2>&1) || { echo "$$said"; exit 1; }' sh
check-tidy: $(addprefix have-,$(PKGS) $(PKGS_unit) $(foreach p,$(OPTIONAL),$(PKGS_$p)))
	@printf '%s\n' $(filter %.c,$(c_files)) | \
	xargs -P "$$(getconf _NPROCESSORS_ONLN)" -I{} $(quietly) $(CLANG_TIDY) --quiet {} -- \
		$(cppflags) -std=c17 $(warnings) \
		$(call pkg_cflags,$(foreach f,unit $(PROGRAMS) $(OPTIONAL),$(PKGS_$f)))

# cppcheck takes every variable that a function is given to fill in for one that it reads.
check-cppcheck: | $(first)
	@cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability \
		--suppress=ctuuninitvar --inline-suppr --library=posix --std=c11 --language=c -Isrc \
		src tests

# A suite is no better than what it was last seen to notice: the lines to break must still be there.
check-mutants:
	@tests/mutants --check

check-scripts: | $(first)
	@printf '%s\n' $(scripts) | xargs -P "$$(getconf _NPROCESSORS_ONLN)" -n 8 shellcheck

check-layers: | $(first)
	CC='$(CC)' tests/check-layers src

check-posix: $(addprefix have-,$(PKGS) $(foreach p,$(OPTIONAL),$(PKGS_$p)))
	CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' tests/check-posix src

PREFIX ?= /usr/local
bindir = $(PREFIX)/bin
libdir = $(PREFIX)/lib
includedir = $(PREFIX)/include
datadir = $(PREFIX)/share
mandir = $(datadir)/man
docdir = $(datadir)/doc/token_manager
unitdir = $(if $(filter Linux,$(system)),$(PREFIX)/lib/systemd/system)
for_install = BUILD='$(BUILD)' PROGRAMS='$(PROGRAMS)' OPTIONAL='$(OPTIONAL)' SHARED='$(shared)' \
	VERSION='$(version)' PKGS='$(PKGS)' $(foreach v,DESTDIR PREFIX bindir libdir includedir \
	datadir mandir docdir unitdir,$v='$(subst ','\'',$($v))')

# Only what is not there at all is built here, lest root builds again what a user built otherwise.
install: | $(first) $(filter all,$(MAKECMDGOALS))
	@for f in $(programs) $(library); do [ -e $$f ] || exec $(MAKE) --no-print-directory all; done
	@$(for_install) packaging/install.sh install

uninstall:
	@$(for_install) packaging/install.sh uninstall

demo: all
	@BIN='$(abspath $(BUILD))' tests/demo.sh

deps:
	@packaging/deps.sh

# One after the other, where several are asked for.
deps-test: | $(filter deps,$(first))
	@packaging/deps.sh test

deps-lint: | $(filter deps deps-test,$(first))
	@packaging/deps.sh lint

deps-deb: | $(filter deps deps-test deps-lint,$(first))
	@packaging/deps.sh deb

# What npm brings stays beside what is built.
deps-integrations: | $(filter deps deps-test deps-lint deps-deb,$(first))
	@packaging/deps.sh integrations
	@mkdir -p '$(BUILD)/node' && cp tests/integrations/package.json '$(BUILD)/node/' && \
		npm install --prefix '$(BUILD)/node' --ignore-scripts --no-audit --no-fund --loglevel=error \
		--fetch-retries=1 --fetch-timeout=60000

check-integrations: all $(helpers)
	@BIN='$(abspath $(BUILD))' prove -j$(TEST_JOBS) --exec tests/tap tests/integrations/*.bats

deb: | $(first)
	@VERSION='$(version)' packaging/deb.sh '$(BUILD)/deb'

check-deb: deb
	@BIN='$(abspath $(BUILD))' prove -j$(TEST_JOBS) --exec tests/tap tests/deb/*.bats

clean:
	rm -rf $(BUILD)
ifeq ($(BUILD),build)
	rm -f $(PROGRAMS) $(OPTIONAL)
endif

FORCE:
.PHONY: all programs $(OPTIONAL) test doctest picture faults soak fuzz fuzzers mutants sanitize \
	lint check-layers check-posix check-format check-mutants check-tidy check-cppcheck \
	check-scripts check-deb check-integrations install uninstall demo deb deps deps-test \
	deps-lint deps-deb deps-integrations clean FORCE
.SUFFIXES:
.DELETE_ON_ERROR:

-include $(patsubst %.c,$(BUILD)/%.d,$(filter %.c,$(c_files)))
