/*
 * idempotency.h
 *		Idempotency keys.
 */
#ifndef INV_IDEMPOTENCY_H
#define INV_IDEMPOTENCY_H

#include "fmgr.h"
#include "utils/jsonb.h"

#include "store/binding.h"

/* A call that may have an idempotency key. */
typedef struct InvRequest
{
	char *key; /* null: the call has none, and the rest is empty */
	const char *operation;
	InvUser user;
	bytea *digest; /* of the arguments */
	Jsonb *replay; /* the kept answer, if this is a retry */
} InvRequest;

extern bool inv_request_begin(InvRequest *request, InvStore *store, const char *operation,
							  const InvUser *user, FunctionCallInfo fcinfo, int key, Oid id_type);
extern bool inv_request_find(InvRequest *request, InvStore *store, const char *operation,
							 char *key);
extern char *inv_json_field(Jsonb *object, const char *name);
extern char *inv_request_scalar(InvRequest *request);
extern Datum inv_request_value(InvStore *store, InvRequest *request, Oid type);
extern void inv_error_kept_answer(InvStore *store);
extern void inv_request_end(InvStore *store, InvRequest *request, const char *answer);

#endif /* INV_IDEMPOTENCY_H */
