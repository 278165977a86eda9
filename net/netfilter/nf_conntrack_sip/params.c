// SPDX-License-Identifier: GPL-2.0
/* Module parameters: those of Rust modules are not shown in sysfs. */
#include <linux/moduleparam.h>
#include <linux/netfilter/nf_conntrack_sip.h>
#include <net/netfilter/rustynat_helpers.h>

unsigned short nf_conntrack_sip_ports[RUSTYNAT_MAX_PORTS] __read_mostly;
unsigned int nf_conntrack_sip_ports_count __read_mostly;
module_param_array_named(ports, nf_conntrack_sip_ports, ushort,
			 &nf_conntrack_sip_ports_count, 0400);
MODULE_PARM_DESC(ports, "port numbers of SIP servers");

unsigned int nf_conntrack_sip_timeout __read_mostly = SIP_TIMEOUT;
module_param_named(sip_timeout, nf_conntrack_sip_timeout, uint, 0600);
MODULE_PARM_DESC(sip_timeout, "timeout for the master SIP session");

int nf_conntrack_sip_direct_signalling __read_mostly = 1;
module_param_named(sip_direct_signalling, nf_conntrack_sip_direct_signalling,
		   int, 0600);
MODULE_PARM_DESC(sip_direct_signalling, "expect incoming calls from registrar only (default 1)");

int nf_conntrack_sip_direct_media __read_mostly = 1;
module_param_named(sip_direct_media, nf_conntrack_sip_direct_media, int, 0600);
MODULE_PARM_DESC(sip_direct_media, "Expect Media streams between signalling endpoints only (default 1)");

int nf_conntrack_sip_external_media __read_mostly;
module_param_named(sip_external_media, nf_conntrack_sip_external_media, int,
		   0600);
MODULE_PARM_DESC(sip_external_media, "Expect Media streams between external endpoints (default 0)");
