// SPDX-License-Identifier: GPL-2.0
/* The stack's own functions that SYNPROXY uses: cookies, clock, output. */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/security.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/netfilter/rustynat_synproxy.h>
#include <net/tcp.h>
#include <net/xfrm.h>

u32 rustynat_syn_cookie(const struct sk_buff *skb, const struct tcphdr *th,
			bool ipv6, u16 mss)
{
	if (ipv6)
		return nf_ipv6_cookie_init_sequence(ipv6_hdr(skb), th, &mss);
	return __cookie_v4_init_sequence(ip_hdr(skb), th, &mss);
}

/* The MSS in a cookie, or 0. */
int rustynat_syn_cookie_check(const struct sk_buff *skb,
			      const struct tcphdr *th, bool ipv6)
{
	if (ipv6)
		return nf_cookie_v6_check(ipv6_hdr(skb), th);
	return __cookie_v4_check(ip_hdr(skb), th);
}

u32 rustynat_syn_clock(void)
{
	return tcp_clock_ms();
}

u8 rustynat_syn_ttl(struct net *net, bool ipv6)
{
	if (ipv6)
		return READ_ONCE(net->ipv6.devconf_all->hop_limit);
	return READ_ONCE(net->ipv4.sysctl_ip_default_ttl);
}

static int route4(struct net *net, struct sk_buff *nskb,
		  const struct sk_buff *skb)
{
	skb_dst_set_noref(nskb, skb_dst(skb));
	return ip_route_me_harder(net, nskb->sk, nskb, RTN_UNSPEC);
}

static int route6(struct net *net, struct sk_buff *nskb,
		  const struct sk_buff *skb)
{
	const struct ipv6hdr *ip = ipv6_hdr(nskb);
	const struct tcphdr *th = tcp_hdr(nskb);
	struct dst_entry *dst;
	struct flowi6 fl6 = {
		.flowi6_proto = IPPROTO_TCP,
		.saddr = ip->saddr,
		.daddr = ip->daddr,
		.fl6_sport = th->source,
		.fl6_dport = th->dest,
	};
	int err;

	security_skb_classify_flow((struct sk_buff *)skb,
				   flowi6_to_flowi_common(&fl6));
	err = nf_ip6_route(net, &dst, flowi6_to_flowi(&fl6), false);
	if (err)
		return err;
	dst = xfrm_lookup(net, dst, flowi6_to_flowi(&fl6), NULL, 0);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	skb_dst_set(nskb, dst);
	return 0;
}

/*
 * Sends a segment without data, of which @headers has everything but the
 * checksums, in answer to @skb. It carries @ct, if that is not NULL, or is
 * untracked.
 */
void rustynat_syn_send(struct net *net, const struct sk_buff *skb,
		       const u8 *headers, unsigned int len,
		       unsigned int network_len, struct nf_conn *ct,
		       enum ip_conntrack_info ctinfo)
{
	unsigned int tcp_len = len - network_len;
	bool ipv6 = network_len == sizeof(struct ipv6hdr);
	struct sk_buff *nskb;
	struct tcphdr *th;

	nskb = alloc_skb(MAX_TCP_HEADER + len, GFP_ATOMIC);
	if (!nskb)
		return;
	skb_reserve(nskb, MAX_TCP_HEADER);
	skb_reset_network_header(nskb);
	skb_put_data(nskb, headers, len);
	skb_set_transport_header(nskb, network_len);
	th = tcp_hdr(nskb);

	nskb->ip_summed = CHECKSUM_PARTIAL;
	nskb->csum_start = (unsigned char *)th - nskb->head;
	nskb->csum_offset = offsetof(struct tcphdr, check);
	if (ipv6) {
		const struct ipv6hdr *ip = ipv6_hdr(nskb);

		nskb->protocol = htons(ETH_P_IPV6);
		th->check = ~tcp_v6_check(tcp_len, &ip->saddr, &ip->daddr, 0);
	} else {
		const struct iphdr *ip = ip_hdr(nskb);

		nskb->protocol = htons(ETH_P_IP);
		th->check = ~tcp_v4_check(tcp_len, ip->saddr, ip->daddr, 0);
	}

	if (ipv6 ? route6(net, nskb, skb) : route4(net, nskb, skb)) {
		kfree_skb(nskb);
		return;
	}
	if (ct)
		nf_conntrack_get(&ct->ct_general);
	if (ct || ctinfo == IP_CT_UNTRACKED)
		nf_ct_set(nskb, ct, ctinfo);
	if (ipv6)
		ip6_local_out(net, nskb->sk, nskb);
	else
		ip_local_out(net, nskb->sk, nskb);
}
