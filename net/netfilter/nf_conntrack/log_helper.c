// SPDX-License-Identifier: GPL-2.0
/*
 * Why a helper drops a packet. In C, as its arguments vary.
 */
#include <linux/module.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include <net/netfilter/nf_log.h>

void nf_ct_helper_log(struct sk_buff *skb, const struct nf_conn *ct,
		      const char *fmt, ...)
{
	const struct nf_conn_help *help = nfct_help(ct);
	const struct nf_conntrack_helper *helper = NULL;
	struct va_format reason = { .fmt = fmt };
	va_list args;

	rcu_read_lock();
	if (help)
		helper = rcu_dereference(help->helper);

	va_start(args, fmt);
	reason.va = &args;
	nf_log_packet(nf_ct_net(ct), nf_ct_l3num(ct), 0, skb, NULL, NULL, NULL,
		      "helper %s dropping packet: %pV ",
		      helper ? helper->name : "(null)", &reason);
	va_end(args);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(nf_ct_helper_log);
