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

/* ---- screen.c ---- */

void screen_init(void); /* needs bootinfo.fb */
void screen_write(const char *s, size_t len);

/* ---- keyboard.c ---- */

void keyboard_init(void);
int keyboard_poll(void);              /* next character, or -1 */
int keyboard_key(uint8_t scan);       /* what a scan code types, or -1 */
void keyboard_enable_interrupt(void); /* ISA interrupt 1 */
