/*
 * settings.h
 *		Settings of the session: those on which the value of an expression can depend, and
 *		how settings are changed.
 */
#ifndef INV_SETTINGS_H
#define INV_SETTINGS_H

#include "nodes/pg_list.h"
#include "utils/guc.h"

extern void inv_set_setting(const char *name, const char *value, GucAction action);

typedef struct InvSettings InvSettings;

extern const char *inv_settings_read(List *recorded, InvSettings **settings);
extern bool inv_settings_equal(const InvSettings *a, const InvSettings *b);
extern bool inv_settings_are_current(const InvSettings *settings);
extern int inv_settings_enter(const InvSettings *settings);

#endif /* INV_SETTINGS_H */
