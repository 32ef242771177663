/* Two static libraries written in Rust in one program. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zelf.h>

bool second_library_works(void);

int main(void)
{
    char identifier[ZELF_IDENTIFIER_SIZE];
    bool fine = second_library_works() && zelf_identifier_random(identifier, sizeof identifier) == ZELF_OK
                && strlen(identifier) == 32 && second_library_works();
    puts(fine ? "fine" : "not fine");
    return fine ? 0 : 1;
}
