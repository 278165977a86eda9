// SPDX-License-Identifier: GPL-2.0

//! A packet in a hook, as connection tracking sees it: its bytes from the
//! network header on, and the connection it carries.

mod hook;
pub mod resize;
pub mod write;

pub use hook::Hook;

use super::{Conn, ConnRef, Info, Net};
use core::{marker::PhantomData, mem::MaybeUninit, ptr::NonNull};
use kernel::{alloc::KVec, prelude::GFP_ATOMIC, sync::rcu};
use nf_bindings as bindings;
use nf_proto::{
    be::Be32,
    l4::Reason,
    tuple::{Address, Family},
};

/// How many bytes from the network header on are looked at where a packet's
/// linear part has fewer: enough for an IPv6 header with options, a transport
/// header, and the packet quoted in an ICMP error.
pub const WINDOW: usize = 256;

/// How many bytes are looked at where [`WINDOW`] is not enough: a whole packet of
/// 64 KiB, which no network layer's length exceeds.
pub const MOST: u32 = 1 << 16;

/// Room for [`WINDOW`] bytes of a packet. Most packets do not need it: it is not
/// filled before they do.
pub struct Window(MaybeUninit<[u8; WINDOW]>);

impl Window {
    /// Room with nothing in it.
    #[inline]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Window(MaybeUninit::uninit())
    }
}

/// A packet (`struct sk_buff`), borrowed from a hook.
///
/// # Invariants
///
/// Valid for `'a`, with its network header set, and used by this CPU only.
pub struct Packet<'a>(
    NonNull<bindings::sk_buff>,
    PhantomData<&'a mut bindings::sk_buff>,
);

const INFO_MASK: usize = bindings::NFCT_INFOMASK as usize;

/// What a packet carries in `_nfct`.
pub enum Carried<'a> {
    /// Nothing.
    Nothing,
    /// A connection.
    Connection(&'a Conn, Info),
    /// A template: how the connection is to be made.
    Template(&'a Conn),
    /// That it is not to be tracked.
    Untracked,
}

impl<'a> Packet<'a> {
    /// From a C pointer.
    ///
    /// # Safety
    ///
    /// The type invariant holds for `'a`.
    #[inline]
    pub unsafe fn from_raw(skb: *mut bindings::sk_buff) -> Self {
        // SAFETY: By the function's safety requirement.
        Packet(unsafe { NonNull::new_unchecked(skb) }, PhantomData)
    }

    /// The C pointer.
    #[inline]
    pub fn as_ptr(&self) -> *mut bindings::sk_buff {
        self.0.as_ptr()
    }

    #[inline]
    fn raw(&self) -> &bindings::sk_buff {
        // SAFETY: By the type invariant.
        unsafe { self.0.as_ref() }
    }

    /// Offset of the network header from the packet's data.
    #[inline]
    pub fn network_offset(&self) -> u32 {
        let skb = self.raw();
        // SAFETY: The header offsets are always initialised.
        let header = unsafe {
            skb.__bindgen_anon_4
                .__bindgen_anon_1
                .as_ref()
                .network_header
        };
        // `head`, the header and `data` are in one buffer, in this order or
        // with `data` before the header.
        (skb.head as usize)
            .wrapping_add(header as usize)
            .wrapping_sub(skb.data as usize) as u32
    }

    /// Bytes from the network header to the packet's end.
    #[inline]
    pub fn network_len(&self) -> u32 {
        self.raw().len.wrapping_sub(self.network_offset())
    }

    /// Bytes from the packet's data to its end: what counters count.
    #[inline]
    #[allow(clippy::len_without_is_empty)] // No packet is empty.
    pub fn len(&self) -> u32 {
        self.raw().len
    }

    /// The packet from the network header on: its linear part, or if that is
    /// short, as much as fits into `window`.
    #[inline]
    pub fn network_bytes<'w>(&'w self, window: &'w mut Window) -> &'w [u8] {
        self.bytes_at(self.network_offset(), window)
    }

    /// The packet from `offset` bytes after its data on, as much as is at hand
    /// or fits into `window`.
    #[inline]
    pub fn bytes_at<'w>(&'w self, offset: u32, window: &'w mut Window) -> &'w [u8] {
        let skb = self.raw();
        let linear = skb.len.wrapping_sub(skb.data_len);
        if linear <= offset || (skb.data_len != 0 && linear.wrapping_sub(offset) < WINDOW as u32) {
            return self.copy(offset, window);
        }
        // SAFETY: From `data + offset` to the end of the linear part is one
        // initialised buffer (a network header before `data` lies in the same
        // buffer); the borrow of `self` keeps calls away that could move it.
        unsafe {
            core::slice::from_raw_parts(
                skb.data.wrapping_offset(offset as i32 as isize),
                linear.wrapping_sub(offset) as usize,
            )
        }
    }

    /// The packet from the network header on, as far as it is linear, and how long
    /// it is.
    #[inline]
    pub fn linear_part(&self) -> Option<(&[u8], u32)> {
        let skb = self.raw();
        let offset = self.network_offset();
        let linear = skb.len.wrapping_sub(skb.data_len);
        if linear <= offset {
            return None;
        }
        // SAFETY: As in `bytes_at`.
        let bytes = unsafe {
            core::slice::from_raw_parts(
                skb.data.wrapping_offset(offset as i32 as isize),
                linear.wrapping_sub(offset) as usize,
            )
        };
        Some((bytes, skb.len.wrapping_sub(offset)))
    }

    /// What the byte says that has the protocol in a header of the family, if
    /// there is one: only good for a guess.
    #[inline]
    pub fn likely_protocol(&self, family: Family) -> u8 {
        let skb = self.raw();
        let at = match family {
            Family::Ipv4 => 9,
            Family::Ipv6 => 6,
        };
        // SAFETY: The network header is within the buffer or at its end, behind
        // which the buffer's `skb_shared_info` follows: the byte is in memory
        // of the packet in any case.
        unsafe {
            let header = skb
                .__bindgen_anon_4
                .__bindgen_anon_1
                .as_ref()
                .network_header;
            skb.head
                .add((header as usize).wrapping_add(at))
                .read_volatile()
        }
    }

    /// [`Self::with_bytes_at`] from the network header on.
    #[inline]
    pub fn with_network_bytes<T>(
        &self,
        read: impl FnMut(&[u8]) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        self.with_bytes_at(self.network_offset(), read)
    }

    /// Gives `read` the packet from `offset` bytes after its data on: as much as is
    /// at hand or fits into a [`Window`]; if that is not all and was
    /// [`Reason::Truncated`], the whole packet, or [`MOST`] bytes of it. That is
    /// copied to memory allocated for it, without which it stays truncated.
    pub fn with_bytes_at<T>(
        &self,
        offset: u32,
        mut read: impl FnMut(&[u8]) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        let mut window = Window::new();
        let bytes = self.bytes_at(offset, &mut window);
        let len = self.raw().len.wrapping_sub(offset);
        match read(bytes) {
            Err(Reason::Truncated) if bytes.len() < len as usize => {}
            answer => return answer,
        }
        let wanted = len.min(MOST) as usize;
        let mut copy =
            KVec::<u8>::with_capacity(wanted, GFP_ATOMIC).map_err(|_| Reason::Truncated)?;
        // SAFETY: So many bytes are allocated; they are written before the length
        // says that they are there.
        unsafe {
            let to = copy.as_mut_ptr().cast();
            if bindings::skb_copy_bits(self.as_ptr(), offset as i32, to, wanted as i32) != 0 {
                return Err(Reason::Truncated);
            }
            copy.inc_len(wanted);
        }
        read(&copy)
    }

    /// An IPv4 packet's fragment, first or later.
    pub fn is_ipv4_fragment(&self) -> bool {
        let mut window = Window::new();
        match self.network_bytes(&mut window).first_chunk::<8>() {
            // MF, or an offset.
            Some([_, _, _, _, _, _, high, low]) => u16::from_be_bytes([*high, *low]) & 0x3fff != 0,
            None => false,
        }
    }

    /// It came in, or goes out, over the loopback device.
    #[inline]
    pub fn is_loopback(&self) -> bool {
        // SAFETY: The packet is valid.
        unsafe { bindings::packet_is_loopback(self.as_ptr()) }
    }

    /// The namespace of the packet's device, if it has one.
    ///
    /// # Safety
    ///
    /// The device outlives the value.
    pub unsafe fn device_net(&self) -> Option<Net> {
        // SAFETY: The packet is valid; the namespace by the safety requirement.
        unsafe {
            let net = bindings::skb_device_net(self.as_ptr());
            (!net.is_null()).then(|| Net::from_raw(net))
        }
    }

    #[cold]
    fn copy<'w>(&self, offset: u32, window: &'w mut Window) -> &'w [u8] {
        let wanted = self.raw().len.wrapping_sub(offset).min(WINDOW as u32);
        // SAFETY: `window` has room for `wanted` bytes.
        let failed = unsafe {
            bindings::skb_copy_bits(
                self.as_ptr(),
                offset as i32,
                window.0.as_mut_ptr().cast(),
                wanted as i32,
            )
        };
        if failed != 0 {
            return &[];
        }
        // SAFETY: So many bytes have just been written; `wanted` is at most the
        // window's size.
        unsafe { core::slice::from_raw_parts(window.0.as_ptr().cast(), wanted as usize) }
    }

    /// The device or a sender on this machine vouches for the checksum
    /// (`CHECKSUM_UNNECESSARY`, `CHECKSUM_PARTIAL`): there is nothing to verify.
    #[inline]
    fn is_checksum_known(&self) -> bool {
        // SAFETY: Always initialised.
        let summed = unsafe { self.raw().__bindgen_anon_4.__bindgen_anon_1.as_ref() }.ip_summed();
        matches!(
            u32::from(summed),
            bindings::CHECKSUM_UNNECESSARY | bindings::CHECKSUM_PARTIAL
        )
    }

    /// The packet's mark.
    #[inline]
    pub fn mark(&self) -> u32 {
        // SAFETY: Always initialised.
        unsafe {
            self.raw()
                .__bindgen_anon_4
                .__bindgen_anon_1
                .as_ref()
                .__bindgen_anon_4
                .mark
        }
    }

    /// The netmask of the network to whose broadcast address a socket of `net`
    /// sends the packet, an IPv4 one with its header in the linear part; none if
    /// it is no such packet.
    pub fn broadcast_netmask(&self, net: Net, _rcu: &rcu::Guard) -> Option<Be32> {
        // SAFETY: The packet is valid, with its network header, and the guard
        // says that this is a read section.
        let mask = unsafe { bindings::packet_broadcast_mask(self.as_ptr(), net.as_ptr()) };
        (mask != 0).then_some(Be32::from_raw(mask))
    }

    /// Packets to an address of a family leave by the same device as this one,
    /// which may have a route. Under RCU.
    pub fn leaves_towards(&self, net: Net, family: Family, address: &Address) -> bool {
        let address = core::ptr::from_ref(address).cast();
        // SAFETY: Packet and namespace are valid; an address is sixteen bytes,
        // as the C one.
        unsafe {
            bindings::packet_leaves_towards(
                self.as_ptr(),
                net.as_ptr(),
                family.number() as u8,
                address,
            )
        }
    }

    /// The packet carries something: a connection, a template, or that it is not
    /// to be tracked.
    #[inline]
    pub fn carries_something(&self) -> bool {
        self.raw()._nfct != 0
    }

    /// What the packet carries.
    #[inline]
    pub fn carried(&self) -> Carried<'a> {
        let word = self.raw()._nfct;
        if word == 0 {
            return Carried::Nothing;
        }
        let info = Info::from_number((word & INFO_MASK) as u32);
        let conn = (word & !INFO_MASK) as *const bindings::nf_conn;
        if conn.is_null() || info == Info::UNTRACKED {
            return if info == Info::UNTRACKED {
                Carried::Untracked
            } else {
                Carried::Nothing
            };
        }
        // SAFETY: The packet holds a reference, for as long as it is borrowed
        // or longer.
        let conn = unsafe { Conn::from_raw(conn) };
        if conn.is_template() {
            Carried::Template(conn)
        } else {
            Carried::Connection(conn, info)
        }
    }

    /// The connection or template that the packet refers to, and how.
    #[inline]
    pub fn refers_to(&self) -> Option<(&'a Conn, Info)> {
        let word = self.raw()._nfct;
        let conn = (word & !INFO_MASK) as *const bindings::nf_conn;
        if conn.is_null() {
            return None;
        }
        // SAFETY: As in `carried`.
        let conn = unsafe { Conn::from_raw(conn) };
        Some((conn, Info::from_number((word & INFO_MASK) as u32)))
    }

    /// Takes the template away, with its reference.
    #[inline]
    pub fn take_template(&mut self) -> Option<ConnRef> {
        match self.carried() {
            Carried::Template(template) => {
                self.set_word(0);
                // SAFETY: The packet's reference is taken over.
                Some(unsafe { ConnRef::from_raw(template.as_ptr()) })
            }
            _ => None,
        }
    }

    /// Gives the packet its connection, with a reference. It carries none.
    #[inline]
    pub fn attach(&mut self, conn: ConnRef, info: Info) {
        self.set_word(conn.into_raw() as usize | info.number() as usize);
    }

    /// Replaces the packet's connection, and gives the old one's reference
    /// back.
    pub fn replace(&mut self, conn: ConnRef, info: Info) {
        drop(self.detach());
        self.attach(conn, info);
    }

    /// Marks the packet as not to be tracked. It carries nothing.
    #[inline]
    pub fn set_untracked(&mut self) {
        self.set_word(Info::UNTRACKED.number() as usize);
    }

    /// Takes the connection away, with its reference.
    #[inline]
    pub fn detach(&mut self) -> Option<ConnRef> {
        match self.carried() {
            Carried::Connection(conn, _) => {
                self.set_word(0);
                // SAFETY: The packet's reference is taken over.
                Some(unsafe { ConnRef::from_raw(conn.as_ptr()) })
            }
            _ => None,
        }
    }

    #[inline]
    fn set_word(&mut self, word: usize) {
        // SAFETY: By the type invariant, and borrowed mutably.
        unsafe { self.0.as_mut()._nfct = word };
    }
}
