/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _RUSTYNAT_NAT_H
#define _RUSTYNAT_NAT_H
/*
 * What vmlinux exports for the NAT core and no header outside net/netfilter
 * declares.
 */
struct nf_hook_entries;
struct nf_hook_ops;

void nf_hook_entries_delete_raw(struct nf_hook_entries **pp,
				const struct nf_hook_ops *reg);
int nf_hook_entries_insert_raw(struct nf_hook_entries **pp,
			       const struct nf_hook_ops *reg);

#endif
