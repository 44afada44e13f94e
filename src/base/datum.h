/*
 * datum.h
 *		Values of any type as text, and the base types of types.
 */
#ifndef INV_DATUM_H
#define INV_DATUM_H

#include "utils/jsonb.h"

extern Oid inv_base_type(Oid type);
extern char *inv_datum_text(Oid type, Datum value);
extern Datum inv_from_text(Oid type, char *string);
extern char *inv_json_text(const JsonbValue *value);

#endif /* INV_DATUM_H */
