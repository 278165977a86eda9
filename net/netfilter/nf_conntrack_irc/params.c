// SPDX-License-Identifier: GPL-2.0
/* Module parameters: those of Rust modules are not shown in sysfs. */
#include <linux/moduleparam.h>
#include <net/netfilter/rustynat_helpers.h>

unsigned short nf_conntrack_irc_ports[RUSTYNAT_MAX_PORTS] __read_mostly;
unsigned int nf_conntrack_irc_ports_count __read_mostly;
module_param_array_named(ports, nf_conntrack_irc_ports, ushort,
			 &nf_conntrack_irc_ports_count, 0400);
MODULE_PARM_DESC(ports, "port numbers of IRC servers");

unsigned int nf_conntrack_irc_max_dcc_channels __read_mostly = 8;
module_param_named(max_dcc_channels, nf_conntrack_irc_max_dcc_channels, uint,
		   0400);
MODULE_PARM_DESC(max_dcc_channels, "max number of expected DCC channels per "
				   "IRC session");

unsigned int nf_conntrack_irc_dcc_timeout __read_mostly = 300;
module_param_named(dcc_timeout, nf_conntrack_irc_dcc_timeout, uint, 0400);
MODULE_PARM_DESC(dcc_timeout, "timeout on for unestablished DCC channels");
