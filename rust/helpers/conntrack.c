// SPDX-License-Identifier: GPL-2.0

#include <linux/mm.h>
#include <linux/sched.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>

void nf_rust_helper_conn_init_lock(struct nf_conn *ct)
{
	spin_lock_init(&ct->lock);
}

/* Adds to the counter at @offset of the namespace's statistics. */
void nf_rust_helper_ct_stat_add(struct net *net, unsigned int offset,
				unsigned int n)
{
	unsigned int __percpu *counter;

	counter = (unsigned int __percpu *)((u8 __percpu *)net->ct.stat + offset);
	this_cpu_add(*counter, n);
}

void *nf_rust_helper_table_alloc(size_t bytes)
{
	return kvzalloc(bytes, GFP_KERNEL);
}

/* Locks chains @a and @b, @a not above @b; bottom halves stay off. */
void nf_rust_helper_table_lock(unsigned int a, unsigned int b)
{
	spin_lock_bh(&nf_conntrack_locks[a]);
	if (a != b)
		spin_lock_nested(&nf_conntrack_locks[b], SINGLE_DEPTH_NESTING);
}

void nf_rust_helper_table_unlock(unsigned int a, unsigned int b)
{
	if (a != b)
		spin_unlock(&nf_conntrack_locks[b]);
	spin_unlock_bh(&nf_conntrack_locks[a]);
}

void nf_rust_helper_table_resched(void)
{
	cond_resched();
}
