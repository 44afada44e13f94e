/*
 * header_id.h
 *		Ids of headers in what callers give.
 */
#ifndef INV_HEADER_ID_H
#define INV_HEADER_ID_H

#include "utils/jsonb.h"

#include "store/binding.h"

extern Jsonb *inv_without_headers(InvStore *store, Jsonb *given);

#endif /* INV_HEADER_ID_H */
