// SPDX-License-Identifier: GPL-2.0

#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/proc_fs.h>
#include <linux/seq_file_net.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_expect.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netfilter/nf_conntrack_l4proto.h>

/* Objects begin with a struct nf_conntrack_expect. */
struct kmem_cache *nf_rust_helper_expect_cache_create(unsigned int size)
{
	return kmem_cache_create("nf_conntrack_expect", size,
				 __alignof__(struct nf_conntrack_expect), 0,
				 NULL);
}

void *nf_rust_helper_expect_cache_zalloc(struct kmem_cache *cache)
{
	return kmem_cache_zalloc(cache, GFP_ATOMIC);
}

void nf_rust_helper_expect_log_full(void)
{
	net_warn_ratelimited("nf_conntrack: expectation table full\n");
}

/* A file of the namespace's root, in its /proc/net. */
struct proc_dir_entry *
nf_rust_helper_ct_proc_create(struct net *net, const char *name,
			      const struct seq_operations *ops)
{
	struct proc_dir_entry *entry;
	kuid_t uid;
	kgid_t gid;

	entry = proc_create_net_data(name, 0440, net->proc_net, ops,
				     sizeof(struct seq_net_private), NULL);
	if (!entry)
		return NULL;
	uid = make_kuid(net->user_ns, 0);
	gid = make_kgid(net->user_ns, 0);
	if (uid_valid(uid) && gid_valid(gid))
		proc_set_user(entry, uid, gid);
	return entry;
}

void nf_rust_helper_ct_proc_remove(struct net *net, const char *name)
{
	remove_proc_entry(name, net->proc_net);
}

struct net *nf_rust_helper_ct_seq_net(struct seq_file *seq)
{
	return seq_file_net(seq);
}

/* The registries of helpers; changes sleep. */
static DEFINE_MUTEX(helper_mutex);

void nf_rust_helper_helper_mutex_lock(void)
{
	mutex_lock(&helper_mutex);
}

void nf_rust_helper_helper_mutex_unlock(void)
{
	mutex_unlock(&helper_mutex);
}

void *nf_rust_helper_helper_zalloc(void)
{
	return kzalloc(sizeof(struct nf_conntrack_helper), GFP_KERNEL_ACCOUNT);
}
