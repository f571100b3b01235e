/*
 * test_9p_random.c - the generator behind /dev/random.
 */
#include "9p/9p.h"

/* ChaCha20's block function gives the words of RFC 8439, 2.3.2. */
KTEST(chacha20)
{
    static const uint32_t want[16] = { 0xe4e7f110, 0x15593bd1, 0x1fdd0f50,
        0xc47120a3, 0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3, 0x466482d2,
        0x09aa9f07, 0x05d7c214, 0xa2028bd9, 0xd19c12b5, 0xb94e16de, 0xe883d0cb,
        0x4e3c50a2 };
    const uint32_t counter[4] = { 1, 0x09000000, 0x4a000000, 0 };
    uint8_t bytes[32];
    uint32_t key[8], out[16];

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    memcpy(key, bytes, sizeof key);
    chacha20_block(key, counter, out);
    for (unsigned i = 0; i < ARRAY_LEN(want); i++)
        CHECK_EQ(out[i], want[i]);
}

/* Any number of bytes is filled, to the last and not beyond. */
KTEST(random_lengths)
{
    uint8_t buf[200];

    for (size_t n = 0; n < 150; n++) {
        struct io to = io_kernel(buf, n);
        unsigned zeros = 0;

        memset(buf, 0, sizeof buf);
        CHECK_EQ(random_put(&to), n);
        CHECK_EQ(to.left, 0);
        for (size_t i = 0; i < n; i++)
            zeros += buf[i] == 0;
        CHECK_LE(zeros, 8);
        for (size_t i = n; i < sizeof buf; i++)
            CHECK_EQ(buf[i], 0);
    }
}
