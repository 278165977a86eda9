// SPDX-License-Identifier: GPL-2.0
/* Module parameters: those of Rust modules are not shown in sysfs. */
#include <linux/moduleparam.h>
#include <net/netfilter/rustynat_helpers.h>

unsigned int nf_conntrack_h323_default_rrq_ttl __read_mostly = 300;
module_param_named(default_rrq_ttl, nf_conntrack_h323_default_rrq_ttl, uint, 0600);
MODULE_PARM_DESC(default_rrq_ttl, "seconds that a registration is good if it does not say so");

int nf_conntrack_h323_gkrouted_only __read_mostly = 1;
module_param_named(gkrouted_only, nf_conntrack_h323_gkrouted_only, int, 0600);
MODULE_PARM_DESC(gkrouted_only, "expect calls from the gatekeeper only");

bool nf_conntrack_h323_callforward_filter __read_mostly = true;
module_param_named(callforward_filter, nf_conntrack_h323_callforward_filter, bool, 0600);
MODULE_PARM_DESC(callforward_filter,
		 "expect forwarded calls only if both ends are at different sides");
