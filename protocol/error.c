/* Texts and names of libsmc's errors.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <smc/error.h>

#include <stddef.h>

struct error_entry {
    int number;
    const char *name;
    const char *text;
};

/* Kept from clang-format, which takes the macros for values. */
/* clang-format off */
static const struct error_entry errors[] = {
    {SMC_OK, "SMC_OK", "success"},
#define ERROR_ENTRY(name, number, text) {(number), "SMC_ERR_" #name, (text)},
    SMC_ERROR_LIST(ERROR_ENTRY)
#undef ERROR_ENTRY
};
/* clang-format on */

static const struct error_entry *find(int error)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (errors[i].number == error)
            return &errors[i];
    }
    return NULL;
}

const char *smc_error_text(int error)
{
    const struct error_entry *entry = find(error);
    return entry != NULL ? entry->text : "unknown error";
}

const char *smc_error_name(int error)
{
    const struct error_entry *entry = find(error);
    return entry != NULL ? entry->name : NULL;
}
