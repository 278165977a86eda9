// SPDX-License-Identifier: GPL-2.0
/* What redirect exports; the functions are in abi/redirect.rs. */
#include <linux/export.h>
#include <net/netfilter/nf_nat_redirect.h>

EXPORT_SYMBOL_GPL(nf_nat_redirect_ipv4);
EXPORT_SYMBOL_GPL(nf_nat_redirect_ipv6);
