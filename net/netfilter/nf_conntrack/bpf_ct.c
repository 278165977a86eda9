// SPDX-License-Identifier: GPL-2.0
/*
 * What bpf.c needs to know of the kernel's structures, and its registration.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/filter.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/skbuff.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_bpf.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/rustynat_bpf.h>
#include <net/sock.h>
#include <net/xdp.h>

#ifdef CONFIG_DEBUG_INFO_BTF_MODULES

struct net *rustynat_bpf_net_of_xdp(const struct xdp_md *ctx)
{
	return dev_net(((const struct xdp_buff *)ctx)->rxq->dev);
}

struct net *rustynat_bpf_net_of_skb(const struct __sk_buff *ctx)
{
	const struct sk_buff *skb = (const struct sk_buff *)ctx;

	return skb->dev ? dev_net(skb->dev) : sock_net(skb->sk);
}

struct nf_conn *rustynat_bpf_ct_of(const struct nf_conn___init *nfct)
{
	return (struct nf_conn *)&nfct->ct;
}

void rustynat_bpf_ct_put(struct nf_conn *ct)
{
	nf_ct_put(ct);
}

void rustynat_bpf_ct_set_timeout(struct nf_conn *ct, u32 timeout)
{
	__nf_ct_set_timeout(ct, msecs_to_jiffies(timeout));
}

int rustynat_bpf_ct_change_timeout(struct nf_conn *ct, u32 timeout)
{
	return __nf_ct_change_timeout(ct, msecs_to_jiffies(timeout));
}

/* The types of connections whose mark a program may write. */
static const struct btf_type *conn_types[2];

/*
 * A program writes to a member of a structure: it may to a connection's mark. The
 * verifier has checked everything else.
 */
static int struct_access(struct bpf_verifier_log *log,
			 const struct bpf_reg_state *reg, int off, int size)
{
	const struct btf_type *type = btf_type_by_id(reg->btf, reg->btf_id);
	const int mark = offsetof(struct nf_conn, mark);

	if (!type || (type != conn_types[0] && type != conn_types[1])) {
		bpf_log(log, "only read is supported\n");
		return -EACCES;
	}
	if (off != mark) {
		bpf_log(log, "no write support to nf_conn at off %d\n", off);
		return -EACCES;
	}
	if (size > (int)sizeof_field(struct nf_conn, mark)) {
		bpf_log(log, "write access at off %d with size %d beyond the member of nf_conn ended at %zu\n",
			off, size, offsetofend(struct nf_conn, mark));
		return -EACCES;
	}
	return 0;
}

/*
 * The ids of the module's own lists would be those of the kernel that it was built
 * against, whose types are found by name and may have other numbers here. vmlinux
 * has both structures; it never frees its BTF, so the reference stays.
 */
static const struct btf_type *find_type(const char *name)
{
	struct btf *btf;
	s32 id = bpf_find_btf_id(name, BTF_KIND_STRUCT, &btf);

	return id > 0 ? btf_type_by_id(btf, id) : NULL;
}

int rustynat_bpf_ct_register(void)
{
	struct btf_kfunc_id_set set = {
		.owner = THIS_MODULE,
		.set = rustynat_bpf_ct_functions(),
	};
	int err;

	err = register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &set);
	if (!err)
		err = register_btf_kfunc_id_set(BPF_PROG_TYPE_SCHED_CLS, &set);
	if (err)
		return err;
	conn_types[0] = find_type("nf_conn");
	conn_types[1] = find_type("nf_conn___init");
	mutex_lock(&nf_conn_btf_access_lock);
	nfct_btf_struct_access = struct_access;
	mutex_unlock(&nf_conn_btf_access_lock);
	return 0;
}

/* The functions go with the module's BTF. */
void rustynat_bpf_ct_unregister(void)
{
	mutex_lock(&nf_conn_btf_access_lock);
	nfct_btf_struct_access = NULL;
	mutex_unlock(&nf_conn_btf_access_lock);
}

#else /* no BTF, no BPF programs that could call anything */

int rustynat_bpf_ct_register(void)
{
	return 0;
}

void rustynat_bpf_ct_unregister(void)
{
}

#endif
