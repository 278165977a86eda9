// SPDX-License-Identifier: GPL-2.0

#include <linux/cpumask.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/security.h>
#include <linux/seq_file_net.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_log.h>
#include <net/sctp/checksum.h>

void nf_rust_helper_ct_log_invalid(const struct sk_buff *skb,
				   const struct nf_hook_state *state,
				   u8 protocol, const char *text, int len)
{
	nf_log_packet(state->net, state->pf, 0, skb, state->in, state->out,
		      NULL, "nf_ct_proto_%d: %.*s ", protocol, len, text);
}

bool nf_rust_helper_packet_sctp_ok(struct sk_buff *skb, unsigned int offset)
{
	const struct sctphdr *sh;

	if (skb->ip_summed != CHECKSUM_NONE)
		return true;
	if (skb_ensure_writable(skb, offset + sizeof(*sh)))
		return false;
	sh = (const struct sctphdr *)(skb->data + offset);
	if (sh->checksum != sctp_compute_cksum(skb, offset))
		return false;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return true;
}

bool nf_rust_helper_device_is_vrf(const struct net_device *dev)
{
	return dev && netif_is_l3_master(dev);
}

void nf_rust_helper_seq_secctx(struct seq_file *s, u32 secmark)
{
	struct lsm_context ctx;

	if (security_secid_to_secctx(secmark, &ctx) < 0)
		return;
	seq_printf(s, "secctx=%s ", ctx.context);
	security_release_secctx(&ctx);
}

unsigned int nf_rust_helper_cpu_ids(void)
{
	return nr_cpu_ids;
}

const struct ip_conntrack_stat *
nf_rust_helper_ct_stat_of_cpu(const struct net *net, unsigned int cpu)
{
	return cpu_possible(cpu) ? per_cpu_ptr(net->ct.stat, cpu) : NULL;
}

bool nf_rust_helper_ct_stat_alloc(struct net *net)
{
	net->ct.stat = alloc_percpu(struct ip_conntrack_stat);
	return net->ct.stat;
}

void nf_rust_helper_ct_stat_free(struct net *net)
{
	free_percpu(net->ct.stat);
}

struct proc_dir_entry *
nf_rust_helper_ct_proc_create_stat(struct net *net, const char *name,
				   const struct seq_operations *ops)
{
	return proc_create_net_data(name, 0444, net->proc_net_stat, ops,
				    sizeof(struct seq_net_private), NULL);
}

void nf_rust_helper_ct_proc_remove_stat(struct net *net, const char *name)
{
	remove_proc_entry(name, net->proc_net_stat);
}
