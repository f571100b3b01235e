/*
 * rename.h - other names for what the user library and the host's C library
 * both define, so that one program can hold and compare both.  Included
 * before lib/lux.h, and on the command line for the library's own sources.
 */
#pragma once

#define memset   lux_memset
#define memcpy   lux_memcpy
#define memmove  lux_memmove
#define memcmp   lux_memcmp
#define memchr   lux_memchr
#define strlen   lux_strlen
#define strnlen  lux_strnlen
#define strcmp   lux_strcmp
#define strncmp  lux_strncmp
#define strchr   lux_strchr
#define strrchr  lux_strrchr
#define strstr   lux_strstr
#define strspn   lux_strspn
#define strcspn  lux_strcspn
#define strcpy   lux_strcpy
#define strcat   lux_strcat
#define strlcpy  lux_strlcpy
#define strlcat  lux_strlcat
#define strdup   lux_strdup
#define isdigit  lux_isdigit
#define isxdigit lux_isxdigit
#define isalpha  lux_isalpha
#define isalnum  lux_isalnum
#define isspace  lux_isspace
#define isupper  lux_isupper
#define islower  lux_islower
#define isprint  lux_isprint
#define ispunct  lux_ispunct
#define iscntrl  lux_iscntrl
#define toupper  lux_toupper
#define tolower  lux_tolower
#define strtol   lux_strtol
#define strtoul  lux_strtoul
#define strtoll  lux_strtoll
#define strtoull lux_strtoull
#define atoi     lux_atoi
#define atol     lux_atol
#define abs      lux_abs
#define labs     lux_labs
#define malloc   lux_malloc
#define calloc   lux_calloc
#define realloc  lux_realloc
#define free     lux_free
#define qsort    lux_qsort
#define bsearch  lux_bsearch
#define atexit   lux_atexit
#define fork     lux_fork
#define wait     lux_wait
#define getpid   lux_getpid
#define sleep    lux_sleep
#define alarm    lux_alarm
#define brk      lux_brk
#define setjmp   lux_setjmp
#define longjmp  lux_longjmp
#define jmp_buf  lux_jmp_buf

/* names of lux/sys.h that stdio.h has as macros */
#undef SEEK_SET
#undef SEEK_CUR
#undef SEEK_END
