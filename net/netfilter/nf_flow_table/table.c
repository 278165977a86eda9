// SPDX-License-Identifier: GPL-2.0
/*
 * The table of flows is the kernel's rhashtable, which is inline functions that
 * are made for their parameters; and its work, lists and caches.
 */
#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/rustynat_flow.h>

static DEFINE_MUTEX(tables_mutex);
static LIST_HEAD(tables);
static struct kmem_cache *flows;

static const struct rustynat_flow *flow_of(const void *entry)
{
	const struct flow_offload_tuple_rhash *e = entry;

	return container_of(e, struct rustynat_flow,
			    flow.tuplehash[e->tuple.dir]);
}

/* Keyed and computed in Rust; the table's own seed is not needed. */
static inline u32 hash_of_key(const void *data, u32 len, u32 seed)
{
	const struct rustynat_flow_key *key = data;

	return key->hash;
}

static u32 hash_of_entry(const void *entry, u32 len, u32 seed)
{
	const struct flow_offload_tuple_rhash *e = entry;

	return flow_of(e)->hash[e->tuple.dir];
}

/* Words of 64 bits that identify a flow's direction. */
#define WORDS (offsetof(struct flow_offload_tuple, __hash) / sizeof(u64))

/* A hash alike is nearly always the flow: no part is worth a branch. */
static inline int differs(struct rhashtable_compare_arg *arg, const void *entry)
{
	const struct rustynat_flow_key *key = arg->key;
	const struct flow_offload_tuple_rhash *e = entry;
	const u64 *a, *b;
	u64 difference = 0;
	unsigned int i;

	BUILD_BUG_ON(offsetof(struct flow_offload_tuple, __hash) % sizeof(u64));
	BUILD_BUG_ON(offsetof(struct flow_offload_tuple, out.ifidx) !=
		     offsetofend(struct flow_offload_tuple, dst_cache));
	BUILD_BUG_ON(offsetof(struct flow_offload_tuple, out.h_dest) !=
		     offsetofend(struct flow_offload_tuple, dst_cache) +
		     offsetof(struct rustynat_flow_out, destination));

	a = (const u64 *)key->tuple;
	b = (const u64 *)&e->tuple;
	/* Addresses and ports first, as most that differ do there. */
	if ((a[0] ^ b[0]) | (a[2] ^ b[2]) | (a[4] ^ b[4]))
		return 1;
#pragma GCC unroll 16
	for (i = 0; i < WORDS; i++)
		if (i != 0 && i != 2 && i != 4)
			difference |= a[i] ^ b[i];
	return difference != 0;
}

static const struct rhashtable_params parameters = {
	.head_offset = offsetof(struct flow_offload_tuple_rhash, node),
	.hashfn = hash_of_key,
	.obj_hashfn = hash_of_entry,
	.obj_cmpfn = differs,
	.automatic_shrinking = true,
};

static void gc(struct work_struct *work)
{
	struct nf_flowtable *table =
		container_of(work, struct nf_flowtable, gc_work.work);

	rustynat_flow_table_gc(table);
	rustynat_flow_table_gc_later(table);
}

int rustynat_flow_table_init(struct nf_flowtable *table)
{
	INIT_DELAYED_WORK(&table->gc_work, gc);
	flow_block_init(&table->flow_block);
	init_rwsem(&table->flow_block_lock);
	return rhashtable_init(&table->rhashtable, &parameters);
}

void rustynat_flow_table_gc_later(struct nf_flowtable *table)
{
	queue_delayed_work(system_power_efficient_wq, &table->gc_work, HZ);
}

void rustynat_flow_table_gc_stop(struct nf_flowtable *table)
{
	cancel_delayed_work_sync(&table->gc_work);
}

void rustynat_flow_table_gc_flush(struct nf_flowtable *table)
{
	flush_delayed_work(&table->gc_work);
}

void rustynat_flow_table_destroy(struct nf_flowtable *table)
{
	rhashtable_destroy(&table->rhashtable);
}

struct flow_offload_tuple_rhash *
rustynat_flow_find(struct nf_flowtable *table,
		   const struct rustynat_flow_key *key)
{
	return rhashtable_lookup(&table->rhashtable, key, parameters);
}

int rustynat_flow_insert(struct nf_flowtable *table,
			 struct flow_offload_tuple_rhash *entry)
{
	return rhashtable_insert_fast(&table->rhashtable, &entry->node,
				      parameters);
}

void rustynat_flow_remove(struct nf_flowtable *table,
			  struct flow_offload_tuple_rhash *entry)
{
	rhashtable_remove_fast(&table->rhashtable, &entry->node, parameters);
}

/* Each flow is met by its original direction, and may be removed. */
void rustynat_flow_walk(struct nf_flowtable *table,
			void (*visit)(struct nf_flowtable *table,
				      struct flow_offload *flow, void *data),
			void *data)
{
	struct flow_offload_tuple_rhash *entry;
	struct rhashtable_iter walk;

	rhashtable_walk_enter(&table->rhashtable, &walk);
	rhashtable_walk_start(&walk);
	while ((entry = rhashtable_walk_next(&walk))) {
		/* -EAGAIN: it was resized, and some are met again. */
		if (IS_ERR(entry) || entry->tuple.dir)
			continue;
		visit(table, container_of(entry, struct flow_offload,
					  tuplehash[0]), data);
	}
	rhashtable_walk_stop(&walk);
	rhashtable_walk_exit(&walk);
}

void rustynat_flow_tables_add(struct nf_flowtable *table)
{
	mutex_lock(&tables_mutex);
	list_add(&table->list, &tables);
	mutex_unlock(&tables_mutex);
}

void rustynat_flow_tables_remove(struct nf_flowtable *table)
{
	mutex_lock(&tables_mutex);
	list_del(&table->list);
	mutex_unlock(&tables_mutex);
}

void rustynat_flow_tables_each(void (*visit)(struct nf_flowtable *table,
					     struct net_device *dev),
			       struct net_device *dev)
{
	struct nf_flowtable *table;

	mutex_lock(&tables_mutex);
	list_for_each_entry(table, &tables, list)
		visit(table, dev);
	mutex_unlock(&tables_mutex);
}

static int device_event(struct notifier_block *block, unsigned long event,
			void *info)
{
	if (event == NETDEV_CHANGEMTU)
		rustynat_flow_mtu_changed(netdev_notifier_info_to_dev(info));
	return NOTIFY_DONE;
}

static struct notifier_block devices = {
	.notifier_call = device_event,
};

int rustynat_flow_notifier_register(void)
{
	return register_netdevice_notifier(&devices);
}

void rustynat_flow_notifier_unregister(void)
{
	unregister_netdevice_notifier(&devices);
}

int rustynat_flow_cache_init(void)
{
	flows = kmem_cache_create("flow_offload", sizeof(struct rustynat_flow),
				  0, SLAB_HWCACHE_ALIGN, NULL);
	return flows ? 0 : -ENOMEM;
}

/* Frees what is still to be freed. */
void rustynat_flow_cache_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(flows);
}

struct rustynat_flow *rustynat_flow_alloc(void)
{
	return kmem_cache_zalloc(flows, GFP_ATOMIC);
}

static void free_flow(struct rcu_head *head)
{
	struct flow_offload *flow =
		container_of(head, struct flow_offload, rcu_head);

	struct rustynat_flow *whole =
		container_of(flow, struct rustynat_flow, flow);

	rustynat_flow_put_conn(flow->ct);
	kfree(whole->work);
	kmem_cache_free(flows, whole);
}

void rustynat_flow_free_later(struct flow_offload *flow)
{
	call_rcu(&flow->rcu_head, free_flow);
}
