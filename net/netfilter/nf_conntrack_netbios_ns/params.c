// SPDX-License-Identifier: GPL-2.0
/* Module parameters: those of Rust modules are not shown in sysfs. */
#include <linux/moduleparam.h>
#include <net/netfilter/rustynat_helpers.h>

unsigned int nf_conntrack_netbios_ns_timeout __read_mostly = 3;
module_param_named(timeout, nf_conntrack_netbios_ns_timeout, uint, 0400);
MODULE_PARM_DESC(timeout, "timeout for master connection/replies in seconds");
