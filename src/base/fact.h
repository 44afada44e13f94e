/*
 * fact.h
 *		What a refusal is about, for the fields of the error.
 */
#ifndef INV_FACT_H
#define INV_FACT_H

#include "lib/stringinfo.h"

/* The table and column at fault, and the facts as members of a JSON object. */
typedef struct InvFacts
{
	Oid table;			/* InvalidOid: none is known */
	const char *column; /* or null */
	const char *name;	/* of the item, order or reservation, for a sentence; or null */
	bool own_hold;		/* the units that lack are in a reservation of the same user */
	StringInfoData json;
} InvFacts;

extern InvFacts *inv_facts(Oid table, const char *column);
extern InvFacts *inv_store_facts(const char *kind, const char *name);
extern void inv_fact_text(InvFacts *facts, const char *name, const char *value);
extern void inv_fact_number(InvFacts *facts, const char *name, int64 value);
extern void inv_fact_json(InvFacts *facts, const char *name, const char *value);
extern void inv_report_facts(const InvFacts *facts, const char *rule, const char *sentence);

#endif /* INV_FACT_H */
