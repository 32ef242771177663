/* A program that defines another zelf_version, like one that contains a copy of the library.
   Argument: a plug-in. Prints which version the plug-in gets. */
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
