// SPDX-License-Identifier: GPL-2.0
/*
 * What other modules import of the extensions, defined in abi/ext.rs,
 * abi/ecache.rs, abi/labels.rs, abi/seqadj.rs and abi/timeout.rs.
 */
#include <linux/export.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_ecache.h>
#include <net/netfilter/nf_conntrack_extend.h>
#include <net/netfilter/nf_conntrack_labels.h>
#include <net/netfilter/nf_conntrack_seqadj.h>
#include <net/netfilter/nf_conntrack_timeout.h>

EXPORT_SYMBOL(nf_ct_ext_add);
EXPORT_SYMBOL_GPL(nf_conn_pernet_ecache);
EXPORT_SYMBOL_GPL(nf_connlabels_get);
EXPORT_SYMBOL_GPL(nf_connlabels_put);
EXPORT_SYMBOL_GPL(nf_connlabels_replace);
EXPORT_SYMBOL_GPL(nf_conntrack_eventmask_report);
EXPORT_SYMBOL_GPL(nf_conntrack_register_notifier);
EXPORT_SYMBOL_GPL(nf_conntrack_unregister_notifier);
EXPORT_SYMBOL_GPL(nf_ct_deliver_cached_events);
EXPORT_SYMBOL_GPL(nf_ct_destroy_timeout);
EXPORT_SYMBOL_GPL(nf_ct_ecache_ext_add);
EXPORT_SYMBOL_GPL(nf_ct_seq_adjust);
EXPORT_SYMBOL_GPL(nf_ct_seq_offset);
EXPORT_SYMBOL_GPL(nf_ct_seqadj_init);
EXPORT_SYMBOL_GPL(nf_ct_seqadj_set);
EXPORT_SYMBOL_GPL(nf_ct_set_timeout);
EXPORT_SYMBOL_GPL(nf_ct_tcp_seqadj_set);
EXPORT_SYMBOL_GPL(nf_ct_untimeout);
