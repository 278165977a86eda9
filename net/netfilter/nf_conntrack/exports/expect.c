// SPDX-License-Identifier: GPL-2.0
/* What expect exports; the functions are in abi/expect.rs. */
#include <linux/export.h>
#include <net/netfilter/nf_conntrack_expect.h>

EXPORT_SYMBOL_GPL(__nf_ct_expect_find);
EXPORT_SYMBOL_GPL(nf_ct_expect_alloc);
EXPORT_SYMBOL_GPL(nf_ct_expect_find_get);
EXPORT_SYMBOL_GPL(nf_ct_expect_init);
EXPORT_SYMBOL_GPL(nf_ct_expect_iterate_destroy);
EXPORT_SYMBOL_GPL(nf_ct_expect_iterate_net);
EXPORT_SYMBOL_GPL(nf_ct_expect_put);
EXPORT_SYMBOL_GPL(nf_ct_expect_related_pair);
EXPORT_SYMBOL_GPL(nf_ct_expect_related_report);
EXPORT_SYMBOL_GPL(nf_ct_remove_expectations);
EXPORT_SYMBOL_GPL(nf_ct_unexpect_related);
EXPORT_SYMBOL_GPL(nf_ct_unlink_expect_report);
