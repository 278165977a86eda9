// SPDX-License-Identifier: GPL-2.0
/* What ovs exports; the functions are in abi/ovs.rs. */
#include <linux/export.h>
#include <net/netfilter/nf_nat.h>

EXPORT_SYMBOL_GPL(nf_ct_nat);
