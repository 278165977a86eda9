// SPDX-License-Identifier: GPL-2.0
/*
 * What BPF programs at XDP and at TC may call. Programs know the functions by
 * their prototypes in this module's BTF, which is made of this file (see
 * rustynat_bpf.h), names of parameters included: __sz makes one the size of the
 * one before it.
 */
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <net/netfilter/rustynat_bpf.h>
#include <uapi/linux/bpf.h>

#ifdef CONFIG_DEBUG_INFO_BTF_MODULES

__bpf_kfunc_start_defs();

/* A new connection, which the program is to insert, and which lives 10 s then. */
__bpf_kfunc struct nf_conn___init *
bpf_xdp_ct_alloc(struct xdp_md *xdp_ctx, struct bpf_sock_tuple *bpf_tuple,
		 u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz)
{
	return (struct nf_conn___init *)
		rustynat_bpf_ct_alloc(rustynat_bpf_net_of_xdp(xdp_ctx), bpf_tuple, tuple__sz,
				      opts, opts__sz);
}

/* The connection of the tuple, in either direction, which opts is told. */
__bpf_kfunc struct nf_conn *
bpf_xdp_ct_lookup(struct xdp_md *xdp_ctx, struct bpf_sock_tuple *bpf_tuple,
		  u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz)
{
	return rustynat_bpf_ct_lookup(rustynat_bpf_net_of_xdp(xdp_ctx), bpf_tuple, tuple__sz,
				      opts, opts__sz);
}

__bpf_kfunc struct nf_conn___init *
bpf_skb_ct_alloc(struct __sk_buff *skb_ctx, struct bpf_sock_tuple *bpf_tuple,
		 u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz)
{
	return (struct nf_conn___init *)
		rustynat_bpf_ct_alloc(rustynat_bpf_net_of_skb(skb_ctx), bpf_tuple, tuple__sz,
				      opts, opts__sz);
}

__bpf_kfunc struct nf_conn *
bpf_skb_ct_lookup(struct __sk_buff *skb_ctx, struct bpf_sock_tuple *bpf_tuple,
		  u32 tuple__sz, struct bpf_ct_opts *opts, u32 opts__sz)
{
	return rustynat_bpf_ct_lookup(rustynat_bpf_net_of_skb(skb_ctx), bpf_tuple, tuple__sz,
				      opts, opts__sz);
}

/* Puts a new connection into the table, or frees it if that cannot be. */
__bpf_kfunc struct nf_conn *bpf_ct_insert_entry(struct nf_conn___init *nfct_i)
{
	return rustynat_bpf_ct_insert(rustynat_bpf_ct_of(nfct_i));
}

__bpf_kfunc void bpf_ct_release(struct nf_conn *nfct)
{
	rustynat_bpf_ct_put(nfct);
}

/* Times are in milliseconds. */
__bpf_kfunc void bpf_ct_set_timeout(struct nf_conn___init *nfct, u32 timeout)
{
	rustynat_bpf_ct_set_timeout(rustynat_bpf_ct_of(nfct), timeout);
}

__bpf_kfunc int bpf_ct_change_timeout(struct nf_conn *nfct, u32 timeout)
{
	return rustynat_bpf_ct_change_timeout(nfct, timeout);
}

__bpf_kfunc int bpf_ct_set_status(const struct nf_conn___init *nfct, u32 status)
{
	return nf_ct_change_status_common(rustynat_bpf_ct_of(nfct), status);
}

__bpf_kfunc int bpf_ct_change_status(struct nf_conn *nfct, u32 status)
{
	return nf_ct_change_status_common(nfct, status);
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(kfuncs)
BTF_ID_FLAGS(func, bpf_xdp_ct_alloc, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_xdp_ct_lookup, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_skb_ct_alloc, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_skb_ct_lookup, KF_ACQUIRE | KF_RET_NULL)
BTF_ID_FLAGS(func, bpf_ct_insert_entry, KF_ACQUIRE | KF_RET_NULL | KF_RELEASE)
BTF_ID_FLAGS(func, bpf_ct_release, KF_RELEASE)
BTF_ID_FLAGS(func, bpf_ct_set_timeout)
BTF_ID_FLAGS(func, bpf_ct_change_timeout)
BTF_ID_FLAGS(func, bpf_ct_set_status)
BTF_ID_FLAGS(func, bpf_ct_change_status)
BTF_KFUNCS_END(kfuncs)

struct btf_id_set8 *rustynat_bpf_ct_functions(void)
{
	return &kfuncs;
}

#endif
