#include "middle.h"
#include <zelf.h>

const char *middle_version(void) { return zelf_version(); }
