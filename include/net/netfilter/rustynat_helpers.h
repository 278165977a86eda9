/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUSTYNAT_HELPERS_H
#define _RUSTYNAT_HELPERS_H
/*
 * Module parameters of the helpers, which are in C files: Rust reads them.
 * All are constant once their module is loaded.
 */

/* Seconds */
extern unsigned int nf_conntrack_netbios_ns_timeout;
extern unsigned int nf_conntrack_snmp_timeout;

#endif
