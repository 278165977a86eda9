/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NF_FLOWSTAT_H
#define _NF_FLOWSTAT_H

struct net;

/* The number of flows in @net's table; 0 if nothing was ever counted there. */
unsigned int nf_flowstat_count(const struct net *net);

#endif /* _NF_FLOWSTAT_H */
