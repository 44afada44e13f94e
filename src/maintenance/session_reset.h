/*
 * session_reset.h
 *		What code of a shop leaves in the session of the worker is removed.
 */
#ifndef INV_SESSION_RESET_H
#define INV_SESSION_RESET_H

extern void inv_session_reset(void);

#endif /* INV_SESSION_RESET_H */
