#include "postgres.h"

#include "base/guc.h"

int inv_rows = 1;
