# flexhooks: build, install, test. `make help` lists the commands.
#
# One set of modules per Lua found (pkg-config decides), from the same sources:
#   build/lua5.4/flexhooks/core.so   build/luajit/flexhooks/core.so   …

VERSION = 0.1.0
SHELL = /bin/sh
PKG_CONFIG ?= pkg-config
BUILD ?= build
MAKEFLAGS += --no-print-directory

# --- which Luas to build for ------------------------------------------------
KNOWN = lua5.4 luajit
abi_lua5.4 = 5.4
abi_luajit = 5.1

# Without another LuaJIT on the system, `make install` is for OpenResty's own.
OPENRESTY_PREFIX ?= /usr/local/openresty
OPENRESTY_LUAJIT = $(OPENRESTY_PREFIX)/luajit
ifneq ($(wildcard $(OPENRESTY_LUAJIT)/lib/pkgconfig/luajit.pc),)
ifneq ($(shell $(PKG_CONFIG) --exists luajit 2>/dev/null || echo none),)
override PKG_CONFIG := PKG_CONFIG_PATH="$(addsuffix \
  :,$(PKG_CONFIG_PATH))$(OPENRESTY_LUAJIT)/lib/pkgconfig" $(PKG_CONFIG)
endif
PROGRAM_luajit = $(if $(shell command -v luajit),,$(OPENRESTY_LUAJIT)/bin/luajit)
endif

# Every one found, or the one named: make LUA=luajit.
FOUND := $(foreach l,$(KNOWN),$(if $(shell \
  $(PKG_CONFIG) --exists $(l) 2>/dev/null && echo y),$(l)))

# LuaRocks names its interpreter in ROCK_LUA. PUC Lua 5.1 stands for LuaJIT: the
# rocks of both are in one place, but it has no coroutines that wait within pcall.
ifdef ROCK_LUA
ROCK_KIND := $(shell $(ROCK_LUA) -e \
  'print(rawget(_G, "jit") and "LuaJIT" or (_VERSION:gsub(" ", "")))')
rock_Lua5.4 = lua5.4
rock_LuaJIT = luajit
rock_Lua5.1 = luajit
LUA := $(or $(rock_$(ROCK_KIND)),$(error \
  flexhooks needs Lua 5.4 or LuaJIT: $(ROCK_LUA) is $(or $(ROCK_KIND),neither)))
ifneq ($(ROCK_KIND),Lua5.1)
PROGRAM_$(LUA) = $(ROCK_LUA)
endif
endif

LUAS := $(or $(LUA),$(FOUND))
ifneq ($(filter-out $(KNOWN),$(LUAS)),)
$(error LUA=$(LUA) is not known here: it is one of $(KNOWN))
endif
ONE_LUA = $(or $(LUA),$(firstword $(FOUND) $(KNOWN)))

# LuaRocks tells where the headers are; those of PUC Lua 5.1 are a last resort,
# since LuaJIT is what is supported.
rock_headers = $(if $(LUA_INCDIR),$(if $(filter lua5.4,$(1))$(wildcard \
  $(LUA_INCDIR)/luajit.h),-I$(LUA_INCDIR)))
lua_cflags = $(or $(LUA_CFLAGS),$(rock_headers),$(shell \
  $(PKG_CONFIG) --cflags $(1) 2>/dev/null),$(LUA_INCDIR:%=-I%))

# --- sources -----------------------------------------------------------------
# Level 0 knows no lua.h; level 1 is lua_support; level 2 are the bindings.
LISTENER_SRC = $(wildcard src/server_*.c) src/lua_server_listener.c
REDIS_SRC = $(wildcard src/redis_*.c) src/lua_redis_client.c
SHARED_SRC = src/util_buffer.c src/lua_support.c
CORE_SRC = $(sort $(filter-out $(LISTENER_SRC) $(REDIS_SRC),$(wildcard src/*.c)))

CORE_PKGS = libcurl libssl libcrypto
LISTENER_PKGS = libmicrohttpd
REDIS_PKGS = hiredis

# y where a part has both its sources and its library.
have = $(if $(wildcard $(firstword $($(1)_SRC))),$(shell \
  $(PKG_CONFIG) --exists $($(1)_PKGS) 2>/dev/null && echo y))
HAVE_LISTENER := $(call have,LISTENER)
HAVE_REDIS := $(call have,REDIS)

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion \
  -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith -Wwrite-strings
CFLAGS ?= -O2 -g
HARDENING = -fstack-protector-strong -D_FORTIFY_SOURCE=2
SANITIZED = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
  -fno-omit-frame-pointer -U_FORTIFY_SOURCE
LOCAL_CFLAGS = -std=c99 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(WARNINGS) \
  $(if $(SANITIZE),$(SANITIZED),$(HARDENING))
LOCAL_LDFLAGS = -Wl,-z,relro,-z,now,-z,nodelete $(if $(SANITIZE),-fsanitize=$(SANITIZE))
COMPILE = $(CC) $(CPPFLAGS) $(CFLAGS) $(LOCAL_CFLAGS) -MMD -MP

# A line per file; V=1 shows the commands, make -s nothing.
SILENT = $(findstring s,$(filter-out -%,$(firstword $(MAKEFLAGS))))
Q = $(if $(V),,@$(if $(SILENT),,echo '  $(1) $@' &&))

.PHONY: all
all: $(foreach l,$(LUAS),modules-$(l)) ## build the modules for every Lua found, or LUA=luajit
	@$(if $(LUAS),:,echo "no Lua found: make setup installs what is needed" >&2; exit 1)

# $(1) Lua, $(2) module, $(3) sources, $(4) packages
define module
$(BUILD)/$(1)/flexhooks/$(2).so: $(patsubst src/%.c,$(BUILD)/$(1)/obj/%.o,$(3))
	@mkdir -p $$(@D)
	$$(call Q,LD)$$(CC) -shared $$(LOCAL_LDFLAGS) $$(LDFLAGS) -o $$@ $$^ \
	  $$(shell $$(PKG_CONFIG) --libs $(4))
endef

define lua
$(BUILD)/$(1)/obj/%.o: src/%.c Makefile
	@mkdir -p $$(@D)
	$$(call Q,CC)$$(COMPILE) $$(call lua_cflags,$(1)) -c -o $$@ $$<

$(call module,$(1),core,$(CORE_SRC),$(CORE_PKGS))
$(call module,$(1),core/listener,$(LISTENER_SRC) $(SHARED_SRC),$(LISTENER_PKGS))
$(call module,$(1),core/redis,$(REDIS_SRC) $(SHARED_SRC),$(REDIS_PKGS))

.PHONY: modules-$(1)
modules-$(1): $(BUILD)/$(1)/flexhooks/core.so \
  $(if $(HAVE_LISTENER),$(BUILD)/$(1)/flexhooks/core/listener.so) \
  $(if $(HAVE_REDIS),$(BUILD)/$(1)/flexhooks/core/redis.so)

-include $(wildcard $(BUILD)/$(1)/obj/*.d)
endef

$(foreach l,$(LUAS),$(eval $(call lua,$(l))))

# --- what the commands below need ----------------------------------------------
# What is missing may include pkg-config and Lua, which this file looks for when
# it is read: so commands that install first run make again for their work.
.PHONY: setup
setup: ## install what building, testing and linting need (Debian packages)
	@tools/setup test $(or $(LUA),$(KNOWN))
	@tools/setup lint $(or $(LUA),$(KNOWN))

# --- trying it -------------------------------------------------------------------
.PHONY: demo run-demo demo-nginx run-demo-nginx demo-redis run-demo-redis
demo: ## the whole product at work, on one machine, in about 15 seconds
	@tools/setup demo $(ONE_LUA)
	@$(MAKE) run-demo LUA=$(ONE_LUA)

run-demo: all
	@LUA=$(ONE_LUA) examples/demo/run

# nginx's Lua is LuaJIT. FLEXHOOKS_NGINX names another nginx than Debian's.
demo-nginx: ## the same, with nginx as the receiver; FLEXHOOKS_NGINX=/path/to/nginx
	@tools/setup demo-nginx luajit
	@$(MAKE) run-demo-nginx LUA=luajit

run-demo-nginx: all
	@LUA=luajit examples/demo/run nginx

demo-redis: ## servers and workers on Redis, and a worker that is killed
	@tools/setup demo-redis $(ONE_LUA)
	@$(MAKE) run-demo-redis LUA=$(ONE_LUA)

run-demo-redis: all
	@LUA=$(ONE_LUA) examples/redis/run

# --- tests -----------------------------------------------------------------------
C_TESTS = $(patsubst spec/c/%.c,$(BUILD)/c/test/%,$(wildcard spec/c/*_test.c))
LEVEL0 = $(filter-out src/lua_% $(if $(HAVE_LISTENER),,$(LISTENER_SRC)) \
  $(if $(HAVE_REDIS),,$(REDIS_SRC)),$(wildcard src/*.c))
C_PKGS = $(CORE_PKGS) $(if $(HAVE_LISTENER),$(LISTENER_PKGS)) \
  $(if $(HAVE_REDIS),$(REDIS_PKGS)) cmocka

# Compiled without the path to Lua's headers: level 0 must not need them.
$(BUILD)/c/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(call Q,CC)$(COMPILE) -c -o $@ $<

$(BUILD)/c/test/%: spec/c/%.c $(patsubst src/%.c,$(BUILD)/c/obj/%.o,$(LEVEL0))
	@mkdir -p $(@D)
	$(call Q,CC)$(COMPILE) -Isrc -o $@ $(filter %.c %.o,$^) $(LOCAL_LDFLAGS) $(LDFLAGS) \
	  $(shell $(PKG_CONFIG) --libs $(C_PKGS))

# Refuses memory to Lua and everything below it; needs the whole C library.
$(BUILD)/%/memory: spec/memory/host.c
	@mkdir -p $(@D)
	$(call Q,CC)$(COMPILE) $(call lua_cflags,$*) -o $@ $< $(LDFLAGS) -Wl,-E \
	  $(shell $(PKG_CONFIG) --libs $* libcrypto)

-include $(wildcard $(BUILD)/c/obj/*.d $(BUILD)/c/test/*.d)
.SECONDARY:

.PHONY: test run-tests
test: ## every spec on every Lua, and the C tests; SPEC="spec/x_spec.lua …" LUA=luajit JOBS=1
	@tools/setup test $(or $(LUA),$(KNOWN))
	@$(MAKE) run-tests

# The specs of what runs inside nginx, and those that start one, on nginx's Lua.
NGINX_SPECS = $(wildcard spec/flexhooks/nginx/*_spec.lua) \
  spec/examples/demo_spec.lua $(shell grep -rlE --include='*_spec.lua' \
  'spec\.support\.(nginx|tls)|nginx = true' spec)

.PHONY: test-nginx run-test-nginx
test-nginx: ## the specs of nginx; FLEXHOOKS_NGINX=/path/to/nginx
	@tools/setup test luajit
	@$(MAKE) run-test-nginx

run-test-nginx:
	@$(MAKE) run-tests LUA=luajit SPEC="$(or $(SPEC),$(sort $(NGINX_SPECS)))"

run-tests: all $(C_TESTS) $(LUAS:%=$(BUILD)/%/memory)
	@LUAS="$(LUAS)" BUILD="$(BUILD)" spec/run $(SPEC)

# --- slow checks -------------------------------------------------------------------
# Lua itself is not instrumented, so the loader puts the sanitizers' libraries
# before it, without a variable that its children would inherit; a leak check
# would see Lua's own. Refused memory is no task for a sanitizer. Left out is
# install_spec, where LuaRocks looks for headers beside the Lua that it finds.
# Valgrind is twenty times slower: left out is what kills processes by hundreds,
# measures their memory, or has a time of its own to keep. Its long doubles have
# 64 bits, too few for SQLite to read numbers as sql_text_spec has them.
CHECKED = $(or $(SPEC),$(filter-out spec/install_spec.lua,$(shell find spec '(' \
  -name '*_spec.lua' -o -name '*_test.c' ')' -printf '%s %p\n' | sort -rn | cut -d' ' -f2)))
WATCHED = $(or $(SPEC),$(filter-out spec/core/util_sql_text_spec.lua %crash_spec.lua \
  %backlog_spec.lua %memory_spec.lua %demo_spec.lua %peers_spec.lua,$(CHECKED)))
LOADER = $(shell ldd "$$(command -v $(ONE_LUA))" | awk '$$1 ~ "^/" {print $$1}')
ASAN_OPTIONS = detect_leaks=0:quarantine_size_mb=2:verify_asan_link_order=0
SANITIZERS = $(foreach l,asan ubsan,$(shell $(CC) -print-file-name=lib$(l).so))
VALGRIND = valgrind --quiet --log-file=%q{REPORT}.%p --error-markers=ERROR,END --leak-check=full \
  --show-leak-kinds=definite --freelist-vol=2000000 \
  --suppressions=$(CURDIR)/spec/support/valgrind.supp

.PHONY: check check-asan check-valgrind
check: ## the tests under ASan, UBSan and a restless collector, and under valgrind (slow)
	@tools/setup check $(KNOWN)
	@$(MAKE) -s all
	@$(MAKE) check-asan LUA=lua5.4 BUILD=$(BUILD)/asan SANITIZE=address,undefined
	@$(MAKE) check-valgrind LUA=lua5.4

check-asan: all $(C_TESTS)
	@RUN_LUA="$(LOADER) --preload '$(SANITIZERS)' --argv0 $(ONE_LUA)" LIMIT=1200 \
	  ASAN_OPTIONS=$(ASAN_OPTIONS) FLEXHOOKS_TEST_GC=aggressive \
	  LUAS="$(LUAS)" BUILD="$(BUILD)" spec/run $(CHECKED)

check-valgrind: all $(C_TESTS)
	@RUN_LUA="$(VALGRIND)" RUN_C="$(VALGRIND)" LIMIT=1200 FLEXHOOKS_TEST_PATIENCE=10 \
	  LUAS="$(LUAS)" BUILD="$(BUILD)" spec/run $(WATCHED)

# --- checks -----------------------------------------------------------------------
# The build tree of its own takes every warning for an error.
LINTED_C = $(wildcard src/*.[ch] spec/*/*.[ch] bench/*.[ch] tools/*.[ch])
LINTED_LUA = $(shell find lua spec tools examples bench -name '*.lua' 2>/dev/null)

.PHONY: lint run-lint
lint: ## formatting, luacheck, warnings, and the rules of the house
	@tools/setup lint $(or $(LUA),$(KNOWN))
	@$(MAKE) run-lint

run-lint:
	@$(MAKE) -s all BUILD=$(BUILD)/lint CFLAGS='-O2 -Werror'
	@clang-format --dry-run --Werror $(LINTED_C)
	@luacheck --quiet $(LINTED_LUA) $(wildcard *.rockspec bin/flexhooks)
	@lua5.4 tools/lint.lua

# --- installing ------------------------------------------------------------------
# For every Lua built; LuaRocks gives INST_LUADIR, INST_LIBDIR and BINDIR.
PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man/man1
BASHDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
luadir = $(DESTDIR)$(or $(INST_LUADIR),$(PREFIX)/share/lua/$(abi_$(1)))
libdir = $(DESTDIR)$(or $(INST_LIBDIR),$(PREFIX)/lib/lua/$(abi_$(1)))
PROGRAM = $(or $(PROGRAM_$(ONE_LUA)),$(ONE_LUA))
LUA_FILES = $(shell cd lua && find . -name '*.lua')
MODULES = core.so core/listener.so core/redis.so

define install_lua
	cd lua && for f in $(LUA_FILES); do \
	  install -D -m 644 $$f "$(call luadir,$(1))/$$f" || exit 1; done
	cd $(BUILD)/$(1)/flexhooks && for f in $(MODULES); do [ ! -e $$f ] || \
	  install -D -m 755 $$f "$(call libdir,$(1))/flexhooks/$$f" || exit 1; done

endef

.PHONY: install
install: all ## under PREFIX (/usr/local), below DESTDIR
	$(foreach l,$(LUAS),$(call install_lua,$(l)))
	install -d "$(DESTDIR)$(BINDIR)"
	sed "s|^self=.*|&; LUA='$(PROGRAM)'|" bin/flexhooks >"$(DESTDIR)$(BINDIR)/flexhooks"
	chmod 755 "$(DESTDIR)$(BINDIR)/flexhooks"
	@if $(MADE_HERE) -e 'require("flexhooks.cli.main").parser()' 2>/dev/null; then \
	  $(MAKE) -s install-help; \
	  else echo "no manual, no completion: they need argparse" >&2; fi

# What the command's own parsers make: its manual, and what shells complete.
MADE_HERE = env LUA_PATH="lua/?.lua;$(or $(LUA_PATH),;)" \
  LUA_CPATH="$(BUILD)/$(ONE_LUA)/?.so;$(or $(LUA_CPATH),;)" "$(PROGRAM)"

.PHONY: install-help
install-help:
	install -d "$(MANDIR)" "$(BASHDIR)" "$(ZSHDIR)"
	$(MADE_HERE) tools/manual.lua >"$(MANDIR)/flexhooks.1"
	$(MADE_HERE) bin/flexhooks completion bash >"$(BASHDIR)/flexhooks"
	$(MADE_HERE) bin/flexhooks completion zsh >"$(ZSHDIR)/_flexhooks"

.PHONY: uninstall
uninstall: ## remove what install put there
	$(foreach l,$(LUAS),rm -rf "$(call luadir,$(l))/flexhooks" \
	  "$(call luadir,$(l))/flexhooks.lua" "$(call libdir,$(l))/flexhooks"$(newline))
	rm -f "$(DESTDIR)$(BINDIR)/flexhooks" "$(MANDIR)/flexhooks.1" \
	  "$(BASHDIR)/flexhooks" "$(ZSHDIR)/_flexhooks"

define newline


endef
empty =
space = $(empty) $(empty)

# --- torture -----------------------------------------------------------------------
.PHONY: torture run-torture
torture: ## the crash tests with thousands of kills, a million events: one table; TORTURE=2000
	@tools/setup test $(LUAS)
	@$(MAKE) run-torture

run-torture: all
	@TORTURE=$(or $(TORTURE),2000) BUILD=$(BUILD) LUAS="$(LUAS)" spec/torture $(SPEC)

# --- measuring ---------------------------------------------------------------------
.PHONY: bench run-bench
bench: ## side by side with what users know: one table; ROUNDS=5 BENCH="bench/verify.sh …"
	@tools/setup bench $(or $(LUA),$(KNOWN))
	@$(MAKE) run-bench

run-bench: all
	@LUAS="$(LUAS)" lua5.4 tools/bench.lua $(or $(ROUNDS),5) $(or $(BENCH),$(wildcard bench/*.sh))

.PHONY: twins run-twins
twins: ## what rules against duplicates drop and repeat on simulated traffic: one table; INTERACTIONS=500 SEED=1
	@tools/setup test $(ONE_LUA)
	@$(MAKE) run-twins LUA=$(ONE_LUA)

run-twins: all
	@LUA_PATH="./?.lua;lua/?.lua;;" LUA_CPATH="$(BUILD)/$(ONE_LUA)/?.so;;" $(ONE_LUA) \
	  bench/twins.lua $(or $(INTERACTIONS),500) $(or $(SEED),1)

# --- reference ---------------------------------------------------------------------
PUBLIC = $(subst /,.,$(patsubst lua/%.lua,%,$(wildcard lua/flexhooks.lua \
  $(foreach m,client http url events router receiver server signature \
  runtime/loop runtime/current provision queue worker json testing error \
  nginx,lua/flexhooks/$(m).lua) \
  lua/flexhooks/client/resources/*.lua)))

.PHONY: doc
doc: ## the reference, by LDoc, into build/doc
	@tools/setup doc lua5.4
	@rm -rf $(BUILD)/doc && mkdir -p $(BUILD)/doc/src
	@lua5.4 tools/reference.lua $(BUILD)/doc/src $(PUBLIC)
	@ldoc --quiet --fatalwarnings --config config.ld --dir $(BUILD)/doc/html $(BUILD)/doc/src
	@echo "$(BUILD)/doc/html/index.html"

# --- a checkout's environment ------------------------------------------------------
.PHONY: env
env: ## eval "$(make -s env)": use this checkout from any folder; LUA=luajit
	@echo 'export LUA_PATH="$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;$${LUA_PATH:-;}"'
	@echo 'export LUA_CPATH="$(abspath $(BUILD))/$(ONE_LUA)/?.so;$${LUA_CPATH:-;}"'
	@echo 'export PATH="$(CURDIR)/bin:$$PATH"'

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BUILD) $(BUILD)-asan

.PHONY: help
help: ## this list
	@sed -n -E 's/^([a-z-]+):.*## (.*)/\1\t\2/p' Makefile | expand -t 12
