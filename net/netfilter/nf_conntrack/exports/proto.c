// SPDX-License-Identifier: GPL-2.0
/*
 * What other modules import, defined in abi/gre.rs and abi/l4proto.rs.
 */
#include <linux/export.h>
#include <linux/netfilter/nf_conntrack_proto_gre.h>
#include <net/netfilter/ipv4/nf_conntrack_ipv4.h>
#include <net/netfilter/nf_conntrack_l4proto.h>

EXPORT_SYMBOL_GPL(gre_pptp_destroy_siblings);
EXPORT_SYMBOL_GPL(nf_ct_gre_keymap_add);
EXPORT_SYMBOL_GPL(nf_ct_gre_keymap_destroy);
EXPORT_SYMBOL_GPL(nf_ct_l4proto_find);
EXPORT_SYMBOL_GPL(nf_ct_port_nla_policy);
EXPORT_SYMBOL_GPL(nf_ct_port_nlattr_to_tuple);
EXPORT_SYMBOL_GPL(nf_ct_port_nlattr_tuple_size);
EXPORT_SYMBOL_GPL(nf_ct_port_tuple_to_nlattr);
