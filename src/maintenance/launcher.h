/*
 * launcher.h
 *		When the server starts, each database is looked at once.
 */
#ifndef INV_LAUNCHER_H
#define INV_LAUNCHER_H

extern void inv_launcher_init(void);
extern bool inv_is_database_wanted(Oid database);
extern void inv_wait_for_database(Oid database);

#endif /* INV_LAUNCHER_H */
