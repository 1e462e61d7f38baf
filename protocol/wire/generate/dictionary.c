/* Writes the fuzzing dictionary (libFuzzer's and AFL++'s format) of every constant that the layouts state.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire/layouts.h"
#include "wire/layout.h"
#include "wire/message.h"
#include <stdio.h>
#include <string.h>

enum { MAX_TOKENS = 1024, MAX_BYTES = 8 };

struct token {
    uint8_t bytes[MAX_BYTES];
    unsigned size;
};

static struct token tokens[MAX_TOKENS];
static unsigned count;

static bool known(const uint8_t *bytes, unsigned size)
{
    for (unsigned i = 0; i < count; i++)
        if (tokens[i].size == size && memcmp(tokens[i].bytes, bytes, size) == 0)
            return true;
    return false;
}

static void print_token(const char *layout, const char *field, const uint8_t *bytes, unsigned size)
{
    if (size < 2 || size > MAX_BYTES || count == MAX_TOKENS || known(bytes, size)) /* one byte is found without help */
        return;
    memcpy(tokens[count].bytes, bytes, size);
    tokens[count].size = size;
    printf("%s_%s_%u=\"", layout, field, count++);
    for (unsigned i = 0; i < size; i++)
        printf("\\x%02x", (unsigned)bytes[i]);
    printf("\"\n");
}

/* A value as the field stores it, the bits around it zero. */
static void print_value(const struct smc_layout *layout, const struct smc_field *field, uint64_t value)
{
    uint8_t bytes[MAX_BYTES] = {0};
    struct smc_field here = *field;
    if (field->size > MAX_BYTES)
        return;
    here.off = 0;
    smc_field_set(&here, bytes, value);
    print_token(layout->name, field->name, bytes, field->size);
}

/* The first bytes of a message: eyecatcher, type, version, the smallest length. */
static void print_head(const struct smc_message *message)
{
    static const uint8_t smcr[] = {0xe2, 0xd4, 0xc3, 0xd9};
    const struct smc_layout *layout = message->parts[0].layout;
    uint8_t bytes[256] = {0};
    if (layout->size > sizeof bytes)
        return;
    for (unsigned i = 0; i < layout->nfields; i++) {
        const struct smc_field *f = &layout->fields[i];
        if (f->rule == SMC_RULE_EYE)
            memcpy(bytes + f->off, smcr, sizeof smcr);
        else if (f->rule == SMC_RULE_IN)
            smc_field_set(f, bytes, f->lo);
        else if (strcmp(f->name, "length") == 0)
            smc_field_set(f, bytes, message->min);
    }
    for (unsigned i = 0; i < SMC_MESSAGE_TERMS && message->match[i].kind != SMC_TERM_NONE; i++)
        smc_field_set(&message->match[i].layout->fields[message->match[i].field], bytes, message->match[i].value);
    print_token(message->name, "head", bytes, bytes[0] == smcr[0] ? 8 : 4);
}

static void print_field(const struct smc_layout *layout, const struct smc_field *field)
{
    static const uint8_t eyecatchers[][4] = {{0xe2, 0xd4, 0xc3, 0xd9}, {0xe2, 0xd4, 0xc3, 0xc4}};
    if (field->rule == SMC_RULE_EYE) {
        print_token(layout->name, field->name, eyecatchers[0], 4);
        print_token(layout->name, field->name, eyecatchers[1], 4);
    }
    if (field->kind == SMC_BYTES)
        return;
    for (const struct smc_value_name *v = field->values; v && v->name; v++)
        print_value(layout, field, v->value);
    if (field->rule == SMC_RULE_IN) {
        print_value(layout, field, field->lo);
        print_value(layout, field, field->hi);
        print_value(layout, field, field->hi + 1);
    }
}

int main(void)
{
    printf("# Generated from the layouts of protocol/wire. SPDX-License-Identifier: BSD-3-Clause\n");
    for (unsigned family = 0; smc_message_families[family]; family++)
        for (const struct smc_message *const *message = smc_message_families[family]; *message; message++)
            print_head(*message);
    for (const struct smc_layout *const *layout = smc_layouts; *layout; layout++)
        for (unsigned i = 0; i < (*layout)->nfields; i++)
            print_field(*layout, &(*layout)->fields[i]);
    return fflush(stdout) != 0 || ferror(stdout);
}
