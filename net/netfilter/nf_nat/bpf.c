// SPDX-License-Identifier: GPL-2.0
/* What BPF programs at XDP and at TC may call: see nf_conntrack's bpf.c. */
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <net/netfilter/nf_nat.h>
#include <net/netfilter/rustynat_bpf.h>

#ifdef CONFIG_DEBUG_INFO_BTF_MODULES

__bpf_kfunc_start_defs();

/*
 * Translates one side of a new connection to an address, and to a port (in host
 * order) if that is above 0.
 */
__bpf_kfunc int bpf_ct_set_nat_info(struct nf_conn___init *nfct,
				    union nf_inet_addr *addr, int port,
				    enum nf_nat_manip_type manip)
{
	return rustynat_bpf_ct_set_nat(nfct, addr, port, manip);
}

__bpf_kfunc_end_defs();

BTF_KFUNCS_START(kfuncs)
BTF_ID_FLAGS(func, bpf_ct_set_nat_info)
BTF_KFUNCS_END(kfuncs)

struct btf_id_set8 *rustynat_bpf_nat_functions(void)
{
	return &kfuncs;
}

#endif
