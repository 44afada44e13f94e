/*
 * refusal_log.c
 *		Refusals in the server's log: left out if inventory.log_refusals is off.
 *
 * The client gets them in any case.  A function that catches a refusal and raises it again with
 * RAISE raises the same error; one that raises an error of its own is logged.
 */
#include "postgres.h"

#include "base/error.h"
#include "base/guc.h"
#include "base/refusal_log.h"

static emit_log_hook_type previous_emit_log;

/* A previous hook is called for every error, as it is without this one. */
static void
emit_log_without_refusals(ErrorData *error)
{
	if (!inv_log_refusals && inv_is_refusal(error))
		error->output_to_server = false;
	if (previous_emit_log)
		previous_emit_log(error);
}

void
inv_refusal_log_init(void)
{
	previous_emit_log = emit_log_hook;
	emit_log_hook = emit_log_without_refusals;
}
