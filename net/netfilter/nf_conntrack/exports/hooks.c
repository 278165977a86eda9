// SPDX-License-Identifier: GPL-2.0
/*
 * What other modules import, defined in abi/hooks.rs.
 */
#include <linux/export.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_bridge.h>

EXPORT_SYMBOL_GPL(nf_ct_bridge_register);
EXPORT_SYMBOL_GPL(nf_ct_bridge_unregister);
EXPORT_SYMBOL_GPL(nf_ct_netns_get);
EXPORT_SYMBOL_GPL(nf_ct_netns_put);
