/* Writes the layout pages of the manual (Markdown) from the descriptors: one table for each layout.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire/layouts.h"
#include "wire/message.h"
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

/* ---- messages ---- */

static void print_reference(const struct smc_term *t)
{
    printf("`%s.%s`", t->layout->name, t->layout->fields[t->field].name);
}

static void print_term(const struct smc_term *t)
{
    static const char *const signs[] = {
        [SMC_TERM_EQ] = "is", [SMC_TERM_NE] = "is not", [SMC_TERM_LE] = "is at most", [SMC_TERM_GE] = "is at least",
        [SMC_TERM_BITS] = "has a bit of"};
    if (t->kind == SMC_TERM_ROOM) {
        printf("%" PRIu64 " bytes are left", t->value);
    } else if (t->kind == SMC_TERM_UNFIT) {
        printf("`%s` and its entries would not end with the message", t->layout->name);
    } else {
        print_reference(t);
        printf(" %s %" PRIu64, signs[t->kind], t->value);
    }
}

static void print_terms(const struct smc_term *terms, const char *none)
{
    if (terms[0].kind == SMC_TERM_NONE)
        printf("%s", none);
    for (unsigned i = 0; i < SMC_MESSAGE_TERMS && terms[i].kind != SMC_TERM_NONE; i++) {
        printf("%s", i > 0 ? " and " : "");
        print_term(&terms[i]);
    }
}

static void print_count(const struct smc_count *count)
{
    struct smc_term field = {.layout = count->layout, .field = count->field};
    if (count->kind == SMC_COUNT_ONE) {
        printf("once");
        return;
    }
    print_reference(&field);
    printf(" times");
    if (count->max)
        printf(", at most %u", count->max);
    if (count->kind != SMC_COUNT_FIELD)
        printf(", as many as fit");
    if (count->kind == SMC_COUNT_FIT_BOTH)
        printf(" (either byte order)");
}

static void print_part(const struct smc_part *part)
{
    printf("| `%s` | ", part->layout->name);
    if (part->place == SMC_AT_FIELD) {
        printf("behind ");
        print_reference(&part->offset);
        printf(", plus its value");
    } else {
        printf("%s", part->place == SMC_TAIL ? "at the end" : "next");
    }
    printf(" | ");
    print_terms(part->when, "always");
    printf(" | ");
    print_count(&part->count);
    printf(" |\n");
}

static void print_message(const struct smc_message *message)
{
    printf("\n## Message: %s\n\n`%s`, %" PRIu32, message->title, message->name, message->min);
    if (message->max != message->min)
        printf(" to %" PRIu32, message->max);
    printf(" bytes. ");
    print_terms(message->match, "");
    printf(".%s\n\n", message->end == SMC_END_PAD    ? " Padding may follow the parts."
                         : message->end == SMC_END_DATA ? " Data follow the parts."
                                                        : "");
    printf("| part | where | when | how often |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < message->nparts; i++)
        print_part(&message->parts[i]);
}

int main(void)
{
    printf("# Byte layouts\n\n"
           "Generated from the descriptors in `protocol/wire/`, from which the code is generated too. Integers are big\n"
           "endian where nothing else is said; offsets count bytes from the layout's start; a mask names the bits of the\n"
           "field. Areas that a message reaches by an offset or a count are layouts of their own; the messages that they\n"
           "make up come first, then the layouts, the carriers last.\n");
    for (unsigned family = 0; smc_message_families[family]; family++)
        for (const struct smc_message *const *message = smc_message_families[family]; *message; message++)
            print_message(*message);
    for (const struct smc_layout *const *layout = smc_layouts; *layout; layout++)
        print_layout(*layout);
    return fflush(stdout) != 0 || ferror(stdout);
}
