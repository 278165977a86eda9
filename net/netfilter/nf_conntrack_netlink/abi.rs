// SPDX-License-Identifier: GPL-2.0

//! What C calls: the listener of events, and the glue to nfnetlink_queue and
//! nfnetlink_log.

use crate::{events, expect, glue};
use core::ptr::{null, NonNull};
use kernel::{
    error::code::ENOSPC,
    ffi::{c_int, c_uint},
    prelude::*,
};
use netfilter::{
    conntrack::{
        ecache,
        expect::{Expect, ExpectLock},
        skb::Packet,
        Conn, Info, Net, Status,
    },
    net::{Ops, PerNet, Scope},
    nfnetlink::errno,
    nlattr::{Attribute, Writer},
};
use nf_bindings as bindings;
use nf_conntrack::seqadj;

struct Constant<T>(T);

// SAFETY: It is never written.
unsafe impl<T> Sync for Constant<T> {}

static NOTIFIER: Constant<bindings::nf_ct_event_notifier> =
    Constant(bindings::nf_ct_event_notifier {
        ct_event: Some(connection_event),
        exp_event: Some(expectation_event),
    });

/// # Safety
///
/// C: a connection that lives meanwhile.
unsafe extern "C" fn connection_event(events: c_uint, item: *const bindings::nf_ct_event) -> c_int {
    // SAFETY: By the C contract.
    let (conn, portid, report) = unsafe {
        let item = &*item;
        (Conn::from_raw(item.ct), item.portid, item.report)
    };
    match events::tell(conn, events, portid, report != 0) {
        Ok(()) => 0,
        Err(events::Retry) => errno(bindings::ENOBUFS).to_errno(),
    }
}

/// # Safety
///
/// C: an expectation whose lock is held.
unsafe extern "C" fn expectation_event(
    events: c_uint,
    item: *const bindings::nf_exp_event,
) -> c_int {
    // SAFETY: By the C contract.
    let (lock, exp, item) = unsafe {
        let item = &*item;
        (ExpectLock::held(), Expect::from_raw(item.exp), item)
    };
    expect::event(&lock, exp, events, item.portid, item.report != 0);
    0
}

/// While it exists, a namespace's events are told.
pub(crate) struct Listener(Scope);

static LISTENERS: Ops<Listener> = Ops::new();

// SAFETY: The scope is in the value.
unsafe impl PerNet for Listener {
    type Context = ();

    fn ops() -> &'static Ops<Self> {
        &LISTENERS
    }

    fn init(net: &Scope, _context: &()) -> Result<Self> {
        let listener = Listener(net.clone());
        // SAFETY: The listener is static. Its code stays until a grace period
        // after it was taken away: a subsystem is unregistered after this.
        unsafe { ecache::set_notifier(listener.net(), &NOTIFIER.0) };
        Ok(listener)
    }
}

impl Listener {
    fn net(&self) -> Net {
        // SAFETY: The namespace is alive as long as its scope exists.
        unsafe { Net::from_raw(self.0.as_raw()) }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // SAFETY: As above.
        unsafe { ecache::set_notifier(self.net(), null()) };
    }
}

static GLUE: Constant<bindings::nfnl_ct_hook> = Constant(bindings::nfnl_ct_hook {
    build_size: Some(build_size),
    build: Some(build),
    parse: Some(parse),
    attach_expect: Some(attach_expect),
    seq_adjust: Some(seq_adjust),
});

/// The glue, while it is set.
pub(crate) struct Glue(());

impl Glue {
    /// Sets it.
    pub(crate) fn set() -> Self {
        // SAFETY: The table is static; its code stays until it is taken back.
        unsafe { bindings::set_ct_glue(&GLUE.0) };
        Glue(())
    }
}

impl Drop for Glue {
    fn drop(&mut self) {
        // SAFETY: Set in `set`. Waits for a grace period.
        unsafe { bindings::set_ct_glue(null()) };
    }
}

/// # Safety
///
/// C: a valid connection.
unsafe extern "C" fn build_size(ct: *const bindings::nf_conn) -> usize {
    // SAFETY: By the C contract.
    glue::size(unsafe { Conn::from_raw(ct) })
}

/// # Safety
///
/// C: a message under construction, and a packet's connection.
unsafe extern "C" fn build(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    ct_attr: u16,
    ct_info_attr: u16,
) -> c_int {
    let Some(skb) = NonNull::new(skb) else {
        return ENOSPC.to_errno();
    };
    // SAFETY: By the C contract; such messages are linear.
    let (writer, conn) = unsafe { (Writer::attributes(skb), Conn::from_raw(ct)) };
    let info = Info::from_number(ctinfo);
    match glue::write(writer, conn, info, ct_attr.into(), ct_info_attr.into()) {
        Ok(()) => 0,
        Err(_) => ENOSPC.to_errno(),
    }
}

/// # Safety
///
/// C: an attribute of a message, and a packet's connection; under RCU.
unsafe extern "C" fn parse(attr: *const bindings::nlattr, ct: *mut bindings::nf_conn) -> c_int {
    // SAFETY: By the C contract.
    let (attribute, conn) = unsafe { (Attribute::from_raw(attr), Conn::from_raw(ct)) };
    match attribute.map(|attribute| glue::change(attribute, conn)) {
        Some(Err(error)) => error.to_errno(),
        _ => 0,
    }
}

/// # Safety
///
/// C: as above.
unsafe extern "C" fn attach_expect(
    attr: *const bindings::nlattr,
    ct: *mut bindings::nf_conn,
    portid: u32,
    report: u32,
) -> c_int {
    // SAFETY: By the C contract.
    let (attribute, conn) = unsafe { (Attribute::from_raw(attr), Conn::from_raw(ct)) };
    match attribute.map(|attribute| expect::attach(attribute, conn, portid, report != 0)) {
        Some(Err(error)) => error.to_errno(),
        _ => 0,
    }
}

/// # Safety
///
/// C: a packet whose payload user space has changed, and its connection.
unsafe extern "C" fn seq_adjust(
    skb: *mut bindings::sk_buff,
    ct: *mut bindings::nf_conn,
    ctinfo: bindings::ip_conntrack_info,
    off: i32,
) {
    // SAFETY: By the C contract.
    let (packet, conn) = unsafe { (Packet::from_raw(skb), Conn::from_raw(ct)) };
    if conn.status().any(Status::NAT_MASK) {
        seqadj::set_tcp(&packet, conn, Info::from_number(ctinfo), off);
    }
}
