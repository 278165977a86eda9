// SPDX-License-Identifier: GPL-2.0
/* Module parameters: those of Rust modules are not shown in sysfs. */
#include <linux/moduleparam.h>
#include <net/netfilter/rustynat_helpers.h>

unsigned int nf_conntrack_amanda_master_timeout __read_mostly = 300;
module_param_named(master_timeout, nf_conntrack_amanda_master_timeout, uint,
		   0600);
MODULE_PARM_DESC(master_timeout, "timeout for the master connection");

/* Texts are searched for in one way only: taken, for who sets it. */
static char *ts_algo = "kmp";
module_param(ts_algo, charp, 0400);
MODULE_PARM_DESC(ts_algo, "textsearch algorithm to use (default kmp)");
