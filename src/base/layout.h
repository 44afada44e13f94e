/*
 * layout.h
 *		Pins the layout of the structures that sessions share.
 *
 * Not all sessions need to have loaded the same build of the library.  So a change of a
 * shared structure has to be a decision, and the numbers given to these macros change
 * with it, and so does INV_SHMEM_LAYOUT (shmem/shmem.h).  They are those of a 64-bit
 * server; other servers are not checked.
 */
#ifndef INV_LAYOUT_H
#define INV_LAYOUT_H

#if SIZEOF_VOID_P == 8
#define INV_PIN_FIELD(type, field, offset)                                                         \
	StaticAssertDecl(offsetof(type, field) == (offset), #type "." #field " has moved")
#define INV_PIN_SIZE(type, size) StaticAssertDecl(sizeof(type) == (size), #type " has another size")
#else
#define INV_PIN_FIELD(type, field, offset) StaticAssertDecl(true, "")
#define INV_PIN_SIZE(type, size) StaticAssertDecl(true, "")
#endif

#endif /* INV_LAYOUT_H */
