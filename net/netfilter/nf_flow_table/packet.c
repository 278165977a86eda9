// SPDX-License-Identifier: GPL-2.0
/* Packets: inline functions of the kernel's headers. */
#include <linux/if_pppox.h>
#include <linux/if_vlan.h>
#include <net/gso.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/neighbour.h>
#include <net/netfilter/rustynat_flow.h>
#include <net/xfrm.h>

/* Each of several in one does, though all together are too long. */
bool rustynat_flow_fits(const struct sk_buff *skb, unsigned int mtu)
{
	return skb_is_gso(skb) && skb_gso_validate_network_len(skb, mtu);
}

#ifdef CONFIG_XFRM
/* What a policy says of the packet whose header is at @offset. */
static bool policy_allows(struct sk_buff *skb, int dir, bool ipv6,
			  unsigned int offset)
{
	__be16 protocol = skb->protocol;
	int network = skb_network_offset(skb);
	bool allowed;

	skb->protocol = htons(ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	skb_set_network_header(skb, offset);
	allowed = xfrm_policy_check(NULL, dir, skb, ipv6 ? AF_INET6 : AF_INET);
	skb->protocol = protocol;
	skb_set_network_header(skb, network);
	return allowed;
}
#endif

/*
 * IPsec's policies let it be forwarded, and if it comes in a tunnel let that come in:
 * what they want protected came so. They are written for packets as they come, so
 * this is asked before one is changed. The headers are at @outer and @inner.
 */
bool rustynat_flow_allowed(struct sk_buff *skb, bool ipv6, unsigned int outer,
			   unsigned int inner)
{
#ifdef CONFIG_XFRM
	struct net *net = dev_net(skb->dev);
	bool tunnel = outer != inner;

	if (likely(__xfrm_check_nopolicy(net, skb, XFRM_POLICY_FWD) &&
		   (!tunnel || __xfrm_check_nopolicy(net, skb, XFRM_POLICY_IN))))
		return true;
	return (!tunnel || policy_allows(skb, XFRM_POLICY_IN, ipv6, outer)) &&
	       policy_allows(skb, XFRM_POLICY_FWD, ipv6, inner);
#else
	return true;
#endif
}

bool rustynat_flow_trim(struct sk_buff *skb, unsigned int len)
{
	return !pskb_trim_rcsum(skb, len);
}

/*
 * Takes off the tag, and encapsulation and tunnel before the network header. False
 * if memory is short.
 */
bool rustynat_flow_pop(struct sk_buff *skb, unsigned int encap,
		       unsigned int tunnel, __be16 protocol)
{
	__vlan_hwaccel_clear_tag(skb);
	skb_pull_rcsum(skb, encap + tunnel);
	skb->protocol = protocol;
	skb_reset_network_header(skb);
	/* What is cut up later is not the tunnel's packet any more. */
	return !tunnel || !iptunnel_pull_offloads(skb);
}

/* A tag is the device's to write; one that is there already becomes bytes. */
bool rustynat_flow_push_vlan(struct sk_buff *skb, __be16 proto, u16 tci,
			     const struct net_device *dev)
{
	struct vlan_hdr *header;

	if (skb_vlan_tag_present(skb)) {
		if (skb_cow_head(skb, LL_RESERVED_SPACE(dev) + VLAN_HLEN))
			return false;
		header = __skb_push(skb, VLAN_HLEN);
		header->h_vlan_TCI = htons(skb_vlan_tag_get(skb));
		header->h_vlan_encapsulated_proto = skb->protocol;
		skb->protocol = skb->vlan_proto;
		skb_reset_network_header(skb);
		skb_postpush_rcsum(skb, header, VLAN_HLEN);
	}
	__vlan_hwaccel_put_tag(skb, proto, tci);
	return true;
}

/* Room for the header, which is to be filled; NULL if there is none. */
u8 *rustynat_flow_push_pppoe(struct sk_buff *skb, const struct net_device *dev)
{
	if (skb_cow_head(skb, LL_RESERVED_SPACE(dev) + PPPOE_SES_HLEN))
		return NULL;
	__skb_push(skb, PPPOE_SES_HLEN);
	skb_reset_network_header(skb);
	skb->protocol = htons(ETH_P_PPP_SES);
	return skb->data;
}

/*
 * Room for the outer header before the inner one, which is to be filled; NULL if
 * there is none.
 */
u8 *rustynat_flow_push_tunnel(struct sk_buff *skb, struct dst_entry *dst,
			      bool ipv6)
{
	unsigned int len = ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	unsigned int room = len + dst->header_len;

	if (iptunnel_handle_offloads(skb, ipv6 ? SKB_GSO_IPXIP6 :
						 SKB_GSO_IPXIP4))
		return NULL;
	skb_set_inner_ipproto(skb, ipv6 ? IPPROTO_IPV6 : IPPROTO_IPIP);
	if (skb_cow_head(skb, room + LL_RESERVED_SPACE(dst_dev_rcu(dst))))
		return NULL;
	skb_scrub_packet(skb, true);
	skb_clear_hash_if_not_l4(skb);
	skb_push(skb, len);
	skb_reset_network_header(skb);
	if (ipv6)
		IP6CB(skb)->nhoff = offsetof(struct ipv6hdr, nexthdr);
	return skb->data;
}

/* The id of an IPv4 packet of this host, or the first of its segments. */
u16 rustynat_flow_ip_id(struct net *net, const struct sk_buff *skb,
			__be32 saddr, __be32 daddr)
{
	struct iphdr header = {
		.protocol = IPPROTO_IPIP,
		.saddr = saddr,
		.daddr = daddr,
	};

	__ip_select_ident(net, &header, skb_shinfo(skb)->gso_segs ?: 1);
	return ntohs(header.id);
}

bool rustynat_flow_mtu_locked(const struct dst_entry *dst)
{
	return ip_mtu_locked(dst);
}

u32 rustynat_flow_label(struct net *net, struct sk_buff *skb,
			const struct in6_addr *saddr,
			const struct in6_addr *daddr)
{
	struct flowi6 fl6 = {
		.daddr = *daddr,
		.saddr = *saddr,
		.flowi6_proto = IPPROTO_IPV6,
	};

	return ntohl(ip6_make_flowlabel(net, skb, 0, true, &fl6)) & 0xfffff;
}

/*
 * The packets that several in one are, of which the last has no successor; the
 * one itself if it cannot be divided, or NULL.
 */
struct sk_buff *rustynat_flow_segment(struct sk_buff *skb)
{
	struct sk_buff *segments;

	if (!skb_is_gso(skb))
		return skb;
	segments = skb_gso_segment(skb, 0);
	if (IS_ERR(segments)) {
		kfree_skb(skb);
		return NULL;
	}
	if (!segments)
		return skb;
	consume_skb(skb);
	return segments;
}

/* Takes @skb from those that follow it. */
struct sk_buff *rustynat_flow_next_segment(struct sk_buff *skb)
{
	struct sk_buff *next = skb->next;

	skb_mark_not_on_list(skb);
	return next;
}

void rustynat_flow_drop(struct sk_buff *skb)
{
	kfree_skb(skb);
}

static struct sk_buff *with_room(struct sk_buff *skb, struct net_device *dev)
{
	unsigned int room = LL_RESERVED_SPACE(dev);

	if (unlikely(skb_headroom(skb) < room && dev->header_ops)) {
		skb = skb_expand_head(skb, room);
		if (!skb)
			return NULL;
	}
	skb->dev = dev;
	return skb;
}

static void forwarded(struct sk_buff *skb)
{
	skb_forward_csum(skb);
	skb_clear_tstamp(skb);
}

/* With the hardware address of the next hop. The packet is gone. */
static void output_by_address(struct sk_buff *skb, struct net_device *dev,
			      struct neighbour *neigh)
{
	char address[MAX_ADDR_LEN];

	/* What is stale is asked for, as if the stack had used it. */
	if (!(READ_ONCE(neigh->nud_state) & NUD_CONNECTED))
		neigh_event_send(neigh, NULL);
	neigh_ha_snapshot(address, neigh, neigh->dev);
	dev_hard_header(skb, dev, ntohs(skb->protocol), address, NULL,
			skb->len);
	dev_queue_xmit(skb);
}

/* To the next hop. The packet is gone. */
void rustynat_flow_output(struct sk_buff *skb, struct dst_entry *dst,
			  struct net_device *dev, struct neighbour *neigh,
			  bool encapsulated)
{
	forwarded(skb);
	skb_dst_drop(skb);
	skb_dst_set_noref(skb, dst);
	skb = with_room(skb, dev);
	if (!skb)
		return;
	if (likely(!encapsulated && neigh->dev == dev))
		neigh_output(neigh, skb, false);
	else
		output_by_address(skb, dev, neigh);
}

/* Out of a device, with these hardware addresses. The packet is gone. */
void rustynat_flow_xmit(struct sk_buff *skb, struct net_device *dev,
			const void *destination, const void *source)
{
	forwarded(skb);
	skb = with_room(skb, dev);
	if (!skb)
		return;
	dev_hard_header(skb, dev, ntohs(skb->protocol), destination, source,
			skb->len);
	dev_queue_xmit(skb);
}

/* To IPsec. The packet is gone. */
void rustynat_flow_xfrm(const struct nf_hook_state *state, struct sk_buff *skb,
			struct dst_entry *dst, bool ipv6)
{
	forwarded(skb);
	if (ipv6) {
		memset(skb->cb, 0, sizeof(struct inet6_skb_parm));
		IP6CB(skb)->iif = skb->dev->ifindex;
		IP6CB(skb)->flags = IP6SKB_FORWARDED;
	} else {
		memset(skb->cb, 0, sizeof(struct inet_skb_parm));
		IPCB(skb)->iif = skb->dev->ifindex;
		IPCB(skb)->flags = IPSKB_FORWARDED;
	}
	skb_orphan(skb);
	skb_dst_drop(skb);
	skb_dst_set_noref(skb, dst);
	dst_output(state->net, state->sk, skb);
}
