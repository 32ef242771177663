#include "old.h"

/* LD_PRELOAD puts it before that of the library. */
const char *zelf_version(void) { return "0.0.9"; }
