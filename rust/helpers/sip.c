// SPDX-License-Identifier: GPL-2.0

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/flow.h>
#include <net/net_namespace.h>

/*
 * Packets to @address, of family @family, leave @net by the device by which
 * @skb does, a packet that may have a route. Under RCU.
 */
bool nf_rust_helper_packet_leaves_towards(const struct sk_buff *skb,
					  struct net *net, u8 family,
					  const union nf_inet_addr *address)
{
	const struct dst_entry *own = skb_dst(skb);
	struct dst_entry *dst = NULL;
	struct flowi flow = { };
	bool same;

	if (family == NFPROTO_IPV4) {
		flow.u.ip4.daddr = address->ip;
		nf_ip_route(net, &dst, &flow, false);
	} else {
		flow.u.ip6.daddr = address->in6;
		nf_ip6_route(net, &dst, &flow, false);
	}
	if (!dst)
		return false;
	same = own && own->dev == dst->dev;
	dst_release(dst);
	return same;
}
