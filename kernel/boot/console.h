/*
 * console.h - the devices behind console.c, for files of this folder only.
 */
#pragma once

#include "boot/boot.h"

/* ---- serial.c ---- */

void serial_init(void);
void serial_write(const char *s, size_t len);
int serial_poll(void);
void serial_enable_interrupt(void);

/* ---- console.c ---- */

enum {
    CONSOLE_LOG_SIZE = 16384
};

extern char console_log[CONSOLE_LOG_SIZE]; /* ring of recent output */
extern uint64_t console_log_end; /* bytes ever written; next at % SIZE */
