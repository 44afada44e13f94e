/*
 * retype.c
 *		The type of a column that a store uses changes by retype() alone.
 *
 * ALTER TABLE is refused by the server, which names a trigger or a view; the event trigger
 * before it says what does it.  It only looks, and takes no lock.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "catalog/namespace.h"
#include "commands/event_trigger.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "parser/parse_type.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "base/error.h"
#include "store/catalog.h"

PG_FUNCTION_INFO_V1(inventory_before_alter);

/* A type as the role that names it writes it, in quotes where they are needed. */
static char *
type_text(const TypeName *name)
{
	Type type = LookupTypeName(NULL, name, NULL, true);
	char *text;

	if (type == NULL)
		return TypeNameToString(name);
	text = format_type_be(typeTypeId(type));
	ReleaseSysCache(type);
	return text;
}

static void
check_altered_column(Oid table, const AlterTableCmd *command)
{
	const ColumnDef *column = castNode(ColumnDef, command->def);
	static const Oid types[] = { REGCLASSOID, NAMEOID, TEXTOID };
	NameData name;

	namestrcpy(&name, command->name);
	OidFunctionCall3(
		LookupFuncName(list_make2(makeString(INV_SCHEMA), makeString("check_altered_column")),
					   lengthof(types), types, false),
		ObjectIdGetDatum(table), NameGetDatum(&name),
		CStringGetTextDatum(type_text(column->typeName)));
}

/* Event trigger before ALTER TABLE. */
Datum
inventory_before_alter(PG_FUNCTION_ARGS)
{
	const AlterTableStmt *statement;
	ListCell *cell;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		inv_error_value("before_alter is an event trigger function", NULL);
	statement = (const AlterTableStmt *) ((EventTriggerData *) fcinfo->context)->parsetree;
	if (!IsA(statement, AlterTableStmt) || statement->objtype != OBJECT_TABLE)
		PG_RETURN_VOID();
	foreach (cell, statement->cmds)
	{
		const AlterTableCmd *command = lfirst_node(AlterTableCmd, cell);
		Oid table;

		if (command->subtype != AT_AlterColumnType)
			continue;
		table = RangeVarGetRelid(statement->relation, NoLock, true);
		if (OidIsValid(table))
			check_altered_column(table, command);
	}
	PG_RETURN_VOID();
}
