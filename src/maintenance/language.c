/*
 * language.c
 *		The language of the generated functions.
 *
 * The body of a function is the name of a function of the engine, a space, and the name of
 * the store, up to the end.  The handler calls the function of the engine with the store's
 * name, the arguments and a null of the type of the result.
 *
 * The language is trusted: any role can create functions in it, so that an owner of tables
 * who is not a superuser can attach, dump and restore.  Such a function can do what its
 * current user could do by calling the engine: inv_store_enter() requires the rights of the
 * owner of the tables.  What it looks like is checked when it is called (signature.c), because
 * the validator does not see ALTER FUNCTION, and is off while a dump is restored.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "commands/trigger.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/store_error.h"
#include "store/binding.h"
#include "store/enter.h"
#include "store/store.h"
#include "maintenance/signature.h"

/* A function as its row of pg_proc said when it was checked.  It owns its memory context. */
typedef struct LanguageFunction
{
	MemoryContext context;
	TransactionId xmin; /* of that row, and where it was */
	ItemPointerData tid;
	const InvEngineFunction *engine;
	int argument_count; /* without those that the handler adds */
	text *store_name;
	FuncExpr *call; /* tells the engine the types of its arguments and of its result */

	/* the types were those of the store, for this user, as long as stores did not change */
	Oid checked_user;
	uint64 checked_at;
} LanguageFunction;

typedef struct LanguageEntry
{
	Oid oid;
	LanguageFunction *function; /* or NULL */
} LanguageEntry;

static HTAB *language_functions = NULL; /* of LanguageEntry */

/* ---- reading a function ---- */

/* Split a body into the function of the engine and the name of the store. */
static const InvEngineFunction *
parse_body(Oid function, const char *body, const char **store_name)
{
	const char *space = strchr(body, ' ');
	const InvEngineFunction *engine = space ? inv_find_engine_function(body, space - body) : NULL;

	if (engine == NULL || space[1] == '\0')
		inv_error_not_generated(function, "Its body must be the name of a generated function, a "
										  "space, and the name of a store.");
	*store_name = space + 1;
	return engine;
}

/* The function of the engine that a function in this language calls, after all is checked. */
static const InvEngineFunction *
check_function(HeapTuple tuple, const char **store_name)
{
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
	bool isnull;
	Datum body = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &isnull);
	const InvEngineFunction *engine;

	if (isnull)
		inv_error_not_generated(proc->oid, "It has no body.");
	engine = parse_body(proc->oid, TextDatumGetCString(body), store_name);
	inv_check_signature(engine, tuple);
	return engine;
}

/*
 * A call of which the engine reads only the types of its arguments and of its result.  Of which
 * function matters only in that the result has the type of the call.  The function in this
 * language, and that of the engine, can be dropped while the call waits for a lock.
 */
static FuncExpr *
make_call(const InvEngineFunction *engine, Form_pg_proc proc)
{
	List *arguments = list_make1(makeNullConst(TEXTOID, -1, InvalidOid));
	FuncExpr *call;

	for (int i = 0; i < proc->pronargs; i++)
		arguments = lappend(arguments, makeNullConst(proc->proargtypes.values[i], -1, InvalidOid));
	if (engine->takes_result)
		arguments = lappend(arguments, makeNullConst(proc->prorettype, -1, InvalidOid));
	call = makeFuncExpr(F_FIRST_VALUE, proc->prorettype, arguments, InvalidOid, InvalidOid,
						COERCE_EXPLICIT_CALL);
	call->funcretset = proc->proretset;
	return call;
}

/* Read and check a function; raises if it is not as one that is generated. */
static LanguageFunction *
read_function(HeapTuple tuple)
{
	const char *store_name;
	const InvEngineFunction *engine = check_function(tuple, &store_name);
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "inventory function", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(tuple);
	LanguageFunction *function = palloc0(sizeof(LanguageFunction));

	function->context = context;
	function->xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	function->tid = tuple->t_self;
	function->engine = engine;
	function->argument_count = proc->pronargs;
	function->store_name = cstring_to_text(store_name);
	function->call = make_call(function->engine, proc);
	MemoryContextSwitchTo(old);
	return function;
}

static LanguageEntry *
entry_of(Oid oid)
{
	bool found;
	LanguageEntry *entry;

	if (language_functions == NULL)
	{
		HASHCTL control = { .keysize = sizeof(Oid), .entrysize = sizeof(LanguageEntry) };

		language_functions =
			hash_create("inventory functions", 64, &control, HASH_ELEM | HASH_BLOBS);
	}
	entry = hash_search(language_functions, &oid, HASH_ENTER, &found);
	if (!found)
		entry->function = NULL;
	return entry;
}

/*
 * The function that is called, as its row is now.  One that was read from an older row stays
 * in memory to the end of the transaction: a call further up may be using it.
 */
static LanguageFunction *
find_function(Oid oid)
{
	LanguageEntry *entry = entry_of(oid);
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	LanguageFunction *function = entry->function;

	if (!HeapTupleIsValid(tuple))
		inv_error_no_function(oid);
	if (function == NULL || function->xmin != HeapTupleHeaderGetRawXmin(tuple->t_data) ||
		!ItemPointerEquals(&function->tid, &tuple->t_self))
	{
		entry->function = NULL;
		if (function)
			MemoryContextSetParent(function->context, TopTransactionContext);
		function = read_function(tuple);
		MemoryContextSetParent(function->context, TopMemoryContext);
		entry->function = function;
	}
	ReleaseSysCache(tuple);
	return function;
}

/* ---- calling it ---- */

/*
 * Raise unless a function has the types of its store.  The engine checks again what it
 * depends on when it has entered the store, which can have changed until then.
 */
static void
check_store_types(LanguageFunction *function)
{
	uint64 changes = inv_store_changes();
	InvStore *store;

	if (function->checked_at == changes && function->checked_user == GetUserId())
		return;
	store = inv_store_find(function->store_name,
						   function->engine->writes ? RowExclusiveLock : AccessShareLock);
	changes = inv_store_changes();
	inv_check_signature_of_store(function->engine, function->call, store);
	function->checked_user = GetUserId();
	function->checked_at = changes;
}

/* Call the engine's function with the arguments of the call in this language. */
static Datum
call_engine(const LanguageFunction *function, FunctionCallInfo fcinfo)
{
	LOCAL_FCINFO(inner, INV_MAX_PARAMETERS + 2);
	const InvEngineFunction *engine = function->engine;
	int count = function->argument_count;
	FmgrInfo info = { 0 };
	Datum result;

	info.fn_addr = engine->function;
	info.fn_oid = function->call->funcid;
	info.fn_nargs = count + 1 + engine->takes_result;
	info.fn_retset = engine->returns_set;
	info.fn_mcxt = CurrentMemoryContext;
	info.fn_expr = (Node *) function->call;
	InitFunctionCallInfoData(*inner, &info, info.fn_nargs, fcinfo->fncollation, NULL,
							 engine->returns_set ? fcinfo->resultinfo : NULL);
	inner->args[0].value = PointerGetDatum(function->store_name);
	inner->args[0].isnull = false;
	memcpy(&inner->args[1], fcinfo->args, sizeof(NullableDatum) * count);
	inner->args[count + 1].value = (Datum) 0;
	inner->args[count + 1].isnull = true;
	result = FunctionCallInvoke(inner);
	fcinfo->isnull = inner->isnull;
	return result;
}

PG_FUNCTION_INFO_V1(inventory_language_handler);
PG_FUNCTION_INFO_V1(inventory_language_validator);

/* Call a function in the language inventory. */
Datum
inventory_language_handler(PG_FUNCTION_ARGS)
{
	Oid oid = fcinfo->flinfo->fn_oid;
	LanguageFunction *function;
	bool writes, raises;
	Datum result;

	if (CALLED_AS_TRIGGER(fcinfo) || CALLED_AS_EVENT_TRIGGER(fcinfo))
		inv_error_not_generated(oid, "It cannot be a trigger function.");
	function = find_function(oid);
	if (fcinfo->nargs != function->argument_count)
		inv_error_not_generated(oid, "It was called with another number of arguments.");
	writes = function->engine->writes;
	raises = function->engine->result != INV_TYPE_ANSWER;
	/* before the store is locked as for a write */
	if (raises && writes && (XactReadOnly || IsInParallelMode()))
	{
		PreventCommandIfReadOnly(psprintf("%s()", function->engine->name));
		PreventCommandIfParallelMode(psprintf("%s()", function->engine->name));
	}
	/* one that returns errors converts what has another type */
	if (raises)
		check_store_types(function);
	/* a call that writes sees what the statement that calls it did before */
	if (writes)
	{
		CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
	}
	result = call_engine(function, fcinfo);
	if (writes)
		PopActiveSnapshot();
	return result;
}

/* language_validator(function): raise if a function could not be called. */
Datum
inventory_language_validator(PG_FUNCTION_ARGS)
{
	Oid oid;
	HeapTuple tuple;
	const char *store_name;

	if (PG_ARGISNULL(0))
		inv_error_null("function");
	oid = PG_GETARG_OID(0);
	if (!CheckFunctionValidatorAccess(fcinfo->flinfo->fn_oid, oid) || !check_function_bodies)
		PG_RETURN_VOID();
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(oid));
	if (!HeapTupleIsValid(tuple))
		inv_error_no_function(oid);
	(void) check_function(tuple, &store_name);
	ReleaseSysCache(tuple);
	PG_RETURN_VOID();
}
