// SPDX-License-Identifier: GPL-2.0
/*
 * Which tables a device has, for programs at XDP: there is no hook yet that would
 * know. Tables of several namespaces may have the same device.
 */
#include <linux/mutex.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/netfilter/nf_flow_table.h>
#include <net/netfilter/rustynat_flow_bpf.h>

struct bound {
	struct rhlist_head node;
	const struct net_device *dev;
	struct nf_flowtable *table;
	struct rcu_head rcu;
};

static const struct rhashtable_params parameters = {
	.key_len = sizeof_field(struct bound, dev),
	.key_offset = offsetof(struct bound, dev),
	.head_offset = offsetof(struct bound, node),
	.automatic_shrinking = true,
};

static struct rhltable devices;
/* Who unbinds must not see others unbind. */
static DEFINE_MUTEX(devices_mutex);

int rustynat_flow_xdp_init(void)
{
	return rhltable_init(&devices, &parameters);
}

/* Every table has unbound its devices. */
void rustynat_flow_xdp_exit(void)
{
	rhltable_destroy(&devices);
}

static int bind(struct nf_flowtable *table, const struct net_device *dev)
{
	struct bound *bound = kmalloc(sizeof(*bound), GFP_KERNEL_ACCOUNT);
	int err;

	if (!bound)
		return -ENOMEM;
	bound->dev = dev;
	bound->table = table;
	mutex_lock(&devices_mutex);
	err = rhltable_insert(&devices, &bound->node, parameters);
	mutex_unlock(&devices_mutex);
	if (err)
		kfree(bound);
	return err;
}

static void unbind(struct nf_flowtable *table, const struct net_device *dev)
{
	struct rhlist_head *list, *at;
	struct bound *bound, *found = NULL;

	mutex_lock(&devices_mutex);
	rcu_read_lock();
	list = rhltable_lookup(&devices, &dev, parameters);
	rhl_for_each_entry_rcu(bound, at, list, node)
		if (bound->table == table)
			found = bound;
	rcu_read_unlock();
	if (found)
		rhltable_remove(&devices, &found->node, parameters);
	mutex_unlock(&devices_mutex);
	if (found)
		kfree_rcu(found, rcu);
}

/* A device begins or ends to have a table. May sleep. */
int nf_flow_offload_xdp_setup(struct nf_flowtable *flowtable,
			      struct net_device *dev,
			      enum flow_block_command cmd)
{
	if (cmd == FLOW_BLOCK_BIND)
		return bind(flowtable, dev);
	unbind(flowtable, dev);
	return 0;
}

/* The table that a device has had longest. Under RCU, as is its use. */
struct nf_flowtable *nf_flowtable_by_dev(const struct net_device *dev)
{
	struct nf_flowtable *table = NULL;
	struct rhlist_head *list, *at;
	struct bound *bound;

	list = rhltable_lookup(&devices, &dev, parameters);
	/* The newest comes first. */
	rhl_for_each_entry_rcu(bound, at, list, node)
		table = bound->table;
	return table;
}
