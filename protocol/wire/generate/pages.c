/* Writes the layout pages of the manual (Markdown) from the descriptors: one table for each layout.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire/layouts.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const shown[] = {
    [SMC_SHOW_DEC] = "number", [SMC_SHOW_HEX] = "hex",         [SMC_SHOW_FLAG] = "flag",
    [SMC_SHOW_MAC] = "MAC",    [SMC_SHOW_GID] = "GID",         [SMC_SHOW_IP4] = "IPv4 address",
    [SMC_SHOW_ASCII] = "text", [SMC_SHOW_EBCDIC] = "EBCDIC", [SMC_SHOW_RSVD] = "reserved",
};

static void print_rule(const struct smc_field *f)
{
    if (f->rule == SMC_RULE_ZERO)
        printf("zero when sent");
    else if (f->rule == SMC_RULE_EYE)
        printf("SMCR or SMCD");
    else if (f->rule == SMC_RULE_IN && f->lo == f->hi)
        printf("0x%" PRIx64, f->lo);
    else if (f->rule == SMC_RULE_IN)
        printf("%" PRIu64 " to %" PRIu64, f->lo, f->hi);
}

static void print_field(const struct smc_field *f)
{
    printf("| %u | %u | ", (unsigned)f->off, (unsigned)f->size);
    if (f->mask)
        printf("0x%0*" PRIx64, 2 * f->size, f->mask);
    printf(" | `%s` | %s | %s%s | ", f->name, f->title, shown[f->shown],
           f->kind == SMC_LEINT ? ", little endian" : "");
    print_rule(f);
    printf(" |\n");
}

static bool same_values_before(const struct smc_layout *layout, unsigned index)
{
    for (unsigned i = 0; i < index; i++)
        if (layout->fields[i].values == layout->fields[index].values)
            return true;
    return false;
}

static void print_values(const struct smc_layout *layout, unsigned index)
{
    const struct smc_field *f = &layout->fields[index];
    if (!f->values || same_values_before(layout, index))
        return;
    printf("\nValues of `%s`:\n\n| value | meaning |\n|---|---|\n", f->name);
    for (const struct smc_value_name *v = f->values; v->name; v++)
        printf(f->shown == SMC_SHOW_HEX ? "| 0x%" PRIx64 " | %s |\n" : "| %" PRIu64 " | %s |\n", v->value, v->name);
}

static void print_layout(const struct smc_layout *layout)
{
    printf("\n## %s\n\n`%s`, %u bytes. Source: %s.\n\n", layout->title, layout->name, (unsigned)layout->size,
           layout->source);
    printf("| offset | bytes | mask | field | meaning | shown as | rule |\n|---|---|---|---|---|---|---|\n");
    for (unsigned i = 0; i < layout->nfields; i++)
        print_field(&layout->fields[i]);
    for (unsigned i = 0; i < layout->nfields; i++)
        print_values(layout, i);
}

int main(void)
{
    printf("# Byte layouts\n\n"
           "Generated from the descriptors in `protocol/wire/`, from which the code is generated too. Integers are big\n"
           "endian where nothing else is said; offsets count bytes from the layout's start; a mask names the bits of the\n"
           "field. Areas that a message reaches by an offset or a count are layouts of their own.\n");
    for (const struct smc_layout *const *layout = smc_layouts; *layout; layout++)
        print_layout(*layout);
    return fflush(stdout) != 0 || ferror(stdout);
}
