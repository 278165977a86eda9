/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUSTYNAT_CONNTRACK_H
#define _RUSTYNAT_CONNTRACK_H
/*
 * Variables of nf_conntrack.ko's own C files that its Rust code uses, and that
 * no header of the kernel declares.
 */
#include <linux/types.h>

extern unsigned int nf_conntrack_net_id;
extern bool nf_conntrack_enable_hooks;
extern bool nf_conntrack_acct_default;
extern bool nf_conntrack_tstamp_default;

#endif
