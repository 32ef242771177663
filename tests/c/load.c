/* Loading has no side effects, a symbol works, and closing is safe. */
#include <dlfcn.h>

#include "check.h"

int main(int argc, char **argv)
{
    int files = entries("/proc/self/fd"), tasks = entries("/proc/self/task"), i;
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    const char *(*version)(void);

    PROMISE(library != NULL, "the library loads");
    PROMISE(entries("/proc/self/fd") == files && entries("/proc/self/task") == tasks,
            "loading starts no thread and opens no file");
    *(void **)&version = dlsym(library, "zelf_version");
    PROMISE(version && strcmp(version(), ZELF_VERSION) == 0, "a symbol is found and works");
    for (i = 0; i < 100; i++) {
        dlclose(library);
        library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    }
    PROMISE(library && dlclose(library) == 0, "it can be closed and loaded again");
    return check_failed;
}
