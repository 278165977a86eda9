// SPDX-License-Identifier: GPL-2.0
/* Routes, devices and neighbours: inline functions of the kernel's headers. */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <net/ip.h>
#include <net/inet_dscp.h>
#include <net/ip6_route.h>
#include <net/neighbour.h>
#include <net/netfilter/rustynat_flow.h>
#include <net/route.h>

u32 rustynat_flow_mtu(const struct dst_entry *dst, bool ipv6)
{
	return ipv6 ? ip6_dst_mtu_maybe_forward(dst, true) :
		      ip_dst_mtu_maybe_forward(dst, true);
}

u32 rustynat_flow_cookie(const struct dst_entry *dst)
{
	return rt6_get_cookie(dst_rt6_info(dst));
}

bool rustynat_flow_dst_valid(struct dst_entry *dst, u32 cookie)
{
	return dst_check(dst, cookie);
}

bool rustynat_flow_dst_is_xfrm(const struct dst_entry *dst)
{
	return dst_xfrm(dst);
}

bool rustynat_flow_dst_hold(struct dst_entry *dst)
{
	return dst_hold_safe(dst);
}

void rustynat_flow_dst_release(struct dst_entry *dst)
{
	dst_release(dst);
}

/* Nearly always the route's own. */
struct net_device *rustynat_flow_device(struct net *net, struct dst_entry *dst,
					int ifindex)
{
	struct net_device *dev;

	if (dst) {
		dev = dst_dev_rcu(dst);
		if (dev->ifindex == ifindex)
			return dev;
	}
	return dev_get_by_index_rcu(net, ifindex);
}

/*
 * The next hop of a direction, whose answers are @answer, if its address is known
 * or at least was, and in @out the device to it. A neighbour without a device: the
 * route is not valid any more.
 */
struct neighbour *rustynat_flow_hop(struct net *net,
				    const struct flow_offload_tuple *side,
				    const struct flow_offload_tuple *answer,
				    struct net_device **out)
{
	const struct in6_addr *address =
		answer->tun_num ? &answer->tun.src_v6 : &answer->src_v6;
	struct dst_entry *dst = side->dst_cache;
	struct net_device *dev;
	struct neighbour *neigh;

	*out = NULL;
	if (unlikely(!dst))
		return NULL;
	if (unlikely(!dst_check(dst, side->dst_cookie)))
		return ERR_PTR(-ESTALE);
	*out = rustynat_flow_device(net, dst, side->out.ifidx);
	if (unlikely(!*out))
		return NULL;
	dev = dst_dev_rcu(dst);
	if (side->l3proto == AF_INET6) {
		struct rt6_info *rt = dst_rt6_info(dst);

		neigh = ip_neigh_gw6(dev, rt6_nexthop(rt, address));
	} else {
		struct rtable *rt = dst_rtable(dst);

		neigh = ip_neigh_gw4(dev, rt_nexthop(rt, address->s6_addr32[0]));
	}
	if (IS_ERR(neigh) || !(READ_ONCE(neigh->nud_state) & NUD_VALID))
		return NULL;
	return neigh;
}

struct dst_entry *rustynat_flow_route(const struct nft_pktinfo *pkt,
				      const struct in6_addr *daddr,
				      const struct in6_addr *saddr, int oif,
				      int iif)
{
	struct dst_entry *dst = NULL;
	struct flowi fl = {};

	if (nft_pf(pkt) == NFPROTO_IPV4) {
		fl.u.ip4.daddr = daddr->s6_addr32[0];
		fl.u.ip4.saddr = saddr->s6_addr32[0];
		fl.u.ip4.flowi4_dscp = ip4h_dscp(ip_hdr(pkt->skb));
	} else {
		fl.u.ip6.daddr = *daddr;
		fl.u.ip6.saddr = *saddr;
		fl.u.ip6.flowlabel = ip6_flowinfo(ipv6_hdr(pkt->skb));
	}
	fl.flowi_oif = oif;
	fl.flowi_iif = iif;
	fl.flowi_mark = pkt->skb->mark;
	fl.flowi_flags = FLOWI_FLAG_ANYSRC;
	nf_route(nft_net(pkt), &dst, &fl, false, nft_pf(pkt));
	return dst;
}

int rustynat_flow_dst_ifindex(const struct dst_entry *dst)
{
	return dst_dev_rcu(dst)->ifindex;
}

struct dst_entry *rustynat_flow_packet_dst(const struct sk_buff *skb)
{
	return skb_dst(skb);
}

struct net *rustynat_flow_device_net(const struct net_device *dev)
{
	return dev_net(dev);
}

bool rustynat_flow_is_ethernet(const struct dst_entry *dst)
{
	const struct net_device *dev = dst_dev_rcu(dst);

	return !(dev->flags & IFF_LOOPBACK) && dev->type == ARPHRD_ETHER &&
	       dev->addr_len == ETH_ALEN && is_valid_ether_addr(dev->dev_addr);
}

/* False: the neighbour is not known. */
bool rustynat_flow_hardware_address(struct dst_entry *dst,
				    const struct in6_addr *address, u8 *ha)
{
	struct neighbour *neigh = dst_neigh_lookup(dst, address);
	bool valid;

	if (!neigh)
		return false;
	read_lock_bh(&neigh->lock);
	valid = neigh->nud_state & NUD_VALID;
	ether_addr_copy(ha, neigh->ha);
	read_unlock_bh(&neigh->lock);
	neigh_release(neigh);
	return valid;
}

/*
 * The devices below a route, of which there are at most
 * NET_DEVICE_PATH_STACK_MAX, flat; their number, or an error.
 */
int rustynat_flow_steps(struct dst_entry *dst, const u8 *ha,
			struct rustynat_flow_step *steps)
{
	struct net_device_path_ctx context = { .dev = dst_dev_rcu(dst) };
	struct net_device_path_stack stack;
	int i;

	ether_addr_copy(context.daddr, ha);
	if (dev_fill_forward_path(&context, &stack) < 0)
		return -ENOENT;
	for (i = 0; i < stack.num_paths; i++) {
		const struct net_device_path *path = &stack.path[i];
		struct rustynat_flow_step *step = &steps[i];

		step->ifindex = path->dev->ifindex;
		step->type = path->type;
		memcpy(step->address, path->dev->dev_addr, ETH_ALEN);
		switch (path->type) {
		case DEV_PATH_VLAN:
		case DEV_PATH_PPPOE:
			step->id = path->encap.id;
			step->proto = path->encap.proto;
			ether_addr_copy(step->peer, path->encap.h_dest);
			break;
		case DEV_PATH_BRIDGE:
			step->vlan_mode = path->bridge.vlan_mode;
			step->id = path->bridge.vlan_id;
			step->proto = path->bridge.vlan_proto;
			break;
		case DEV_PATH_TUN:
			memcpy(step->tunnel_source, &path->tun.src_v6,
			       sizeof(step->tunnel_source));
			memcpy(step->tunnel_destination, &path->tun.dst_v6,
			       sizeof(step->tunnel_destination));
			step->tunnel_proto = path->tun.l3_proto;
			break;
		default:
			break;
		}
	}
	dev_fill_forward_path_release(&stack);
	return stack.num_paths;
}

/* Packets that come in by the device meet the table. Under RCU. */
bool rustynat_flow_has_device(struct nft_flowtable *table, int ifindex)
{
	struct net *net = read_pnet(&table->data.net);
	struct net_device *dev = dev_get_by_index_rcu(net, ifindex);
	struct nft_hook *hook;

	if (!dev)
		return false;
	list_for_each_entry_rcu(hook, &table->hook_list, list)
		if (nft_hook_find_ops_rcu(hook, dev))
			return true;
	return false;
}

/*
 * The table's hardware is to send such packets, of which it has to know the
 * addresses. Under RCU.
 */
bool rustynat_flow_is_direct(struct nft_flowtable *table,
			     const struct dst_entry *dst, int ifindex)
{
	struct net_device *dev;

	if (!nf_flowtable_hw_offload(&table->data) || dst->lwtstate)
		return false;
	dev = dev_get_by_index_rcu(read_pnet(&table->data.net), ifindex);
	return dev && !(dev->flags & IFF_LOOPBACK) &&
	       dev->type == ARPHRD_ETHER && dev->addr_len == ETH_ALEN &&
	       is_valid_ether_addr(dev->dev_addr);
}
