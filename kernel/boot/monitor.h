/*
 * monitor.h - between monitor.c, its commands and its tests; for this folder
 * only.
 */
#pragma once

#include "boot/boot.h"

/* Cut line at its blanks into at most max words; returns how many. */
int monitor_split(char *line, char **words, int max);

/* Run one line, which is cut up on the way; an unknown command is told. */
void monitor_run(char *line);

/* The command that lists all. */
void monitor_help(int argc, char **argv);

/* Add the commands of stage 1 (monitor_boot.c). */
void monitor_boot_init(void);
