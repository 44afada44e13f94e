/*
 * claim.h
 *		The user of a token, who alone a buyer can act for.
 */
#ifndef INV_CLAIM_H
#define INV_CLAIM_H

#include "store/binding.h"

extern bool inv_is_operator(InvStore *store, Oid role);
extern bool inv_claim_binds(InvStore *store, Oid role);
extern InvUser inv_claimed_user(InvStore *store);
extern void inv_check_claim(InvStore *store, const InvUser *user);

#endif /* INV_CLAIM_H */
