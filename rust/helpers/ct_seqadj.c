// SPDX-License-Identifier: GPL-2.0

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ipv6.h>

/*
 * Replaces a word of what the TCP checksum at @check (offset from the packet's
 * data, writable) covers.
 */
void nf_rust_helper_tcp_csum_replace4(struct sk_buff *skb, unsigned int check,
				      __be32 from, __be32 to)
{
	inet_proto_csum_replace4((__sum16 *)(skb->data + check), skb, from, to,
				 false);
}

/* The sequence number of a packet whose network header is set. */
bool nf_rust_helper_tcp_seq(const struct sk_buff *skb, u8 family, u32 *seq)
{
	int offset = skb_network_offset(skb);
	struct tcphdr buffer;
	const struct tcphdr *th;
	__be16 frag = 0;

	if (family == NFPROTO_IPV4) {
		offset += ip_hdrlen(skb);
	} else if (family == NFPROTO_IPV6) {
		u8 next = ipv6_hdr(skb)->nexthdr;

		offset = ipv6_skip_exthdr(skb, offset + sizeof(struct ipv6hdr),
					  &next, &frag);
		if (offset < 0 || next != IPPROTO_TCP || frag & htons(~7))
			return false;
	} else {
		return false;
	}
	th = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	if (!th)
		return false;
	*seq = ntohl(th->seq);
	return true;
}
