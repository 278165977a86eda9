// SPDX-License-Identifier: GPL-2.0
/* What helper exports; the functions are in abi/helper.rs. */
#include <linux/export.h>
#include <net/netfilter/nf_conntrack_helper.h>

EXPORT_SYMBOL_GPL(__nf_conntrack_helper_find);
EXPORT_SYMBOL_GPL(__nf_conntrack_helper_register);
EXPORT_SYMBOL_GPL(__nf_ct_try_assign_helper);
EXPORT_SYMBOL_GPL(nf_conntrack_helper_put);
EXPORT_SYMBOL_GPL(nf_conntrack_helper_register);
EXPORT_SYMBOL_GPL(nf_conntrack_helper_release);
EXPORT_SYMBOL_GPL(nf_conntrack_helper_try_module_get);
EXPORT_SYMBOL_GPL(nf_conntrack_helper_unregister);
EXPORT_SYMBOL_GPL(nf_conntrack_helpers_register);
EXPORT_SYMBOL_GPL(nf_conntrack_helpers_unregister);
EXPORT_SYMBOL_GPL(nf_ct_helper_expectfn_destroy);
EXPORT_SYMBOL_GPL(nf_ct_helper_expectfn_find_by_name);
EXPORT_SYMBOL_GPL(nf_ct_helper_expectfn_find_by_symbol);
EXPORT_SYMBOL_GPL(nf_ct_helper_expectfn_register);
EXPORT_SYMBOL_GPL(nf_ct_helper_expectfn_unregister);
EXPORT_SYMBOL_GPL(nf_ct_helper_ext_add);
EXPORT_SYMBOL_GPL(nf_ct_helper_init);
EXPORT_SYMBOL_GPL(nf_nat_helper_put);
EXPORT_SYMBOL_GPL(nf_nat_helper_register);
EXPORT_SYMBOL_GPL(nf_nat_helper_try_module_get);
EXPORT_SYMBOL_GPL(nf_nat_helper_unregister);
