/* Test program: prints every field that the C parser finds in messages (files) and in mutations of them, so that the
 * plugin's Lua parser can be held against it: see plugin_core_test.py.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * usage: smc_print_fields MUTATIONS FILE…
 * A message is: "message HEX", a line a field "layout.field index offset value", then "accepted" or "refused". */
#include "wire/message.h"
#include "wire/mutate.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 8192 };

static void print_hex(struct smc_view bytes)
{
    for (const uint8_t *p = bytes.p; p < bytes.end; p++)
        printf("%02x", (unsigned)*p);
}

static void print_field(void *ctx, const struct smc_walk *w)
{
    (void)ctx;
    printf("%s.%s %u %zu ", w->layout->name, w->f->name, w->index, w->offset);
    if (w->f->kind == SMC_BYTES)
        print_hex(w->bytes);
    else if (w->f->size == 8)
        printf("%016" PRIx64, w->value);
    else
        printf("%" PRIu64, w->value);
    putchar('\n');
}

static void print_message(const uint8_t *data, size_t size)
{
    struct smc_view bytes = smc_view_of(data, size);
    struct smc_parsed parsed;
    struct smc_reject why;
    bool clc = size > 0 && data[0] == 0xe2; /* an eyecatcher */
    const struct smc_message *message = smc_message_find(clc ? smc_clc_messages : smc_llc_messages, bytes);
    if (!message)
        return;
    printf("message ");
    print_hex(bytes);
    printf("\n%s\n", message->name);
    bool ok = smc_message_parse(message, bytes, &parsed, &why);
    smc_message_walk(&parsed, print_field, NULL);
    printf("%s\n", ok ? "accepted" : "refused");
}

int main(int argc, char **argv)
{
    static uint8_t data[ROOM], changed[ROOM];
    unsigned long mutations = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) {
            perror(argv[i]);
            return EXIT_FAILURE;
        }
        size_t size = fread(data, 1, sizeof data, file);
        fclose(file);
        print_message(data, size);
        for (unsigned long k = 0; k < mutations; k++) {
            memcpy(changed, data, size);
            print_message(changed, smc_mutate(changed, size, sizeof changed, k));
        }
    }
    return fflush(stdout) != 0 || ferror(stdout);
}
