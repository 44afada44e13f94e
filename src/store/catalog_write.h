/*
 * catalog_write.h
 *		Who may write which rows into inventory.store.
 */
#ifndef INV_CATALOG_WRITE_H
#define INV_CATALOG_WRITE_H

extern void inv_catalog_write_init(void);
extern void inv_catalog_note_deleted(Oid items);

#endif /* INV_CATALOG_WRITE_H */
