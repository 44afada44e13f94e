/*
 * signature.h
 *		What a generated function must look like.
 */
#ifndef INV_SIGNATURE_H
#define INV_SIGNATURE_H

#include "access/htup.h"
#include "fmgr.h"
#include "nodes/primnodes.h"

#include "store/binding.h"

#define INV_MAX_PARAMETERS 6

/* The letter of a text with an error or a result: the function raises none, not even about its store. */
#define INV_TYPE_ANSWER 'e'

/* An argument: its name without the prefix of the store, and the letter of its type. */
typedef struct InvParameter
{
	const char *name;
	char type;
} InvParameter;

/* A function of the engine that generated functions call. */
typedef struct InvEngineFunction
{
	const char *name;
	PGFunction function;
	bool writes;
	bool returns_set;
	char result;	   /* the letter of its type */
	bool takes_result; /* its last argument is a null of the type of the result */
	InvParameter parameters[INV_MAX_PARAMETERS];
} InvEngineFunction;

extern const InvEngineFunction *inv_find_engine_function(const char *name, size_t length);
extern void inv_check_signature(const InvEngineFunction *engine, HeapTuple tuple);
extern void inv_check_signature_of_store(const InvEngineFunction *engine, const FuncExpr *call,
										 const InvStore *store);

#endif /* INV_SIGNATURE_H */
