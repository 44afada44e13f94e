#ifndef INV_TAKE_H
#define INV_TAKE_H

#define INV_TAKE_ROWS 5

extern int inv_take(int rows);

#endif
