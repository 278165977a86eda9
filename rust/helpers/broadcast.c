// SPDX-License-Identifier: GPL-2.0

#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/skbuff.h>
#include <net/dst_metadata.h>
#include <net/route.h>
#include <net/sock.h>

/*
 * The netmask of the network to whose broadcast address a socket of @net sends
 * @skb, an IPv4 packet; 0 if that is not what it is. Under RCU.
 */
__be32 nf_rust_helper_packet_broadcast_mask(const struct sk_buff *skb,
					    const struct net *net)
{
	const struct in_ifaddr *ifa;
	const struct in_device *in_dev;
	const struct dst_entry *dst;

	if (!skb->sk || !net_eq(net, sock_net(skb->sk)))
		return 0;
	/* Early demultiplexing gives sockets to packets that come in, too. */
	if (!skb_valid_dst(skb))
		return 0;
	dst = skb_dst(skb);
	if (dst->ops->family != AF_INET ||
	    !(dst_rtable(dst)->rt_flags & RTCF_BROADCAST))
		return 0;
	in_dev = __in_dev_get_rcu(dst_dev_rcu(dst));
	if (!in_dev)
		return 0;
	in_dev_for_each_ifa_rcu(ifa, in_dev)
		if (!(ifa->ifa_flags & IFA_F_SECONDARY) &&
		    ifa->ifa_broadcast == ip_hdr(skb)->daddr)
			return ifa->ifa_mask;
	return 0;
}
