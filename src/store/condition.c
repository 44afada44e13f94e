/*
 * condition.c
 *		The condition on what is for sale, from its view to SQL.
 *
 * attach keeps the condition as the view "sellable" of the ledger, because a view
 * follows renames.  Here it becomes a text over "items AS i", which the statements of
 * query_text.c contain.
 *
 * No setting of a caller changes what it means or what it yields.  It runs under the
 * settings that attach recorded, unless it only compares columns.  And its text has
 * a parameter for each constant whose text some setting changes, such as a time: a text
 * is read again whenever the server invalidates a plan, under the settings of that call.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_class.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/datum.h"
#include "base/error.h"
#include "base/settings.h"
#include "base/store_error.h"
#include "store/condition.h"

/*
 * The condition of the ledger's view "sellable" over items.  The view must have
 * the shape that attach gave it: SELECT ... FROM items WHERE condition.
 */
static Node *
sellable_condition(const char *store_name, Oid items, Relation view)
{
	Query *query;
	RangeTblRef *from;
	Node *condition;

	if (view->rd_rel->relkind != RELKIND_VIEW || view->rd_rules == NULL)
		inv_error_broken_store(store_name, items,
							   "The relation \"sellable\" of its ledger is not a view.");
	query = copyObject(get_view_query(view));
	condition = query->jointree->quals;
	if (list_length(query->jointree->fromlist) != 1 ||
		!IsA(linitial(query->jointree->fromlist), RangeTblRef) || condition == NULL)
		inv_error_broken_store(store_name, items,
							   "The view \"sellable\" is not the generated one.");
	from = linitial_node(RangeTblRef, query->jointree->fromlist);
	if (rt_fetch(from->rtindex, query->rtable)->relid != items)
		inv_error_broken_store(store_name, items,
							   "The view \"sellable\" is not on the items table.");
	ChangeVarNodes(condition, from->rtindex, 1, 0);
	return condition;
}

/* ---- constants ---- */

/* Does a constant have one text, whatever the settings are under which it is written and read? */
static bool
has_one_text(const Const *constant)
{
	if (constant->constisnull || get_typtype(constant->consttype) == TYPTYPE_PSEUDO)
		return true;
	switch (constant->consttype)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case NUMERICOID:
		case UUIDOID:
			return true;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case JSONBOID:
		case JSONPATHOID:
			/* standard_conforming_strings */
			return strchr(inv_datum_text(constant->consttype, constant->constvalue), '\\') == NULL;
		default:
			return false;
	}
}

/* Put a parameter in the place of each constant that needs one, and note its value. */
static Node *
replace_constants(Node *node, void *context)
{
	InvCondition *condition = context;
	const Const *constant = (const Const *) node;
	Param *parameter;
	int number;

	if (node == NULL)
		return NULL;
	if (IsA(node, Query))
		return (Node *) query_tree_mutator((Query *) node, replace_constants, context, 0);
	if (!IsA(node, Const) || has_one_text(constant))
		return expression_tree_mutator(node, replace_constants, context);
	number = condition->constant_count++;
	condition->constant_types =
		repalloc(condition->constant_types, sizeof(Oid) * condition->constant_count);
	condition->constants =
		repalloc(condition->constants, sizeof(Datum) * condition->constant_count);
	condition->constant_types[number] = constant->consttype;
	condition->constants[number] =
		datumCopy(constant->constvalue, constant->constbyval, constant->constlen);
	parameter = makeNode(Param);
	parameter->paramkind = PARAM_EXTERN;
	parameter->paramid = INV_FIRST_CONSTANT + number;
	parameter->paramtype = constant->consttype;
	parameter->paramtypmod = -1;
	parameter->paramcollid = constant->constcollid;
	parameter->location = -1;
	return (Node *) parameter;
}

/* ---- the text ---- */

/* A condition over items as SQL over "items AS i", with every name qualified. */
static char *
deparse_condition(Oid items, Node *condition)
{
	/* a name is printed without its schema only if search_path finds it */
	int nest = NewGUCNestLevel();
	char *text;

	inv_set_setting("search_path", "pg_catalog, pg_temp", GUC_ACTION_SAVE);
	text = deparse_expression(condition, deparse_context_for("i", items), true, false);
	AtEOXact_GUC(true, nest);
	return text;
}

/* ---- conditions ---- */

/* Does the session have the settings under which the condition, which may be null, runs? */
bool
inv_condition_settings_are_current(const InvCondition *condition)
{
	return condition == NULL || condition->settings == NULL ||
		   inv_settings_are_current(condition->settings);
}

/* The columns of the items row that a condition reads, also from its subqueries. */
static Bitmapset *
columns_read(Node *condition)
{
	Bitmapset *columns = NULL;
	ListCell *cell;

	foreach (cell, pull_vars_of_level(condition, 0))
		columns = bms_add_member(columns, lfirst_node(Var, cell)->varattno -
											  FirstLowInvalidHeapAttributeNumber);
	return columns;
}

/* The language of a function; InvalidOid if there is none. */
static Oid
language_of(Oid function)
{
	HeapTuple procedure = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid language;

	if (!HeapTupleIsValid(procedure))
		return InvalidOid;
	language = ((Form_pg_proc) GETSTRUCT(procedure))->prolang;
	ReleaseSysCache(procedure);
	return language;
}

/* Is it not a function of the server's own, in C? */
static bool
is_not_internal(Oid function, void *context pg_attribute_unused())
{
	return language_of(function) != INTERNALlanguageId;
}

/* Can its body call functions that are replaced, although neither it nor the view changes? */
static bool
can_call_others(Oid function, void *context pg_attribute_unused())
{
	Oid language = language_of(function);

	return language != INTERNALlanguageId && language != ClanguageId;
}

/*
 * Does an expression depend on more than its columns in a way that its functions do not tell?
 * XML functions convert values under the settings, the check of a domain can be anything, and
 * the body of a function can call others.
 */
static bool
is_mutable_node(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, XmlExpr) || IsA(node, CoerceToDomain) ||
		check_functions_in_node(node, can_call_others, context))
		return true;
	return expression_tree_walker(node, is_mutable_node, context);
}

/*
 * Could a setting change the value of an expression?  Not if it has nothing but columns,
 * constants and operators of the server.  Functions that are marked as immutable can: the
 * body of one is read under the settings, and several convert values to text by them.
 */
static bool
may_depend_on_settings(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_Var:
		case T_Const:
		case T_List:
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_CaseExpr:
		case T_CaseWhen:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_RelabelType:
			break;
		case T_OpExpr:
		case T_DistinctExpr:
		case T_ScalarArrayOpExpr:
			if (check_functions_in_node(node, is_not_internal, context))
				return true;
			break;
		default:
			return true;
	}
	return expression_tree_walker(node, may_depend_on_settings, context);
}

/* Read the settings that attach recorded, in the current memory context. */
InvSettings *
inv_recorded_settings(const char *store_name, Oid items, List *recorded)
{
	InvSettings *settings;
	const char *unknown = inv_settings_read(recorded, &settings);

	if (unknown)
		inv_error_broken_store(
			store_name, items,
			psprintf("It was attached with a value of \"%s\" that this server does not know. "
					 "Detach it, and attach it again.",
					 unknown));
	return settings;
}

/* Read the condition of a view, in the current memory context. */
InvCondition *
inv_condition_read(const char *store_name, Oid items, Oid view, List *settings)
{
	InvCondition *condition = palloc0(sizeof(InvCondition));
	Relation relation;
	Node *quals;

	if (!OidIsValid(view))
		inv_error_broken_store(store_name, items, "The view \"sellable\" of its ledger is gone.");
	relation = relation_open(view, AccessShareLock);
	quals = sellable_condition(store_name, items, relation);
	relation_close(relation, NoLock);
	condition->expression = copyObject(quals);
	condition->columns = columns_read(quals);
	condition->is_volatile =
		contain_mutable_functions(quals) || contain_subplans(quals) || is_mutable_node(quals, NULL);
	if (condition->is_volatile || may_depend_on_settings(quals, NULL))
		condition->settings = inv_recorded_settings(store_name, items, settings);
	condition->constant_types = palloc(sizeof(Oid));
	condition->constants = palloc(sizeof(Datum));
	quals = replace_constants(quals, condition);
	condition->text = deparse_condition(items, quals);
	return condition;
}
