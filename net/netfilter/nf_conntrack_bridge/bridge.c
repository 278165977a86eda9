// SPDX-License-Identifier: GPL-2.0
/*
 * What the bridge and the IP stack have as inline functions, in headers of their
 * own: the bridge's notes in a packet, reassembly, and cutting up again.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/module.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_bridge.h>
#include <net/netfilter/rustynat_bridge.h>

#include "br_private.h"

/* Reassembly has notes of its own where the bridge's are: a copy of the latter. */
static void notes_back(struct sk_buff *skb, const struct br_input_skb_cb *notes,
		       u16 frag_max_size)
{
	*BR_INPUT_SKB_CB(skb) = *notes;
	BR_INPUT_SKB_CB(skb)->frag_max_size = frag_max_size;
}

enum rustynat_gathered rustynat_br_gather4(struct net *net, struct sk_buff *skb,
					   u16 zone)
{
	struct br_input_skb_cb notes = *BR_INPUT_SKB_CB(skb);
	int err;

	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	local_bh_disable();
	err = ip_defrag(net, skb, IP_DEFRAG_CONNTRACK_BRIDGE_IN + zone);
	local_bh_enable();
	if (err)
		return RUSTYNAT_KEPT;
	notes_back(skb, &notes, IPCB(skb)->frag_max_size);
	skb->ignore_df = 1;
	return RUSTYNAT_WHOLE;
}

/* Also for packets that are no fragments. */
enum rustynat_gathered rustynat_br_gather6(struct net *net, struct sk_buff *skb,
					   u16 zone)
{
	struct br_input_skb_cb notes = *BR_INPUT_SKB_CB(skb);
	int err;

	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	err = nf_ct_frag6_gather(net, skb, IP_DEFRAG_CONNTRACK_BRIDGE_IN + zone);
	if (err == -EINPROGRESS)
		return RUSTYNAT_KEPT;
	notes_back(skb, &notes, IP6CB(skb)->frag_max_size);
	return err ? RUSTYNAT_BROKEN : RUSTYNAT_WHOLE;
}

/* The host sees it only because its bridge device is promiscuous. */
bool rustynat_br_promisc(const struct sk_buff *skb)
{
	return BR_INPUT_SKB_CB(skb)->promisc;
}

bool rustynat_br_for_host(const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST;
}

bool rustynat_br_is_gso(const struct sk_buff *skb)
{
	return skb_is_gso(skb);
}

bool rustynat_br_reassembled(const struct sk_buff *skb)
{
	return BR_INPUT_SKB_CB(skb)->frag_max_size;
}

void rustynat_br_reset(struct sk_buff *skb)
{
	nf_reset_ct(skb);
}

static void link_header_save(struct sk_buff *skb,
			     struct nf_bridge_frag_data *link)
{
	link->vlan_present = skb_vlan_tag_present(skb);
	if (link->vlan_present) {
		link->vlan_proto = skb->vlan_proto;
		link->vlan_tci = skb_vlan_tag_get(skb);
	}
	skb_copy_from_linear_data_offset(skb, -ETH_HLEN, link->mac, ETH_HLEN);
}

/* A fragment gets the link header and the tag of its packet, and goes out. */
static int push_fragment(struct net *net, struct sock *sk,
			 const struct nf_bridge_frag_data *link,
			 struct sk_buff *skb)
{
	if (skb_cow_head(skb, ETH_HLEN)) {
		kfree_skb(skb);
		return -ENOMEM;
	}
	__vlan_hwaccel_clear_tag(skb);
	if (link->vlan_present)
		__vlan_hwaccel_put_tag(skb, link->vlan_proto, link->vlan_tci);
	skb_copy_to_linear_data_offset(skb, -ETH_HLEN, link->mac, ETH_HLEN);
	skb_reset_mac_header(skb);
	return br_dev_queue_push_xmit(net, sk, skb);
}

enum geometry {
	AS_IT_CAME,
	LOST,
	TOO_LARGE,
};

/* Whether the fragments are still there, each with room for its headers. */
static enum geometry geometry_of(const struct sk_buff *skb, unsigned int hlen,
				 unsigned int room)
{
	const unsigned int mtu = skb->dev->mtu;
	const struct sk_buff *frag;
	enum geometry geometry;

	if (!skb_has_frag_list(skb))
		return LOST;
	if (skb_pagelen(skb) - hlen > mtu)
		return TOO_LARGE;
	geometry = skb_cloned(skb) || skb_headroom(skb) < room ? LOST : AS_IT_CAME;
	skb_walk_frags(skb, frag) {
		if (frag->len > mtu)
			return TOO_LARGE;
		if (skb_shared(frag) || skb_headroom(frag) < hlen + room)
			geometry = LOST;
	}
	return geometry;
}

/* Consumes @skb. */
static void send_as_came(struct net *net, struct sock *sk, struct sk_buff *skb,
			 const struct nf_bridge_frag_data *link,
			 unsigned int hlen)
{
	const u8 type = skb->tstamp_type;
	const ktime_t tstamp = skb->tstamp;
	struct ip_fraglist_iter iter;
	bool last;

	ip_fraglist_init(skb, ip_hdr(skb), hlen, &iter);
	do {
		last = !iter.frag;
		if (!last)
			ip_fraglist_prepare(skb, &iter);
		skb_set_delivery_time(skb, tstamp, type);
		if (push_fragment(net, sk, link, skb)) {
			kfree_skb_list(iter.frag);
			return;
		}
		if (!last)
			skb = ip_fraglist_next(&iter);
	} while (!last);
}

/* Fragments as large as the largest that came. Consumes @skb. */
static void send_cut(struct net *net, struct sock *sk, struct sk_buff *skb,
		     const struct nf_bridge_frag_data *link, unsigned int hlen,
		     unsigned int room)
{
	const unsigned int size = BR_INPUT_SKB_CB(skb)->frag_max_size;
	const u8 type = skb->tstamp_type;
	const ktime_t tstamp = skb->tstamp;
	struct ip_frag_state state;

	/* A fragment has 8 bytes at least. */
	if (size < hlen + 8)
		goto out;
	ip_frag_init(skb, hlen, room, size - hlen, false, &state);
	while (state.left > 0) {
		struct sk_buff *part = ip_frag_next(skb, &state);

		if (IS_ERR(part))
			goto out;
		skb_set_delivery_time(part, tstamp, type);
		if (push_fragment(net, sk, link, part))
			goto out;
	}
	consume_skb(skb);
	return;
out:
	kfree_skb(skb);
}

/* Sends a reassembled packet in fragments. Consumes @skb. */
void rustynat_br_refragment(struct sk_buff *skb,
			    const struct nf_hook_state *state)
{
	struct nf_bridge_frag_data link;
	unsigned int hlen, room;

	link_header_save(skb, &link);
	if (skb->protocol == htons(ETH_P_IPV6)) {
		nf_br_ip6_fragment(state->net, state->sk, skb, &link,
				   push_fragment);
		return;
	}
	/* What a device was to compute has to be there before it is cut. */
	if (skb->ip_summed == CHECKSUM_PARTIAL &&
	    (ip_check_csum_start(skb) || skb_checksum_help(skb)))
		goto drop;
	hlen = ip_hdrlen(skb);
	room = LL_RESERVED_SPACE(skb->dev);
	switch (geometry_of(skb, hlen, room)) {
	case AS_IT_CAME:
		send_as_came(state->net, state->sk, skb, &link, hlen);
		return;
	case LOST:
		send_cut(state->net, state->sk, skb, &link, hlen, room);
		return;
	case TOO_LARGE:
		break;
	}
drop:
	kfree_skb(skb);
}

static struct nf_hook_ops bridge_ops[] = {
	{
		.hook		= nf_ct_bridge_pre,
		.pf		= NFPROTO_BRIDGE,
		.hooknum	= NF_BR_PRE_ROUTING,
		.priority	= NF_IP_PRI_CONNTRACK,
	},
	{
		.hook		= nf_ct_bridge_in,
		.pf		= NFPROTO_BRIDGE,
		.hooknum	= NF_BR_LOCAL_IN,
		.priority	= NF_IP_PRI_CONNTRACK_CONFIRM,
	},
	{
		.hook		= nf_ct_bridge_post,
		.pf		= NFPROTO_BRIDGE,
		.hooknum	= NF_BR_POST_ROUTING,
		.priority	= NF_IP_PRI_CONNTRACK_CONFIRM,
	},
};

static struct nf_ct_bridge_info bridge_info = {
	.ops		= bridge_ops,
	.ops_size	= ARRAY_SIZE(bridge_ops),
	.me		= THIS_MODULE,
};

void rustynat_br_start(void)
{
	nf_ct_bridge_register(&bridge_info);
}

void rustynat_br_stop(void)
{
	nf_ct_bridge_unregister(&bridge_info);
}
