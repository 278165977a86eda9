// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters, by the stock module's names.
 */
#include <linux/moduleparam.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack.h>

/* resize.rs */
int nf_conntrack_set_buckets(unsigned int buckets);
bool nf_conntrack_is_started(void);

static int set_hashsize(const char *val, const struct kernel_param *kp)
{
	unsigned int buckets;
	int err;

	if (current->nsproxy->net_ns != &init_net)
		return -EOPNOTSUPP;
	/* At load the value is only noted. */
	if (!nf_conntrack_is_started())
		return param_set_uint(val, kp);
	err = kstrtouint(val, 0, &buckets);
	if (err)
		return err;
	return nf_conntrack_set_buckets(buckets);
}

module_param_call(hashsize, set_hashsize, param_get_uint,
		  &nf_conntrack_htable_size, 0600);

/* Namespaces track connections from the start, not only when a rule asks. */
bool nf_conntrack_enable_hooks __read_mostly;
module_param_named(enable_hooks, nf_conntrack_enable_hooks, bool, 0000);
MODULE_PARM_DESC(enable_hooks, "Always enable conntrack hooks");
