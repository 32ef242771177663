/* Removes the files that the library has left in a folder of the test. */
#ifndef FOLDER_H
#define FOLDER_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Removes the files and the empty folders in a folder. */
static inline void empty_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.') continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
    }
    if (dir) closedir(dir);
}

static inline void remove_folder(const char *folder)
{
    chmod(folder, 0700);
    empty_folder(folder);
    rmdir(folder);
}
#endif
