/* A program with another zelf_version, as one has that carries a copy of the
   library itself. The argument: a plug-in. Says whose version that one gets. */
#include <dlfcn.h>
#include <stdio.h>

const char *zelf_version(void);
const char *zelf_version(void) { return "the host's"; }

int main(int count, char **arguments)
{
    const char *(*version)(void) = NULL;
    void *plugin = count > 1 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    if (plugin) *(void **)&version = dlsym(plugin, "plugin_version");
    puts(version ? version() : "none");
    return 0;
}
