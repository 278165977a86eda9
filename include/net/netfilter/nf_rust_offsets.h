/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where members are in structs of the kernel that its Rust bindings do not
 * show: constants, so that reading them needs no call.
 */
#ifndef _NF_RUST_OFFSETS_H
#define _NF_RUST_OFFSETS_H

#include <linux/netdevice.h>
#include <linux/stddef.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

enum nf_rust_offset {
	NF_RUST_NET_CT = offsetof(struct net, ct),
	NF_RUST_NET_GEN = offsetof(struct net, gen),
	NF_RUST_NET_GENERIC_PTR = offsetof(struct net_generic, ptr),
	NF_RUST_DEVICE_INDEX = offsetof(struct net_device, ifindex),
};

#endif
