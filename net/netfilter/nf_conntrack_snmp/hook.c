// SPDX-License-Identifier: GPL-2.0
/* Where nf_nat_snmp_basic puts its function. */
#include <linux/export.h>
#include <linux/netfilter/nf_conntrack_snmp.h>

nf_nat_snmp_hook_fn __rcu *nf_nat_snmp_hook;
EXPORT_SYMBOL_GPL(nf_nat_snmp_hook);
