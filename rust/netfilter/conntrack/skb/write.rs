// SPDX-License-Identifier: GPL-2.0

//! Changing a packet: its bytes, and what its buffer says about them.

use super::{Hook, Packet};
use kernel::error::{to_result, Error, Result};
use nf_bindings as bindings;
use nf_proto::nat::rewrite::{Change, Form};

impl Packet<'_> {
    #[inline]
    pub(super) fn headers(&self) -> &bindings::sk_buff__bindgen_ty_4__bindgen_ty_2 {
        // SAFETY: Both members of the union are the same, initialised fields.
        unsafe { self.raw().__bindgen_anon_4.headers.as_ref() }
    }

    /// The first `len` bytes from the network header on, linear and this
    /// packet's own, to be changed. Nothing if the packet is shorter or memory is
    /// short.
    #[inline]
    pub fn writable(&mut self, len: u32) -> Option<&mut [u8]> {
        let offset = self.network_offset();
        let end = offset.wrapping_add(len);
        let skb = self.raw();
        if end > skb.len.wrapping_sub(skb.data_len) || skb.cloned() != 0 {
            self.make_writable(end)?;
        }
        // SAFETY: `end` bytes from `data` on are linear, by the test or the call
        // above, and nobody else has them; nothing moves them while `self` is
        // borrowed. The network header is in the same buffer.
        Some(unsafe {
            core::slice::from_raw_parts_mut(
                self.raw().data.wrapping_offset(offset as i32 as isize),
                len as usize,
            )
        })
    }

    #[cold]
    #[inline(never)]
    fn make_writable(&mut self, end: u32) -> Option<()> {
        // SAFETY: The packet is valid; no reference into it is alive, as `self` is
        // borrowed mutably.
        (unsafe { bindings::skb_ensure_writable(self.as_ptr(), end) } == 0).then_some(())
    }

    /// What the checksum field of the transport header holds that is `transport`
    /// bytes from the network header.
    #[inline]
    pub fn form(&self, transport: u32) -> Form {
        if u32::from(self.headers().ip_summed()) == bindings::CHECKSUM_PARTIAL {
            self.form_of_partial(transport)
        } else {
            Form::Full
        }
    }

    fn form_of_partial(&self, transport: u32) -> Form {
        // SAFETY: A partial checksum has a start.
        let start = unsafe { self.headers().__bindgen_anon_1.__bindgen_anon_1.csum_start };
        // SAFETY: Always initialised.
        let network = unsafe {
            self.raw()
                .__bindgen_anon_4
                .__bindgen_anon_1
                .as_ref()
                .network_header
        };
        // The header that is to be completed may be one inside a tunnel's packet,
        // whose own is complete; of those cut up later all are not.
        // SAFETY: The packet is valid.
        let is_gso = unsafe { bindings::packet_is_gso(self.as_ptr()) };
        if is_gso || u32::from(start) == u32::from(network).wrapping_add(transport) {
            Form::Pseudo
        } else {
            Form::Full
        }
    }

    /// The packet's bytes were changed by `change`: so is the device's sum over
    /// them, if there is one.
    #[inline]
    pub fn changed(&mut self, change: Change) {
        if u32::from(self.headers().ip_summed()) == bindings::CHECKSUM_COMPLETE {
            // SAFETY: The packet is valid.
            unsafe { bindings::packet_add_csum(self.as_ptr(), change.raw().into()) };
        }
    }

    /// Forgets the packet's route.
    pub fn drop_route(&mut self) {
        // SAFETY: The packet is valid; its reference to the route is given back.
        unsafe { bindings::packet_drop_route(self.as_ptr()) };
    }

    /// Forgets the socket that was found for the packet, unless it is
    /// transparent.
    pub fn forget_socket(&mut self) {
        // SAFETY: The packet is valid, and of one of the internet families.
        unsafe { bindings::packet_forget_socket(self.as_ptr()) };
    }

    /// A packet of this host goes elsewhere now: a new route.
    ///
    /// # Errors
    ///
    /// There is none, or memory is short.
    pub fn route_again(&mut self, hook: Hook<'_>, ipv6: bool) -> Result {
        // SAFETY: Both are valid, and the packet has a route, as every packet at
        // OUTPUT.
        to_result(unsafe { bindings::packet_route_again(hook.as_ptr(), self.as_ptr(), ipv6) })
    }

    /// The packet has other addresses now, for which IPsec may have another
    /// policy.
    ///
    /// # Errors
    ///
    /// It is to be blocked, there is no state yet, or memory is short.
    #[inline]
    pub fn policy_again(&mut self, hook: Hook<'_>, ipv6: bool) -> Result {
        // SAFETY: Both are valid, and the packet has a route, as every packet at
        // OUTPUT and POSTROUTING.
        let error =
            unsafe { bindings::packet_policy_again(hook.net().as_ptr(), self.as_ptr(), ipv6) };
        if error == 0 {
            Ok(())
        } else {
            Err(Error::from_errno(error))
        }
    }
}

impl Hook<'_> {
    /// The number of the device that the packet leaves by; 0 if none.
    #[inline]
    pub fn output_index(self) -> i32 {
        if self.0.out.is_null() {
            return 0;
        }
        // SAFETY: A hook's device is valid.
        unsafe { bindings::netdev_ifindex(self.0.out) }
    }
}
