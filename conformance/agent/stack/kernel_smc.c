/* Three netlink requests: an rxe device, a UEID, a PNET entry.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/agent/stack/kernel_smc.h"

#include <errno.h>
#include <linux/smc.h>
#include <rdma/rdma_netlink.h>
#include <stdio.h>
#include <string.h>

#include "conformance/agent/agent_netlink.h"

enum { UEID_BYTES = 32, PNET_BYTES = 16 };

static int complain(const char *what, const char *name, int error)
{
    fprintf(stderr, "smclab-endpoint: %s %s: %s\n", what, name, strerror(error));
    return -1;
}

int kernel_add_rxe(const char *text)
{
    struct agent_nl m;
    char name[64];
    const char *equals = strchr(text, '=');
    if (equals == NULL || (size_t)(equals - text) >= sizeof(name))
        return complain("adding", text, EINVAL);
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    agent_nl_begin(&m, RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_NEWLINK), NLM_F_ACK);
    agent_nl_string(&m, RDMA_NLDEV_ATTR_DEV_NAME, name);
    agent_nl_string(&m, RDMA_NLDEV_ATTR_LINK_TYPE, "rxe");
    agent_nl_string(&m, RDMA_NLDEV_ATTR_NDEV_NAME, equals + 1);
    int error = agent_nl_talk(NETLINK_RDMA, &m, NULL, NULL);
    return error == 0 ? 0 : complain("adding", text, error);
}

int kernel_add_ueid(const char *ueid)
{
    struct agent_nl m;
    char padded[UEID_BYTES + 1];
    uint16_t family = agent_genl_family(SMC_GENL_FAMILY_NAME);
    if (family == 0)
        return complain("adding the UEID", ueid, ENOENT);
    snprintf(padded, sizeof(padded), "%-*s", UEID_BYTES, ueid);
    agent_genl_begin(&m, family, SMC_NETLINK_ADD_UEID, SMC_GENL_FAMILY_VERSION, NLM_F_ACK);
    agent_nl_string(&m, SMC_NLA_EID_TABLE_ENTRY, padded);
    int error = agent_nl_talk(NETLINK_GENERIC, &m, NULL, NULL);
    return error == 0 ? 0 : complain("adding the UEID", ueid, error);
}

static int add_pnet(uint16_t family, const char *pnet, const char *interface, const char *device)
{
    struct agent_nl m;
    agent_genl_begin(&m, family, SMC_PNETID_ADD, SMCR_GENL_FAMILY_VERSION, NLM_F_ACK);
    agent_nl_string(&m, SMC_PNETID_NAME, pnet);
    agent_nl_string(&m, SMC_PNETID_ETHNAME, interface);
    agent_nl_string(&m, SMC_PNETID_IBNAME, device);
    agent_nl_u8(&m, SMC_PNETID_IBPORT, 1);
    return agent_nl_talk(NETLINK_GENERIC, &m, NULL, NULL);
}

int kernel_add_pnet(const char *text)
{
    char pnet[PNET_BYTES + 1], interface[16], device[64], rest;
    uint16_t family = agent_genl_family(SMCR_GENL_FAMILY_NAME);
    if (family == 0)
        return complain("adding the PNET entry", text, ENOENT);
    if (sscanf(text, "%16[^=]=%15[^=]=%63[^=]%c", pnet, interface, device, &rest) != 3)
        return complain("adding the PNET entry", text, EINVAL);
    int error = add_pnet(family, pnet, interface, device);
    return error == 0 ? 0 : complain("adding the PNET entry", text, error);
}
