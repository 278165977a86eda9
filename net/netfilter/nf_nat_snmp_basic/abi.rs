// SPDX-License-Identifier: GPL-2.0

//! nf_conntrack_snmp's hook: include/linux/netfilter/nf_conntrack_snmp.h.

use core::sync::atomic::{AtomicUsize, Ordering};
use kernel::{
    ffi::{c_int, c_uint},
    prelude::*,
};
use netfilter::conntrack::{helper, skb::Packet, Conn, Info};
use nf_bindings as bindings;

/// nf_conntrack_snmp calls this module, until it is dropped: then nobody is in
/// it any more.
pub(crate) struct Hooked(());

impl Hooked {
    /// # Errors
    ///
    /// `EBUSY` if somebody else is there.
    pub(crate) fn new() -> Result<Self> {
        let function = hook as unsafe extern "C" fn(_, _, _, _) -> _ as usize;
        place()
            .compare_exchange(0, function, Ordering::AcqRel, Ordering::Relaxed)
            .map_err(|_| EBUSY)?;
        Ok(Hooked(()))
    }
}

impl Drop for Hooked {
    fn drop(&mut self) {
        place().store(0, Ordering::Release);
        helper::synchronize();
    }
}

fn place() -> &'static AtomicUsize {
    // SAFETY: Null or a function, of nf_conntrack_snmp, which stays as long as
    // this module; accessed as a whole only.
    unsafe { AtomicUsize::from_ptr((&raw mut bindings::nf_nat_snmp_hook).cast()) }
}

/// # Safety
///
/// C: a packet of a connection, under RCU.
unsafe extern "C" fn hook(
    skb: *mut bindings::sk_buff,
    transport: c_uint,
    ct: *mut bindings::nf_conn,
    info: bindings::ip_conntrack_info,
) -> c_int {
    // SAFETY: By the C contract.
    let (mut packet, conn) = unsafe { (Packet::from_raw(skb), Conn::from_raw(ct)) };
    let done = crate::translate(&mut packet, conn, Info::from_number(info), transport);
    helper::verdict(done, &packet, conn).code() as c_int
}

/// It is what C calls there.
const _: bindings::nf_nat_snmp_hook_fn = Some(hook);
