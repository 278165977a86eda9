// SPDX-License-Identifier: GPL-2.0

#include <linux/netfilter/nf_conntrack_pptp.h>
#include <linux/netfilter/nf_conntrack_proto_gre.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static DEFINE_SPINLOCK(keymap_lock);

struct nf_ct_gre_keymap *nf_rust_helper_gre_keymap_alloc(void)
{
	return kzalloc(sizeof(struct nf_ct_gre_keymap), GFP_ATOMIC);
}

void nf_rust_helper_gre_keymap_lock(void)
{
	spin_lock_bh(&keymap_lock);
}

void nf_rust_helper_gre_keymap_unlock(void)
{
	spin_unlock_bh(&keymap_lock);
}

void nf_rust_helper_gre_keymap_link(struct list_head *list,
				    struct nf_ct_gre_keymap *map)
{
	list_add_tail_rcu(&map->list, list);
}

void nf_rust_helper_gre_keymap_unlink(struct nf_ct_gre_keymap *map)
{
	list_del_rcu(&map->list);
	kfree_rcu(map, rcu);
}

void nf_rust_helper_list_init(struct list_head *list)
{
	INIT_LIST_HEAD(list);
}
