// SPDX-License-Identifier: GPL-2.0

//! A packet's hook.

use super::{Net, Packet};
use crate::rcu::ReadGuard;
use nf_bindings as bindings;

/// Where in the stack a packet is (`struct nf_hook_state`).
#[derive(Clone, Copy)]
pub struct Hook<'a>(pub(super) &'a bindings::nf_hook_state);

impl<'a> Hook<'a> {
    /// From a C pointer.
    ///
    /// # Safety
    ///
    /// Valid for `'a`, with its namespace, in an RCU read section.
    #[inline]
    pub unsafe fn from_raw(state: *const bindings::nf_hook_state) -> Self {
        // SAFETY: By the function's safety requirement.
        Hook(unsafe { &*state })
    }

    /// The C pointer.
    #[inline]
    pub fn as_ptr(self) -> *const bindings::nf_hook_state {
        self.0
    }

    /// The namespace.
    #[inline]
    pub fn net(self) -> Net {
        // SAFETY: A packet's hook runs while its namespace lives.
        unsafe { Net::from_raw(self.0.net) }
    }

    /// Hooks are called in an RCU read section.
    #[inline]
    pub fn rcu(self) -> ReadGuard<'a> {
        // SAFETY: By what the core does, and whoever else calls a hook's function.
        unsafe { ReadGuard::assume() }
    }

    /// The protocol family of the hook (`NFPROTO_*`).
    #[inline]
    pub fn family(self) -> u8 {
        self.0.pf
    }

    /// The hook's number (`enum nf_inet_hooks`).
    #[inline]
    pub fn number(self) -> u8 {
        self.0.hook
    }

    /// The checksum of a transport header or ICMP message is right, or not to
    /// be verified here: only what enters the machine is.
    #[inline]
    pub fn checksum_ok(self, packet: &Packet<'_>, transport: u32, protocol: u8) -> bool {
        if u32::from(self.0.hook) != bindings::nf_inet_hooks_NF_INET_PRE_ROUTING
            || packet.is_checksum_known()
            || !self.net().checksum()
        {
            return true;
        }
        // SAFETY: The packet is valid, and reading its checksum state or
        // content moves nothing.
        unsafe {
            bindings::nf_checksum(
                packet.as_ptr(),
                u32::from(self.0.hook),
                packet.network_offset().wrapping_add(transport),
                protocol,
                self.0.pf.into(),
            ) == 0
        }
    }

    /// An SCTP packet's checksum is right, or not to be verified here.
    pub fn sctp_checksum_ok(self, packet: &Packet<'_>, transport: u32) -> bool {
        if u32::from(self.0.hook) != bindings::nf_inet_hooks_NF_INET_PRE_ROUTING
            || !self.net().checksum()
        {
            return true;
        }
        // SAFETY: The packet is valid; reading its checksum moves nothing.
        unsafe {
            bindings::packet_sctp_ok(
                packet.as_ptr(),
                packet.network_offset().wrapping_add(transport),
            )
        }
    }

    /// The packet leaves through a VRF's device, and will come out of the real
    /// one once more.
    #[inline]
    pub fn is_vrf_output(self) -> bool {
        u32::from(self.0.hook) == bindings::nf_inet_hooks_NF_INET_POST_ROUTING
            // SAFETY: The hook's device is valid, or null.
            && unsafe { bindings::device_is_vrf(self.0.out) }
    }
}
