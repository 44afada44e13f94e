/*
 * idempotency.h
 *		Idempotency keys.
 */
#ifndef INV_IDEMPOTENCY_H
#define INV_IDEMPOTENCY_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "store/binding.h"

/* A call that may carry a key.  Without one all of this does nothing. */
typedef struct InvRequest
{
	const char *operation;
	char *key; /* null: the call has none */
	InvUser user;
	bytea *fingerprint;
	Jsonb *replay; /* the kept answer, if this is a retry */
} InvRequest;

extern void inv_request_init(InvRequest *request, const char *operation, const InvUser *user,
							 FunctionCallInfo fcinfo, int key);
extern void inv_request_arguments(InvRequest *request, const char *const *arguments, int count);
extern bool inv_request_begin(InvStore *store, InvRequest *request);
extern char *inv_json_field(Jsonb *object, const char *name);
extern char *inv_request_scalar(InvRequest *request);
extern void inv_request_end(InvStore *store, InvRequest *request, const char *answer);

#endif /* INV_IDEMPOTENCY_H */
