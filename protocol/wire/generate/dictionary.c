/* Writes the fuzzing dictionary (libFuzzer's and AFL++'s format) of every constant that the layouts state.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire/layouts.h"
#include "wire/layout.h"
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
    if (count == MAX_TOKENS || size > MAX_BYTES || known(bytes, size))
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
    for (const struct smc_layout *const *layout = smc_layouts; *layout; layout++)
        for (unsigned i = 0; i < (*layout)->nfields; i++)
            print_field(*layout, &(*layout)->fields[i]);
    return fflush(stdout) != 0 || ferror(stdout);
}
