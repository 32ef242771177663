/* The identifier of one thread, or of one call in flight: each is another
   device, because equal calls share one request. */
#ifndef IDENTIFIER_H
#define IDENTIFIER_H

#include <stdio.h>

#define IDENTIFIER_SIZE 33

static inline void name_identifier(char into[IDENTIFIER_SIZE], int number)
{
    snprintf(into, IDENTIFIER_SIZE, "5f0c6a3e8d2b4c719e6a0b1c2d3e4f%02x", (unsigned)number & 255);
}

#endif
