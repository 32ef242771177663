/* ProcessPrng for Wine 8, which has no bcryptprimitives.dll. Windows has it since Windows 10. It is
   for the tests only. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(void *bytes, ULONG count);

__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *bytes, SIZE_T count)
{
    return SystemFunction036(bytes, (ULONG)count);
}
