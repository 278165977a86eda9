/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUSTYNAT_SYNPROXY_H
#define _RUSTYNAT_SYNPROXY_H
/* What of nf_synproxy_core.ko is C: inline functions of the stack. */
#include <linux/skbuff.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_conntrack.h>

struct tcphdr;

u32 rustynat_syn_cookie(const struct sk_buff *skb, const struct tcphdr *th,
			bool ipv6, u16 mss);
int rustynat_syn_cookie_check(const struct sk_buff *skb,
			      const struct tcphdr *th, bool ipv6);
u32 rustynat_syn_clock(void);
u8 rustynat_syn_ttl(struct net *net, bool ipv6);
void rustynat_syn_send(struct net *net, const struct sk_buff *skb,
		       const u8 *headers, unsigned int len,
		       unsigned int network_len, struct nf_conn *ct,
		       enum ip_conntrack_info ctinfo);

#endif
