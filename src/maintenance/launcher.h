/*
 * launcher.h
 *		When the server starts, each database is looked at once.
 */
#ifndef INV_LAUNCHER_H
#define INV_LAUNCHER_H

extern void inv_launcher_init(void);

#endif /* INV_LAUNCHER_H */
