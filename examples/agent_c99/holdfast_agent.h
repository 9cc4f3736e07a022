/* A device for Holdfast in C99, written from docs/protocol.md: framing, token ring,
 * resume, ping, memory. Bring a model by filling in `hf_port`. No allocation, no libc
 * beyond <string.h> and <stdint.h>. Leaves out: upload, power, baud change. */
#ifndef HOLDFAST_AGENT_H
#define HOLDFAST_AGENT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HF_MAX_PAYLOAD 1024
#define HF_MAX_BODY (6 + HF_MAX_PAYLOAD + 4)
#define HF_MAX_ENCODED (HF_MAX_BODY + (HF_MAX_BODY + 253) / 254)
#define HF_RING 256
#define HF_NOT_KNOWN 0xffffffffu

typedef struct {
    void *self;
    uint32_t boot_id, clock_hz;
    uint8_t clock_bits;
    const char *board, *firmware;
    uint64_t (*ticks)(void *self);
    void (*send)(void *self, const uint8_t *bytes, size_t length);
    /* Takes a prompt; returns its tokens, 0 if it cannot. */
    uint16_t (*begin)(void *self, const uint8_t *prompt, size_t length, int ids, int add_bos);
    /* Evaluates the next prompt token; returns 0 once the prompt is done. */
    int (*prefill)(void *self);
    /* The next token; -1 at the end of the text, -2 when the context is full. */
    int32_t (*next)(void *self);
    /* The text of a token, up to 64 bytes; returns its length. */
    size_t (*piece)(void *self, uint32_t id, uint8_t *out);
    uint32_t static_bytes, ram_bytes, flash_bytes;
} hf_port;

typedef struct {
    const hf_port *port;
    uint8_t raw[HF_MAX_ENCODED];
    size_t raw_length;
    int overlong;
    uint16_t sequence;
    /* The running or last request. */
    int known, state; /* state: 0 ended, 1 prompt, 2 text */
    uint32_t request;
    uint16_t command, prompt_tokens, tokens, max_tokens, cursor;
    uint8_t ignore_eos, reason, end_sent;
    uint64_t start, prefilled, end, digest;
    uint32_t ring_id[HF_RING];
    uint64_t ring_ticks[HF_RING];
} hf_agent;

static uint32_t hf_crc32(const uint8_t *bytes, size_t length) {
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

static uint8_t *hf_put(uint8_t *at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) *at++ = (uint8_t)(value >> 8 * i);
    return at;
}

static uint64_t hf_get(const uint8_t *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static uint8_t *hf_put_text(uint8_t *at, const char *text) {
    size_t length = strlen(text);
    if (length > 255) length = 255;
    *at++ = (uint8_t)length;
    memcpy(at, text, length);
    return at + length;
}

static void hf_send(hf_agent *a, uint8_t kind, uint16_t to, const uint8_t *payload, size_t length) {
    uint8_t body[6 + 320 + 4], wire[sizeof body + 2 + 3], *at = body;
    at = hf_put(at, 1, 1);
    at = hf_put(at, kind, 1);
    at = hf_put(at, a->sequence++, 2);
    at = hf_put(at, to, 2);
    memcpy(at, payload, length);
    at = hf_put(at + length, hf_crc32(body, 6 + length), 4);
    /* COBS between two zeros. */
    size_t total = (size_t)(at - body), out = 2, code_at = 1;
    uint8_t code = 1;
    wire[0] = 0;
    for (size_t i = 0; i < total; i++) {
        if (body[i]) wire[out++] = body[i], code++;
        if (!body[i] || (code == 0xff && i + 1 < total)) {
            wire[code_at] = code;
            code_at = out++;
            code = 1;
        }
    }
    wire[code_at] = code;
    wire[out++] = 0;
    a->port->send(a->port->self, wire, out);
}

static void hf_error(hf_agent *a, uint16_t to, uint8_t code, uint32_t value, const char *text) {
    uint8_t payload[128], *at = hf_put(hf_put(payload, code, 1), value, 4);
    size_t length = strlen(text);
    memcpy(at, text, length);
    hf_send(a, 0x8f, to, payload, 5 + length);
}

static void hf_ack(hf_agent *a, uint16_t to, uint32_t value) {
    uint8_t payload[4];
    hf_put(payload, value, 4);
    hf_send(a, 0x8a, to, payload, 4);
}

static void hf_hello(hf_agent *a, uint16_t to) {
    const hf_port *p = a->port;
    uint8_t payload[320], *at = payload;
    at = hf_put(at, 1, 1);
    at = hf_put(at, p->clock_bits, 1);
    at = hf_put(at, p->boot_id, 4);
    at = hf_put(at, p->clock_hz, 4);
    at = hf_put(at, p->ram_bytes == HF_NOT_KNOWN ? 0 : p->ram_bytes, 4);
    at = hf_put(at, p->flash_bytes == HF_NOT_KNOWN ? 0 : p->flash_bytes, 4);
    at = hf_put(at, 0, 4);
    at = hf_put(at, HF_RING, 2);
    at = hf_put(at, 0, 1);
    at = hf_put_text(at, p->board);
    at = hf_put_text(at, p->firmware);
    hf_send(a, 0x81, to, payload, (size_t)(at - payload));
}

static void hf_boot(hf_agent *a, const hf_port *port) {
    memset(a, 0, sizeof *a);
    a->port = port;
    hf_hello(a, 0);
}

static void hf_finish(hf_agent *a, uint8_t reason) {
    a->state = 0;
    a->reason = reason;
    a->end = a->port->ticks(a->port->self);
}

static void hf_started(hf_agent *a, uint16_t to) {
    uint8_t payload[14];
    hf_put(hf_put(hf_put(payload, a->request, 4), a->start, 8), a->prompt_tokens, 2);
    hf_send(a, 0x83, to, payload, 14);
}

static void hf_generate(hf_agent *a, uint16_t to, const uint8_t *p, size_t n, uint64_t now) {
    uint32_t request = (uint32_t)hf_get(p, 4);
    if (a->known && a->request == request) { /* a repeated command starts nothing */
        a->end_sent = 0;
        hf_started(a, to);
        return;
    }
    if (a->known && a->state) {
        hf_error(a, to, 4, 0, "another request runs");
        return;
    }
    if (hf_get(p + 7, 2)) {
        hf_error(a, to, 11, (uint32_t)hf_get(p + 7, 2), "only temperature 0");
        return;
    }
    uint16_t tokens = a->port->begin(a->port->self, p + 13, n - 13, p[6] & 2, p[6] & 4);
    if (!tokens) {
        hf_error(a, to, 8, 0, "the prompt is empty or too long");
        return;
    }
    a->known = 1;
    a->state = 1;
    a->request = request;
    a->command = to;
    a->prompt_tokens = tokens;
    a->tokens = a->cursor = 0;
    a->max_tokens = (uint16_t)hf_get(p + 4, 2);
    a->ignore_eos = p[6] & 1;
    a->end_sent = 0;
    a->start = a->prefilled = a->end = now;
    a->digest = 0xcbf29ce484222325u;
    hf_started(a, to);
}

static void hf_command(hf_agent *a, uint8_t kind, uint16_t to, const uint8_t *p, size_t n) {
    static const uint8_t least[] = {0, 0, 8, 13, 4, 6, 0, 0, 8, 4, 36, 4, 0, 0, 0};
    const hf_port *port = a->port;
    uint64_t now = port->ticks(port->self);
    uint8_t payload[36], *at = payload;
    if (kind == 0 || kind >= sizeof least) {
        hf_error(a, to, 3, kind, "unknown command");
        return;
    }
    if (n < least[kind]) {
        hf_error(a, to, 1, 0, "the payload is too short");
        return;
    }
    uint32_t request = n >= 4 ? (uint32_t)hf_get(p, 4) : 0;
    int mine = a->known && a->request == request;
    switch (kind) {
    case 0x01: hf_hello(a, to); break;
    case 0x02:
        memcpy(at, p, 8);
        at = hf_put(at + 8, now, 8);
        at = hf_put(at, port->ticks(port->self), 8);
        at = hf_put(at, port->boot_id, 4);
        hf_send(a, 0x82, to, payload, 28);
        break;
    case 0x03: hf_generate(a, to, p, n, now); break;
    case 0x04:
        if (!mine) {
            hf_error(a, to, 10, request, "no such request");
            break;
        }
        if (a->state) hf_finish(a, 3);
        hf_ack(a, to, request);
        break;
    case 0x05: {
        uint16_t from = (uint16_t)hf_get(p + 4, 2);
        uint16_t oldest = a->tokens > HF_RING ? (uint16_t)(a->tokens - HF_RING) : 0;
        if (!mine)
            hf_error(a, to, 10, request, "no such request");
        else if (from < oldest)
            hf_error(a, to, 9, oldest, "those records were overwritten");
        else {
            a->cursor = from < a->tokens ? from : a->tokens;
            a->end_sent = 0;
            hf_ack(a, to, from);
        }
        break;
    }
    case 0x06:
        for (int i = 0; i < 9; i++) {
            uint32_t known[9] = {port->static_bytes, HF_NOT_KNOWN, HF_NOT_KNOWN, HF_NOT_KNOWN,
                                 HF_NOT_KNOWN,       HF_NOT_KNOWN, HF_NOT_KNOWN, port->ram_bytes,
                                 port->flash_bytes};
            at = hf_put(at, known[i], 4);
        }
        hf_send(a, 0x86, to, payload, 36);
        break;
    default: hf_error(a, to, 11, kind, "not in this device");
    }
}

/* Bytes from the wire. */
static void hf_receive(hf_agent *a, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '%' && a->raw_length == 4 && !memcmp(a->raw, "name", 4)) {
            static const char text[] = "m-name-dut-[holdfast c99]\r\nm-ready\r\n";
            a->raw_length = 0;
            a->port->send(a->port->self, (const uint8_t *)text, sizeof text - 1);
            continue;
        }
        if (bytes[i]) {
            if (a->raw_length < sizeof a->raw) a->raw[a->raw_length++] = bytes[i];
            else a->overlong = 1;
            continue;
        }
        size_t from = 0, to = 0, used = a->raw_length;
        int sound = !a->overlong && used > 0;
        uint8_t *b = a->raw;
        a->raw_length = 0;
        a->overlong = 0;
        while (sound && from < used) {
            size_t code = b[from], end = from + code;
            if (end > used) {
                sound = 0;
                break;
            }
            memmove(b + to, b + from + 1, code - 1);
            to += code - 1;
            from = end;
            if (code < 0xff && from < used) b[to++] = 0;
        }
        if (!sound || to < 10 || hf_crc32(b, to - 4) != hf_get(b + to - 4, 4)) continue;
        if (b[0] != 1) hf_error(a, 0, 2, b[0], "speak version 1");
        else hf_command(a, b[1], (uint16_t)hf_get(b + 2, 2), b + 6, to - 10);
    }
}

/* Sends one record or evaluates one token; 0 if there is nothing to do. */
static int hf_step(hf_agent *a) {
    const hf_port *port = a->port;
    uint8_t payload[96], *at = payload;
    if (!a->known) return 0;
    if (a->cursor < a->tokens) {
        uint16_t index = a->cursor++;
        uint32_t id = a->ring_id[index % HF_RING];
        at = hf_put(at, a->request, 4);
        at = hf_put(at, index, 2);
        at = hf_put(at, id, 4);
        at = hf_put(at, a->ring_ticks[index % HF_RING], 8);
        at += port->piece(port->self, id, at);
        hf_send(a, 0x84, a->command, payload, (size_t)(at - payload));
        return 1;
    }
    if (!a->state) {
        if (a->end_sent) return 0;
        a->end_sent = 1;
        at = hf_put(at, a->request, 4);
        at = hf_put(at, a->reason, 1);
        at = hf_put(at, a->prompt_tokens, 2);
        at = hf_put(at, a->tokens, 2);
        at = hf_put(at, a->start, 8);
        at = hf_put(at, a->prefilled, 8);
        at = hf_put(at, a->end, 8);
        at = hf_put(at, a->digest, 8);
        at = hf_put(hf_put(at, ~(uint64_t)0, 8), ~(uint64_t)0, 8);
        hf_send(a, 0x85, a->command, payload, (size_t)(at - payload));
        return 1;
    }
    if (a->state == 1) {
        if (port->prefill(port->self)) return 1;
        a->prefilled = port->ticks(port->self);
        a->state = 2;
        if (!a->max_tokens) hf_finish(a, 0);
        return 1;
    }
    int32_t id = port->next(port->self);
    if (id == -2) hf_finish(a, 2);
    else if (id == -1 && !a->ignore_eos) hf_finish(a, 1);
    else {
        a->ring_id[a->tokens % HF_RING] = (uint32_t)id;
        a->ring_ticks[a->tokens % HF_RING] = port->ticks(port->self);
        a->tokens++;
        for (int i = 0; i < 4; i++)
            a->digest = (a->digest ^ (uint8_t)((uint32_t)id >> 8 * i)) * 0x100000001b3u;
        if (a->tokens == a->max_tokens) hf_finish(a, 0);
    }
    return 1;
}

#endif
