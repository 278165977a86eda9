// SPDX-License-Identifier: GPL-2.0

//! What is in C: params.c and hook.c.

use kernel::ffi::c_int;
use netfilter::conntrack::{helper::Why, skb::Packet, Conn, Info, Status};
use nf_bindings as bindings;

/// How long answers may come, and the connection of a query stays, in seconds.
#[inline]
pub(crate) fn timeout() -> u32 {
    // SAFETY: Written before the module's `init` only, as nobody may write it in
    // sysfs.
    unsafe { bindings::nf_conntrack_snmp_timeout }
}

/// Lets nf_nat_snmp_basic, if it is there, translate a packet of a connection
/// under NAT. Called under RCU.
///
/// # Errors
///
/// It could not; it has logged why.
pub(crate) fn translate(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    transport: u32,
) -> Result<(), Why> {
    // SAFETY: Null or a function, written as one word.
    let hook = unsafe { (&raw const bindings::nf_nat_snmp_hook).read_volatile() };
    let Some(hook) = hook.filter(|_| conn.status().any(Status::NAT_MASK)) else {
        return Ok(());
    };
    // SAFETY: All is valid for the call; who set the function takes it back, and
    // waits for a grace period, before it goes.
    let verdict = unsafe { hook(packet.as_ptr(), transport, conn.as_ptr(), info.number()) };
    if verdict == bindings::NF_ACCEPT as c_int {
        Ok(())
    } else {
        Err(c"not translated")
    }
}
