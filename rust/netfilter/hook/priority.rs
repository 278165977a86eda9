// SPDX-License-Identifier: GPL-2.0

//! Orders of hook functions (`enum nf_ip_hook_priorities`; IPv6 has the same).

use nf_bindings as bindings;

/// Before everything.
pub const FIRST: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_FIRST;
/// Raw tables that come before fragments are put together.
pub const RAW_BEFORE_DEFRAG: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_RAW_BEFORE_DEFRAG;
/// Putting fragments together.
pub const CONNTRACK_DEFRAG: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK_DEFRAG;
/// Raw tables.
pub const RAW: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_RAW;
/// Connection tracking.
pub const CONNTRACK: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK;
/// Mangle tables.
pub const MANGLE: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_MANGLE;
/// Destination NAT.
pub const NAT_DST: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_NAT_DST;
/// Filter tables.
pub const FILTER: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_FILTER;
/// Source NAT.
pub const NAT_SRC: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_NAT_SRC;
/// Connection tracking helpers.
pub const CONNTRACK_HELPER: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK_HELPER;
/// Confirmation of new connections, last of all.
pub const CONNTRACK_CONFIRM: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK_CONFIRM;
/// After everything.
pub const LAST: i32 = bindings::nf_ip_hook_priorities_NF_IP_PRI_LAST;
