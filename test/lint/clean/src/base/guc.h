/* A setting. */
#ifndef INV_GUC_H
#define INV_GUC_H

extern int inv_rows;

#endif
