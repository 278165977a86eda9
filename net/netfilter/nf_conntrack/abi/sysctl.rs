// SPDX-License-Identifier: GPL-2.0

//! `net.netfilter.nf_conntrack_*` and `net.nf_conntrack_max`: names, modes,
//! units and limits are the stock module's.

use crate::resize;
use core::{
    mem::zeroed,
    ptr::{addr_of_mut, null_mut},
    sync::atomic::{AtomicPtr, Ordering},
};
use kernel::{
    error::code::ENOMEM,
    ffi::{c_int, c_void, CStr},
    prelude::*,
};
use netfilter::conntrack::{settings, Net};
use nf_bindings as bindings;

/// A value that a sysctl shows, and how.
enum Value {
    /// `int`, at least 1, of the whole machine; only the first namespace may
    /// write it.
    Limit(*mut c_int),
    /// The number of connections.
    Count,
    /// The size of the table.
    Buckets,
    /// `u8`, at most.
    Byte(*mut u8, u8),
    /// Which protocol's invalid packets are logged: a logger is loaded.
    LogInvalid(*mut u8),
    /// `unsigned int`, seconds outside, jiffies inside.
    Seconds(*mut u32),
}

const ENTRIES: usize = 40;

/// Limits that handlers point to.
static LIMITS: [c_int; 5] = [0, 1, 2, 255, c_int::MAX];

fn limit(value: c_int) -> *mut c_void {
    LIMITS
        .iter()
        .find(|limit| **limit == value)
        .map_or(null_mut(), |limit| {
            core::ptr::from_ref(limit).cast_mut().cast()
        })
}

fn entries(net: Net) -> [(&'static CStr, Value); ENTRIES] {
    use Value::{Buckets, Byte, Count, Limit, LogInvalid, Seconds};
    let ct = net.ct();
    // SAFETY: Addresses of fields of the namespace, which lives until the
    // sysctls are taken away, and of variables of the module.
    unsafe {
        let max = addr_of_mut!(bindings::nf_conntrack_max).cast();
        let expect_max = addr_of_mut!(bindings::nf_ct_expect_max).cast();
        let p = &raw mut (*ct).nf_ct_proto;
        let tcp = (&raw mut (*p).tcp.timeouts).cast::<u32>();
        let sctp = (&raw mut (*p).sctp.timeouts).cast::<u32>();
        let udp = (&raw mut (*p).udp.timeouts).cast::<u32>();
        let gre = (&raw mut (*p).gre.timeouts).cast::<u32>();
        let t = |i: u32| Seconds(tcp.add(i as usize));
        let s = |i: u32| Seconds(sctp.add(i as usize));
        use bindings::*;
        [
            (c"nf_conntrack_max", Limit(max)),
            (c"nf_conntrack_count", Count),
            (c"nf_conntrack_buckets", Buckets),
            (
                c"nf_conntrack_checksum",
                Byte(&raw mut (*ct).sysctl_checksum, 1),
            ),
            (
                c"nf_conntrack_log_invalid",
                LogInvalid(&raw mut (*ct).sysctl_log_invalid),
            ),
            (c"nf_conntrack_expect_max", Limit(expect_max)),
            (c"nf_conntrack_acct", Byte(&raw mut (*ct).sysctl_acct, 1)),
            (
                c"nf_conntrack_events",
                Byte(&raw mut (*ct).sysctl_events, 2),
            ),
            (
                c"nf_conntrack_timestamp",
                Byte(&raw mut (*ct).sysctl_tstamp, 1),
            ),
            (
                c"nf_conntrack_generic_timeout",
                Seconds(&raw mut (*p).generic.timeout),
            ),
            (
                c"nf_conntrack_tcp_timeout_syn_sent",
                t(tcp_conntrack_TCP_CONNTRACK_SYN_SENT),
            ),
            (
                c"nf_conntrack_tcp_timeout_syn_recv",
                t(tcp_conntrack_TCP_CONNTRACK_SYN_RECV),
            ),
            (
                c"nf_conntrack_tcp_timeout_established",
                t(tcp_conntrack_TCP_CONNTRACK_ESTABLISHED),
            ),
            (
                c"nf_conntrack_tcp_timeout_fin_wait",
                t(tcp_conntrack_TCP_CONNTRACK_FIN_WAIT),
            ),
            (
                c"nf_conntrack_tcp_timeout_close_wait",
                t(tcp_conntrack_TCP_CONNTRACK_CLOSE_WAIT),
            ),
            (
                c"nf_conntrack_tcp_timeout_last_ack",
                t(tcp_conntrack_TCP_CONNTRACK_LAST_ACK),
            ),
            (
                c"nf_conntrack_tcp_timeout_time_wait",
                t(tcp_conntrack_TCP_CONNTRACK_TIME_WAIT),
            ),
            (
                c"nf_conntrack_tcp_timeout_close",
                t(tcp_conntrack_TCP_CONNTRACK_CLOSE),
            ),
            (
                c"nf_conntrack_tcp_timeout_max_retrans",
                t(tcp_conntrack_TCP_CONNTRACK_RETRANS),
            ),
            (
                c"nf_conntrack_tcp_timeout_unacknowledged",
                t(tcp_conntrack_TCP_CONNTRACK_UNACK),
            ),
            (
                c"nf_flowtable_tcp_timeout",
                Seconds(&raw mut (*p).tcp.offload_timeout),
            ),
            (
                c"nf_conntrack_tcp_loose",
                Byte(&raw mut (*p).tcp.tcp_loose, 1),
            ),
            (
                c"nf_conntrack_tcp_be_liberal",
                Byte(&raw mut (*p).tcp.tcp_be_liberal, 1),
            ),
            (
                c"nf_conntrack_tcp_ignore_invalid_rst",
                Byte(&raw mut (*p).tcp.tcp_ignore_invalid_rst, 1),
            ),
            (
                c"nf_conntrack_tcp_max_retrans",
                Byte(&raw mut (*p).tcp.tcp_max_retrans, 255),
            ),
            (c"nf_conntrack_udp_timeout", Seconds(udp)),
            (c"nf_conntrack_udp_timeout_stream", Seconds(udp.add(1))),
            (
                c"nf_flowtable_udp_timeout",
                Seconds(&raw mut (*p).udp.offload_timeout),
            ),
            (
                c"nf_conntrack_icmp_timeout",
                Seconds(&raw mut (*p).icmp.timeout),
            ),
            (
                c"nf_conntrack_icmpv6_timeout",
                Seconds(&raw mut (*p).icmpv6.timeout),
            ),
            (
                c"nf_conntrack_sctp_timeout_closed",
                s(sctp_conntrack_SCTP_CONNTRACK_CLOSED),
            ),
            (
                c"nf_conntrack_sctp_timeout_cookie_wait",
                s(sctp_conntrack_SCTP_CONNTRACK_COOKIE_WAIT),
            ),
            (
                c"nf_conntrack_sctp_timeout_cookie_echoed",
                s(sctp_conntrack_SCTP_CONNTRACK_COOKIE_ECHOED),
            ),
            (
                c"nf_conntrack_sctp_timeout_established",
                s(sctp_conntrack_SCTP_CONNTRACK_ESTABLISHED),
            ),
            (
                c"nf_conntrack_sctp_timeout_shutdown_sent",
                s(sctp_conntrack_SCTP_CONNTRACK_SHUTDOWN_SENT),
            ),
            (
                c"nf_conntrack_sctp_timeout_shutdown_recd",
                s(sctp_conntrack_SCTP_CONNTRACK_SHUTDOWN_RECD),
            ),
            (
                c"nf_conntrack_sctp_timeout_shutdown_ack_sent",
                s(sctp_conntrack_SCTP_CONNTRACK_SHUTDOWN_ACK_SENT),
            ),
            (
                c"nf_conntrack_sctp_timeout_heartbeat_sent",
                s(sctp_conntrack_SCTP_CONNTRACK_HEARTBEAT_SENT),
            ),
            (c"nf_conntrack_gre_timeout", Seconds(gre)),
            (c"nf_conntrack_gre_timeout_stream", Seconds(gre.add(1))),
        ]
    }
}

fn describe(net: Net, name: &'static CStr, value: Value) -> bindings::ctl_table {
    // SAFETY: All of its fields may be zero.
    let mut table: bindings::ctl_table = unsafe { zeroed() };
    table.procname = name.as_char_ptr().cast();
    table.mode = 0o644;
    table.maxlen = size_of::<c_int>() as c_int;
    // Other namespaces see the machine's settings, but do not set them.
    let machine_mode = if net.is_init() { 0o644 } else { 0o444 };
    match value {
        Value::Limit(data) => {
            table.data = data.cast();
            table.mode = machine_mode;
            table.proc_handler = Some(bindings::proc_dointvec_minmax);
            table.extra1 = limit(1);
            table.extra2 = limit(c_int::MAX);
        }
        Value::Count => {
            // SAFETY: The area lives as long as the namespace.
            table.data = unsafe { (&raw mut (*net.area().as_ptr()).count).cast() };
            table.mode = 0o444;
            table.proc_handler = Some(bindings::proc_dointvec);
        }
        Value::Buckets => {
            table.mode = machine_mode;
            table.proc_handler = Some(buckets);
        }
        Value::Byte(data, max) => {
            table.data = data.cast();
            table.maxlen = 1;
            table.proc_handler = Some(bindings::proc_dou8vec_minmax);
            table.extra1 = limit(0);
            table.extra2 = limit(max.into());
        }
        Value::LogInvalid(data) => {
            table.data = data.cast();
            table.maxlen = 1;
            table.proc_handler = Some(log_invalid);
        }
        Value::Seconds(data) => {
            table.data = data.cast();
            table.proc_handler = Some(bindings::proc_dointvec_jiffies);
        }
    }
    table
}

/// `nf_conntrack_buckets`: shows the size of the table, sets the size that it
/// does not shrink below.
///
/// # Safety
///
/// C: a handler's arguments.
unsafe extern "C" fn buckets(
    table: *const bindings::ctl_table,
    write: c_int,
    buffer: *mut c_void,
    lenp: *mut usize,
    ppos: *mut bindings::loff_t,
) -> c_int {
    let mut size = settings::buckets();
    // SAFETY: A copy of the table with its value in this function; the rest are
    // the handler's own arguments.
    unsafe {
        let mut local = *table;
        local.data = (&raw mut size).cast();
        let error = bindings::proc_dointvec(&raw const local, write, buffer, lenp, ppos);
        if error < 0 || write == 0 {
            return error;
        }
    }
    match resize::set(size) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// C: a handler's arguments.
unsafe extern "C" fn log_invalid(
    table: *const bindings::ctl_table,
    write: c_int,
    buffer: *mut c_void,
    lenp: *mut usize,
    ppos: *mut bindings::loff_t,
) -> c_int {
    // SAFETY: The handler's own arguments.
    let error = unsafe { bindings::proc_dou8vec_minmax(table, write, buffer, lenp, ppos) };
    // SAFETY: `data` is the namespace's byte.
    if error >= 0 && write != 0 && unsafe { *(*table).data.cast::<u8>() } != 0 {
        // SAFETY: Process context.
        unsafe { bindings::ct_load_logger() };
    }
    error
}

/// Registers a namespace's sysctls.
pub fn init_net(net: Net) -> Result {
    // The order and number of entries is what the function says.
    let described = entries(net).map(|(name, value)| describe(net, name, value));
    // SAFETY: Plain allocation; the registration keeps it until `exit_net`.
    unsafe {
        let table: *mut bindings::ctl_table = bindings::sysctl_table_alloc(ENTRIES as u32);
        if table.is_null() {
            return Err(ENOMEM);
        }
        core::ptr::copy_nonoverlapping(described.as_ptr(), table, ENTRIES);
        let header = bindings::register_net_sysctl_sz(
            net.as_ptr(),
            c"net/netfilter".as_char_ptr().cast(),
            table,
            ENTRIES,
        );
        if header.is_null() {
            bindings::kfree(table.cast());
            return Err(ENOMEM);
        }
        (*net.area().as_ptr()).sysctl_header = header;
    }
    Ok(())
}

/// Takes them away.
pub fn exit_net(net: Net) {
    // SAFETY: Registered in `init_net`, for this namespace.
    unsafe {
        let header = (*net.area().as_ptr()).sysctl_header;
        let table = bindings::sysctl_header_table(header);
        bindings::unregister_net_sysctl_table(header);
        bindings::kfree(table.cast());
    }
}

static OLD_NAME: AtomicPtr<bindings::ctl_table_header> = AtomicPtr::new(null_mut());

/// Registers `net.nf_conntrack_max`, the limit's older name.
pub fn init() -> Result {
    // SAFETY: The first namespace always lives; the table is freed in `exit`.
    unsafe {
        let table: *mut bindings::ctl_table = bindings::sysctl_table_alloc(1);
        if table.is_null() {
            return Err(ENOMEM);
        }
        let net = Net::from_raw(&raw mut bindings::init_net);
        let max = addr_of_mut!(bindings::nf_conntrack_max).cast();
        *table = describe(net, c"nf_conntrack_max", Value::Limit(max));
        let header =
            bindings::register_net_sysctl_sz(net.as_ptr(), c"net".as_char_ptr().cast(), table, 1);
        if header.is_null() {
            bindings::kfree(table.cast());
            return Err(ENOMEM);
        }
        OLD_NAME.store(header, Ordering::Relaxed);
    }
    Ok(())
}

/// Takes it away.
pub fn exit() {
    let header = OLD_NAME.swap(null_mut(), Ordering::Relaxed);
    // SAFETY: Registered in `init`.
    unsafe {
        let table = bindings::sysctl_header_table(header);
        bindings::unregister_net_sysctl_table(header);
        bindings::kfree(table.cast());
    }
}
