// SPDX-License-Identifier: GPL-2.0
/*
 * What drivers are asked, and the work that asks them: callbacks of the kernel's
 * flow blocks, work queues and counters, which are macros and inline functions.
 */
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <net/flow_offload.h>
#include <net/netfilter/rustynat_flow.h>
#include <net/netns/generic.h>

static struct workqueue_struct *queues[RUSTYNAT_FLOW_COMMANDS];

int rustynat_flow_hardware_init(void)
{
	static const char *const names[] = {
		[RUSTYNAT_FLOW_ADD] = "nf_ft_offload_add",
		[RUSTYNAT_FLOW_DESTROY] = "nf_ft_offload_del",
		[RUSTYNAT_FLOW_STATS] = "nf_ft_offload_stats",
	};
	int i;

	for (i = 0; i < RUSTYNAT_FLOW_COMMANDS; i++) {
		queues[i] = alloc_workqueue("%s", WQ_UNBOUND | WQ_SYSFS, 0,
					    names[i]);
		if (!queues[i]) {
			rustynat_flow_hardware_exit();
			return -ENOMEM;
		}
	}
	return 0;
}

/* There is no table any more. */
void rustynat_flow_hardware_exit(void)
{
	int i;

	for (i = 0; i < RUSTYNAT_FLOW_COMMANDS; i++) {
		if (queues[i])
			destroy_workqueue(queues[i]);
		queues[i] = NULL;
	}
}

static void work_run(struct work_struct *w)
{
	struct rustynat_flow_work *work =
		container_of(w, struct rustynat_flow_work, work);

	/* Then the flow, and the work with it, may be gone. */
	rustynat_flow_work_run(work->table, work->flow, work->command);
}

/* Several may come at once: the first one's is the flow's. */
bool rustynat_flow_work_alloc(struct rustynat_flow *flow)
{
	struct rustynat_flow_work *work;

	if (READ_ONCE(flow->work))
		return true;
	work = kzalloc_obj(*work, GFP_ATOMIC);
	if (!work)
		return false;
	INIT_WORK(&work->work, work_run);
	work->flow = &flow->flow;
	if (cmpxchg(&flow->work, NULL, work))
		kfree(work);
	return true;
}

bool rustynat_flow_has_drivers(const struct nf_flowtable *table)
{
	return !list_empty(&table->flow_block.cb_list);
}

/* Nothing is being asked about the flow, but what the caller will. */
void rustynat_flow_work_queue(struct nf_flowtable *table,
			      struct rustynat_flow *flow, u32 command)
{
	struct rustynat_flow_work *work = flow->work;

	work->table = table;
	work->command = command;
	queue_work(queues[command], &work->work);
}

/* Waits for what has been asked until now. */
void rustynat_flow_work_flush(void)
{
	int i;

	for (i = 0; i < RUSTYNAT_FLOW_COMMANDS; i++)
		flush_workqueue(queues[i]);
}

/* Waits for packets that are under way. */
void rustynat_flow_wait_for_packets(void)
{
	synchronize_net();
}

unsigned int rustynat_flow_net_id;

/*
 * How much of each kind is waiting. A table can outlive the counters of its
 * namespace, whose end takes them back before nf_tables ends its tables.
 */
void rustynat_flow_count(struct net *net, u32 command, int by)
{
	struct nf_flow_table_stat __percpu *stat;

	rcu_read_lock();
	stat = READ_ONCE(net->ft.stat);
	if (!stat)
		goto out;
	switch (command) {
	case RUSTYNAT_FLOW_ADD:
		this_cpu_add(stat->count_wq_add, by);
		break;
	case RUSTYNAT_FLOW_DESTROY:
		this_cpu_add(stat->count_wq_del, by);
		break;
	default:
		this_cpu_add(stat->count_wq_stats, by);
	}
out:
	rcu_read_unlock();
}

static struct rustynat_flow_net *counts(const struct net *net)
{
	return net_generic(net, rustynat_flow_net_id);
}

int rustynat_flow_counts_init(struct net *net)
{
	counts(net)->stat = alloc_percpu(struct nf_flow_table_stat);
	net->ft.stat = counts(net)->stat;
	return net->ft.stat ? 0 : -ENOMEM;
}

/* A grace period passes between this and the next, as after every pre_exit. */
void rustynat_flow_counts_end(struct net *net)
{
	WRITE_ONCE(net->ft.stat, NULL);
}

void rustynat_flow_counts_exit(struct net *net)
{
	free_percpu(counts(net)->stat);
}

/* A CPU's share: what one CPU asked for, another may have done. */
int rustynat_flow_counted(struct net *net, unsigned int cpu, u32 command)
{
	const struct nf_flow_table_stat *stat =
		per_cpu_ptr(counts(net)->stat, cpu);

	switch (command) {
	case RUSTYNAT_FLOW_ADD:
		return READ_ONCE(stat->count_wq_add);
	case RUSTYNAT_FLOW_DESTROY:
		return READ_ONCE(stat->count_wq_del);
	default:
		return READ_ONCE(stat->count_wq_stats);
	}
}

/* Asks all drivers of the table. How many did it. */
int rustynat_flow_ask(struct nf_flowtable *table,
		      const struct flow_offload_tuple *tuple,
		      enum flow_cls_command command, struct nf_flow_rule *rule,
		      struct flow_stats *stats)
{
	struct netlink_ext_ack extack = {};
	struct flow_cls_offload request = {
		/* Host order, as drivers know it. */
		.common.protocol = (__force __be16)ETH_P_ALL,
		.common.prio = table->priority,
		.common.extack = &extack,
		.command = command,
		.cookie = (unsigned long)tuple,
		.rule = rule ? rule->rule : NULL,
	};
	struct flow_block_cb *callback;
	int done = 0;

	down_read(&table->flow_block_lock);
	list_for_each_entry(callback, &table->flow_block.cb_list, list)
		if (callback->cb(TC_SETUP_CLSFLOWER, &request,
				 callback->cb_priv) >= 0)
			done++;
	up_read(&table->flow_block_lock);
	if (stats)
		*stats = request.stats;
	return done;
}

/* A driver goes that took the table's device though it is not its own. */
static void driver_gone(struct flow_block_cb *callback)
{
	struct nf_flowtable *table = callback->indr.data;

	rustynat_flow_withdraw(table);
	down_write(&table->flow_block_lock);
	list_del(&callback->list);
	list_del(&callback->driver_list);
	flow_block_cb_free(callback);
	up_write(&table->flow_block_lock);
}

static void block_init(struct flow_block_offload *block,
		       struct nf_flowtable *table, struct net_device *dev,
		       enum flow_block_command command,
		       struct netlink_ext_ack *extack)
{
	memset(block, 0, sizeof(*block));
	block->command = command;
	block->binder_type = FLOW_BLOCK_BINDER_TYPE_CLSACT_INGRESS;
	block->net = dev_net(dev);
	block->block = &table->flow_block;
	block->cb_list_head = &table->flow_block.cb_list;
	block->extack = extack;
	INIT_LIST_HEAD(&block->cb_list);
}

/*
 * Drivers that take other drivers' devices. The kernel notes the table for those
 * that come later, whether or not somebody took it: if nobody did, nobody will
 * take it back either, but for us. What is taken back leaves the table's list for
 * the block's, so nobody may be asking drivers meanwhile.
 */
static int ask_others(struct flow_block_offload *block,
		      struct nf_flowtable *table, struct net_device *dev,
		      enum flow_block_command command)
{
	struct flow_block_offload undo;
	int err;

	down_write(&table->flow_block_lock);
	err = flow_indr_dev_setup_offload(dev, NULL, TC_SETUP_FT, table, block,
					  driver_gone);
	if (err < 0 && command == FLOW_BLOCK_BIND) {
		block_init(&undo, table, dev, FLOW_BLOCK_UNBIND, block->extack);
		flow_indr_dev_setup_offload(dev, NULL, TC_SETUP_FT, table,
					    &undo, driver_gone);
	}
	up_write(&table->flow_block_lock);
	return err;
}

/* Hands the table to the driver of a device, or takes it back. Sleeps. */
int rustynat_flow_block(struct nf_flowtable *table, struct net_device *dev,
			enum flow_block_command command)
{
	struct flow_block_cb *callback, *next;
	struct netlink_ext_ack extack = {};
	struct flow_block_offload block;
	int err;

	block_init(&block, table, dev, command, &extack);
	if (dev->netdev_ops->ndo_setup_tc) {
		down_write(&table->flow_block_lock);
		err = dev->netdev_ops->ndo_setup_tc(dev, TC_SETUP_FT, &block);
		up_write(&table->flow_block_lock);
	} else {
		err = ask_others(&block, table, dev, command);
	}
	if (err < 0)
		return err;

	down_write(&table->flow_block_lock);
	if (command == FLOW_BLOCK_BIND)
		list_splice(&block.cb_list, &table->flow_block.cb_list);
	else
		list_for_each_entry_safe(callback, next, &block.cb_list, list) {
			list_del(&callback->list);
			flow_block_cb_free(callback);
		}
	up_write(&table->flow_block_lock);
	return 0;
}
