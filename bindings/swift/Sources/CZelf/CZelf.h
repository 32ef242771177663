#include <zelf.h>
