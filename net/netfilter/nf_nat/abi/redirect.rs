// SPDX-License-Identifier: GPL-2.0

//! include/net/netfilter/nf_nat_redirect.h.
