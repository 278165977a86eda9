// SPDX-License-Identifier: GPL-2.0

#include <linux/mutex.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <net/addrconf.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/netfilter/nf_nat.h>
#include <net/route.h>
#include <net/tcp.h>
#include <net/udp.h>
#include <net/xfrm.h>

#define NAT_LOCKS 256

static spinlock_t nat_locks[NAT_LOCKS];
static DEFINE_MUTEX(nat_hooks_mutex);

/* The locks of the index of sources. */
void nf_rust_helper_nat_locks_init(void)
{
	int i;

	for (i = 0; i < NAT_LOCKS; i++)
		spin_lock_init(&nat_locks[i]);
}

void nf_rust_helper_nat_lock(unsigned int i)
{
	spin_lock_bh(&nat_locks[i % NAT_LOCKS]);
}

void nf_rust_helper_nat_unlock(unsigned int i)
{
	spin_unlock_bh(&nat_locks[i % NAT_LOCKS]);
}

/* The lock of the registration of nat chains. */
void nf_rust_helper_nat_hooks_lock(void)
{
	mutex_lock(&nat_hooks_mutex);
}

void nf_rust_helper_nat_hooks_unlock(void)
{
	mutex_unlock(&nat_hooks_mutex);
}

void nf_rust_helper_nat_free_later(void *memory)
{
	kfree_rcu_mightsleep(memory);
}

/* Sets vmlinux's pointer, or takes it back and waits for its users. */
void nf_rust_helper_nat_set_hook(const struct nf_nat_hook *hook)
{
	rcu_assign_pointer(nf_nat_hook, hook);
	if (!hook)
		synchronize_net();
}

void nf_rust_helper_packet_drop_route(struct sk_buff *skb)
{
	skb_dst_drop(skb);
}

/* Early demultiplexing looked for a socket by what the packet was before. */
void nf_rust_helper_packet_forget_socket(struct sk_buff *skb)
{
	if (skb->sk && !inet_sk_transparent(skb->sk))
		skb_orphan(skb);
}

void nf_rust_helper_packet_add_csum(struct sk_buff *skb, u32 difference)
{
	skb->csum = csum_add(skb->csum, (__force __wsum)difference);
}

bool nf_rust_helper_packet_is_gso(const struct sk_buff *skb)
{
	return skb_is_gso(skb);
}

static bool packet_was_transformed(const struct sk_buff *skb, bool ipv6)
{
	return ipv6 ? IP6CB(skb)->flags & IP6SKB_XFRM_TRANSFORMED :
		      IPCB(skb)->flags & IPSKB_XFRM_TRANSFORMED;
}

static int packet_transform(struct net *net, struct sk_buff *skb, bool ipv6)
{
	struct dst_entry *dst = skb_dst(skb);
	struct sock *sk = skb->sk;
	unsigned int wanted;
	struct flowi fl;
	int error;

	error = xfrm_decode_session(net, skb, &fl, ipv6 ? AF_INET6 : AF_INET);
	if (error < 0)
		return error;
	if (dst->xfrm)
		dst = ((struct xfrm_dst *)dst)->route;
	if (!dst_hold_safe(dst))
		return -EHOSTUNREACH;
	dst = xfrm_lookup(net, dst, &fl,
			  sk && net_eq(net, sock_net(sk)) ? sk : NULL, 0);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	skb_dst_drop(skb);
	skb_dst_set(skb, dst);

	wanted = dst->dev->hard_header_len;
	if (skb_headroom(skb) < wanted &&
	    pskb_expand_head(skb, wanted - skb_headroom(skb), 0, GFP_ATOMIC))
		return -ENOMEM;
	return 0;
}

/*
 * The policy of IPsec for a packet that has other addresses now. A namespace
 * without policies has none that could differ from the one before.
 */
int nf_rust_helper_packet_policy_again(struct net *net, struct sk_buff *skb,
				       bool ipv6)
{
	const struct sock *sk = skb->sk;

	if (!skb_dst(skb))
		return 0;
	if (!net->xfrm.policy_count[XFRM_POLICY_OUT] &&
	    net->xfrm.policy_default[XFRM_POLICY_OUT] != XFRM_USERPOLICY_BLOCK &&
	    !skb_dst(skb)->xfrm &&
	    !(sk && sk_fullsock(sk) &&
	      rcu_access_pointer(sk->sk_policy[XFRM_POLICY_OUT])))
		return 0;
	if (packet_was_transformed(skb, ipv6))
		return 0;
	return packet_transform(net, skb, ipv6);
}

/* A new route for a packet of this host whose destination was changed. */
int nf_rust_helper_packet_route_again(const struct nf_hook_state *state,
				      struct sk_buff *skb, bool ipv6)
{
	return ipv6 ? nf_ip6_route_me_harder(state->net, state->sk, skb) :
		      ip_route_me_harder(state->net, state->sk, skb, RTN_UNSPEC);
}

/* What IPsec's policies see: one end of a flow. */
void nf_rust_helper_flow_set(struct flowi *fl, bool ipv6, bool source,
			     const struct in6_addr *address, __be16 port,
			     bool has_port)
{
	if (ipv6) {
		*(source ? &fl->u.ip6.saddr : &fl->u.ip6.daddr) = *address;
		if (has_port)
			*(source ? &fl->u.ip6.fl6_sport :
				   &fl->u.ip6.fl6_dport) = port;
	} else {
		*(source ? &fl->u.ip4.saddr : &fl->u.ip4.daddr) =
			address->s6_addr32[0];
		if (has_port)
			*(source ? &fl->u.ip4.fl4_sport :
				   &fl->u.ip4.fl4_dport) = port;
	}
}

/* The lowest of the ports that sockets of the namespace get by themselves. */
unsigned int nf_rust_helper_first_local_port(const struct net *net)
{
	return READ_ONCE(net->ipv4.ip_local_ports.range) & 0xffff;
}

/* Without a reference, as under RCU none is needed. */
static struct sock *find_listener(struct net *net, bool ipv6, u8 protocol,
				  const struct in6_addr *address, __be16 port)
{
	const struct in6_addr any = {};

	if (protocol == IPPROTO_UDP)
		return ipv6 ? __udp6_lib_lookup(net, &any, 0, address, port, 0,
						0, NULL) :
			      __udp4_lib_lookup(net, 0, 0,
						address->s6_addr32[0], port, 0,
						0, NULL);
	return ipv6 ? inet6_lookup_listener(net, NULL, 0, &any, 0, address,
					    ntohs(port), 0, 0) :
		      inet_lookup_listener(net, NULL, 0, 0, 0,
					   address->s6_addr32[0], port, 0, 0);
}

static bool is_local(struct net *net, bool ipv6, const struct in6_addr *address)
{
	return ipv6 ? ipv6_chk_addr(net, address, NULL, 0) :
		      inet_addr_type(net, address->s6_addr32[0]) == RTN_LOCAL;
}

/*
 * A service of this host has the address and port, and @client is not of this
 * host: who answers the client there would not reach the service any more.
 */
bool nf_rust_helper_is_served(struct net *net, bool ipv6, u8 protocol,
			      const struct in6_addr *address, __be16 port,
			      const struct in6_addr *client)
{
	return find_listener(net, ipv6, protocol, address, port) &&
	       is_local(net, ipv6, address) && !is_local(net, ipv6, client);
}
