// SPDX-License-Identifier: GPL-2.0

#include <net/net_namespace.h>

struct proc_dir_entry *nf_rust_helper_proc_net(const struct net *net)
{
	return net->proc_net;
}

struct proc_dir_entry *nf_rust_helper_proc_net_stat(const struct net *net)
{
	return net->proc_net_stat;
}
