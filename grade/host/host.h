/*
 * host.h - tests of code that also runs on the host, under ASan and UBSan.
 *
 * The comment that begins a test file names the sources to link, in lines
 * `sources: path ...`; `make host-tests` does so.  TEST(name) { } is a test;
 * it gets a seed.  A failed check says where and with which values, and the
 * test goes on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef void test_fn(uint64_t seed);

struct test {
    const char *name;
    test_fn *fn;
    struct test *next;
};

void test_add(struct test *t);
void check_failed(const char *file, int line, const char *what);

#define TEST(name_)                                                            \
    static test_fn test_##name_;                                               \
    __attribute__((constructor)) static void add_##name_(void)                 \
    {                                                                          \
        static struct test t = { .name = #name_, .fn = test_##name_ };         \
                                                                               \
        test_add(&t);                                                          \
    }                                                                          \
    static void test_##name_([[maybe_unused]] uint64_t seed)

#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))

#define CHECK_EQ(got, want)                                                    \
    do {                                                                       \
        long long got_ = (long long)(got), want_ = (long long)(want);          \
        char text_[256];                                                       \
                                                                               \
        if (got_ != want_) {                                                   \
            snprintf(text_, sizeof(text_), "%s: got %lld (0x%llx), want %lld", \
                    #got " == " #want, got_, got_, want_);                     \
            check_failed(__FILE__, __LINE__, text_);                           \
        }                                                                      \
    } while (0)
