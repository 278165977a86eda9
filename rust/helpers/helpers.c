// SPDX-License-Identifier: GPL-2.0
/*
 * Inline functions and macros of kernel headers that Rust calls: a file per
 * header, each function named nf_rust_helper_ and the name it stands for.
 */
#include "cpumask.c"
#include "net_namespace.c"
#include "netdevice.c"
#include "netns_generic.c"
#include "percpu.c"
#include "proc_fs.c"
#include "skbuff.c"
#include "spinlock.c"
#include "workqueue.c"
#include "expect.c"
#include "ovs.c"
