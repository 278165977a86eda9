/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUSTYNAT_BRIDGE_H
#define _RUSTYNAT_BRIDGE_H
/* What of nf_conntrack_bridge.ko is C: inline functions of bridge and stack. */
#include <linux/netfilter.h>
#include <linux/skbuff.h>

/* What becomes of a fragment that was offered for reassembly. */
enum rustynat_gathered {
	RUSTYNAT_WHOLE,
	RUSTYNAT_KEPT,
	RUSTYNAT_BROKEN,
};

enum rustynat_gathered rustynat_br_gather4(struct net *net, struct sk_buff *skb,
					   u16 zone);
enum rustynat_gathered rustynat_br_gather6(struct net *net, struct sk_buff *skb,
					   u16 zone);
bool rustynat_br_promisc(const struct sk_buff *skb);
bool rustynat_br_for_host(const struct sk_buff *skb);
bool rustynat_br_is_gso(const struct sk_buff *skb);
bool rustynat_br_reassembled(const struct sk_buff *skb);
void rustynat_br_reset(struct sk_buff *skb);
void rustynat_br_refragment(struct sk_buff *skb,
			    const struct nf_hook_state *state);
void rustynat_br_start(void);
void rustynat_br_stop(void);

/* net/netfilter/nf_conntrack_bridge/abi.rs */
unsigned int nf_ct_bridge_pre(void *priv, struct sk_buff *skb,
			      const struct nf_hook_state *state);
unsigned int nf_ct_bridge_in(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state);
unsigned int nf_ct_bridge_post(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state);

#endif
