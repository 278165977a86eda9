// SPDX-License-Identifier: GPL-2.0
/* The registration of bpf.c's. */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/module.h>
#include <net/netfilter/rustynat_bpf.h>

int rustynat_bpf_nat_register(void)
{
#ifdef CONFIG_DEBUG_INFO_BTF_MODULES
	struct btf_kfunc_id_set set = {
		.owner = THIS_MODULE,
		.set = rustynat_bpf_nat_functions(),
	};
	int err = register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &set);

	return err ?: register_btf_kfunc_id_set(BPF_PROG_TYPE_SCHED_CLS, &set);
#else
	return 0;
#endif
}
