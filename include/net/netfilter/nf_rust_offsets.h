/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where members are in structs of the kernel that its Rust bindings do not
 * show: constants, so that reading them needs no call.
 */
#ifndef _NF_RUST_OFFSETS_H
#define _NF_RUST_OFFSETS_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/stddef.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/xfrm.h>

enum nf_rust_offset {
	NF_RUST_NET_CT = offsetof(struct net, ct),
	NF_RUST_NET_GEN = offsetof(struct net, gen),
	NF_RUST_NET_GENERIC_PTR = offsetof(struct net_generic, ptr),
	NF_RUST_DEVICE_INDEX = offsetof(struct net_device, ifindex),
#ifdef CONFIG_XFRM
	NF_RUST_NET_XFRM_FORWARD =
		offsetof(struct net, xfrm.policy_count[XFRM_POLICY_FWD]),
	NF_RUST_NET_XFRM_FORWARD_DEFAULT =
		offsetof(struct net, xfrm.policy_default[XFRM_POLICY_FWD]),
#endif
};

#ifdef CONFIG_XFRM
enum nf_rust_xfrm {
	/* What accepts where there is no policy. */
	NF_RUST_XFRM_ACCEPT = XFRM_USERPOLICY_ACCEPT,
	/* Which of a packet's extensions says that it came through IPsec. */
	NF_RUST_XFRM_SEC_PATH = 1 << SKB_EXT_SEC_PATH,
};
#endif

#endif
