/*
 * follow_stock.c
 *		The stock moves as the movements of order lines say.
 *
 * What several lines take and give of an item is one change of its stock: an exchange of its
 * last units between two lines is no shortage.  Locks are those of a cart: purchase limits, then
 * the rows of all items in key order, then counters.
 */
#include "postgres.h"

#include "common/int.h"

#include "base/array.h"
#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "base/stats.h"
#include "base/units.h"
#include "store/binding.h"
#include "store/column.h"
#include "store/ledger_schema.h"
#include "stock/give.h"
#include "stock/item_row.h"
#include "stock/ledger.h"
#include "stock/limit.h"
#include "stock/quantity.h"
#include "stock/take.h"
#include "commands/follow_stock.h"
#include "commands/refusal.h"

/* What the movements of an item add to its stock. */
typedef struct ItemChange
{
	Datum item;
	int64 delta;
	bool tracked;
	int64 epoch;
} ItemChange;

/* Units of an item that a user gets by the movements. */
typedef struct UserChange
{
	InvTake take; /* of these units */
	InvUser user;
} UserChange;

static void
add_to_change(int64 *sum, int64 units)
{
	if (pg_add_s64_overflow(*sum, units, sum))
		inv_error_overflow("sum of the quantities of an item");
}

static const char *
order_of_movement(InvStore *store, const InvMovement *movement)
{
	return movement->no_order ? NULL : inv_datum_text(store->order_type, movement->order);
}

/* The first line that takes of an item. */
static const char *
first_taker(InvStore *store, const InvBook *book, Datum item)
{
	for (int i = 0; i < book->count; i++)
		if (book->movements[i].delta < 0 &&
			inv_item_compare(store, book->movements[i].item, item) == 0)
			return order_of_movement(store, &book->movements[i]);
	return NULL;
}

/* ---- limits ---- */

static int
compare_users(InvStore *store, const InvUser *a, const InvUser *b)
{
	uint64 left, right;

	if (inv_same_users(store, a, b))
		return 0;
	if (a->isnull || b->isnull)
		return a->isnull ? -1 : 1;
	left = inv_user_hash(store, a);
	right = inv_user_hash(store, b);
	if (left != right)
		return left < right ? -1 : 1;
	return strcmp(inv_datum_text(store->user_type, a->value),
				  inv_datum_text(store->user_type, b->value));
}

static int
compare_user_changes(const void *a, const void *b, void *store)
{
	const UserChange *left = a, *right = b;
	int order = inv_item_compare(store, left->take.item, right->take.item);

	return order != 0 ? order : compare_users(store, &left->user, &right->user);
}

/* What each user gets of each item, in the order in which limits are locked. */
static UserChange *
changes_by_user(InvStore *store, const InvBook *book, int *count)
{
	UserChange *changes = inv_zeroed_array(book->count, sizeof(UserChange));
	int kept = 0;

	for (int i = 0; i < book->count; i++)
	{
		changes[i].take.item = book->movements[i].item;
		changes[i].take.quantity = -book->movements[i].delta;
		changes[i].user = book->movements[i].user;
	}
	qsort_arg(changes, book->count, sizeof(UserChange), compare_user_changes, store);
	for (int i = 0; i < book->count; i++)
		if (kept > 0 && compare_user_changes(&changes[kept - 1], &changes[i], store) == 0)
			add_to_change(&changes[kept - 1].take.quantity, changes[i].take.quantity);
		else
			changes[kept++] = changes[i];
	*count = kept;
	return changes;
}

/* Lock and check the limits of those who get more. */
static void
check_user_limits(InvStore *store, const InvBook *book, UserChange *changes, int count)
{
	for (int i = 0; i < count; i++)
	{
		InvTake *take = &changes[i].take;

		if (take->quantity <= 0)
			continue;
		inv_item_row_read(store, take);
		/* what else there is to say of the item is said when it is taken */
		if (take->status != INV_STATUS_OK)
			continue;
		inv_check_limit(store, take, &changes[i].user);
		if (take->status == INV_STATUS_OK)
			continue;
		take->order = first_taker(store, book, take->item);
		inv_refuse(store, take, &changes[i].user);
	}
}

/* ---- stock ---- */

static int
compare_item_changes(const void *a, const void *b, void *store)
{
	return inv_item_compare(store, ((const ItemChange *) a)->item, ((const ItemChange *) b)->item);
}

/* What is to happen to the stock of each item, in key order. */
static ItemChange *
changes_by_item(InvStore *store, const InvBook *book, int *count)
{
	ItemChange *changes = inv_zeroed_array(book->count, sizeof(ItemChange));
	int kept = 0;

	for (int i = 0; i < book->count; i++)
	{
		changes[i].item = book->movements[i].item;
		changes[i].delta = book->movements[i].delta;
		changes[i].tracked = true;
	}
	qsort_arg(changes, book->count, sizeof(ItemChange), compare_item_changes, store);
	for (int i = 0; i < book->count; i++)
		if (kept > 0 && compare_item_changes(&changes[kept - 1], &changes[i], store) == 0)
			add_to_change(&changes[kept - 1].delta, changes[i].delta);
		else
			changes[kept++] = changes[i];
	*count = kept;
	return changes;
}

/* Note the first line that takes of each item, for the error. */
static void
name_takers(InvStore *store, const InvBook *book, InvTake *takes, int count)
{
	for (int i = 0; i < book->count; i++)
	{
		const InvMovement *movement = &book->movements[i];
		InvTake *take =
			movement->delta < 0 ? inv_find_take(store, takes, count, movement->item) : NULL;

		if (take && take->order == NULL)
			take->order = order_of_movement(store, movement);
	}
}

INV_NORETURN static void
refuse_takes(InvStore *store, const InvBook *book, InvTake *takes, int count)
{
	name_takers(store, book, takes, count);
	if (count == 1)
		inv_refuse(store, takes, &inv_no_user);
	inv_refuse_cart(store, takes, count, &inv_no_user);
}

static void
take_items(InvStore *store, const InvBook *book, ItemChange *changes, int count, InvTake *takes,
		   int take_count)
{
	int take = 0;

	if (take_count == 0)
		return;
	if (!inv_take(store, takes, take_count, NULL))
		refuse_takes(store, book, takes, take_count);
	for (int i = 0; i < count; i++)
		if (changes[i].delta < 0)
		{
			changes[i].tracked = takes[take].tracked;
			changes[i].epoch = takes[take++].epoch;
		}
}

/* Give back; with the rows of items that will be taken locked in their order. */
static void
give_items(InvStore *store, ItemChange *changes, int count)
{
	InvGive *gives = palloc0(sizeof(InvGive) * count);
	int give_count = 0, give = 0;

	for (int i = 0; i < count; i++)
		if (changes[i].delta != 0)
		{
			gives[give_count].item = changes[i].item;
			gives[give_count++].quantity = Max(changes[i].delta, 0);
		}
	inv_give(store, gives, give_count);
	for (int i = 0; i < count; i++)
	{
		if (changes[i].delta > 0)
		{
			changes[i].tracked = gives[give].tracked;
			changes[i].epoch = gives[give].epoch;
		}
		give += changes[i].delta != 0;
	}
}

static void
move_items(InvStore *store, const InvBook *book, ItemChange *changes, int count)
{
	InvTake *takes = palloc0(sizeof(InvTake) * count);
	int take_count = 0;
	bool gives = false;

	for (int i = 0; i < count; i++)
	{
		gives = gives || changes[i].delta > 0;
		if (changes[i].delta >= 0)
			continue;
		takes[take_count].item = changes[i].item;
		takes[take_count++].quantity = -changes[i].delta;
	}
	if (gives)
	{
		if (take_count > 0 && !inv_take_may_succeed(store, takes, take_count, NULL))
			refuse_takes(store, book, takes, take_count);
		give_items(store, changes, count);
	}
	take_items(store, book, changes, count, takes, take_count);
}

/* ---- movements ---- */

static const ItemChange *
find_change(InvStore *store, const ItemChange *changes, int count, Datum item)
{
	ItemChange key = { .item = item };

	return bsearch_arg(&key, changes, count, sizeof(ItemChange), compare_item_changes, store);
}

/*
 * Write the movements.  Those of a hot item carry the epoch of its counter; those of an item
 * without a number, or that does not exist, are taken off its balance again (invariant 2).
 */
static void
write_movements(InvStore *store, const InvBook *lines, const ItemChange *changes, int count)
{
	InvBook book;

	inv_book_init(&book, lines->count + count);
	for (int i = 0; i < lines->count; i++)
	{
		const InvMovement *line = &lines->movements[i];
		InvMovement *movement = inv_book_add(&book, line->item, line->delta, line->kind);

		*movement = *line;
		movement->epoch = find_change(store, changes, count, line->item)->epoch;
	}
	for (int i = 0; i < count; i++)
		if (!changes[i].tracked)
			inv_book_add(&book, changes[i].item, -changes[i].delta, INV_KIND_ADJUSTMENT)->reason =
				INV_REASON_UNTRACKED;
	inv_book_write(store, &book);
}

/* The sum of the movements from one on that are of the same item; 0 if one before has counted them. */
static int64
moved_units(InvStore *store, const InvMovement *movements, int place, int count)
{
	Datum item = movements[place].item;
	int64 units = 0;

	for (int i = 0; i < place; i++)
		if (inv_item_compare(store, movements[i].item, item) == 0)
			return 0;
	for (int i = place; i < count; i++)
		if (inv_item_compare(store, movements[i].item, item) == 0)
			units = inv_add_units(units, movements[i].delta);
	return units;
}

/* How many movements of a book, from the first of a line on, are of that line; none has no line at first. */
static int
count_of_line(InvStore *store, const InvMovement *movements, int count)
{
	int of_line = 1;

	Assert(!movements->no_order);
	while (of_line < count &&
		   (movements[of_line].no_order ||
			inv_order_compare(store, movements[of_line].order, movements->order) == 0))
		of_line++;
	return of_line;
}

/*
 * Count the units that each line took or gave back of an item.  Movements that only say what was
 * there before, or that a user or a line is another one now, add up to 0.  They are those of operation
 * "follow" also where another operation applies what waited: its own units are what it was called for.
 */
static void
count_units(InvStore *store, const InvBook *book)
{
	int64 units = 0;
	int of_line;

	for (int line = 0; line < book->count; line += of_line)
	{
		const InvMovement *movements = &book->movements[line];

		of_line = count_of_line(store, movements, book->count - line);
		for (int i = 0; i < of_line; i++)
		{
			int64 moved = moved_units(store, movements, i, of_line);

			units = inv_add_units(units, inv_units_moved(moved));
		}
	}
	inv_stats_add(store->items, INV_STATS_FOLLOW, INV_STATS_UNITS, units);
}

/*
 * Move the stock by the sums of the movements, and write them.  Raises IV001, IV002 or IV010 if
 * what they take cannot be sold.
 */
void
inv_move_followed_stock(InvStore *store, InvBook *book)
{
	int user_count = 0, count;
	UserChange *users = NULL;
	ItemChange *changes;

	if (book->count == 0)
		return;
	if (inv_has_limits(store))
	{
		users = changes_by_user(store, book, &user_count);
		check_user_limits(store, book, users, user_count);
	}
	changes = changes_by_item(store, book, &count);
	move_items(store, book, changes, count);
	write_movements(store, book, changes, count);
	for (int i = 0; i < user_count; i++)
		if (users[i].take.quantity > 0)
			inv_check_limits(store, &users[i].take, 1, &users[i].user);
	count_units(store, book);
}
