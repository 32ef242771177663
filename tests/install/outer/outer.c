/* Prints the version that the library in the middle gets. */
#include <middle.h>
#include <stdio.h>

int main(void)
{
    return puts(middle_version()) == EOF;
}
