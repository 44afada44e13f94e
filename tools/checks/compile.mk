# Compiles every source file of src/ into $(OUT), and every header by itself.
# Without optimization, calls that could be inlined or removed remain in the object.

SOURCES := $(shell find src -name '*.c')
HEADERS := $(shell find src -name '*.h')
FLAGS := -O0 -g -fPIC -Werror=implicit-function-declaration -Isrc \
	-I$(shell $(PG_CONFIG) --includedir-server) -I$(shell $(PG_CONFIG) --pkgincludedir)/internal \
	$(shell $(PG_CONFIG) --cppflags)

all: $(SOURCES:src/%.c=$(OUT)/%.o) $(HEADERS:%=$(OUT)/%)

$(OUT)/%.o: src/%.c
	@mkdir -p $(@D)
	@$(CC) $(FLAGS) -c $< -o $@

$(OUT)/%.h: %.h
	@$(CC) $(FLAGS) -fsyntax-only -include postgres.h -x c $<
