/*
 * rtc.c - the PC's battery clock (Motorola MC146818A data sheet): seconds
 * since 1970 when somebody asks for the first time.
 */
#include "9p/9p.h"
#include "boot/x86_64/x86.h"

enum {
    CMOS_INDEX = 0x70,
    CMOS_DATA = 0x71,
    REG_A = 0x0a, /* bit 7: an update is on its way */
    REG_B = 0x0b, /* bit 1: 24 hours; bit 2: binary, not BCD */
    REG_COUNT = 6,
    TRIES = 100000, /* an update takes 2 ms: some 1000 reads */
};

static const uint8_t registers[REG_COUNT] = { 0, 2, 4, 7, 8, 9 };
enum {
    SECOND,
    MINUTE,
    HOUR,
    DAY,
    MONTH,
    YEAR
};

static uint8_t
cmos(uint8_t reg)
{
    outb(CMOS_INDEX, reg);
    return inb(CMOS_DATA);
}

/* The registers as they stand between two updates. */
static void
read_registers(uint8_t t[REG_COUNT])
{
    for (int tries = 0; tries < TRIES && (cmos(REG_A) & 0x80); tries++)
        ;
    for (int i = 0; i < REG_COUNT; i++)
        t[i] = cmos(registers[i]);
}

static uint8_t
from_bcd(uint8_t v)
{
    return (uint8_t)((v >> 4) * 10 + (v & 15));
}

/* Days from 1970-01-01 to a day of the Gregorian calendar; years begin in
 * March, so that the leap day is the last. */
static uint64_t
days_since_1970(unsigned year, unsigned month, unsigned day)
{
    unsigned y = month > 2 ? year : year - 1;
    unsigned m = month > 2 ? month - 3 : month + 9;

    return 365ul * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 -
           719468;
}

/* 12-hour clocks: bit 7 is p.m., and 12 is 0. */
static uint8_t
hour_of(uint8_t hour, uint8_t format)
{
    bool pm = hour & 0x80;

    hour &= 0x7f;
    if (!(format & 4))
        hour = from_bcd(hour);
    if (!(format & 2))
        hour = (uint8_t)(hour % 12 + (pm ? 12 : 0));
    return hour;
}

uint64_t
rtc_seconds(void)
{
    uint8_t t[REG_COUNT], again[REG_COUNT], format = cmos(REG_B);

    read_registers(t);
    for (int tries = 0; tries < 10; tries++) {
        read_registers(again);
        if (memcmp(t, again, sizeof t) == 0)
            break;
        memcpy(t, again, sizeof t);
    }
    t[HOUR] = hour_of(t[HOUR], format);
    for (int i = 0; i < REG_COUNT; i++)
        if (i != HOUR && !(format & 4))
            t[i] = from_bcd(t[i]);
    return days_since_1970(2000u + t[YEAR], t[MONTH], t[DAY]) * 86400 +
           t[HOUR] * 3600ul + t[MINUTE] * 60ul + t[SECOND];
}
