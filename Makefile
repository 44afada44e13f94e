# inventory: a PostgreSQL extension. Build with PGXS: make && make install.
#
# The version is written once, in inventory.control.

EXTENSION = inventory
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(srcdir)/$(EXTENSION).control)

MODULE_big = inventory
OBJS = \
	src/append.o \
	src/argument.o \
	src/binding.o \
	src/buy.o \
	src/error.o \
	src/escrow.o \
	src/expiry.o \
	src/guard.o \
	src/heat.o \
	src/hold.o \
	src/hot.o \
	src/hotset.o \
	src/hotstock.o \
	src/hotview.o \
	src/housekeeping.o \
	src/inflight.o \
	src/inventory.o \
	src/ledger.o \
	src/line.o \
	src/order.o \
	src/probe.o \
	src/refund.o \
	src/request.o \
	src/reservation.o \
	src/reserve.o \
	src/restock.o \
	src/row.o \
	src/setting.o \
	src/shared.o \
	src/notify.o \
	src/sqltext.o \
	src/statement.o \
	src/stats.o \
	src/stock.o \
	src/store.o \
	src/temper.o \
	src/worker.o
HEADERS_inventory =
PG_CPPFLAGS = -I$(srcdir)/src

DATA = $(EXTENSION)--$(EXTVERSION).sql

# every file of sql/ is a regression test, every spec an isolation test
REGRESS = $(patsubst $(srcdir)/sql/%.sql,%,$(sort $(wildcard $(srcdir)/sql/*.sql)))
REGRESS_OPTS = --inputdir=$(srcdir) --load-extension=inventory
ISOLATION = $(patsubst $(srcdir)/test/isolation/specs/%.spec,%,$(sort $(wildcard $(srcdir)/test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=$(srcdir)/test/isolation --outputdir=output_iso --load-extension=inventory

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# The extension script is the files of script/ in the order of their names.  It is in git,
# where modification times say nothing, so the contents are compared: it is written only
# where they differ, and a read-only checkout or a VPATH build can do without writing.
EXTSCRIPT = $(srcdir)/$(EXTENSION)--$(EXTVERSION).sql

all: $(EXTSCRIPT)

$(EXTSCRIPT): $(sort $(wildcard $(srcdir)/script/*.sql)) FORCE
	@cat $(filter-out FORCE,$^) | cmp -s - $@ || cat $(filter-out FORCE,$^) > $@

.PHONY: FORCE
FORCE:

$(OBJS): $(wildcard $(srcdir)/src/*.h)
