/*
 * log_hook.c
 *		A hook on the server's log: says which errors it sees, whether they are logged or not.
 */
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;

void _PG_init(void);

static emit_log_hook_type next_hook;

static void
see_error(ErrorData *error)
{
	if (error->elevel == ERROR)
		write_stderr("hook: %s\n", error->message);
	if (next_hook)
		next_hook(error);
}

void
_PG_init(void)
{
	next_hook = emit_log_hook;
	emit_log_hook = see_error;
}
