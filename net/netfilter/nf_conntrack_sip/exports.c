// SPDX-License-Identifier: GPL-2.0
/* What C imports; the function is in abi.rs. */
#include <linux/export.h>
#include <linux/netfilter/nf_conntrack_sip.h>

EXPORT_SYMBOL_GPL(ct_sip_get_header);
