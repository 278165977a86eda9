// SPDX-License-Identifier: GPL-2.0

//! Socket buffers.
//!
//! C header: [`include/linux/skbuff.h`](srctree/include/linux/skbuff.h)

use crate::net::Device;
use kernel::types::Opaque;
use nf_bindings as bindings;

/// How far the checksum of a packet is known (`CHECKSUM_*`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum IpSummed {
    /// Not known: verify in software (`CHECKSUM_NONE`).
    None,
    /// The device has verified it (`CHECKSUM_UNNECESSARY`).
    Unnecessary,
    /// `skb->csum` is the sum over the packet (`CHECKSUM_COMPLETE`).
    Complete,
    /// It is still to be filled in on output (`CHECKSUM_PARTIAL`).
    Partial,
}

/// A packet (`struct sk_buff`).
///
/// Data is read through `&self` and lives as long as that borrow. Whatever may
/// move or free the data takes `&mut self`, so that no reference into the
/// packet outlives such a call.
///
/// # Invariants
///
/// The value is a valid `struct sk_buff` of which the holder of a `&mut SkBuff`
/// is the owner for the time being.
#[repr(transparent)]
pub struct SkBuff(Opaque<bindings::sk_buff>);

impl SkBuff {
    /// Borrows what C lends.
    ///
    /// # Safety
    ///
    /// `ptr` must be a valid skb that nobody else uses during `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *mut bindings::sk_buff) -> &'a mut Self {
        // INVARIANT: By the safety requirement.
        // SAFETY: The type is transparent over the C struct.
        unsafe { &mut *ptr.cast() }
    }

    /// The C struct.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::sk_buff {
        self.0.get()
    }

    // No reference to the struct as a whole: its `users` may change at any time.
    #[inline]
    fn headers(&self) -> &bindings::sk_buff__bindgen_ty_4__bindgen_ty_2 {
        // SAFETY: By the type invariant the struct is valid, and nobody changes
        // this part while `self` is borrowed; both members of the union are the
        // same fields.
        unsafe { (*self.0.get()).__bindgen_anon_4.headers.as_ref() }
    }

    /// Bytes from the data pointer on, linear or not (`skb->len`).
    #[inline]
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        // SAFETY: The skb is valid by the type invariant.
        unsafe { (*self.0.get()).len as usize }
    }

    /// How many of these are linear (`skb_headlen()`).
    #[inline]
    pub fn headlen(&self) -> usize {
        // SAFETY: The skb is valid by the type invariant.
        let data_len = unsafe { (*self.0.get()).data_len };
        self.len().wrapping_sub(data_len as usize)
    }

    /// The linear part of the data.
    #[inline]
    pub fn linear(&self) -> &[u8] {
        // SAFETY: In a valid skb `headlen` bytes from `data` on are linear; they
        // cannot move while `self` is borrowed.
        unsafe { core::slice::from_raw_parts((*self.0.get()).data, self.headlen()) }
    }

    /// Copies `N` bytes at `offset` from the data pointer, linear or not.
    /// `None` if the packet ends before.
    #[inline]
    pub fn header<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        if let Some(bytes) = self.linear().get(offset..) {
            if let Some(header) = bytes.first_chunk::<N>() {
                return Some(*header);
            }
        }
        let mut header = [0; N];
        self.copy_bits(offset, &mut header).then_some(header)
    }

    /// `len` bytes at `offset` from the data pointer: in place if they are
    /// linear, else copied to `buffer` (`skb_header_pointer()`). `None` if the
    /// packet ends before or the buffer is too small.
    #[inline]
    pub fn slice<'a>(
        &'a self,
        offset: usize,
        len: usize,
        buffer: &'a mut [u8],
    ) -> Option<&'a [u8]> {
        if let Some(bytes) = self.linear().get(offset..).and_then(|b| b.get(..len)) {
            return Some(bytes);
        }
        let buffer = buffer.get_mut(..len)?;
        self.copy_bits(offset, buffer).then_some(buffer)
    }

    /// Gives `f` the packet's bytes from `offset` on: all that are linear if they
    /// are all there is or at least `N`, else a copy of up to `N`.
    #[inline]
    pub fn with_prefix<const N: usize, R>(&self, offset: usize, f: impl FnOnce(&[u8]) -> R) -> R {
        let len = self.len().saturating_sub(offset).min(N);
        match self.linear().get(offset..) {
            Some(bytes) if bytes.len() >= len => f(bytes),
            _ => {
                let mut buffer = [0; N];
                f(self.slice(offset, len, &mut buffer).unwrap_or(&[]))
            }
        }
    }

    fn copy_bits(&self, offset: usize, to: &mut [u8]) -> bool {
        let (Ok(offset), Ok(len)) = (offset.try_into(), to.len().try_into()) else {
            return false;
        };
        // SAFETY: The skb is valid by the type invariant and `to` has `len`
        // bytes; the function checks offset and length against the packet.
        unsafe { bindings::skb_copy_bits(self.as_raw(), offset, to.as_mut_ptr().cast(), len) == 0 }
    }

    /// Offset of the network header from the data pointer; `None` if it lies
    /// before (`skb_network_offset()`).
    #[inline]
    pub fn network_offset(&self) -> Option<usize> {
        self.offset_of(self.headers().network_header)
    }

    /// Offset of the transport header from the data pointer; `None` if it is
    /// not set or lies before (`skb_transport_offset()`).
    #[inline]
    pub fn transport_offset(&self) -> Option<usize> {
        let header = self.headers().transport_header;
        // All ones: not set (skb_transport_header_was_set()).
        (header != u16::MAX).then(|| self.offset_of(header))?
    }

    #[inline]
    fn offset_of(&self, header: u16) -> Option<usize> {
        // SAFETY: The skb is valid by the type invariant.
        let (head, data) = unsafe { ((*self.0.get()).head, (*self.0.get()).data) };
        let at = (head as usize).wrapping_add(header.into());
        at.checked_sub(data as usize)
    }

    /// The network protocol, an `ETH_P_*` value.
    #[inline]
    pub fn protocol(&self) -> u16 {
        u16::from_be(self.headers().protocol)
    }

    /// The device that it arrived at or leaves by.
    #[inline]
    pub fn device(&self) -> Option<&Device> {
        // SAFETY: Netfilter hooks run while this member of the union is `dev`,
        // null or a device that the packet's RCU section keeps alive.
        unsafe {
            Device::from_raw(
                (*self.0.get())
                    .__bindgen_anon_1
                    .__bindgen_anon_1
                    .__bindgen_anon_1
                    .dev,
            )
        }
    }

    /// The packet mark (`skb->mark`).
    #[inline]
    pub fn mark(&self) -> u32 {
        // SAFETY: Any bit pattern is a `u32`.
        unsafe { self.headers().__bindgen_anon_4.mark }
    }

    /// Sets the packet mark.
    #[inline]
    pub fn set_mark(&mut self, mark: u32) {
        // SAFETY: By `&mut self` the skb is ours.
        unsafe {
            (*self.0.get())
                .__bindgen_anon_4
                .headers
                .as_mut()
                .__bindgen_anon_4
                .mark = mark;
        }
    }

    /// The raw reference to a connection: a pointer and, in its low bits, an
    /// `enum ip_conntrack_info` (`skb->_nfct`).
    #[inline]
    pub fn nfct(&self) -> usize {
        // SAFETY: The skb is valid by the type invariant.
        unsafe { (*self.0.get())._nfct }
    }

    /// Sets it.
    ///
    /// # Safety
    ///
    /// `nfct` must be 0 or carry a counted reference to a connection, which
    /// the skb takes over; that of the old value becomes the caller's.
    #[inline]
    pub unsafe fn set_nfct(&mut self, nfct: usize) {
        // SAFETY: By `&mut self` the skb is ours.
        unsafe { (*self.0.get())._nfct = nfct };
    }

    /// How far the checksum is known.
    #[inline]
    pub fn ip_summed(&self) -> IpSummed {
        match self.headers().ip_summed() {
            0 => IpSummed::None,
            1 => IpSummed::Unnecessary,
            2 => IpSummed::Complete,
            _ => IpSummed::Partial,
        }
    }

    /// Makes the first `len` bytes linear; `false` if the packet is shorter or
    /// memory is out. The data may move (`pskb_may_pull()`).
    #[inline]
    #[must_use]
    pub fn may_pull(&mut self, len: usize) -> bool {
        let headlen = self.headlen();
        if len <= headlen {
            return true;
        }
        if len > self.len() {
            return false;
        }
        // SAFETY: The skb is valid and ours, and has that many bytes more than
        // are linear; no reference into it is alive by `&mut self`.
        !unsafe { bindings::__pskb_pull_tail(self.as_raw(), len.wrapping_sub(headlen) as i32) }
            .is_null()
    }
}
