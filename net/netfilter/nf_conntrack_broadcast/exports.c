// SPDX-License-Identifier: GPL-2.0
/* What C imports; the function is in abi.rs. */
#include <linux/export.h>
#include <net/netfilter/nf_conntrack_helper.h>

EXPORT_SYMBOL_GPL(nf_conntrack_broadcast_help);
