# qboost. Two commands for a newcomer: `make demo` and `make check`; `make help` lists the others.
# Sources are found by wildcard: a new file needs no edit here.
# SPDX-License-Identifier: Apache-2.0

VERSION := $(shell awk '/define QBOOST_VERSION_(MAJOR|MINOR|PATCH)/ { v = v s $$3; s = "." } END { print v }' \
             include/qboost/qboost.h)
ABI := $(firstword $(subst ., ,$(VERSION)))

prefix ?= /usr/local
bindir ?= $(prefix)/bin
libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
datadir ?= $(prefix)/share
moduledir ?= $(libdir)/qboost-modules

BUILD ?= build
CC ?= cc
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
JOBS ?= $(shell nproc)
MODEL ?= models/qboost-compact-v0.gguf
NOISE_MODEL ?= models/qboost-noise-v0.gguf
# make V=1 shows the commands.
Q := $(if $(V),,@)

CODECS := libjpeg libpng zlib libwebp libwebpdemux libtiff-4 lcms2
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
QB_CFLAGS = -std=c11 -D_GNU_SOURCE -pthread -fPIC -fvisibility=hidden -fno-math-errno \
            -fno-trapping-math -ffp-contract=off $(WARN) -Iinclude -MMD -MP
CODEC_LIBS = $(shell $(PKG_CONFIG) --libs $(CODECS)) -lgif -lOpenEXRCore
LIBS = $(CODEC_LIBS) -lcsv -ljansson -lxxhash -lm -ldl -pthread

# The file name sets the instruction set; nothing else gets such flags.
ISA_avx2 := -mavx2 -mfma -mf16c -ffp-contract=on
ISA_avx512 := $(ISA_avx2) -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni
isa_flags = $(ISA_$(lastword $(subst _, ,$(basename $(notdir $<)))))

LIB_SRC := $(wildcard src/*/*.c)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
CLI_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard cli/*.c cli/*/*.c))
MODULES := $(patsubst %.c,$(BUILD)/qboost-modules/%.so,$(notdir $(wildcard src/*/modules/*.c)))
UNIT := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*/test_*.c))
KERNEL_CHECKS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/kernels/check_*.c))
BENCHES := $(patsubst %.c,$(BUILD)/%,$(wildcard bench/bench_*.c bench/make_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
SO := libqboost.so.$(VERSION)

.PHONY: all lib demo check unit asan ubsan tsan valgrind fuzz fuzzers fuzz-smoke bench fmt fmt-check layers install uninstall \
        clean help setup tests programs golden
.DEFAULT_GOAL := all

all: $(BUILD)/qboost lib ## build/qboost, the library and its modules
lib: $(BUILD)/libqboost.a $(BUILD)/$(SO) $(BUILD)/qboost.pc $(MODULES)

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo '  CC   $<'
	$Q$(CC) $(QB_CFLAGS) $(OWN_CFLAGS) $(CFLAGS) $(isa_flags) $(UNINSTRUMENTED) -c $< -o $@

$(BUILD)/src/%.o: OWN_CFLAGS = -Isrc
$(BUILD)/cli/%.o: OWN_CFLAGS = -Icli
$(BUILD)/tests/%.o $(BUILD)/bench/%.o: OWN_CFLAGS = -Isrc -I.
# Folders are built in: what depends on them is made anew when they change.
$(BUILD)/folders: FORCE
	@mkdir -p $(@D)
	@echo '$(prefix) $(libdir) $(includedir) $(moduledir)' | cmp -s - $@ || \
	    echo '$(prefix) $(libdir) $(includedir) $(moduledir)' > $@
FORCE:
$(BUILD)/src/base/module_load.o $(BUILD)/qboost.pc: $(BUILD)/folders
$(BUILD)/src/base/module_load.o: OWN_CFLAGS = -Isrc -DQB_MODULE_DIR='"$(moduledir)"'
$(BUILD)/src/models/embedded_model.o: OWN_CFLAGS = -Isrc -DQB_EMBEDDED_MODEL_FILE='"$(MODEL)"'
$(BUILD)/src/models/embedded_model.o: $(MODEL)
$(BUILD)/src/noise/embedded_noise_model.o: OWN_CFLAGS = -Isrc -DQB_EMBEDDED_NOISE_MODEL_FILE='"$(NOISE_MODEL)"'
$(BUILD)/src/noise/embedded_noise_model.o: $(NOISE_MODEL)

$(BUILD)/libqboost.a: $(LIB_OBJ)
	@echo '  AR   $@'
	@rm -f $@
	$Qar rcs $@ $^

$(BUILD)/$(SO): $(LIB_OBJ)
	@echo '  LINK $@'
	$Q$(CC) $(CFLAGS) -shared -Wl,-soname,libqboost.so.$(ABI) -Wl,-z,defs -Wl,--as-needed -o $@ $^ $(LIBS)
	$Qln -sf $(SO) $(BUILD)/libqboost.so.$(ABI)
	$Qln -sf libqboost.so.$(ABI) $(BUILD)/libqboost.so

$(BUILD)/qboost: $(CLI_OBJ) $(BUILD)/libqboost.a | $(MODULES)
	@echo '  LINK $@'
	$Q$(CC) $(CFLAGS) -Wl,--as-needed -o $@ $^ $(LIBS)

# A module is one file, and more in the folder of its name if there is one. The file names its
# pkg-config packages in a line "// LIBS: libavif", and libraries without such a file in a line "// LDLIBS: -lsvm".
module_files = $(wildcard src/*/modules/$1.c src/*/modules/$1/*.c)
.SECONDEXPANSION:
$(BUILD)/qboost-modules/%.so: $$(call module_files,$$*) $$(wildcard src/*/modules/$$*/*.h) \
        $(wildcard src/*/module.h) src/base/module_load.h
	@mkdir -p $(@D)
	@echo '  LINK $@'
	$Q$(CC) $(filter-out -MMD -MP,$(QB_CFLAGS)) -Isrc $(CFLAGS) -shared -o $@ $(filter %.c,$^) \
	    $$(sed -n 's|^// LIBS: ||p' $< | xargs -r $(PKG_CONFIG) --cflags --libs) $$(sed -n 's|^// LDLIBS: ||p' $<)

$(BUILD)/qboost.pc: Makefile include/qboost/qboost.h
	@mkdir -p $(@D)
	$Qprintf '%s\n' 'prefix=$(prefix)' 'libdir=$(libdir)' 'includedir=$(includedir)' '' 'Name: libqboost' \
	    'Description: how good a picture looks to a person' 'Version: $(VERSION)' \
	    'Libs: -L$${libdir} -lqboost' 'Requires.private: $(CODECS)' \
	    'Libs.private: -lgif -lOpenEXRCore -lcsv -ljansson -lxxhash -lm -ldl -pthread' 'Cflags: -I$${includedir}' > $@

# ---- tests --------------------------------------------------------------------------------------
$(UNIT): %: %.o $(BUILD)/libqboost.a | $(MODULES)
	@echo '  LINK $@'
	$Q$(CC) $(CFLAGS) -o $@ $^ -lcmocka $(LIBS)
$(KERNEL_CHECKS) $(BENCHES): %: %.o $(BUILD)/libqboost.a
	@echo '  LINK $@'
	$Q$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

programs: all $(UNIT) $(KERNEL_CHECKS) $(BUILD)/bench/make_checkpoint ## everything the tests run
unit: programs ## all tests, without set-up and sanitizers: the inner loop
	BUILD=$(BUILD) tools/run_tests.sh

setup:
	tools/setup.sh build
setup-check:
	tools/setup.sh build check

check: setup-check ## set-up, then every test
	+tools/check.sh

demo: setup ## install what is missing, build, score the pictures in examples/
	+$(MAKE) -j$(JOBS) all
	$(BUILD)/qboost score examples --no-recursive --sort -score --contact-sheet $(BUILD)/contact-sheet.png
	$(BUILD)/qboost noise examples/renders/glass_caustics_00064.exr
	@echo 'The photos as one picture: $(BUILD)/contact-sheet.png. Your own: $(BUILD)/qboost score photo.jpg'

ASAN := CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all'
asan ubsan: ## all tests under the address and undefined-behaviour sanitizers
	+$(MAKE) -j$(JOBS) BUILD=build/asan $(ASAN) programs
	BUILD=build/asan tools/run_tests.sh
tsan: ## the tests of threads under the thread sanitizer
	+$(MAKE) -j$(JOBS) BUILD=build/tsan CFLAGS='-O1 -g -fsanitize=thread' programs
	BUILD=build/tsan tools/run_tests.sh test_threads test_session test_scorer test_video_score test_evaluate

# ---- fuzzing ------------------------------------------------------------------------------------
# clang takes many minutes to instrument the vector kernels, which see no foreign bytes.
build/fuzzlib/src/kernels/%.o: UNINSTRUMENTED = -fno-sanitize=all
FUZZ_CFLAGS := -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
build/fuzz/%: tests/fuzz/%.c build/fuzzlib/libqboost.a
	@mkdir -p $(@D)
	@echo '  FUZZ $@'
	$Qclang-14 -std=c11 -D_GNU_SOURCE -Iinclude -Isrc -g -O1 -fsanitize=address,undefined,fuzzer -o $@ $^ $(LIBS)
ifneq ($(BUILD),build/fuzzlib)
build/fuzzlib/libqboost.a: $(LIB_SRC)
	+$(MAKE) BUILD=build/fuzzlib CC=clang-14 CFLAGS='$(FUZZ_CFLAGS)' build/fuzzlib/libqboost.a
endif
FUZZ_SECONDS ?= 600
fuzz: $(FUZZERS:$(BUILD)/%=build/%) ## every fuzz target for FUZZ_SECONDS each
	tools/fuzz.sh $(FUZZ_SECONDS) $^
fuzzers: $(FUZZERS:$(BUILD)/%=build/%)
fuzz-smoke:
	+$(MAKE) -j$(JOBS) fuzz FUZZ_SECONDS=20

# ---- the rest -----------------------------------------------------------------------------------
bench: all $(BENCHES) $(KERNEL_CHECKS) ## speed of the embedded model, of MODELS="a.gguf b.gguf" and the kernels; build/bench*.json
	BUILD=$(BUILD) MODELS='$(MODELS)' bench/run.sh

C_FILES = $(shell git ls-files '*.c' '*.h')
fmt: ## format all C files
	@clang-format-14 -i $(C_FILES)
fmt-check:
	@clang-format-14 --dry-run -Werror $(C_FILES)
layers: ## who includes whom, held against docs/layers.txt
	@tools/check_layers.sh

install: all ## prefix, DESTDIR, bindir, libdir … as usual
	tools/install.sh '$(DESTDIR)' '$(prefix)' '$(bindir)' '$(libdir)' '$(includedir)' '$(datadir)' \
	    '$(moduledir)' '$(BUILD)' '$(VERSION)'

clean:
	rm -rf build
help: ## this list
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(UNIT:=.d) $(KERNEL_CHECKS:=.d) $(BENCHES:=.d)
