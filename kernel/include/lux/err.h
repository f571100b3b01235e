/*
 * err.h - error numbers and their strings, generated from err.def and
 * err9p.def.
 */
#pragma once

enum err {
#define ERR(name, number, string) name = number,
#include <lux/err.def>
#undef ERR
};

/*
 * The string for an error number (positive, or negative as calls return it).
 * "unknown error" for a number that err.def lacks.  Never NULL.
 */
static inline const char *
err_string(int number)
{
    switch (number < 0 ? -number : number) {
#define ERR(name, number, string)                                              \
    case number:                                                               \
        return string;
#include <lux/err.def>
#undef ERR
    default: return "unknown error";
    }
}

/* The text for it in an Rerror: err9p.def's, or else err.def's. */
static inline const char *
err_wire(int number)
{
    switch (number < 0 ? -number : number) {
#define WIRE(name, string)                                                     \
    case name:                                                                 \
        return string;
#include <lux/err9p.def>
#undef WIRE
    default: return err_string(number);
    }
}
