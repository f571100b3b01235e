#include "boot/boot.h"
void
acpi_power_off(void)
{
}
void
acpi_reboot(void)
{
}
