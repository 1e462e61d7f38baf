/* Grammars of the messages that are one layout: CDC, the SMC-D CDC block, the SMC-D record, the TCP option.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The record is this project's own format and no requirement of the catalogue; its rejections carry FORMAT. */
#include "cdc.h"
#include "tcp_option.h"

#define COUNT_OF(parts_) .nparts = sizeof(parts_) / sizeof((parts_)[0]), .parts = parts_

static const struct smc_part cdc_parts[] = {
    {.layout = &smc_cdc_layout,
     .must = {{.holds = SMC_TERM(EQ, cdc, type, SMC_CDC_TYPE),
               .rule = "LLC-005", /* only 0xfe is CDC */
               .what = "the type is not 0xfe"},
              {.holds = SMC_TERM(EQ, cdc, length, smc_cdc_size),
               .rule = "CDC-001",
               .what = "the length byte is not 44"}},
     .rule = "CDC-001"},
};

const struct smc_message smc_cdc_message = {.name = "cdc",
                                            .title = "CDC",
                                            .match = {SMC_TERM(EQ, cdc, type, SMC_CDC_TYPE)},
                                            .min = smc_cdc_size,
                                            .max = smc_cdc_size,
                                            .end_rule = "CDC-001",
                                            COUNT_OF(cdc_parts)};

#define SMCD_CDC(order, title_)                                                                    \
    static const struct smc_part smcd_cdc_##order##_parts[] = {                                    \
        {.layout = &smc_smcd_cdc_##order##_layout,                                                 \
         .must = {{.holds = SMC_TERM(EQ, smcd_cdc_##order, type, SMC_CDC_TYPE),                    \
                   .rule = "SMCD-001",                                                             \
                   .what = "the type is not 0xfe"}},                                               \
         .rule = "SMCD-001"},                                                                      \
    };                                                                                             \
    const struct smc_message smc_smcd_cdc_##order##_message = {                                    \
        .name = "smcd_cdc_" #order,                                                                \
        .title = title_,                                                                           \
        .match = {SMC_TERM(EQ, smcd_cdc_##order, type, SMC_CDC_TYPE)},                             \
        .min = smc_smcd_cdc_##order##_size,                                                        \
        .max = smc_smcd_cdc_##order##_size,                                                        \
        .end_rule = "SMCD-001",                                                                    \
        COUNT_OF(smcd_cdc_##order##_parts)};

SMCD_CDC(le, "SMC-D CDC, little endian")
SMCD_CDC(be, "SMC-D CDC, big endian")

static const struct smc_part smcd_record_parts[] = {
    {.layout = &smc_smcd_record_layout,
     .must = {{.holds = SMC_TERM(EQ, smcd_record, version, 1),
               .rule = "FORMAT",
               .what = "the version of the record is not 1"},
              {.holds = SMC_TERM(GE, smcd_record, operation, SMC_RECORD_REGISTER),
               .rule = "FORMAT",
               .what = "there is no operation 0"},
              {.holds = SMC_TERM(LE, smcd_record, operation, SMC_RECORD_EVENT),
               .rule = "FORMAT",
               .what = "there is no such operation"},
              {.holds = SMC_TERM(LE, smcd_record, byte_order, SMC_ORDER_BIG),
               .rule = "FORMAT",
               .what = "there is no such byte order"}},
     .rule = "FORMAT"},
};

const struct smc_message smc_smcd_record_message = {
    .name = "smcd_record",
    .title = "SMC-D record",
    .match = {SMC_TERM(EQ, smcd_record, version, 1)},
    .end = SMC_END_DATA,
    .min = smc_smcd_record_size,
    .max = smc_smcd_record_size + SMC_RECORD_MAX_DATA,
    .end_rule = "FORMAT",
    COUNT_OF(smcd_record_parts)};

/* The strict reading of RFC 7609 3.1; what Linux also takes is told by smc_tcp_option_find(). */
static const struct smc_part tcp_option_parts[] = {
    {.layout = &smc_tcp_option_layout,
     .must = {{.holds = SMC_TERM(EQ, tcp_option, kind, SMC_TCP_OPTION_KIND),
               .rule = "TCPOPT-001",
               .what = "the kind is not 254"},
              {.holds = SMC_TERM(EQ, tcp_option, length, smc_tcp_option_size),
               .rule = "TCPOPT-001",
               .what = "the length is not 6"},
              {.holds = SMC_TERM(EQ, tcp_option, exid, SMC_TCP_OPTION_EXID),
               .rule = "TCPOPT-001",
               .what = "the ExID is not SMCR"}},
     .rule = "TCPOPT-001"},
};

const struct smc_message smc_tcp_option_message = {
    .name = "tcp_option",
    .title = "TCP option SMC",
    .match = {SMC_TERM(EQ, tcp_option, kind, SMC_TCP_OPTION_KIND)},
    .min = smc_tcp_option_size,
    .max = smc_tcp_option_size,
    .end_rule = "TCPOPT-001",
    COUNT_OF(tcp_option_parts)};

const struct smc_message *const smc_other_messages[] = {
    &smc_cdc_message,         &smc_smcd_cdc_le_message, &smc_smcd_cdc_be_message,
    &smc_smcd_record_message, &smc_tcp_option_message,  NULL,
};
