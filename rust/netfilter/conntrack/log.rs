// SPDX-License-Identifier: GPL-2.0

//! Messages for the administrator.

use super::{
    skb::{Hook, Packet},
    stat, Net,
};
use nf_bindings as bindings;
use nf_proto::l4::Reason;

/// The namespace's table is full; rate-limited.
#[cold]
pub fn table_full(net: Net) {
    // SAFETY: The namespace is live, by `Net`'s invariant.
    unsafe { bindings::ct_log_table_full(net.as_ptr()) }
}

/// A packet is INVALID, or dropped, for `reason`: counted, and logged if the
/// namespace wants to know of its protocol (`nf_conntrack_log_invalid`).
#[cold]
pub fn invalid(packet: &Packet<'_>, hook: Hook<'_>, reason: Reason, protocol: u8) {
    stat::count_reason(hook.net(), reason);
    let wanted = hook.net().log_invalid();
    if wanted != 0 && (wanted == protocol || wanted == ANY) {
        write(packet, hook, reason, protocol);
    }
}

/// `IPPROTO_RAW`: all protocols.
const ANY: u8 = 255;

#[cold]
fn write(packet: &Packet<'_>, hook: Hook<'_>, reason: Reason, protocol: u8) {
    let text = reason.text();
    // SAFETY: Packet and hook are valid; the text is as long as said.
    unsafe {
        bindings::ct_log_invalid(
            packet.as_ptr(),
            hook.as_ptr(),
            protocol,
            text.as_ptr().cast(),
            text.len() as i32,
        );
    }
}
