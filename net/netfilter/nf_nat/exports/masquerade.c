// SPDX-License-Identifier: GPL-2.0
/* What masquerade exports; the functions are in abi/masquerade.rs. */
#include <linux/export.h>
#include <net/netfilter/nf_nat_masquerade.h>

EXPORT_SYMBOL_GPL(nf_nat_masquerade_inet_register_notifiers);
EXPORT_SYMBOL_GPL(nf_nat_masquerade_inet_unregister_notifiers);
EXPORT_SYMBOL_GPL(nf_nat_masquerade_ipv4);
EXPORT_SYMBOL_GPL(nf_nat_masquerade_ipv6);
