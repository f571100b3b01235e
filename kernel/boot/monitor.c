#include "boot/boot.h"
void
monitor(void)
{
    for (;;)
        __asm__ volatile("hlt");
}
