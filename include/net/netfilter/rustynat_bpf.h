/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUSTYNAT_BPF_H
#define _RUSTYNAT_BPF_H
/*
 * The functions for BPF programs, which are three steps: bpf.c of a module has what
 * programs see, of which BTF is made; bpf_ct.c what needs to look into the kernel's
 * structures; and Rust does the work.
 *
 * Only names of structures here: what is behind them would get into the BTF, and
 * with it half of the kernel. So they are the types of vmlinux's BTF.
 */
#include <linux/types.h>

struct __sk_buff;
struct btf_id_set8;
struct net;
struct nf_conn;
struct nf_conn___init;
struct xdp_md;
union nf_inet_addr;

/*
 * How a program says which connection it means, and is told what came of it.
 * Programs know it by name and fields. Those that know no zones end with
 * ct_zone_id.
 */
struct bpf_ct_opts {
	s32 netns_id;	/* as the packet's namespace knows it; -1: that one */
	s32 error;	/* to the program: why it got nothing */
	u8 l4proto;
	u8 dir;		/* to the program: the direction that was found */
	u16 ct_zone_id;
	u8 ct_zone_dir;	/* 0: both, which the program is told */
	u8 reserved[3];
};

/* In bpf_ct.c, for bpf.c. */
struct net *rustynat_bpf_net_of_xdp(const struct xdp_md *ctx);
struct net *rustynat_bpf_net_of_skb(const struct __sk_buff *ctx);
struct nf_conn *rustynat_bpf_ct_of(const struct nf_conn___init *nfct);
void rustynat_bpf_ct_put(struct nf_conn *ct);
/* Times are in milliseconds. */
void rustynat_bpf_ct_set_timeout(struct nf_conn *ct, u32 timeout);
int rustynat_bpf_ct_change_timeout(struct nf_conn *ct, u32 timeout);
int nf_ct_change_status_common(struct nf_conn *ct, unsigned int status);

/*
 * In Rust. net is the packet's namespace. The tuple and the options are memory of
 * the program, as long as it says; others may write it meanwhile. NULL: the error
 * is in the options.
 */
struct nf_conn *rustynat_bpf_ct_alloc(struct net *net, const void *tuple,
				      u32 tuple_len, struct bpf_ct_opts *opts,
				      u32 opts_len);
struct nf_conn *rustynat_bpf_ct_lookup(struct net *net, const void *tuple,
				       u32 tuple_len, struct bpf_ct_opts *opts,
				       u32 opts_len);
/* Takes over what alloc returned. */
struct nf_conn *rustynat_bpf_ct_insert(struct nf_conn *ct);
int rustynat_bpf_ct_set_nat(struct nf_conn___init *ct,
			    const union nf_inet_addr *addr, int port, int manip);

/* In bpf.c: what programs may call. */
struct btf_id_set8 *rustynat_bpf_ct_functions(void);
struct btf_id_set8 *rustynat_bpf_nat_functions(void);

/* For Rust: the module's functions are registered, and taken back. */
int rustynat_bpf_ct_register(void);
void rustynat_bpf_ct_unregister(void);
int rustynat_bpf_nat_register(void);

#endif
