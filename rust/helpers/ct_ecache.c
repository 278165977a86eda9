// SPDX-License-Identifier: GPL-2.0

#include <linux/rculist_nulls.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_ecache.h>

/*
 * Ends the list of connections whose end is still to be reported. No chain of
 * the table ends like this, so that a reader of one who is carried over here
 * notices and starts again.
 */
#define DYING_NULLS ((1UL << 30) + 1)

/* net/netfilter/nf_conntrack/: after how many jiffies to run again, or -1. */
int nf_conntrack_ecache_run(struct nf_conntrack_net *cnet);

static void ecache_work_fn(struct work_struct *work)
{
	struct nf_conntrack_net *cnet;
	int delay;

	cnet = container_of(to_delayed_work(work), struct nf_conntrack_net,
			    ecache.dwork);
	delay = nf_conntrack_ecache_run(cnet);
	if (delay >= 0)
		queue_delayed_work(system_percpu_wq, &cnet->ecache.dwork, delay);
}

void nf_rust_helper_ecache_start(struct nf_conntrack_net *cnet)
{
	INIT_DELAYED_WORK(&cnet->ecache.dwork, ecache_work_fn);
	INIT_HLIST_NULLS_HEAD(&cnet->ecache.dying_list, DYING_NULLS);
	spin_lock_init(&cnet->ecache.dying_lock);
}

void nf_rust_helper_ecache_stop(struct nf_conntrack_net *cnet)
{
	cancel_delayed_work_sync(&cnet->ecache.dwork);
}

/* Does nothing if it is queued already, to run sooner or later. */
void nf_rust_helper_ecache_run_in(struct nf_conntrack_net *cnet,
				  unsigned int delay)
{
	queue_delayed_work(system_percpu_wq, &cnet->ecache.dwork, delay);
}

void nf_rust_helper_ecache_run_now(struct nf_conntrack_net *cnet)
{
	mod_delayed_work(system_percpu_wq, &cnet->ecache.dwork, 0);
}

void nf_rust_helper_ecache_dying_add(struct nf_conntrack_net *cnet,
				     struct nf_conn *ct)
{
	spin_lock_bh(&cnet->ecache.dying_lock);
	hlist_nulls_add_head_rcu(&ct->tuplehash[IP_CT_DIR_ORIGINAL].hnnode,
				 &cnet->ecache.dying_list);
	spin_unlock_bh(&cnet->ecache.dying_lock);
}

bool nf_rust_helper_ecache_dying_empty(const struct nf_conntrack_net *cnet)
{
	return hlist_nulls_empty(&cnet->ecache.dying_list);
}

/* Stays in the list, with the list's reference. */
struct nf_conn *
nf_rust_helper_ecache_dying_first(struct nf_conntrack_net *cnet)
{
	struct hlist_nulls_node *node;
	struct nf_conn *ct = NULL;

	spin_lock_bh(&cnet->ecache.dying_lock);
	node = cnet->ecache.dying_list.first;
	if (!is_a_nulls(node))
		ct = container_of(node, struct nf_conn,
				  tuplehash[IP_CT_DIR_ORIGINAL].hnnode);
	spin_unlock_bh(&cnet->ecache.dying_lock);
	return ct;
}

void nf_rust_helper_ecache_dying_del(struct nf_conntrack_net *cnet,
				     struct nf_conn *ct)
{
	spin_lock_bh(&cnet->ecache.dying_lock);
	hlist_nulls_del_rcu(&ct->tuplehash[IP_CT_DIR_ORIGINAL].hnnode);
	spin_unlock_bh(&cnet->ecache.dying_lock);
}

/*
 * Finds the @max connections with the lowest addresses above @after, in their
 * order, and takes a reference to each.
 */
void nf_rust_helper_ecache_dying_after(struct nf_conntrack_net *cnet,
				       unsigned long after,
				       struct nf_conn **found,
				       unsigned int max)
{
	struct nf_conntrack_tuple_hash *h;
	struct hlist_nulls_node *node;
	unsigned int i, n = 0;

	spin_lock_bh(&cnet->ecache.dying_lock);
	hlist_nulls_for_each_entry(h, node, &cnet->ecache.dying_list, hnnode) {
		struct nf_conn *ct = nf_ct_tuplehash_to_ctrack(h);

		if ((unsigned long)ct <= after ||
		    (n == max && ct > found[max - 1]))
			continue;
		i = n < max ? n++ : max - 1;
		for (; i && found[i - 1] > ct; i--)
			found[i] = found[i - 1];
		found[i] = ct;
	}
	for (i = 0; i < n; i++)
		nf_conntrack_get(&found[i]->ct_general);
	spin_unlock_bh(&cnet->ecache.dying_lock);
}
