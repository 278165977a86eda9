// SPDX-License-Identifier: GPL-2.0
/* Module parameters: those of Rust modules are not shown in sysfs. */
#include <linux/moduleparam.h>
#include <net/netfilter/rustynat_helpers.h>

unsigned short nf_conntrack_tftp_ports[RUSTYNAT_MAX_PORTS] __read_mostly;
unsigned int nf_conntrack_tftp_ports_count __read_mostly;
module_param_array_named(ports, nf_conntrack_tftp_ports, ushort,
			 &nf_conntrack_tftp_ports_count, 0400);
MODULE_PARM_DESC(ports, "Port numbers of TFTP servers");
