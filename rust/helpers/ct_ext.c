// SPDX-License-Identifier: GPL-2.0

#include <linux/types.h>

/* net/netfilter/nf_conntrack/params_ext.c */
extern bool nf_conntrack_acct_default;
extern bool nf_conntrack_tstamp_default;

bool nf_rust_helper_ct_acct_default(void)
{
	return nf_conntrack_acct_default;
}

bool nf_rust_helper_ct_tstamp_default(void)
{
	return nf_conntrack_tstamp_default;
}
