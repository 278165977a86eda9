// SPDX-License-Identifier: GPL-2.0

#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_extend.h>
#include <net/netfilter/nf_log.h>
#include <net/netfilter/nf_queue.h>

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

/*
 * Locks chains @a and @b, @a not above @b, with bottom halves off: that is not
 * free, and seldom needed, as most callers are in one. True if it was.
 */
bool nf_rust_helper_table_lock(unsigned int a, unsigned int b)
{
	bool bh = !softirq_count();

	if (bh)
		local_bh_disable();
	spin_lock(&nf_conntrack_locks[a]);
	if (a != b)
		spin_lock_nested(&nf_conntrack_locks[b], SINGLE_DEPTH_NESTING);
	return bh;
}

void nf_rust_helper_table_unlock(unsigned int a, unsigned int b, bool bh)
{
	if (a != b)
		spin_unlock(&nf_conntrack_locks[b]);
	spin_unlock(&nf_conntrack_locks[a]);
	if (bh)
		local_bh_enable();
}

/* The same for the lock of one connection. */
bool nf_rust_helper_conn_lock(struct nf_conn *ct)
{
	bool bh = !softirq_count();

	if (bh)
		local_bh_disable();
	spin_lock(&ct->lock);
	return bh;
}

void nf_rust_helper_conn_unlock(struct nf_conn *ct, bool bh)
{
	spin_unlock(&ct->lock);
	if (bh)
		local_bh_enable();
}

/* Where the kernel has no function for it, but compiles it in everywhere. */
void nf_rust_helper_lock_release(spinlock_t *lock)
{
	spin_unlock(lock);
}

void nf_rust_helper_table_resched(void)
{
	cond_resched();
}

struct nf_conntrack_net *nf_rust_helper_ct_pernet(const struct net *net)
{
	return nf_ct_pernet(net);
}

struct kmem_cache *nf_rust_helper_conn_cache_create(unsigned int size)
{
	/*
	 * The low bits of a connection's address hold enum ip_conntrack_info. The
	 * allocator's link between free objects lies where a connection has its
	 * extensions, which nobody looks at without a reference: behind the object
	 * it would take another cache line.
	 */
	struct kmem_cache_args args = {
		.align = NFCT_INFOMASK + 1,
		.use_freeptr_offset = true,
		.freeptr_offset = offsetof(struct nf_conn, ext),
	};

	return kmem_cache_create("nf_conntrack", size, &args,
				 SLAB_TYPESAFE_BY_RCU | SLAB_HWCACHE_ALIGN);
}

void *nf_rust_helper_conn_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp);
}

/* Background work; the functions are in net/netfilter/nf_conntrack/. */
unsigned int nf_conntrack_gc_run(void);
void nf_conntrack_resize_run(void);

static void gc_work_fn(struct work_struct *work);
static void resize_work_fn(struct work_struct *work)
{
	nf_conntrack_resize_run();
}

static DECLARE_DELAYED_WORK(gc_work, gc_work_fn);
static DECLARE_WORK(resize_work, resize_work_fn);
static bool work_started;
static DEFINE_MUTEX(ct_mutex);

static void gc_work_fn(struct work_struct *work)
{
	queue_delayed_work(system_power_efficient_wq, &gc_work,
			   nf_conntrack_gc_run());
}

void nf_rust_helper_ct_work_start(void)
{
	WRITE_ONCE(work_started, true);
	queue_delayed_work(system_power_efficient_wq, &gc_work, HZ);
}

void nf_rust_helper_ct_work_stop(void)
{
	disable_delayed_work_sync(&gc_work);
	disable_work_sync(&resize_work);
}

void nf_rust_helper_ct_resize_soon(void)
{
	if (READ_ONCE(work_started) && !work_pending(&resize_work))
		queue_work(system_dfl_wq, &resize_work);
}

void nf_rust_helper_ct_mutex_lock(void)
{
	mutex_lock(&ct_mutex);
}

void nf_rust_helper_ct_mutex_unlock(void)
{
	mutex_unlock(&ct_mutex);
}

void nf_rust_helper_ct_log_table_full(struct net *net)
{
	if (net == &init_net)
		net_warn_ratelimited("nf_conntrack: nf_conntrack: table full, dropping packet\n");
	else
		net_warn_ratelimited("nf_conntrack: nf_conntrack: table full in netns %u, dropping packet\n",
				     net->ns.inum);
}

/* Connections of all namespaces; process context. */
unsigned int nf_rust_helper_ct_total_connections(void)
{
	unsigned int total = 0;
	struct net *net;

	down_read(&net_rwsem);
	for_each_net(net)
		total += atomic_read(&nf_ct_pernet(net)->count);
	up_read(&net_rwsem);
	return total;
}

bool nf_rust_helper_packet_is_loopback(const struct sk_buff *skb)
{
	return nf_is_loopback_packet(skb);
}

/*
 * All zero. The size that most have is a constant here, so that the cache is known
 * without a look at the size.
 */
struct nf_ct_ext *nf_rust_helper_ext_alloc(size_t size, gfp_t gfp)
{
	if (likely(size == 128))
		return kzalloc(128, gfp);
	return kzalloc(size, gfp);
}

/* What is more than before is zero. */
struct nf_ct_ext *nf_rust_helper_ext_resize(struct nf_ct_ext *ext, size_t size,
					    gfp_t gfp)
{
	return krealloc(ext, size, gfp | __GFP_ZERO);
}

u64 nf_rust_helper_ktime_real_ns(void)
{
	return ktime_get_real_ns();
}

/* net/netfilter/nf_internals.h, which is not for modules outside. */
void nf_queue_nf_hook_drop(struct net *net);

void nf_rust_helper_ct_drop_queued(void)
{
	struct net *net;

	down_read(&net_rwsem);
	for_each_net(net) {
		if (atomic_read(&nf_ct_pernet(net)->count))
			nf_queue_nf_hook_drop(net);
	}
	up_read(&net_rwsem);
	/* Namespaces that are just ending are no longer in the list. */
	net_ns_barrier();
	synchronize_net();
}

/* For modules that keep a hash of their own (nf_nat). */
void *nf_rust_helper_ct_alloc_hashtable(unsigned int *sizep, int nulls)
{
	const unsigned int per_page = PAGE_SIZE / sizeof(struct hlist_nulls_head);
	struct hlist_nulls_head *hash;
	unsigned int i, size;

	if (*sizep > INT_MAX / sizeof(*hash) - per_page)
		return NULL;
	size = roundup(*sizep, per_page);
	*sizep = size;
	hash = kvcalloc(size, sizeof(*hash), GFP_KERNEL);
	for (i = 0; hash && nulls && i < size; i++)
		INIT_HLIST_NULLS_HEAD(&hash[i], i);
	return hash;
}

void *nf_rust_helper_template_zalloc(size_t size, gfp_t gfp)
{
	BUILD_BUG_ON(ARCH_KMALLOC_MINALIGN <= NFCT_INFOMASK);
	return kzalloc(size, gfp);
}

struct ctl_table *nf_rust_helper_sysctl_table_alloc(unsigned int entries)
{
	return kcalloc(entries, sizeof(struct ctl_table), GFP_KERNEL);
}

struct ctl_table *
nf_rust_helper_sysctl_header_table(const struct ctl_table_header *header)
{
	return (struct ctl_table *)header->ctl_table_arg;
}

/* A logger is loaded if none is there to log invalid packets. */
void nf_rust_helper_ct_load_logger(void)
{
	int i;

	for (i = 0; i < NFPROTO_NUMPROTO; i++) {
		if (nf_log_is_registered(i))
			return;
	}
	request_module("%s", "nf_log_syslog");
}

void nf_rust_helper_ct_request_bridge(void)
{
	request_module("%s", "nf_conntrack_bridge");
}

struct nlattr *nf_rust_helper_nla_nest(struct sk_buff *skb, int type)
{
	return nla_nest_start(skb, type);
}

void nf_rust_helper_nla_nest_close(struct sk_buff *skb, struct nlattr *nest)
{
	nla_nest_end(skb, nest);
}

int nf_rust_helper_nla_parse_nest(struct nlattr **tb, int maxtype,
				  const struct nlattr *nla,
				  const struct nla_policy *policy)
{
	return nla_parse_nested_deprecated(tb, maxtype, nla, policy, NULL);
}

unsigned int nf_rust_helper_ct_net_number(const struct net *net)
{
	return net->ns.inum;
}

/* NAT's list of sources lets go of a connection that is being freed. */
void nf_rust_helper_ct_nat_forget(struct nf_conn *ct)
{
	const struct nf_nat_hook *hook;

	rcu_read_lock();
	hook = rcu_dereference(nf_nat_hook);
	if (hook)
		hook->remove_nat_bysrc(ct);
	rcu_read_unlock();
}
