// SPDX-License-Identifier: GPL-2.0

#include <linux/skbuff.h>

/*
 * Makes all of @skb linear and its own, with room for @extra bytes more at its
 * end. Its data may move.
 */
bool nf_rust_helper_packet_make_room(struct sk_buff *skb, unsigned int extra)
{
	unsigned int room;

	if (skb_ensure_writable(skb, skb->len))
		return false;
	room = skb_tailroom(skb);
	return extra <= room ||
	       !pskb_expand_head(skb, 0, extra - room, GFP_ATOMIC);
}

/* There is room for @extra bytes. */
void nf_rust_helper_packet_lengthen(struct sk_buff *skb, unsigned int extra)
{
	skb_put_zero(skb, extra);
}

/* The packet is linear and at least @len bytes long. */
void nf_rust_helper_packet_shorten(struct sk_buff *skb, unsigned int len)
{
	__skb_trim(skb, len);
}

/*
 * The checksum at @field of what begins at @start bytes from the packet's data
 * is to be completed: it holds the sum of the pseudo header.
 */
void nf_rust_helper_packet_set_partial(struct sk_buff *skb, unsigned int start,
				       unsigned int field)
{
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + start;
	skb->csum_offset = field;
}
