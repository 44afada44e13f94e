/*
 * setting.h
 *		Every setting (GUC) of the extension.
 */
#ifndef INV_SETTING_H
#define INV_SETTING_H

typedef enum InvStrategy
{
	INV_ATOMIC,
	INV_PESSIMISTIC,
	INV_OPTIMISTIC
} InvStrategy;

extern int inv_strategy;		   /* an InvStrategy */
extern int inv_optimistic_retries; /* attempts after the first */
extern bool inv_http_errors;
extern bool inv_notify;
extern int inv_request_retention; /* seconds; 0: for ever */
extern int inv_reservation_ttl;	  /* seconds */

extern void inv_setting_init(void);

#endif /* INV_SETTING_H */
