// SPDX-License-Identifier: GPL-2.0
/*
 * What BPF programs at XDP may call. They know the function by its prototype in
 * this module's BTF, which is made of this file, names of parameters included.
 */
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/errno.h>
#include <net/netfilter/rustynat_flow_bpf.h>
#include <uapi/linux/bpf.h>

/*
 * Programs look into flows, which the kernel's own BTF does not have. A flow points
 * to its route and so to half of the kernel, of which the BTF is to have the name
 * only: struct dst_entry is called otherwise where it is defined.
 */
#define dst_entry rustynat_dst_entry
#include <linux/if_pppox.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/ppp_defs.h>
#include <net/dst.h>
#include <net/flow_offload.h>
#undef dst_entry
#include <net/netfilter/nf_flow_table.h>

#ifdef CONFIG_DEBUG_INFO_BTF_MODULES

/* To the program: why it got nothing. Known to programs by name and field. */
struct bpf_flowtable_opts {
	s32 error;
};

__bpf_kfunc_start_defs();

__bpf_kfunc struct flow_offload_tuple_rhash *
bpf_xdp_flow_lookup(struct xdp_md *ctx, struct bpf_fib_lookup *fib_tuple,
		    struct bpf_flowtable_opts *opts, u32 opts_len)
{
	struct flow_offload_tuple_rhash *entry = NULL;
	int error = -EINVAL;

	if (opts_len == sizeof(*opts))
		error = rustynat_flow_bpf_find(ctx, fib_tuple, &entry);
	/* The verifier has seen that there is room for it, whatever the length. */
	if (error)
		opts->error = error;
	return entry;
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(kfuncs)
BTF_ID_FLAGS(func, bpf_xdp_flow_lookup, KF_RET_NULL)
BTF_KFUNCS_END(kfuncs)

struct btf_id_set8 *rustynat_flow_bpf_functions(void)
{
	return &kfuncs;
}

#endif
