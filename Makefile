# flexhooks: build, install, test. `make help` lists the commands.
#
# One object set per Lua found (pkg-config decides), from the same sources:
#   build/lua5.4/flexhooks/core.so   build/luajit/flexhooks/core.so   …

VERSION = 0.1.0
SHELL = /bin/sh
PKG_CONFIG ?= pkg-config

# --- which Luas to build for ------------------------------------------------
# Every one found, or the one named: make LUA=luajit. LuaRocks gives its own.
KNOWN = lua5.4 luajit
FOUND := $(foreach l,$(KNOWN),$(if $(shell $(PKG_CONFIG) --exists $(l) 2>/dev/null && echo y),$(l)))
LUAS := $(or $(LUA),$(FOUND))

abi_lua5.4 = 5.4
abi_luajit = 5.1
PREFIX ?= /usr/local
DESTDIR ?=

# --- sources -----------------------------------------------------------------
# Level 0 knows no lua.h; level 1 is lua_support; level 2 are the bindings.
CORE_SRC = $(sort $(filter-out $(LISTENER_SRC) $(REDIS_SRC),$(wildcard src/*.c)))
LISTENER_SRC = src/listener.c src/lua_listener.c
REDIS_SRC = src/redis.c src/lua_redis.c
SHARED_SRC = src/buffer.c src/lua_support.c

CORE_PKGS = libcurl libcrypto
LISTENER_PKGS = libmicrohttpd
REDIS_PKGS = hiredis

have = $(if $(wildcard $(firstword $($(1)_SRC))),$(shell $(PKG_CONFIG) --exists $($(1)_PKGS) 2>/dev/null && echo y))

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion \
  -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith -Wwrite-strings
CFLAGS ?= -O2 -g
HARDENING = -fstack-protector-strong -D_FORTIFY_SOURCE=2
LOCAL_CFLAGS = -std=c99 -D_GNU_SOURCE -fPIC -fvisibility=hidden $(WARNINGS) \
  $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -U_FORTIFY_SOURCE,$(HARDENING))
LOCAL_LDFLAGS = -shared -Wl,-z,relro,-z,now $(if $(SANITIZE),-fsanitize=$(SANITIZE))

BUILD ?= build

.PHONY: all
all: $(foreach l,$(LUAS),modules-$(l))
	@$(if $(LUAS),:,echo "no Lua found: install lua5.4 or luajit with its headers (make setup does)" >&2; exit 1)

# $(1) Lua, $(2) module, $(3) sources, $(4) packages
define module
$(BUILD)/$(1)/flexhooks/$(2).so: $(patsubst src/%.c,$(BUILD)/$(1)/obj/%.o,$(3))
	@mkdir -p $$(@D)
	$$(CC) $$(LOCAL_LDFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(shell $$(PKG_CONFIG) --libs $(4))
endef

define lua
$(BUILD)/$(1)/obj/%.o: src/%.c
	@mkdir -p $$(@D)
	$$(CC) $$(LOCAL_CFLAGS) $$(CFLAGS) $$(CPPFLAGS) -MMD -MP $$(or $$(LUA_CFLAGS),$$(shell $$(PKG_CONFIG) --cflags $(1))) -c -o $$@ $$<

$(call module,$(1),core,$(CORE_SRC),$(CORE_PKGS))
$(call module,$(1),core/listener,$(LISTENER_SRC) $(SHARED_SRC),$(LISTENER_PKGS))
$(call module,$(1),core/redis,$(REDIS_SRC) $(SHARED_SRC),$(REDIS_PKGS))

.PHONY: modules-$(1)
modules-$(1): $(BUILD)/$(1)/flexhooks/core.so \
  $(if $(call have,LISTENER),$(BUILD)/$(1)/flexhooks/core/listener.so) \
  $(if $(call have,REDIS),$(BUILD)/$(1)/flexhooks/core/redis.so)

-include $(wildcard $(BUILD)/$(1)/obj/*.d)
endef

$(foreach l,$(LUAS),$(eval $(call lua,$(l))))

# --- tests ---------------------------------------------------------------------
# make test [SPEC="spec/a_spec.lua …"] [LUA=luajit] [JOBS=1]
C_TESTS = $(patsubst spec/c/%.c,$(BUILD)/c/test/%,$(wildcard spec/c/*_test.c))
C_PKGS = $(CORE_PKGS) $(if $(call have,LISTENER),$(LISTENER_PKGS)) $(if $(call have,REDIS),$(REDIS_PKGS))
LEVEL0 = $(filter-out src/lua_% $(if $(call have,LISTENER),,$(LISTENER_SRC)) $(if $(call have,REDIS),,$(REDIS_SRC)),$(wildcard src/*.c))

# Level 0 is compiled without Lua's headers here: it must not need them.
$(BUILD)/c/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(LOCAL_CFLAGS) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/c/test/%: spec/c/%.c $(patsubst src/%.c,$(BUILD)/c/obj/%.o,$(LEVEL0))
	@mkdir -p $(@D)
	$(CC) $(LOCAL_CFLAGS) -Isrc $(CFLAGS) $(CPPFLAGS) -MMD -MP -o $@ $(filter %.c %.o,$^) $(LDFLAGS) \
	  $(shell $(PKG_CONFIG) --libs $(C_PKGS) cmocka)

-include $(wildcard $(BUILD)/c/obj/*.d $(BUILD)/c/test/*.d)

.PHONY: test
test: all $(C_TESTS)
	@LUAS="$(LUAS)" BUILD="$(BUILD)" spec/run $(SPEC)

# --- environment for a checkout -----------------------------------------------
.PHONY: env
env:
	@echo 'export LUA_PATH="$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;$${LUA_PATH:-;}"'
	@echo 'export LUA_CPATH="$(abspath $(BUILD))/$(or $(LUA),$(firstword $(LUAS)))/?.so;$${LUA_CPATH:-;}"'
	@echo 'export PATH="$(CURDIR)/bin:$$PATH"'

.PHONY: clean
clean:
	rm -rf $(BUILD)
