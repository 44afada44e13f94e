/*
 * keep.h
 *		The trigger on items that leaves the stock as it is.
 */
#ifndef INV_KEEP_H
#define INV_KEEP_H

extern void inv_keep_init(void);

#endif /* INV_KEEP_H */
