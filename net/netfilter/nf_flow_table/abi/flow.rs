// SPDX-License-Identifier: GPL-2.0

//! `struct flow_offload`: a flow, both directions of a connection.

use core::{
    cell::UnsafeCell,
    mem::{offset_of, size_of},
    ptr::NonNull,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};
use netfilter::conntrack::Conn;
use nf_bindings as bindings;
use nf_proto::{
    flow::{
        key::{Encap, Key, Parts, Tunnel, ENCAPS},
        translate::Sums,
    },
    hash,
    l4::Jiffies,
    tuple::{Direction, Family},
};

/// Flags of a flow (`enum nf_flow_flags`).
#[derive(Clone, Copy)]
pub struct Flags(pub u64);

#[allow(missing_docs)] // Each is NF_FLOW_* of the header.
impl Flags {
    pub const SNAT: Flags = Flags(1 << bindings::nf_flow_flags_NF_FLOW_SNAT);
    pub const DNAT: Flags = Flags(1 << bindings::nf_flow_flags_NF_FLOW_DNAT);
    pub const NAT: Flags = Flags(Self::SNAT.0 | Self::DNAT.0);
    pub const CLOSING: Flags = Flags(1 << bindings::nf_flow_flags_NF_FLOW_CLOSING);
    pub const TEARDOWN: Flags = Flags(1 << bindings::nf_flow_flags_NF_FLOW_TEARDOWN);
    pub const PENDING: Flags = Flags(1 << bindings::nf_flow_flags_NF_FLOW_PENDING);
    pub const HW: Flags = Flags(1 << bindings::nf_flow_flags_NF_FLOW_HW);
    pub const HW_DYING: Flags = Flags(1 << bindings::nf_flow_flags_NF_FLOW_HW_DYING);
    pub const HW_DEAD: Flags = Flags(1 << bindings::nf_flow_flags_NF_FLOW_HW_DEAD);
    pub const HW_BIDIRECTIONAL: Flags =
        Flags(1 << bindings::nf_flow_flags_NF_FLOW_HW_BIDIRECTIONAL);
    pub const NONE: Flags = Flags(0);

    /// Any of `other`'s is set.
    #[inline]
    pub const fn any(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }
}

impl core::ops::BitOr for Flags {
    type Output = Flags;

    #[inline]
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// How packets leave (`enum flow_offload_xmit_type`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Not by us: the flow is another module's.
    None,
    /// To the route's next hop.
    Neighbour,
    /// To IPsec.
    Xfrm,
    /// By a device, with hardware addresses.
    Direct,
}

const _: () = {
    type Tuple = bindings::flow_offload_tuple;
    assert!(offset_of!(Tuple, __hash) == size_of::<Key>());
    assert!(offset_of!(Tuple, iifidx) == 36);
    assert!(offset_of!(Tuple, l3proto) == 40);
    assert!(offset_of!(Tuple, encap) == 42);
    assert!(offset_of!(Tuple, tun) == 52);
    assert!(size_of::<bindings::flow_offload_tunnel>() == size_of::<Tunnel>());
    assert!(offset_of!(bindings::rustynat_flow, flow) == 0);
    assert!(offset_of!(bindings::flow_offload_tuple_rhash, tuple) % 8 == 0);
};

/// A flow.
///
/// # Invariants
///
/// A `struct rustynat_flow`, with a reference to its connection.
#[repr(transparent)]
pub struct Flow(UnsafeCell<bindings::rustynat_flow>);

impl Flow {
    /// From a C pointer.
    ///
    /// # Safety
    ///
    /// `flow` was allocated here and lives during `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(flow: *const bindings::flow_offload) -> &'a Self {
        // SAFETY: By the function's safety requirement; all flows are
        // allocated as the larger struct.
        unsafe { &*flow.cast() }
    }

    /// The flow of an entry of a table, and the entry's direction.
    ///
    /// # Safety
    ///
    /// `entry` is one of a flow that lives during `'a`.
    #[inline]
    pub unsafe fn of_entry<'a>(
        entry: NonNull<bindings::flow_offload_tuple_rhash>,
    ) -> (&'a Self, Direction) {
        // SAFETY: By the function's safety requirement; the direction is constant,
        // and says which of the flow's entries it is.
        unsafe {
            let entry = entry.as_ptr();
            if (*entry).tuple.dir() == 0 {
                (Self::from_raw(entry.cast()), Direction::Original)
            } else {
                (Self::from_raw(entry.sub(1).cast()), Direction::Reply)
            }
        }
    }

    /// The C struct.
    #[inline]
    pub fn as_ptr(&self) -> *mut bindings::flow_offload {
        self.0.get().cast()
    }

    /// The entry of a direction.
    #[inline]
    pub fn entry(&self, direction: Direction) -> *mut bindings::flow_offload_tuple_rhash {
        // SAFETY: Only an address is computed.
        let first: *mut bindings::flow_offload_tuple_rhash =
            unsafe { (&raw mut (*self.as_ptr()).tuplehash).cast() };
        first.wrapping_add(direction as usize)
    }

    /// A direction: how its packets come, and how they leave.
    #[inline]
    pub fn side(&self, direction: Direction) -> Side<'_> {
        // SAFETY: The tuples do not change once the flow is shared, but for
        // members that are not read here.
        Side(unsafe { &(*self.entry(direction)).tuple })
    }

    /// Its connection.
    #[inline]
    pub fn conn(&self) -> &Conn {
        // SAFETY: By the type invariant; set before the flow is shared.
        unsafe { Conn::from_raw((*self.as_ptr()).ct) }
    }

    #[inline]
    fn flag_word(&self) -> &AtomicU64 {
        // SAFETY: An aligned word of the flow, only accessed atomically once it is
        // shared.
        unsafe { AtomicU64::from_ptr((&raw mut (*self.as_ptr()).flags).cast()) }
    }

    /// Its flags now.
    #[inline]
    pub fn flags(&self) -> Flags {
        Flags(self.flag_word().load(Ordering::Relaxed))
    }

    /// Sets flags, and tells whether any was set before.
    #[inline]
    pub fn test_and_set(&self, flags: Flags) -> bool {
        self.flag_word().fetch_or(flags.0, Ordering::AcqRel) & flags.0 != 0
    }

    /// Makes the flow busy with hardware, and sets `also`, unless it is so already
    /// or any of `unless` is set. While it is busy it is not freed.
    pub fn claim(&self, unless: Flags, also: Flags) -> bool {
        let word = self.flag_word();
        let mut old = word.load(Ordering::Relaxed);
        loop {
            if Flags(old).any(Flags::PENDING | unless) {
                return false;
            }
            let new = old | (Flags::PENDING | also).0;
            match word.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => old = now,
            }
        }
    }

    /// It is busy no more, and `also` is set. It may be freed from then on.
    pub fn release(&self, also: Flags) {
        let word = self.flag_word();
        let mut old = word.load(Ordering::Relaxed);
        loop {
            let new = (old | also.0) & !Flags::PENDING.0;
            match word.compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => old = now,
            }
        }
    }

    /// The whole C struct.
    #[inline]
    pub fn as_whole(&self) -> *mut bindings::rustynat_flow {
        self.0.get()
    }

    #[inline]
    fn timeout_word(&self) -> &AtomicU32 {
        // SAFETY: An aligned word of the flow, only accessed atomically.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.as_ptr()).timeout) }
    }

    /// When it expires.
    #[inline]
    pub fn timeout(&self) -> Jiffies {
        self.timeout_word().load(Ordering::Relaxed)
    }

    /// Sets it.
    #[inline]
    pub fn set_timeout(&self, timeout: Jiffies) {
        self.timeout_word().store(timeout, Ordering::Relaxed);
    }

    /// By how much checksums of a direction's packets change.
    #[inline]
    pub fn sums(&self, direction: Direction) -> Sums {
        // SAFETY: Written before the flow is shared.
        Sums::unpack(*direction.of(unsafe { &(*self.0.get()).sums }))
    }

    /// Finds what follows from the keys, before the flow is shared.
    pub fn settle(&self, secret: &hash::Start) {
        for direction in [Direction::Original, Direction::Reply] {
            let (side, other) = (self.side(direction), self.side(direction.opposite()));
            let hash = side.key().hash(secret);
            let sums = Sums::new(side.key(), other.key()).pack();
            // SAFETY: Nobody else has the flow yet.
            unsafe {
                *direction.of_mut(&mut (*self.0.get()).hash) = hash;
                *direction.of_mut(&mut (*self.0.get()).sums) = sums;
            }
        }
    }

    /// Whether routes are its own, which end with it.
    fn has_routes(&self) -> bool {
        // SAFETY: Constant once the flow is shared.
        let kind = unsafe { (*self.as_ptr()).type_ };
        u32::from(kind) == bindings::flow_offload_type_NF_FLOW_OFFLOAD_ROUTE
    }

    /// Gives routes back, and memory and connection a grace period later.
    ///
    /// # Safety
    ///
    /// It is in no table, and nobody has it who is not under RCU.
    pub unsafe fn free(&self) {
        if self.has_routes() {
            for direction in [Direction::Original, Direction::Reply] {
                // SAFETY: The flow's own reference, or null. Readers are under RCU,
                // as the route is.
                unsafe { bindings::rustynat_flow_dst_release(self.side(direction).0.dst_cache) };
            }
        }
        // SAFETY: By the function's safety requirement.
        unsafe { bindings::rustynat_flow_free_later(self.as_ptr()) };
    }
}

/// One direction of a flow (`struct flow_offload_tuple`).
#[derive(Clone, Copy)]
pub struct Side<'a>(&'a bindings::flow_offload_tuple);

impl<'a> Side<'a> {
    /// The C struct.
    #[inline]
    pub fn as_ptr(self) -> *const bindings::flow_offload_tuple {
        self.0
    }

    /// The key of its packets.
    #[inline]
    pub fn key(self) -> &'a Key {
        // SAFETY: The first part of the tuple has the layout of a key, as
        // asserted above and by the key's own tests; all bits are values.
        unsafe { &*core::ptr::from_ref(self.0).cast() }
    }

    /// Its network layer.
    #[inline]
    pub fn family(self) -> Family {
        self.key().family().unwrap_or(Family::Ipv4)
    }

    /// How its packets leave.
    #[inline]
    pub fn exit(self) -> Exit {
        match u32::from(self.0.xmit_type()) {
            bindings::flow_offload_xmit_type_FLOW_OFFLOAD_XMIT_NEIGH => Exit::Neighbour,
            bindings::flow_offload_xmit_type_FLOW_OFFLOAD_XMIT_XFRM => Exit::Xfrm,
            bindings::flow_offload_xmit_type_FLOW_OFFLOAD_XMIT_DIRECT => Exit::Direct,
            _ => Exit::None,
        }
    }

    /// The longest packet that leaves, bytes.
    #[inline]
    pub fn mtu(self) -> u32 {
        self.0.mtu.into()
    }

    /// Its route, if it has one.
    #[inline]
    pub fn route(self) -> *mut bindings::dst_entry {
        self.0.dst_cache
    }

    /// Index of the device that its route has; none without a route. Under RCU.
    pub fn route_device(self) -> Option<i32> {
        if self.route().is_null() {
            return None;
        }
        // SAFETY: The route is the flow's.
        Some(unsafe { bindings::rustynat_flow_dst_ifindex(self.route()) })
    }

    /// What the route was when the flow began.
    #[inline]
    pub fn cookie(self) -> u32 {
        self.0.dst_cookie
    }

    /// Of which of its encapsulations, a bit each, the device takes care when packets
    /// come.
    pub fn in_hardware(self) -> u8 {
        self.0.in_vlan_ingress() as u8
    }

    /// Index of the device that packets come in by.
    #[inline]
    pub fn input(self) -> i32 {
        self.key().device()
    }

    #[inline]
    fn out(self) -> &'a bindings::rustynat_flow_out {
        // SAFETY: It lies behind the route (asserted in table.c); all bits are
        // values of it.
        unsafe { &*(&raw const self.0.dst_cache).add(1).cast() }
    }

    /// Index of the device that packets leave by.
    #[inline]
    pub fn output(self) -> i32 {
        self.out().ifindex as i32
    }

    /// Destination and source hardware address, if they leave directly.
    #[inline]
    pub fn hardware(self) -> (&'a [u8; 6], &'a [u8; 6]) {
        let out = self.out();
        (&out.destination, &out.source)
    }

    /// What is several packets in one is to be cut up before it leaves.
    #[inline]
    pub fn must_segment(self) -> bool {
        self.0.needs_gso_segment() != 0
    }

    /// In what its packets come: encapsulations, the outermost first, and how many
    /// they are. The other direction's leave in the same.
    #[inline]
    pub fn encaps(self) -> ([Encap; ENCAPS], usize) {
        (self.key().encaps(), self.0.encap_num().into())
    }

    /// They come in an encapsulation.
    #[inline]
    pub fn is_encapsulated(self) -> bool {
        self.0.encap_num() != 0
    }

    /// They come in a tunnel.
    #[inline]
    pub fn is_tunneled(self) -> bool {
        self.0.tun_num() != 0
    }

    /// The tunnel, addresses as in packets that come.
    #[inline]
    pub fn tunnel(self) -> Tunnel {
        self.key().tunnel()
    }
}

/// A tuple that is being made, of a flow that nobody else has.
pub struct Draft<'a>(pub &'a mut bindings::flow_offload_tuple);

impl Draft<'_> {
    fn key_mut(&mut self) -> &mut Key {
        // SAFETY: As in `Side::key`.
        unsafe { &mut *core::ptr::from_mut(self.0).cast() }
    }

    /// Sets its key.
    pub fn set_key(&mut self, parts: &Parts) {
        *self.key_mut() = Key::new(parts);
    }

    /// What its key is made of.
    pub fn parts(&mut self) -> Option<Parts> {
        self.key_mut().parts()
    }

    /// Sets where packets go.
    pub fn set_out(&mut self, out: bindings::rustynat_flow_out) {
        // SAFETY: As in `Side::out`.
        unsafe { *(&raw mut self.0.dst_cache).add(1).cast() = out };
    }
}
