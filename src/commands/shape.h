/*
 * shape.h
 *		JSON arguments that do not have the expected shape.
 */
#ifndef INV_SHAPE_H
#define INV_SHAPE_H

#include "utils/jsonb.h"

#include "store/binding.h"

#define INV_LINE_HINT "A line is an object such as {\"item_id\": 42, \"quantity\": 2}."

extern bool inv_is_key(const JsonbValue *key, const char *name);
extern bool inv_next_member(JsonbIterator **iterator, JsonbValue *key, JsonbValue *value);
extern JsonbValue *inv_json_member(JsonbContainer *object, const char *name);
extern JsonbContainer *inv_json_object(const JsonbValue *value);
extern void inv_check_lines(Jsonb *lines);
extern JsonbContainer *inv_line_object(const JsonbValue *line);
extern void inv_check_order_data(Jsonb *order_data);
extern const char *inv_meant_column(const InvColumnList *list, const char *key);
extern const char *inv_meant_key(const InvStore *store, const char *key, bool is_line);

#endif /* INV_SHAPE_H */
