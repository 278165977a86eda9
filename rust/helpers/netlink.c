// SPDX-License-Identifier: GPL-2.0

#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/security.h>
#include <net/netfilter/nf_nat.h>
#include <net/netlink.h>

struct sk_buff *nf_rust_helper_nlmsg_new(size_t payload, gfp_t flags)
{
	return nlmsg_new(payload, flags);
}

void nf_rust_helper_nlmsg_free(struct sk_buff *skb)
{
	nlmsg_free(skb);
}

u32 nf_rust_helper_netlink_portid(const struct sk_buff *skb)
{
	return NETLINK_CB(skb).portid;
}

struct net *nf_rust_helper_netlink_net(const struct sk_buff *skb)
{
	return sock_net(skb->sk);
}

int nf_rust_helper_nla_parse_nest_extack(struct nlattr **tb, int maxtype,
					 const struct nlattr *nla,
					 const struct nla_policy *policy,
					 struct netlink_ext_ack *extack)
{
	return nla_parse_nested_deprecated(tb, maxtype, nla, policy, extack);
}

int nf_rust_helper_nla_parse_nest_strict(struct nlattr **tb, int maxtype,
					 const struct nlattr *nla,
					 const struct nla_policy *policy,
					 struct netlink_ext_ack *extack)
{
	return nla_parse_nested(tb, maxtype, nla, policy, extack);
}

/*
 * Copies the security context of @secid, without a terminating zero, to @to if
 * it fits: its length, or a negative number if there is none.
 */
int nf_rust_helper_secctx(u32 secid, char *to, size_t room)
{
	struct lsm_context ctx;
	int ret;

	ret = security_secid_to_secctx(secid, &ctx);
	if (ret < 0)
		return ret;
	ret = strlen(ctx.context);
	if (ret <= room)
		memcpy(to, ctx.context, ret);
	security_release_secctx(&ctx);
	return ret;
}

bool nf_rust_helper_nat_is_loaded(void)
{
	return rcu_access_pointer(nf_nat_hook);
}

int nf_rust_helper_nat_set_up(struct nf_conn *ct, unsigned int manip,
			      const struct nlattr *attr)
{
	const struct nf_nat_hook *hook;
	int ret = -EOPNOTSUPP;

	rcu_read_lock();
	hook = rcu_dereference(nf_nat_hook);
	if (hook)
		ret = hook->parse_nat_setup(ct, manip, attr);
	rcu_read_unlock();
	return ret;
}

/* How nfnetlink_queue and nfnetlink_log show connections. */
void nf_rust_helper_set_ct_glue(const struct nfnl_ct_hook *hook)
{
	rcu_assign_pointer(nfnl_ct_hook, hook);
	if (!hook)
		synchronize_rcu();
}
