// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters: what new namespaces begin with.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>

bool nf_conntrack_acct_default __read_mostly;
module_param_named(acct, nf_conntrack_acct_default, bool, 0644);
MODULE_PARM_DESC(acct, "Enable connection tracking flow accounting.");

bool nf_conntrack_tstamp_default __read_mostly;
module_param_named(tstamp, nf_conntrack_tstamp_default, bool, 0644);
MODULE_PARM_DESC(tstamp, "Enable connection tracking flow timestamping.");
