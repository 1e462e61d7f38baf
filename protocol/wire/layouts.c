/* The one definition of every descriptor and value table, and generic access to a field.
 * SPDX-License-Identifier: BSD-3-Clause */

#include "cdc_layouts.h"
#include "carrier_layouts.h"
#include "clc_layouts.h"
#include "layouts.h"
#include "llc_layouts.h"
#include "smcd_record_layouts.h"

const struct smc_value_name smc_values_clc_type[] = {SMC_VALUES_clc_type(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_clc_modes[] = {SMC_VALUES_clc_modes(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_clc_path[] = {SMC_VALUES_clc_path(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_clc_mtu[] = {SMC_VALUES_clc_mtu(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_clc_os[] = {SMC_VALUES_clc_os(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_clc_diagnosis[] = {SMC_VALUES_clc_diagnosis(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_llc_type[] = {SMC_VALUES_llc_type(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_llc_reject[] = {SMC_VALUES_llc_reject(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_llc_del_reason[] = {SMC_VALUES_llc_del_reason(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_record_op[] = {SMC_VALUES_record_op(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_record_order[] = {SMC_VALUES_record_order(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_ethertype[] = {SMC_VALUES_ethertype(SMC_VALUE_ROW){0, NULL}};
const struct smc_value_name smc_values_bth_opcode[] = {SMC_VALUES_bth_opcode(SMC_VALUE_ROW){0, NULL}};

SMC_LAYOUT_DEFINE(clc_header, "CLC header", "RFC 7609 A.2")
SMC_LAYOUT_DEFINE(clc_trailer, "CLC trailer", "RFC 7609 A.2")
SMC_LAYOUT_DEFINE(clc_proposal, "CLC Proposal", "RFC 7609 A.2.2; linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_smcd_area, "SMC-D and v2 locator area", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_ip_area, "IP mask/prefix area", "RFC 7609 A.2.2")
SMC_LAYOUT_DEFINE(clc_ip6_prefix, "IPv6 prefix", "RFC 7609 A.2.2")
SMC_LAYOUT_DEFINE(clc_v2_ext, "v2 extension", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_eid, "user EID", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_d_ext, "SMC-Dv2 extension", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_gid_chid, "ISM GID and CHID", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_accept_r, "CLC Accept/Confirm, SMC-R", "RFC 7609 A.2.3, A.2.4")
SMC_LAYOUT_DEFINE(clc_accept_r_v2, "SMC-R v2 part of Accept/Confirm", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_accept_d, "CLC Accept/Confirm, SMC-D", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_accept_d_v1, "SMC-D v1 end of Accept/Confirm", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_accept_d_v2, "SMC-D v2 part of Accept/Confirm", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_fce, "first-contact extension", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_fce_v2x, "first-contact extension, v2.x tail", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_gid_list, "GID list", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_gid, "client RoCEv2 GID", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(clc_decline, "CLC Decline", "RFC 7609 A.2.5")
SMC_LAYOUT_DEFINE(clc_decline_v2, "further diagnosis codes of a v2 Decline", "linux net/smc/smc_clc.h")
SMC_LAYOUT_DEFINE(tcp_option, "TCP option SMC", "RFC 7609 3.1")
SMC_LAYOUT_DEFINE(llc_header, "LLC header v1", "RFC 7609 A.3")
SMC_LAYOUT_DEFINE(llc_header_v2, "LLC header v2", "linux net/smc/smc_llc.c")
SMC_LAYOUT_DEFINE(llc_confirm_link, "CONFIRM LINK", "RFC 7609 A.3.1")
SMC_LAYOUT_DEFINE(llc_add_link, "ADD LINK", "RFC 7609 A.3.2, wire form")
SMC_LAYOUT_DEFINE(llc_add_link_cont, "ADD LINK CONTINUATION", "RFC 7609 A.3.3")
SMC_LAYOUT_DEFINE(llc_delete_link, "DELETE LINK", "RFC 7609 A.3.4")
SMC_LAYOUT_DEFINE(llc_confirm_rkey, "CONFIRM RKEY", "RFC 7609 A.3.5")
SMC_LAYOUT_DEFINE(llc_confirm_rkey_cont, "CONFIRM RKEY CONTINUATION", "RFC 7609 A.3.6")
SMC_LAYOUT_DEFINE(llc_test_link, "TEST LINK", "RFC 7609 A.3.8")
SMC_LAYOUT_DEFINE(llc_delete_rkey, "DELETE RKEY", "RFC 7609 A.3.7")
SMC_LAYOUT_DEFINE(llc_confirm_link_v2, "CONFIRM LINK v2", "linux net/smc/smc_llc.c")
SMC_LAYOUT_DEFINE(llc_add_link_v2, "ADD LINK v2", "linux net/smc/smc_llc.c")
SMC_LAYOUT_DEFINE(llc_delete_link_v2, "DELETE LINK v2", "linux net/smc/smc_llc.c")
SMC_LAYOUT_DEFINE(llc_confirm_rkey_v2, "CONFIRM RKEY v2", "linux net/smc/smc_llc.c")
SMC_LAYOUT_DEFINE(llc_test_link_v2, "TEST LINK v2", "linux net/smc/smc_llc.c")
SMC_LAYOUT_DEFINE(llc_delete_rkey_v2, "DELETE RKEY v2", "linux net/smc/smc_llc.c")
SMC_LAYOUT_DEFINE(llc_rkey, "rkey of a v2 DELETE RKEY", "linux net/smc/smc_llc.c")
SMC_LAYOUT_DEFINE(llc_add_link_v2_ext, "ADD LINK v2 extension", "linux net/smc/smc_llc.c")
SMC_LAYOUT_DEFINE(llc_rtoken, "RToken pair", "RFC 7609 A.3.3")
SMC_LAYOUT_DEFINE(llc_req_add_link_v2, "REQUEST ADD LINK v2", "linux net/smc/smc_llc.c")
SMC_LAYOUT_DEFINE(cdc, "CDC message", "RFC 7609 A.4")
SMC_LAYOUT_DEFINE(smcd_cdc_le, "SMC-D CDC block, little endian", "linux net/smc/smc_cdc.h")
SMC_LAYOUT_DEFINE(smcd_cdc_be, "SMC-D CDC block, big endian", "linux net/smc/smc_cdc.h")
SMC_LAYOUT_DEFINE(smcd_record, "SMC-D record", "smclab architecture, One wire")
SMC_LAYOUT_DEFINE(eth, "Ethernet", "IEEE 802.3")
SMC_LAYOUT_DEFINE(vlan, "VLAN tag", "IEEE 802.1Q")
SMC_LAYOUT_DEFINE(sll, "Linux cooked capture", "libpcap LINKTYPE_LINUX_SLL")
SMC_LAYOUT_DEFINE(sll2, "Linux cooked capture v2", "libpcap LINKTYPE_LINUX_SLL2")
SMC_LAYOUT_DEFINE(arp, "ARP for IPv4 over Ethernet", "RFC 826")
SMC_LAYOUT_DEFINE(ipv4, "IPv4", "RFC 791")
SMC_LAYOUT_DEFINE(ipv6, "IPv6 (and the GRH of RoCEv1)", "RFC 8200")
SMC_LAYOUT_DEFINE(nd, "ICMPv6 neighbour solicitation or advertisement", "RFC 4861")
SMC_LAYOUT_DEFINE(nd_option, "link-layer address option", "RFC 4861")
SMC_LAYOUT_DEFINE(tcp, "TCP", "RFC 9293")
SMC_LAYOUT_DEFINE(udp, "UDP", "RFC 768")
SMC_LAYOUT_DEFINE(bth, "base transport header", "InfiniBand 9.2")
SMC_LAYOUT_DEFINE(reth, "RDMA extended transport header", "InfiniBand 9.3.3")
SMC_LAYOUT_DEFINE(aeth, "ACK extended transport header", "InfiniBand 9.3.5")
SMC_LAYOUT_DEFINE(immdt, "immediate data", "InfiniBand 9.3.6")
SMC_LAYOUT_DEFINE(cnp, "congestion notification, payload", "InfiniBand A17.9.3")
SMC_LAYOUT_DEFINE(pause, "PAUSE", "IEEE 802.3 31B")
SMC_LAYOUT_DEFINE(pfc, "priority flow control", "IEEE 802.1Qbb")
SMC_LAYOUT_DEFINE(vxlan, "VXLAN", "RFC 7348")
SMC_LAYOUT_DEFINE(gre, "GRE", "RFC 2784, RFC 2890")
SMC_LAYOUT_DEFINE(erspan, "ERSPAN II", "draft-foschiano-erspan")
SMC_LAYOUT_DEFINE(erspan3, "ERSPAN III", "draft-foschiano-erspan")

const struct smc_layout *const smc_layouts[] = {
    &smc_clc_header_layout,
    &smc_clc_trailer_layout,
    &smc_clc_proposal_layout,
    &smc_clc_smcd_area_layout,
    &smc_clc_ip_area_layout,
    &smc_clc_ip6_prefix_layout,
    &smc_clc_v2_ext_layout,
    &smc_clc_eid_layout,
    &smc_clc_d_ext_layout,
    &smc_clc_gid_chid_layout,
    &smc_clc_accept_r_layout,
    &smc_clc_accept_r_v2_layout,
    &smc_clc_accept_d_layout,
    &smc_clc_accept_d_v1_layout,
    &smc_clc_accept_d_v2_layout,
    &smc_clc_fce_layout,
    &smc_clc_fce_v2x_layout,
    &smc_clc_gid_list_layout,
    &smc_clc_gid_layout,
    &smc_clc_decline_layout,
    &smc_clc_decline_v2_layout,
    &smc_tcp_option_layout,
    &smc_llc_header_layout,
    &smc_llc_header_v2_layout,
    &smc_llc_confirm_link_layout,
    &smc_llc_add_link_layout,
    &smc_llc_add_link_cont_layout,
    &smc_llc_delete_link_layout,
    &smc_llc_confirm_rkey_layout,
    &smc_llc_confirm_rkey_cont_layout,
    &smc_llc_test_link_layout,
    &smc_llc_delete_rkey_layout,
    &smc_llc_confirm_link_v2_layout,
    &smc_llc_add_link_v2_layout,
    &smc_llc_delete_link_v2_layout,
    &smc_llc_confirm_rkey_v2_layout,
    &smc_llc_test_link_v2_layout,
    &smc_llc_delete_rkey_v2_layout,
    &smc_llc_rkey_layout,
    &smc_llc_add_link_v2_ext_layout,
    &smc_llc_rtoken_layout,
    &smc_llc_req_add_link_v2_layout,
    &smc_cdc_layout,
    &smc_smcd_cdc_le_layout,
    &smc_smcd_cdc_be_layout,
    &smc_smcd_record_layout,
    &smc_eth_layout,
    &smc_vlan_layout,
    &smc_sll_layout,
    &smc_sll2_layout,
    &smc_arp_layout,
    &smc_ipv4_layout,
    &smc_ipv6_layout,
    &smc_nd_layout,
    &smc_nd_option_layout,
    &smc_tcp_layout,
    &smc_udp_layout,
    &smc_bth_layout,
    &smc_reth_layout,
    &smc_aeth_layout,
    &smc_immdt_layout,
    &smc_cnp_layout,
    &smc_pause_layout,
    &smc_pfc_layout,
    &smc_vxlan_layout,
    &smc_gre_layout,
    &smc_erspan_layout,
    &smc_erspan3_layout,
    NULL,
};

uint64_t smc_field_get(const struct smc_field *f, const uint8_t *p)
{
    uint64_t raw = f->kind == SMC_LEINT ? smc_load_le(p + f->off, f->size) : smc_load_be(p + f->off, f->size);
    return f->mask ? (raw & f->mask) / SMC_LOW_BIT(f->mask) : raw;
}

void smc_field_set(const struct smc_field *f, uint8_t *p, uint64_t value)
{
    if (f->kind == SMC_LEINT) {
        smc_store_le(p + f->off, f->size, value);
        return;
    }
    if (f->mask) {
        uint64_t rest = smc_load_be(p + f->off, f->size) & ~f->mask;
        value = rest | ((value * SMC_LOW_BIT(f->mask)) & f->mask);
    }
    smc_store_be(p + f->off, f->size, value);
}

const char *smc_field_value_name(const struct smc_field *f, uint64_t value)
{
    for (const struct smc_value_name *v = f->values; v && v->name; v++)
        if (v->value == value)
            return v->name;
    return NULL;
}
