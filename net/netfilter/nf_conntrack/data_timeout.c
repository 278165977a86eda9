// SPDX-License-Identifier: GPL-2.0
/*
 * Where nfnetlink_cttimeout puts its functions.
 */
#include <linux/export.h>
#include <net/netfilter/nf_conntrack_timeout.h>

const struct nf_ct_timeout_hooks __rcu *nf_ct_timeout_hook __read_mostly;
EXPORT_SYMBOL_GPL(nf_ct_timeout_hook);
