// SPDX-License-Identifier: GPL-2.0

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/ipv6_frag.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>

/* On success @mru is the size of the largest fragment, 0 if @skb is none. */
int nf_rust_helper_zone_defrag4(struct net *net, struct sk_buff *skb, u16 zone,
				u16 *mru)
{
	int err;

	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	local_bh_disable();
	err = ip_defrag(net, skb, IP_DEFRAG_CONNTRACK_IN + zone);
	local_bh_enable();
	if (!err)
		*mru = IPCB(skb)->frag_max_size;
	return err;
}

int nf_rust_helper_zone_defrag6(struct net *net, struct sk_buff *skb, u16 zone,
				u16 *mru)
{
	int err;

	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	err = nf_ct_frag6_gather(net, skb, IP6_DEFRAG_CONNTRACK_IN + zone);
	if (!err)
		*mru = IP6CB(skb)->frag_max_size;
	return err;
}

void nf_rust_helper_skb_reassembled(struct sk_buff *skb)
{
	skb_clear_hash(skb);
	skb->ignore_df = 1;
}

u8 nf_rust_helper_ipv6_nexthdr(const struct sk_buff *skb)
{
	return ipv6_hdr(skb)->nexthdr;
}

unsigned int nf_rust_helper_skb_ip_totlen(const struct sk_buff *skb)
{
	return skb_ip_totlen(skb);
}

/* Length of what follows the IPv6 header, or a negative error. */
int nf_rust_helper_skb_ipv6_len(struct sk_buff *skb)
{
	u32 len = skb_ipv6_payload_len(skb);

	if (ipv6_hdr(skb)->nexthdr == NEXTHDR_HOP) {
		int err = nf_ip6_check_hbh_len(skb, &len);

		if (err)
			return err < 0 ? err : -EINVAL;
	}
	return len > INT_MAX ? -EINVAL : len;
}

int nf_rust_helper_pskb_trim_rcsum(struct sk_buff *skb, unsigned int len)
{
	return pskb_trim_rcsum(skb, len);
}

void nf_rust_helper_kfree_skb(struct sk_buff *skb)
{
	kfree_skb(skb);
}

/*
 * Offset of the transport header behind the IPv6 header at the packet's data,
 * its protocol in @protocol; negative if there is none here.
 */
int nf_rust_helper_ipv6_transport(const struct sk_buff *skb, u8 *protocol)
{
	__be16 frag_off = 0;
	int offset;

	*protocol = ipv6_hdr(skb)->nexthdr;
	offset = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), protocol,
				  &frag_off);
	return frag_off & htons(IP6_OFFSET) ? -1 : offset;
}

unsigned int nf_rust_helper_ip_transport(const struct sk_buff *skb,
					 u8 *protocol)
{
	*protocol = ip_hdr(skb)->protocol;
	return ip_hdrlen(skb);
}
