// SPDX-License-Identifier: GPL-2.0
/*
 * Inline functions and macros of kernel headers that Rust calls: a file per
 * header, each function named nf_rust_helper_ and the name it stands for.
 */
#include "broadcast.c"
#include "conntrack.c"
#include "cpumask.c"
#include "ct_core.c"
#include "ct_ecache.c"
#include "ct_ext.c"
#include "ct_gre.c"
#include "ct_seqadj.c"
#include "ct_timeout.c"
#include "expect.c"
#include "nat.c"
#include "nat_address.c"
#include "nat_mangle.c"
#include "net_namespace.c"
#include "netdevice.c"
#include "netlink.c"
#include "netns_generic.c"
#include "ovs.c"
#include "percpu.c"
#include "proc_fs.c"
#include "sip.c"
#include "skbuff.c"
#include "spinlock.c"
#include "workqueue.c"
