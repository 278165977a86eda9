// SPDX-License-Identifier: GPL-2.0

#include <linux/skbuff.h>

void *nf_rust_helper_skb_header_pointer(const struct sk_buff *skb, int offset,
					int len, void *buffer)
{
	return skb_header_pointer(skb, offset, len, buffer);
}

int nf_rust_helper_skb_linearize(struct sk_buff *skb)
{
	return skb_linearize(skb);
}
