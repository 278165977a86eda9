// SPDX-License-Identifier: GPL-2.0

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/dst.h>
#include <net/flow.h>
#include <net/ip6_route.h>
#include <net/net_namespace.h>
#include <net/route.h>

static struct dst_entry *route_to(struct net *net, u8 family, const union nf_inet_addr *to)
{
	struct dst_entry *dst = NULL;
	struct flowi flow = { };

	if (family == NFPROTO_IPV4) {
		flow.u.ip4.daddr = to->ip;
		nf_ip_route(net, &dst, &flow, false);
	} else {
		flow.u.ip6.daddr = to->in6;
		nf_ip6_route(net, &dst, &flow, false);
	}
	return dst;
}

/*
 * Packets to both addresses, of family @family, leave @net by the same device to
 * the same neighbour. Under RCU.
 */
bool nf_rust_helper_same_way(struct net *net, u8 family, const union nf_inet_addr *a,
			     const union nf_inet_addr *b)
{
	struct dst_entry *to_a = route_to(net, family, a);
	struct dst_entry *to_b = route_to(net, family, b);
	bool same = false;

	if (to_a && to_b && to_a->dev == to_b->dev) {
		if (family == NFPROTO_IPV4)
			same = rt_nexthop(dst_rtable(to_a), a->ip) ==
			       rt_nexthop(dst_rtable(to_b), b->ip);
		else
			same = ipv6_addr_equal(rt6_nexthop(dst_rt6_info(to_a), &a->in6),
					       rt6_nexthop(dst_rt6_info(to_b), &b->in6));
	}
	dst_release(to_a);
	dst_release(to_b);
	return same;
}
