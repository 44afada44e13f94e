/*
 * guc.h
 *		Every setting of the extension.
 */
#ifndef INV_GUC_H
#define INV_GUC_H

typedef enum InvStrategy
{
	INV_STRATEGY_ATOMIC,
	INV_STRATEGY_PESSIMISTIC,
	INV_STRATEGY_OPTIMISTIC
} InvStrategy;

/* How the DETAIL of a refusal is written. */
typedef enum InvErrorFormat
{
	INV_ERROR_FORMAT_TEXT,
	INV_ERROR_FORMAT_JSON
} InvErrorFormat;

/* When the ledger follows order lines that other code has changed. */
typedef enum InvFollowAt
{
	INV_FOLLOW_AT_STATEMENT,
	INV_FOLLOW_AT_COMMIT
} InvFollowAt;

typedef enum InvHotMode
{
	INV_HOT_MODE_OFF,
	INV_HOT_MODE_MANUAL,
	INV_HOT_MODE_AUTO
} InvHotMode;

extern int inv_strategy;		   /* an InvStrategy */
extern int inv_optimistic_retries; /* attempts after the first */
extern bool inv_http_errors;
extern int inv_error_format; /* an InvErrorFormat */
extern bool inv_log_refusals;
extern bool inv_notify;
extern bool inv_direct_access;
extern int inv_follow_at;		  /* an InvFollowAt */
extern int inv_request_retention; /* seconds; 0: indefinitely */
extern int inv_reservation_ttl;	  /* seconds */
extern int inv_hot_mode;		  /* an InvHotMode */
extern int inv_hot_lock_timeout;  /* milliseconds */
extern int inv_prepared_timeout;  /* milliseconds; 0: none */
extern int inv_max_hot_items;
extern int inv_max_stats_entries;
extern int inv_settle_interval;		/* milliseconds */
extern int inv_hot_queue_threshold; /* sessions waiting for a row */
extern int inv_hot_idle_timeout;	/* seconds */
extern int inv_max_workers;			/* 0: no worker */
extern int inv_worker_timeout;		/* milliseconds; 0: none */

extern bool inv_may_access_directly(void);
extern void inv_guc_init(void);

#endif /* INV_GUC_H */
