// SPDX-License-Identifier: GPL-2.0
/* What other modules import, defined in abi/core.rs and abi/hooks.rs. */
#include <linux/export.h>
#include <linux/netfilter.h>
#include <net/netfilter/nf_nat.h>

EXPORT_SYMBOL(nf_nat_setup_info);

EXPORT_SYMBOL_GPL(nf_ct_nat_ext_add);
EXPORT_SYMBOL_GPL(nf_nat_alloc_null_binding);
EXPORT_SYMBOL_GPL(nf_nat_icmp_reply_translation);
EXPORT_SYMBOL_GPL(nf_nat_icmpv6_reply_translation);
EXPORT_SYMBOL_GPL(nf_nat_inet_fn);
EXPORT_SYMBOL_GPL(nf_nat_inet_register_fn);
EXPORT_SYMBOL_GPL(nf_nat_inet_unregister_fn);
EXPORT_SYMBOL_GPL(nf_nat_ipv4_register_fn);
EXPORT_SYMBOL_GPL(nf_nat_ipv4_unregister_fn);
EXPORT_SYMBOL_GPL(nf_nat_ipv6_register_fn);
EXPORT_SYMBOL_GPL(nf_nat_ipv6_unregister_fn);
EXPORT_SYMBOL_GPL(nf_nat_packet);
