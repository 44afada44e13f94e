# inventory: a PostgreSQL extension. Build with PGXS: make && make install.
#
# The version is written once, in inventory.control.

EXTENSION = inventory
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(srcdir)/$(EXTENSION).control)

MODULE_big = inventory
OBJS = \
	src/base/clock.o \
	src/base/datum.o \
	src/base/error.o \
	src/base/error_class.o \
	src/base/fact.o \
	src/base/guc.o \
	src/base/hot_error.o \
	src/base/isolated.o \
	src/base/lock.o \
	src/base/prepared_wait.o \
	src/base/refusal_log.o \
	src/base/settings.o \
	src/base/stats.o \
	src/base/store_error.o \
	src/base/table_gone.o \
	src/shmem/counter.o \
	src/shmem/counter_state.o \
	src/shmem/counter_wait.o \
	src/shmem/counter_xact.o \
	src/shmem/hot_directory.o \
	src/shmem/hot_room.o \
	src/shmem/hot_table.o \
	src/shmem/shmem.o \
	src/shmem/store_rest.o \
	src/shmem/worker_slot.o \
	src/store/binding_check.o \
	src/store/binding_equal.o \
	src/store/binding_read.o \
	src/store/binding_worth.o \
	src/store/catalog.o \
	src/store/catalog_write.o \
	src/store/claim.o \
	src/store/column.o \
	src/store/condition.o \
	src/store/dependency.o \
	src/store/direct_insert.o \
	src/store/direct_update.o \
	src/store/enter.o \
	src/store/expression.o \
	src/store/function_body.o \
	src/store/index_lookup.o \
	src/store/insert_plan.o \
	src/store/insert_text.o \
	src/store/key_lookup.o \
	src/store/latest_statement.o \
	src/store/query.o \
	src/store/query_cursor.o \
	src/store/query_expand.o \
	src/store/query_insert.o \
	src/store/query_letter.o \
	src/store/query_plan.o \
	src/store/query_text.o \
	src/store/relation_check.o \
	src/store/shop_code.o \
	src/store/store.o \
	src/store/store_name.o \
	src/store/table_check.o \
	src/store/table_name.o \
	src/store/target_index.o \
	src/store/trigger_check.o \
	src/store/update_plan.o \
	src/stock/adjust.o \
	src/stock/direct_read.o \
	src/stock/direct_rows.o \
	src/stock/direct_take.o \
	src/stock/expected.o \
	src/stock/expected_line.o \
	src/stock/expiry.o \
	src/stock/follow_line.o \
	src/stock/give.o \
	src/stock/guard.o \
	src/stock/guard_check.o \
	src/stock/headers_guard.o \
	src/stock/hot_check.o \
	src/stock/hot_item.o \
	src/stock/hot_mirror.o \
	src/stock/hot_publish.o \
	src/stock/hot_row.o \
	src/stock/hot_stock.o \
	src/stock/item_row.o \
	src/stock/keep.o \
	src/stock/ledger.o \
	src/stock/level.o \
	src/stock/limit.o \
	src/stock/note_line.o \
	src/stock/notify.o \
	src/stock/opened_line.o \
	src/stock/order_change.o \
	src/stock/order_fact.o \
	src/stock/order_lookup.o \
	src/stock/order_row.o \
	src/stock/orders_guard.o \
	src/stock/pending.o \
	src/stock/quantity.o \
	src/stock/row_check.o \
	src/stock/row_proof.o \
	src/stock/row_take.o \
	src/stock/sold.o \
	src/stock/sold_followed.o \
	src/stock/take.o \
	src/stock/take_plan.o \
	src/stock/worth.o \
	src/commands/answer.o \
	src/commands/argument.o \
	src/commands/available.o \
	src/commands/buy.o \
	src/commands/call.o \
	src/commands/cart.o \
	src/commands/change.o \
	src/commands/confirm.o \
	src/commands/exchange.o \
	src/commands/follow.o \
	src/commands/follow_changes.o \
	src/commands/follow_stock.o \
	src/commands/header.o \
	src/commands/header_id.o \
	src/commands/hold.o \
	src/commands/hold_row.o \
	src/commands/idempotency.o \
	src/commands/may_refuse.o \
	src/commands/order.o \
	src/commands/prepare_order.o \
	src/commands/refund.o \
	src/commands/refusal.o \
	src/commands/reservation.o \
	src/commands/new_hold.o \
	src/commands/part.o \
	src/commands/reserve.o \
	src/commands/restock.o \
	src/commands/sale.o \
	src/commands/shape.o \
	src/maintenance/as_owner.o \
	src/maintenance/close_ledger.o \
	src/maintenance/cool.o \
	src/maintenance/generated.o \
	src/maintenance/heat.o \
	src/maintenance/heat_check.o \
	src/maintenance/hot_apply.o \
	src/maintenance/hot_list.o \
	src/maintenance/hot_view.o \
	src/maintenance/housekeeping.o \
	src/maintenance/language.o \
	src/maintenance/launcher.o \
	src/maintenance/locked_row.o \
	src/maintenance/oversold.o \
	src/maintenance/repair.o \
	src/maintenance/retype.o \
	src/maintenance/row_expression.o \
	src/maintenance/session_reset.o \
	src/maintenance/settle.o \
	src/maintenance/signature.o \
	src/maintenance/stats_view.o \
	src/maintenance/store_task.o \
	src/maintenance/table_mark.o \
	src/maintenance/truncate.o \
	src/maintenance/verify.o \
	src/maintenance/worker.o \
	src/maintenance/worker_timeout.o \
	src/inventory.o
HEADERS_inventory =
PG_CPPFLAGS = -I$(srcdir)/src

# also the scripts of earlier versions, and those that update them
DATA = $(sort $(EXTENSION)--$(EXTVERSION).sql $(notdir $(wildcard $(srcdir)/$(EXTENSION)--*.sql)))
# into one directory: the index of doc/ has the name of README
DOCS = README.md CHANGELOG.md $(filter-out doc/README.md,$(patsubst $(srcdir)/%,%,$(wildcard $(srcdir)/doc/*.*)))

# every file of sql/ is a regression test, every spec an isolation test; installcheck leaves
# out those that the running server cannot run
PSQL = $(bindir)/psql
unsupported = $(shell PSQL='$(PSQL)' $(srcdir)/test/unsupported $(1) | sed 's/:.*//')
REGRESS = $(filter-out $(call unsupported,regress),$(patsubst $(srcdir)/sql/%.sql,%,$(sort $(wildcard $(srcdir)/sql/*.sql))))
REGRESS_OPTS = --inputdir=$(srcdir) --load-extension=inventory
ISOLATION = $(filter-out $(call unsupported,isolation),$(patsubst $(srcdir)/test/isolation/specs/%.spec,%,$(sort $(wildcard $(srcdir)/test/isolation/specs/*.spec))))
ISOLATION_OPTS = --inputdir=$(srcdir)/test/isolation --outputdir=output_iso --load-extension=inventory

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# a directory of its own: other extensions have a README, too
docmoduledir := $(EXTENSION)

# The extension script is the files of script/ in the order of their names.  It is in git,
# where modification times say nothing, so the contents are compared: it is written only
# where they differ, and a read-only checkout or a VPATH build can do without writing.
EXTSCRIPT = $(srcdir)/$(EXTENSION)--$(EXTVERSION).sql

all: $(EXTSCRIPT)

$(EXTSCRIPT): $(sort $(wildcard $(srcdir)/script/*.sql)) FORCE
	@cat $(filter-out FORCE,$^) | cmp -s - $@ || cat $(filter-out FORCE,$^) > $@

installcheck: unsupported

unsupported:
	@PSQL='$(PSQL)' $(srcdir)/test/unsupported | sed 's/^/not run: /'

.PHONY: FORCE unsupported
FORCE:

$(OBJS): $(wildcard $(srcdir)/src/*/*.h)

# a VPATH build begins in an empty directory; by a relative name, make would find that of the source
OBJDIRS = $(addprefix $(CURDIR)/,$(sort $(patsubst %/,%,$(dir $(OBJS)))))
$(OBJS) $(OBJS:.o=.bc): | $(OBJDIRS)

$(OBJDIRS):
	@mkdir -p $@

# PGXS installs documents by their names, but would remove them by their paths
uninstall: uninstall-docs

uninstall-docs:
	rm -rf '$(DESTDIR)$(docdir)/$(docmoduledir)'

# what PGXN takes: the files of the commit, without those that .gitattributes leaves out
META_VERSION = $(shell sed -n 's/^   "version": *"\(.*\)",/\1/p' $(srcdir)/META.json)
DIST = $(EXTENSION)-$(META_VERSION)

dist:
	git -C $(srcdir) archive --format=zip --prefix=$(DIST)/ HEAD > $(DIST).zip

.PHONY: dist uninstall-docs
