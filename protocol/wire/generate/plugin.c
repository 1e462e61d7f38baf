/* Writes the Wireshark plugin: the descriptors and grammars as Lua tables, then the Lua files named as arguments.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire/layouts.h"
#include "wire/message.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {[SMC_UINT] = "uint", [SMC_LEINT] = "leint", [SMC_BYTES] = "bytes"};
static const char *const shown[] = {
    [SMC_SHOW_DEC] = "dec", [SMC_SHOW_HEX] = "hex",     [SMC_SHOW_FLAG] = "flag",
    [SMC_SHOW_MAC] = "mac", [SMC_SHOW_GID] = "gid",     [SMC_SHOW_IP4] = "ip4",
    [SMC_SHOW_ASCII] = "ascii", [SMC_SHOW_EBCDIC] = "ebcdic", [SMC_SHOW_RSVD] = "rsvd",
};
static const char *const terms[] = {
    [SMC_TERM_EQ] = "eq", [SMC_TERM_NE] = "ne",     [SMC_TERM_LE] = "le",     [SMC_TERM_GE] = "ge",
    [SMC_TERM_BITS] = "bits", [SMC_TERM_ROOM] = "room", [SMC_TERM_UNFIT] = "unfit",
};
static const char *const counts[] = {[SMC_COUNT_ONE] = "one", [SMC_COUNT_FIELD] = "field",
                                     [SMC_COUNT_FIT] = "fit", [SMC_COUNT_FIT_BOTH] = "fit_both"};
static const char *const places[] = {[SMC_NEXT] = "next", [SMC_AT_FIELD] = "at_field", [SMC_TAIL] = "tail"};
static const char *const ends[] = {[SMC_END_EXACT] = "exact", [SMC_END_PAD] = "pad", [SMC_END_DATA] = "data"};

static void print_string(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void print_values(const struct smc_value_name *values)
{
    printf(", values = {");
    for (; values->name; values++) {
        printf("[%" PRIu64 "] = ", values->value);
        print_string(values->name);
        printf(", ");
    }
    printf("}");
}

static void print_field(const struct smc_field *f)
{
    printf("    {name = \"%s\", title = ", f->name);
    print_string(f->title);
    printf(", off = %u, size = %u, mask = %" PRIu64 ", kind = \"%s\", shown = \"%s\"", (unsigned)f->off,
           (unsigned)f->size, f->mask, kinds[f->kind], shown[f->shown]);
    if (f->values)
        print_values(f->values);
    printf("},\n");
}

static void print_layout(const struct smc_layout *layout)
{
    printf("  %s = {name = \"%s\", title = ", layout->name, layout->name);
    print_string(layout->title);
    printf(", size = %u, fields = {\n", (unsigned)layout->size);
    for (unsigned i = 0; i < layout->nfields; i++)
        print_field(&layout->fields[i]);
    printf("  }},\n");
}

/* Fields count from 1 in Lua. */
static void print_term(const struct smc_term *term)
{
    printf("{kind = \"%s\"", terms[term->kind]);
    if (term->layout)
        printf(", layout = \"%s\", field = %u", term->layout->name, term->field + 1u);
    printf(", value = %" PRIu64 "}, ", term->value);
}

static void print_terms(const char *name, const struct smc_term *list)
{
    printf("%s = {", name);
    for (unsigned i = 0; i < SMC_MESSAGE_TERMS && list[i].kind != SMC_TERM_NONE; i++)
        print_term(&list[i]);
    printf("}, ");
}

static void print_part(const struct smc_part *part)
{
    printf("    {layout = \"%s\", place = \"%s\", ", part->layout->name, places[part->place]);
    print_terms("when", part->when);
    if (part->place == SMC_AT_FIELD)
        printf("offset = {layout = \"%s\", field = %u}, ", part->offset.layout->name, part->offset.field + 1u);
    printf("count = {kind = \"%s\"", counts[part->count.kind]);
    if (part->count.layout)
        printf(", layout = \"%s\", field = %u, max = %u", part->count.layout->name, part->count.field + 1u,
               part->count.max);
    printf("}},\n");
}

static void print_message(const char *family, const struct smc_message *message)
{
    printf("  {family = \"%s\", name = \"%s\", title = ", family, message->name);
    print_string(message->title);
    printf(", min = %" PRIu32 ", max = %" PRIu32 ", ending = \"%s\", ", message->min, message->max,
           ends[message->end]);
    print_terms("match", message->match);
    printf("parts = {\n");
    for (unsigned i = 0; i < message->nparts; i++)
        print_part(&message->parts[i]);
    printf("  }},\n");
}

static void print_family(const char *name, const struct smc_message *const *family)
{
    for (; *family; family++)
        print_message(name, *family);
}

/* Carriers are Wireshark's business: only layouts that some message uses. */
static bool used_by(const struct smc_layout *layout, const struct smc_message *const *family)
{
    for (; *family; family++) {
        if ((*family)->match[0].layout == layout)
            return true;
        for (unsigned i = 0; i < (*family)->nparts; i++)
            if ((*family)->parts[i].layout == layout)
                return true;
    }
    return false;
}

static void print_tables(void)
{
    printf("local layouts = {\n");
    for (const struct smc_layout *const *layout = smc_layouts; *layout; layout++)
        if (used_by(*layout, smc_clc_messages) || used_by(*layout, smc_llc_messages) ||
            used_by(*layout, smc_other_messages))
            print_layout(*layout);
    printf("}\n\nlocal messages = {\n");
    print_family("clc", smc_clc_messages);
    print_family("llc", smc_llc_messages);
    print_family("other", smc_other_messages);
    printf("}\n\n");
}

static bool copy_file(const char *path)
{
    char buffer[4096];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return false;
    }
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
        fwrite(buffer, 1, n, stdout);
    fclose(file);
    return true;
}

int main(int argc, char **argv)
{
    printf("-- smclab.lua: SMC messages in Wireshark. Generated from the layouts and grammars of protocol/wire.\n"
           "-- SPDX-License-Identifier: BSD-3-Clause\n\n");
    print_tables();
    for (int i = 1; i < argc; i++)
        if (!copy_file(argv[i]))
            return 1;
    return fflush(stdout) != 0 || ferror(stdout);
}
