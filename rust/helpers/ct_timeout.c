// SPDX-License-Identifier: GPL-2.0

#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack_timeout.h>

bool nf_rust_helper_ct_timeout_get(struct nf_ct_timeout *timeout)
{
	return refcount_inc_not_zero(&timeout->refcnt);
}

void nf_rust_helper_ct_timeout_release(struct nf_ct_timeout *timeout)
{
	if (refcount_dec_and_test(&timeout->refcnt))
		kfree_rcu(timeout, rcu);
}

void nf_rust_helper_ct_timeout_log_base(void)
{
	pr_info_ratelimited("Timeout policy base is empty\n");
}

void nf_rust_helper_ct_timeout_log_missing(const char *name)
{
	pr_info_ratelimited("No such timeout policy \"%s\"\n", name);
}

void nf_rust_helper_ct_timeout_log_other(const char *name, int layer, int number)
{
	pr_info_ratelimited("Timeout policy `%s' can only be used by L%d protocol number %d\n",
			    name, layer, number);
}

/* With room for so many bytes of timeouts. */
struct nf_ct_timeout *nf_rust_helper_ct_timeout_alloc(size_t room)
{
	return kzalloc(sizeof(struct nf_ct_timeout) + room, GFP_KERNEL_ACCOUNT);
}
