/*
 * hot_room.c
 *		Room for the items that this transaction heats, and of those that it demotes.
 *
 * An item that is heated gets its entry when the transaction commits: before that,
 * others sell it as a cold one.  Its entry is reserved at once, so that heat() says
 * whether there is room, and no other transaction can take it.  The entry of an item
 * that is demoted, which has no counter, is freed when the transaction commits.
 *
 * A transaction remembers both in local memory, by level of savepoints.  At its end
 * nothing fails.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "base/array.h"
#include "shmem/hot_directory.h"
#include "shmem/hot_room.h"
#include "shmem/hot_table.h"

/* An entry that this transaction has reserved, or will free. */
typedef struct RoomChange
{
	int nesting;
	InvCounterRef freed; /* entry null: it is reserved */

	/* of a reserved entry */
	InvHotStore *hot_store;
	InvHotKey key;
	int64 number; /* of the item's row in "hot" */
} RoomChange;

static RoomChange *room_changes = NULL; /* in TopMemoryContext */
static int room_change_count = 0;
static int room_change_size = 0;

/* A new change, all zero but its level; it counts once room_change_count has it. */
static RoomChange *
new_room_change(void)
{
	RoomChange *change;

	room_changes = inv_make_room(room_changes, room_change_count, &room_change_size,
								 sizeof(RoomChange), TopMemoryContext);
	change = &room_changes[room_change_count];
	memset(change, 0, sizeof(RoomChange));
	change->nesting = GetCurrentTransactionNestLevel();
	return change;
}

/*
 * Reserve an entry for an item that is about to be marked as hot.  Returns the place of the
 * reservation among the changes, or INV_NO_ROOM.
 */
int
inv_hot_room_reserve(InvHotStore *hot_store, const InvHotKey *key)
{
	RoomChange *change = new_room_change();

	if (!inv_hot_directory_reserve())
		return INV_NO_ROOM;
	change->hot_store = hot_store;
	change->key = *key;
	return room_change_count++;
}

/*
 * The row in "hot" of an item for which an entry was reserved has this number.  A trigger of
 * the shop on "hot" may have heated or demoted other items since.
 */
void
inv_hot_room_set_number(int reserved, int64 number)
{
	Assert(reserved >= 0 && reserved < room_change_count);
	Assert(room_changes[reserved].freed.entry == NULL);
	room_changes[reserved].number = number;
}

/* Free the entry of an item that is demoted, with the commit. */
void
inv_hot_room_free(const InvCounterRef *counter)
{
	RoomChange *change = new_room_change();

	change->freed = *counter;
	room_change_count++;
}

/* Undo what was done from a level on.  Levels never fall along the array. */
static void
undo_room_changes(int nesting)
{
	while (room_change_count > 0 && room_changes[room_change_count - 1].nesting >= nesting)
		if (room_changes[--room_change_count].freed.entry == NULL)
			inv_hot_directory_unreserve();
}

static void
hot_room_at_xact_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_ABORT)
		undo_room_changes(0);
	if (event != XACT_EVENT_COMMIT)
		return;
	/* in their order: an item may have been demoted and heated again */
	for (int i = 0; i < room_change_count; i++)
	{
		const RoomChange *change = &room_changes[i];

		if (change->freed.entry)
			inv_hot_directory_free_unpublished(&change->freed);
		else
			inv_hot_directory_place(change->hot_store, &change->key, change->number);
	}
	room_change_count = 0;
}

static void
hot_room_at_subxact_end(SubXactEvent event, SubTransactionId self pg_attribute_unused(),
						SubTransactionId parent pg_attribute_unused(),
						void *arg pg_attribute_unused())
{
	int nesting = GetCurrentTransactionNestLevel();

	if (event == SUBXACT_EVENT_ABORT_SUB)
		undo_room_changes(nesting);
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (int i = room_change_count - 1; i >= 0 && room_changes[i].nesting == nesting; i--)
			room_changes[i].nesting--;
}

void
inv_hot_room_init(void)
{
	RegisterXactCallback(hot_room_at_xact_end, NULL);
	RegisterSubXactCallback(hot_room_at_subxact_end, NULL);
}
