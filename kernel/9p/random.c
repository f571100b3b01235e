/*
 * random.c - numbers that nobody can guess.
 *
 * The generator is ChaCha20's block function (RFC 8439, 2.3) under a key that
 * is replaced by each request, so that who reads the kernel's memory later
 * learns nothing of earlier answers.  The key comes from RDRAND where there
 * is one, and from the clock at each request; on a machine without RDRAND,
 * or one that counts instructions for a clock, it can be guessed.
 */
#include "9p/9p.h"
#include "boot/x86_64/x86.h"

enum {
    WORDS = 16,
    KEY_WORDS = 8,
    BLOCK = WORDS * sizeof(uint32_t)
};

static struct {
    struct spinlock lock;
    uint32_t key[KEY_WORDS];
    bool seeded;
} pool = { .lock = SPINLOCK_INIT(RANK_DEVICE, "random") };

static uint32_t
rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

/* RFC 8439, 2.1: the quarter round. */
static void
quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b, *d = rotate(*d ^ *a, 16);
    *c += *d, *b = rotate(*b ^ *c, 12);
    *a += *b, *d = rotate(*d ^ *a, 8);
    *c += *d, *b = rotate(*b ^ *c, 7);
}

void
chacha20_block(
        const uint32_t key[8], const uint32_t counter[4], uint32_t out[16])
{
    uint32_t in[WORDS] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };

    memcpy(in + 4, key, KEY_WORDS * sizeof in[0]);
    memcpy(in + 12, counter, 4 * sizeof in[0]);
    memcpy(out, in, sizeof in);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++)
            quarter(&out[i], &out[4 + i], &out[8 + i], &out[12 + i]);
        for (int i = 0; i < 4; i++)
            quarter(&out[i], &out[4 + (i + 1) % 4], &out[8 + (i + 2) % 4],
                    &out[12 + (i + 3) % 4]);
    }
    for (int i = 0; i < WORDS; i++)
        out[i] += in[i];
}

/* First use: a key.  Caller holds the lock. */
static void
seed(void)
{
    for (int i = 0; i < KEY_WORDS; i += 2) {
        uint64_t r = cpu_random() ^ rdtsc();

        pool.key[i] = (uint32_t)r;
        pool.key[i + 1] = (uint32_t)(r >> 32);
    }
    pool.seeded = true;
}

/* A key for one request; the pool's own becomes another. */
static void
take_key(uint32_t key[KEY_WORDS])
{
    uint32_t out[WORDS], now[4] = { 0 };
    uint64_t tsc = rdtsc();

    spin_lock(&pool.lock);
    if (!pool.seeded)
        seed();
    memcpy(now, &tsc, sizeof tsc);
    chacha20_block(pool.key, now, out);
    memcpy(pool.key, out, sizeof pool.key);
    spin_unlock(&pool.lock);
    memcpy(key, out + KEY_WORDS, KEY_WORDS * sizeof out[0]);
}

int64_t
random_put(struct io *to)
{
    uint32_t key[KEY_WORDS], counter[4] = { 0 }, out[WORDS];
    int64_t done = 0;

    take_key(key);
    while (to->left > 0) {
        size_t n = to->left < BLOCK ? to->left : BLOCK;
        int err;

        chacha20_block(key, counter, out);
        counter[0]++;
        err = io_put(to, out, n);
        if (err < 0)
            return err;
        done += (int64_t)n;
    }
    return done;
}
