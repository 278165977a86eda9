/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUSTYNAT_FLOW_BPF_H
#define _RUSTYNAT_FLOW_BPF_H
/*
 * What BPF programs at XDP have of the flowtable: bpf.c has what they see, of which
 * BTF is made, bpf_flow.c does it, and xdp.c knows which table a device has. Only
 * names of structures here, as in rustynat_bpf.h.
 */
#include <linux/types.h>

struct bpf_fib_lookup;
struct btf_id_set8;
struct flow_offload_tuple_rhash;
struct xdp_md;

/*
 * The direction of a flow that a packet like this belongs to which came in where
 * the program runs: 0, or -ENOENT or -EAFNOSUPPORT. Under RCU.
 */
int rustynat_flow_bpf_find(const struct xdp_md *ctx,
			   const struct bpf_fib_lookup *packet,
			   struct flow_offload_tuple_rhash **entry);
/* In bpf.c: what programs may call. */
struct btf_id_set8 *rustynat_flow_bpf_functions(void);

/* For Rust: when there is no table yet, or no more. */
int rustynat_flow_xdp_init(void);
void rustynat_flow_xdp_exit(void);
int rustynat_flow_bpf_register(void);

#endif
