// SPDX-License-Identifier: GPL-2.0
/* What C imports; the functions are in abi.rs. */
#include <linux/export.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_count.h>

EXPORT_SYMBOL_GPL(nf_conncount_add_skb);
EXPORT_SYMBOL_GPL(nf_conncount_cache_free);
EXPORT_SYMBOL_GPL(nf_conncount_count_skb);
EXPORT_SYMBOL_GPL(nf_conncount_destroy);
EXPORT_SYMBOL_GPL(nf_conncount_gc_list);
EXPORT_SYMBOL_GPL(nf_conncount_init);
EXPORT_SYMBOL_GPL(nf_conncount_list_init);
