// SPDX-License-Identifier: GPL-2.0
/*
 * What other modules import of the core, defined in abi/core.rs.
 */
#include <linux/export.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_acct.h>
#include <net/netfilter/nf_conntrack_core.h>

EXPORT_SYMBOL(nf_ct_destroy);
EXPORT_SYMBOL_GPL(__nf_conntrack_confirm);
EXPORT_SYMBOL_GPL(__nf_ct_change_status);
EXPORT_SYMBOL_GPL(__nf_ct_change_timeout);
EXPORT_SYMBOL_GPL(__nf_ct_refresh_acct);
EXPORT_SYMBOL_GPL(nf_confirm);
EXPORT_SYMBOL_GPL(nf_conntrack_alloc);
EXPORT_SYMBOL_GPL(nf_conntrack_count);
EXPORT_SYMBOL_GPL(nf_conntrack_find_get);
EXPORT_SYMBOL_GPL(nf_conntrack_free);
EXPORT_SYMBOL_GPL(nf_conntrack_hash_check_insert);
EXPORT_SYMBOL_GPL(nf_conntrack_in);
EXPORT_SYMBOL_GPL(nf_conntrack_lock);
EXPORT_SYMBOL_GPL(nf_conntrack_tuple_taken);
EXPORT_SYMBOL_GPL(nf_ct_acct_add);
EXPORT_SYMBOL_GPL(nf_ct_alloc_hashtable);
EXPORT_SYMBOL_GPL(nf_ct_change_status_common);
EXPORT_SYMBOL_GPL(nf_ct_delete);
EXPORT_SYMBOL_GPL(nf_ct_get_id);
EXPORT_SYMBOL_GPL(nf_ct_get_tuplepr);
EXPORT_SYMBOL_GPL(nf_ct_invert_tuple);
EXPORT_SYMBOL_GPL(nf_ct_iterate_cleanup_net);
EXPORT_SYMBOL_GPL(nf_ct_iterate_destroy);
EXPORT_SYMBOL_GPL(nf_ct_kill_acct);
EXPORT_SYMBOL_GPL(nf_ct_tmpl_alloc);
EXPORT_SYMBOL_GPL(nf_ct_tmpl_free);
