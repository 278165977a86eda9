/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUSTYNAT_HELPERS_H
#define _RUSTYNAT_HELPERS_H
/*
 * Module parameters of the helpers, which are in C files: Rust reads them.
 * All are constant once their module is loaded, unless it says otherwise.
 */

#include <linux/types.h>

/* So many ports at most; as many as the count says were given. */
#define RUSTYNAT_MAX_PORTS 8

extern unsigned short nf_conntrack_ftp_ports[RUSTYNAT_MAX_PORTS];
extern unsigned int nf_conntrack_ftp_ports_count;
/* May change. */
extern bool nf_conntrack_ftp_loose;

extern unsigned short nf_conntrack_tftp_ports[RUSTYNAT_MAX_PORTS];
extern unsigned int nf_conntrack_tftp_ports_count;

extern unsigned short nf_conntrack_irc_ports[RUSTYNAT_MAX_PORTS];
extern unsigned int nf_conntrack_irc_ports_count;
extern unsigned int nf_conntrack_irc_max_dcc_channels;
/* Seconds */
extern unsigned int nf_conntrack_irc_dcc_timeout;

extern unsigned short nf_conntrack_sane_ports[RUSTYNAT_MAX_PORTS];
extern unsigned int nf_conntrack_sane_ports_count;

/* Seconds; may change. */
extern unsigned int nf_conntrack_amanda_master_timeout;

extern unsigned short nf_conntrack_sip_ports[RUSTYNAT_MAX_PORTS];
extern unsigned int nf_conntrack_sip_ports_count;
/* These four may change; the first one is in seconds. */
extern unsigned int nf_conntrack_sip_timeout;
extern int nf_conntrack_sip_direct_signalling;
extern int nf_conntrack_sip_direct_media;
extern int nf_conntrack_sip_external_media;

/* These three may change; the first one is in seconds. */
extern unsigned int nf_conntrack_h323_default_rrq_ttl;
extern int nf_conntrack_h323_gkrouted_only;
extern bool nf_conntrack_h323_callforward_filter;

extern unsigned short nf_conntrack_sip_ports[RUSTYNAT_MAX_PORTS];
extern unsigned int nf_conntrack_sip_ports_count;
/* These four may change; the first one is in seconds. */
extern unsigned int nf_conntrack_sip_timeout;
extern int nf_conntrack_sip_direct_signalling;
extern int nf_conntrack_sip_direct_media;
extern int nf_conntrack_sip_external_media;

/* Seconds */
extern unsigned int nf_conntrack_netbios_ns_timeout;
extern unsigned int nf_conntrack_snmp_timeout;

#endif
