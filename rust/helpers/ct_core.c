// SPDX-License-Identifier: GPL-2.0

#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/security.h>
#include <linux/seq_file_net.h>
#include <linux/skbuff.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/rustynat_conntrack.h>
#include <net/netfilter/nf_log.h>
#include <net/sctp/checksum.h>

/* An inline function in kernels for one processor. */
void nf_rust_helper_ct_wait_for_packets(void)
{
	synchronize_rcu_expedited();
}

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

static struct rustynat_conntrack_net *ct_area(const struct net *net)
{
	return container_of(nf_ct_pernet(net), struct rustynat_conntrack_net, c);
}

void nf_rust_helper_ct_reason_inc(const struct net *net, unsigned int reason)
{
	this_cpu_inc(ct_area(net)->reasons[reason]);
}

u64 nf_rust_helper_ct_reason_sum(const struct net *net, unsigned int reason)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(ct_area(net)->reasons, cpu)[reason];
	return sum;
}

bool nf_rust_helper_ct_stat_alloc(struct net *net)
{
	net->ct.stat = alloc_percpu(struct ip_conntrack_stat);
	ct_area(net)->reasons = __alloc_percpu(RUSTYNAT_REASONS * sizeof(int),
					       __alignof__(int));
	if (net->ct.stat && ct_area(net)->reasons)
		return true;
	free_percpu(net->ct.stat);
	free_percpu(ct_area(net)->reasons);
	return false;
}

void nf_rust_helper_ct_stat_free(struct net *net)
{
	free_percpu(net->ct.stat);
	free_percpu(ct_area(net)->reasons);
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

/* The stock module's default size: 1/16384 of memory, within bounds. */
unsigned int nf_rust_helper_ct_default_buckets(void)
{
	const unsigned long gb = SZ_1G / PAGE_SIZE;
	unsigned long pages = totalram_pages();

	if (pages > 4 * gb)
		return 262144;
	if (pages > gb)
		return 65536;
	return max((pages << PAGE_SHIFT) / 16384 / sizeof(struct hlist_head),
		   1024UL);
}

void nf_rust_helper_ct_locks_init(void)
{
	int i;

	for (i = 0; i < CONNTRACK_LOCKS; i++)
		spin_lock_init(&nf_conntrack_locks[i]);
}

/* Sets vmlinux's pointer, or takes it back and waits for its users. */
void nf_rust_helper_ct_set_hook(const struct nf_ct_hook *hook)
{
	rcu_assign_pointer(nf_ct_hook, hook);
	if (!hook)
		synchronize_net();
}

struct net *nf_rust_helper_ct_exit_list_next(struct list_head *list,
					     struct net *net)
{
	struct list_head *next = net ? net->exit_list.next : list->next;

	return next == list ? NULL : list_entry(next, struct net, exit_list);
}

/* The tuple of the packets that @sk receives. */
struct net *nf_rust_helper_sock_reply_tuple(struct sock *sk, bool ipv6,
					    struct nf_conntrack_tuple *t,
					    __be32 *flow_label, int *device)
{
	const struct inet_sock *inet = inet_sk(sk);

	lock_sock(sk);
	t->src.l3num = ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	t->dst.protonum = sk->sk_protocol;
	t->src.u.all = inet->inet_sport;
	t->dst.u.all = inet->inet_dport;
	if (ipv6) {
		t->src.u3.in6 = sk->sk_v6_rcv_saddr;
		t->dst.u3.in6 = sk->sk_v6_daddr;
		*flow_label = inet6_sk(sk)->flow_label & IPV6_FLOWINFO_MASK;
		*device = sk->sk_bound_dev_if;
	} else {
		t->src.u3.ip = inet->inet_rcv_saddr;
		t->dst.u3.ip = inet->inet_daddr;
	}
	release_sock(sk);
	return sock_net(sk);
}

unsigned long nf_rust_helper_ct_copy_to_user(void __user *to, const void *from,
					     unsigned long n)
{
	return copy_to_user(to, from, n);
}

u32 nf_rust_helper_ct_scope_id(const struct in6_addr *address, int device)
{
	return ipv6_iface_scope_id(address, device);
}

struct net *nf_rust_helper_skb_device_net(const struct sk_buff *skb)
{
	return skb->dev ? dev_net(skb->dev) : NULL;
}

void nf_rust_helper_ct_pause(void)
{
	schedule_timeout_uninterruptible(1);
}

void nf_rust_helper_ct_set_checksum(struct net *net, bool on)
{
	net->ct.sysctl_checksum = on;
}

static DEFINE_MUTEX(ct_proto_mutex);

void nf_rust_helper_ct_proto_lock(void)
{
	mutex_lock(&ct_proto_mutex);
}

void nf_rust_helper_ct_proto_unlock(void)
{
	mutex_unlock(&ct_proto_mutex);
}

void nf_rust_helper_seq_hex8(struct seq_file *s, u32 number)
{
	seq_printf(s, "%08x", number);
}
