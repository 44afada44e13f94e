/*
 * policy_check.h
 *		Do row security policies bind the engine?
 */
#ifndef INV_POLICY_CHECK_H
#define INV_POLICY_CHECK_H

#include "store/binding.h"

extern bool inv_binding_forces_policies(const InvStore *store);

#endif /* INV_POLICY_CHECK_H */
