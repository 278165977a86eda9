/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUSTYNAT_CONNTRACK_H
#define _RUSTYNAT_CONNTRACK_H
/*
 * Variables of nf_conntrack.ko's own C files that its Rust code uses, and that
 * no header of the kernel declares.
 */
#include <linux/types.h>
#include <net/netfilter/nf_conntrack.h>

/* Reasons for which a packet is INVALID (enum Reason in nf_proto). */
#define RUSTYNAT_REASONS 18

/* A namespace's area: what C knows of it first. */
struct rustynat_conntrack_net {
	struct nf_conntrack_net c;
	unsigned int __percpu *reasons;
};

extern unsigned int nf_conntrack_net_id;
extern bool nf_conntrack_enable_hooks;
extern bool nf_conntrack_acct_default;
extern bool nf_conntrack_tstamp_default;

#endif
