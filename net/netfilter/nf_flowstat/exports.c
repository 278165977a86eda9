// SPDX-License-Identifier: GPL-2.0
#include <linux/export.h>
#include <net/netfilter/nf_flowstat.h>

EXPORT_SYMBOL_GPL(nf_flowstat_count);
