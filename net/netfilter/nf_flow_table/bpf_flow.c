// SPDX-License-Identifier: GPL-2.0
/* What bpf.c's function does, and its registration. */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/export.h>
#include <linux/module.h>
#include <net/netfilter/nf_flow_table.h>
#include <net/netfilter/rustynat_flow_bpf.h>
#include <net/xdp.h>

#ifdef CONFIG_DEBUG_INFO_BTF_MODULES

int rustynat_flow_bpf_find(const struct xdp_md *ctx,
			   const struct bpf_fib_lookup *packet,
			   struct flow_offload_tuple_rhash **entry)
{
	const struct xdp_buff *xdp = (const struct xdp_buff *)ctx;
	struct flow_offload_tuple tuple = {
		.iifidx = packet->ifindex,
		.l3proto = READ_ONCE(packet->family),
		.l4proto = packet->l4_protocol,
		.src_port = packet->sport,
		.dst_port = packet->dport,
	};
	struct nf_flowtable *table;
	struct flow_offload *flow;

	switch (tuple.l3proto) {
	case AF_INET:
		tuple.src_v4.s_addr = packet->ipv4_src;
		tuple.dst_v4.s_addr = packet->ipv4_dst;
		break;
	case AF_INET6:
		memcpy(&tuple.src_v6, packet->ipv6_src, sizeof(tuple.src_v6));
		memcpy(&tuple.dst_v6, packet->ipv6_dst, sizeof(tuple.dst_v6));
		break;
	default:
		return -EAFNOSUPPORT;
	}
	table = nf_flowtable_by_dev(xdp->rxq->dev);
	if (table)
		*entry = flow_offload_lookup(table, &tuple);
	if (!*entry)
		return -ENOENT;
	/* The program sends the packet on: the flow lives. */
	flow = container_of(*entry, struct flow_offload,
			    tuplehash[(*entry)->tuple.dir]);
	flow_offload_refresh(table, flow, false);
	return 0;
}

int nf_flow_register_bpf(void)
{
	struct btf_kfunc_id_set set = {
		.owner = THIS_MODULE,
		.set = rustynat_flow_bpf_functions(),
	};

	return register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &set);
}
EXPORT_SYMBOL_GPL(nf_flow_register_bpf);

#endif

/* Without BTF the header's does nothing. */
int rustynat_flow_bpf_register(void)
{
	return nf_flow_register_bpf();
}
