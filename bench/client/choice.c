/*
 * choice.c
 *		Random numbers, and the choice of buyers and items.
 *
 * The same seed gives the same buyers and items, so that all peers get the same
 * requests.  The items of a cart are distinct and in ascending order; with carts in
 * arbitrary order the peers would deadlock.
 */
#include <math.h>
#include <stdlib.h>

#include "client.h"

#define USERS 100000
#define ZIPF_EXPONENT 1.0

/* splitmix64 */
static uint64_t
random_bits(Choice *choice)
{
	uint64_t bits = (choice->state += UINT64_C(0x9e3779b97f4a7c15));

	bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
	return bits ^ (bits >> 31);
}

/* in [0, 1) */
static double
random_share(Choice *choice)
{
	return (random_bits(choice) >> 11) * 0x1.0p-53;
}

void
choice_init(Choice *choice)
{
	double sum = 0;

	if (choice->shape != ZIPF)
		return;
	choice->below = malloc(choice->items * sizeof(double));
	if (choice->below == NULL)
		die("out of memory");
	for (int64_t i = 0; i < choice->items; i++)
		choice->below[i] = sum += 1 / pow(i + 1, ZIPF_EXPONENT);
	for (int64_t i = 0; i < choice->items; i++)
		choice->below[i] /= sum;
}

int64_t
choose_user(Choice *choice)
{
	return 1 + random_bits(choice) % USERS;
}

/* the first item whose cumulative share exceeds a random number */
static int64_t
zipf_rank(Choice *choice)
{
	double share = random_share(choice);
	int64_t low = 0, high = choice->items - 1;

	while (low < high)
	{
		int64_t middle = (low + high) / 2;

		if (choice->below[middle] > share)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int64_t
choose_item(Choice *choice)
{
	int64_t rank = 0;

	if (choice->shape == UNIFORM)
		rank = random_bits(choice) % choice->items;
	else if (choice->shape == ZIPF)
		rank = zipf_rank(choice);
	return 1 + rank * choice->stride;
}

/* Insert an item in order; false if it is in the cart already. */
static bool
insert_sorted(int64_t *items, int count, int64_t item)
{
	int place = count;

	while (place > 0 && items[place - 1] > item)
		place--;
	if (place > 0 && items[place - 1] == item)
		return false;
	for (int i = count; i > place; i--)
		items[i] = items[i - 1];
	items[place] = item;
	return true;
}

void
choose_items(Choice *choice, int64_t *items)
{
	int count = 0;

	while (count < choice->lines)
		if (insert_sorted(items, count, choose_item(choice)))
			count++;
}
