/* A plug-in that contains the library. */
#include <zelf.h>

const char *plugin_version(void);
const char *plugin_version(void) { return zelf_version(); }
