/* The C99 device on standard input and output; tests/device/test_c99.py drives it.
 *     cc -std=c99 -Wall -Wextra -o agent main.c
 * Its "model" counts words: the next token is the last one plus one, 26 letters in all.
 * The clock has 32 bits on purpose, as many microcontrollers have. */
#define _POSIX_C_SOURCE 199309L
#include "holdfast_agent.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define CONTEXT 600

struct letters {
    uint32_t last;
    unsigned position, left;
};

static uint64_t ticks(void *self) {
    struct timespec now;
    (void)self;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
}

static void send_bytes(void *self, const uint8_t *bytes, size_t length) {
    (void)self;
    fwrite(bytes, 1, length, stdout);
    fflush(stdout);
}

static uint16_t begin(void *self, const uint8_t *prompt, size_t length, int ids, int add_bos) {
    struct letters *l = self;
    size_t tokens = (ids ? length / 4 : length) + (add_bos ? 1 : 0);
    if (!length || tokens > CONTEXT) return 0;
    l->last = (ids ? prompt[length / 4 * 4 - 4] : prompt[length - 1]) % 26u;
    l->position = (unsigned)tokens;
    l->left = (unsigned)tokens;
    return (uint16_t)tokens;
}

static int prefill(void *self) {
    struct letters *l = self;
    return --l->left > 0;
}

static int32_t next(void *self) {
    struct letters *l = self;
    if (l->position++ >= CONTEXT) return -2;
    l->last = (l->last + 1) % 26u;
    return (int32_t)l->last;
}

static size_t piece(void *self, uint32_t id, uint8_t *out) {
    (void)self;
    out[0] = (uint8_t)('a' + id % 26u);
    return 1;
}

int main(void) {
    static hf_agent agent;
    static struct letters letters;
    uint8_t bytes[256];
    hf_port port = {&letters,   (uint32_t)getpid() ^ (uint32_t)time(NULL), 1000000, 32, "c99-letters",
                    "holdfast-agent-c99 1", ticks, send_bytes, begin, prefill, next, piece,
                    (uint32_t)sizeof agent, HF_NOT_KNOWN, HF_NOT_KNOWN};
    ssize_t length;
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    hf_boot(&agent, &port);
    while ((length = read(0, bytes, sizeof bytes)) > 0) {
        hf_receive(&agent, bytes, (size_t)length);
        while (hf_step(&agent)) {
        }
    }
    return 0;
}
