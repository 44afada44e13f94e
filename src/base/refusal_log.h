/*
 * refusal_log.h
 *		Refusals in the server's log.
 */
#ifndef INV_REFUSAL_LOG_H
#define INV_REFUSAL_LOG_H

extern void inv_refusal_log_init(void);

#endif /* INV_REFUSAL_LOG_H */
