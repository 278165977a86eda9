// SPDX-License-Identifier: GPL-2.0

//! `struct nf_conn`: a connection.
//!
//! A connection is [`Fresh`] (one owner, tuples changeable), then shared: first
//! unconfirmed, reachable through one packet only, then confirmed, in the
//! table, then dying, which cannot be undone.

use super::{
    ext::{Extension, Extensions},
    lock, tuple, Net, Zone,
};
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::{offset_of, size_of},
    ops::Deref,
    ptr::NonNull,
    sync::atomic::{fence, AtomicU32, AtomicU64, Ordering},
};
use nf_bindings as bindings;
use nf_proto::{
    l4::Jiffies,
    tuple::{Direction, Family, Tuple},
};

/// Status bits (`enum ip_conntrack_status`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u64);

#[allow(missing_docs)] // Each is IPS_* of the UAPI header, documented there.
impl Status {
    pub const NONE: Status = Status(0);
    pub const EXPECTED: Status = Status(1 << 0);
    pub const SEEN_REPLY: Status = Status(1 << 1);
    pub const ASSURED: Status = Status(1 << 2);
    pub const CONFIRMED: Status = Status(1 << 3);
    pub const SRC_NAT: Status = Status(1 << 4);
    pub const DST_NAT: Status = Status(1 << 5);
    pub const NAT_MASK: Status = Status(3 << 4);
    pub const SEQ_ADJUST: Status = Status(1 << 6);
    pub const SRC_NAT_DONE: Status = Status(1 << 7);
    pub const DST_NAT_DONE: Status = Status(1 << 8);
    pub const DYING: Status = Status(1 << 9);
    pub const FIXED_TIMEOUT: Status = Status(1 << 10);
    pub const TEMPLATE: Status = Status(1 << 11);
    pub const NAT_CLASH: Status = Status(1 << 12);
    pub const HELPER: Status = Status(1 << 13);
    pub const OFFLOAD: Status = Status(1 << 14);
    pub const HW_OFFLOAD: Status = Status(1 << 15);

    /// All of `other`'s bits are set.
    #[inline]
    pub const fn has(self, other: Status) -> bool {
        self.0 & other.0 == other.0
    }

    /// Any of `other`'s bits is set.
    #[inline]
    pub const fn any(self, other: Status) -> bool {
        self.0 & other.0 != 0
    }
}

impl core::ops::BitOr for Status {
    type Output = Status;

    #[inline]
    fn bitor(self, other: Status) -> Status {
        Status(self.0 | other.0)
    }
}

/// The time now, in jiffies (`nfct_time_stamp`).
#[inline]
pub fn now() -> Jiffies {
    // SAFETY: `jiffies` is always readable; it is updated elsewhere, hence
    // volatile.
    unsafe { core::ptr::read_volatile(&raw const bindings::jiffies) as Jiffies }
}

/// A connection (`struct nf_conn`), with what we keep beside it.
///
/// # Invariants
///
/// Memory from the connection cache: type-stable within an RCU read section,
/// although the connection in it may be another one by then. Templates are
/// allocated otherwise, in the same size, and never enter the table.
#[repr(C)]
pub struct Conn {
    raw: UnsafeCell<bindings::nf_conn>,
    /// Hash of either tuple, by direction; set by the table.
    hash: [AtomicU32; 2],
}

/// Size of an object of the connection cache, bytes.
pub const SIZE: usize = size_of::<Conn>();

// One connection fills four cache lines, no more, if its lock is only a lock.
#[cfg(not(CONFIG_DEBUG_SPINLOCK))]
const _: () = assert!(SIZE <= 256);
const _: () = assert!(offset_of!(Conn, raw) == 0);

// SAFETY: Shared fields are accessed atomically or under the connection's
// lock; tuples do not change once the connection is shared.
unsafe impl Sync for Conn {}
// SAFETY: Nothing in a connection belongs to a thread.
unsafe impl Send for Conn {}

impl Conn {
    /// A reference from a C pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must point to a connection or template that stays allocated (or
    /// at least type-stable, under RCU) for `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::nf_conn) -> &'a Conn {
        // SAFETY: By the function's safety requirement.
        unsafe { &*ptr.cast() }
    }

    /// The C pointer.
    #[inline]
    pub fn as_ptr(&self) -> *mut bindings::nf_conn {
        self.raw.get()
    }

    /// One direction's tuple.
    ///
    /// For a confirmed connection to which a reference is held it is constant;
    /// met in a lookup under RCU it may be torn, and must be compared again
    /// once a reference is held.
    #[inline]
    pub fn tuple(&self, direction: Direction) -> &Tuple {
        // SAFETY: The tuples are written by the owner only while unconfirmed.
        // A racing reader under RCU compares again after taking a reference.
        let hashes = unsafe { &(*self.as_ptr()).tuplehash };
        tuple::from_c(&direction.of(hashes).tuple)
    }

    /// The protocol number of both tuples.
    #[inline]
    pub fn protocol(&self) -> u8 {
        self.tuple(Direction::Original).dst.protocol
    }

    /// The family number (`NFPROTO_*`) of both tuples.
    #[inline]
    pub fn l3num(&self) -> u16 {
        self.tuple(Direction::Original).src.l3num
    }

    /// Its family.
    #[inline]
    pub fn family(&self) -> Family {
        if self.l3num() == Family::Ipv6.number() {
            Family::Ipv6
        } else {
            Family::Ipv4
        }
    }

    #[inline]
    fn status_word(&self) -> &AtomicU64 {
        // SAFETY: `status` is an aligned word inside the object, and is only
        // accessed atomically once the connection is shared.
        unsafe { AtomicU64::from_ptr((&raw mut (*self.as_ptr()).status).cast()) }
    }

    /// The status bits now.
    #[inline]
    pub fn status(&self) -> Status {
        Status(self.status_word().load(Ordering::Relaxed))
    }

    /// Sets status bits.
    #[inline]
    pub fn set_status(&self, bits: Status) {
        self.status_word().fetch_or(bits.0, Ordering::AcqRel);
    }

    /// Clears status bits.
    #[inline]
    pub fn clear_status(&self, bits: Status) {
        self.status_word().fetch_and(!bits.0, Ordering::AcqRel);
    }

    /// Sets status bits and tells which were set before.
    #[inline]
    pub fn test_and_set_status(&self, bits: Status) -> bool {
        self.status_word().fetch_or(bits.0, Ordering::AcqRel) & bits.0 == bits.0
    }

    /// Sets and clears the bits that others may change; the rest of them is
    /// left alone (`IPS_UNCHANGEABLE_MASK`).
    pub fn change_status(&self, on: Status, off: Status) {
        const CHANGEABLE: u64 = ((1 << bindings::ip_conntrack_status___IPS_MAX_BIT) - 1)
            & !(bindings::ip_conntrack_status_IPS_UNCHANGEABLE_MASK as u64);
        let (on, off) = (on.0 & CHANGEABLE, off.0 & !on.0 & CHANGEABLE);
        if on != 0 {
            self.set_status(Status(on));
        }
        if off != 0 {
            self.clear_status(Status(off));
        }
    }

    /// In the table (`IPS_CONFIRMED`).
    #[inline]
    pub fn is_confirmed(&self) -> bool {
        self.status().has(Status::CONFIRMED)
    }

    /// Being removed (`IPS_DYING`).
    #[inline]
    pub fn is_dying(&self) -> bool {
        self.status().has(Status::DYING)
    }

    /// A template: no connection, but how to make one (`IPS_TEMPLATE`).
    #[inline]
    pub fn is_template(&self) -> bool {
        self.status().has(Status::TEMPLATE)
    }

    #[inline]
    fn timeout_word(&self) -> &AtomicU32 {
        // SAFETY: `timeout` is an aligned word inside the object, and is only
        // accessed atomically.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.as_ptr()).timeout) }
    }

    /// When it expires, in jiffies; before confirmation, after how many.
    #[inline]
    pub fn timeout(&self) -> Jiffies {
        self.timeout_word().load(Ordering::Relaxed)
    }

    /// Sets the expiry, in jiffies; before confirmation, after how many.
    #[inline]
    pub fn set_timeout(&self, timeout: Jiffies) {
        // Not written when unchanged: the line may be shared between CPUs.
        if self.timeout() != timeout {
            self.timeout_word().store(timeout, Ordering::Relaxed);
        }
    }

    /// Sets the expiry to `new` if it still is `old`, in jiffies.
    pub fn replace_timeout(&self, old: Jiffies, new: Jiffies) {
        let _ =
            self.timeout_word()
                .compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Its time has come.
    #[inline]
    pub fn is_expired(&self, now: Jiffies) -> bool {
        (self.timeout().wrapping_sub(now) as i32) <= 0
    }

    /// Jiffies until it expires, 0 if it has (`nf_ct_expires`).
    #[inline]
    pub fn expires(&self, now: Jiffies) -> Jiffies {
        let left = self.timeout().wrapping_sub(now);
        if (left as i32) > 0 {
            left
        } else {
            0
        }
    }

    /// The network namespace.
    #[inline]
    pub fn net(&self) -> Net {
        // SAFETY: Set before the object is shared, and never null; a
        // connection keeps its namespace, and a racing reader under RCU only
        // compares it.
        unsafe {
            Net::from_raw(core::ptr::read_volatile(
                &raw const (*self.as_ptr()).ct_net.net,
            ))
        }
    }

    /// Its zone.
    #[inline]
    pub fn zone(&self) -> Zone {
        // SAFETY: Constant once the connection is shared.
        Zone::from_c(unsafe { &(*self.as_ptr()).zone })
    }

    /// Its mark.
    #[inline]
    pub fn mark(&self) -> u32 {
        // SAFETY: An aligned word that others may write meanwhile.
        unsafe { core::ptr::read_volatile(&raw const (*self.as_ptr()).mark) }
    }

    /// Its security mark; 0 in a kernel without them.
    #[inline]
    pub fn secmark(&self) -> u32 {
        #[cfg(CONFIG_NF_CONNTRACK_SECMARK)]
        // SAFETY: An aligned word that others may write meanwhile.
        return unsafe { core::ptr::read_volatile(&raw const (*self.as_ptr()).secmark) };
        #[cfg(not(CONFIG_NF_CONNTRACK_SECMARK))]
        return 0;
    }

    /// The connection that expected this one; it lives as long as this one.
    #[inline]
    pub fn master(&self) -> Option<&Conn> {
        // SAFETY: `master` is set before the connection is shared, and owns a
        // reference.
        unsafe {
            let master = (*self.as_ptr()).master;
            (!master.is_null()).then(|| Conn::from_raw(master))
        }
    }

    /// It has an extension, or room for some.
    #[inline]
    pub fn has_extensions(&self) -> bool {
        // SAFETY: As in `ext`.
        unsafe { !(*self.as_ptr()).ext.is_null() }
    }

    /// Which extensions it has, if any.
    #[inline]
    pub fn extensions(&self) -> Option<Extensions<'_>> {
        // SAFETY: As in `ext`.
        unsafe { (*self.as_ptr()).ext.as_ref() }.map(Extensions::new)
    }

    /// One of its extensions, if it has it.
    #[inline]
    pub fn ext<E: Extension>(&self) -> Option<NonNull<E>> {
        // SAFETY: The area is allocated before the connection is shared and
        // freed with it; `offset` of a present extension lies within the area.
        unsafe {
            let ext = (*self.as_ptr()).ext;
            if ext.is_null() {
                return None;
            }
            let offset = *(&raw const (*ext).offset).cast::<u8>().add(E::ID as usize);
            if offset == 0 {
                return None;
            }
            Some(NonNull::new_unchecked(
                ext.cast::<u8>().add(offset as usize).cast(),
            ))
        }
    }

    /// The saved hashes of both tuples; that of the reply tuple is right once
    /// the connection is confirmed.
    #[inline]
    pub fn hashes(&self) -> (u32, u32) {
        (self.hash(Direction::Original), self.hash(Direction::Reply))
    }

    /// Gives back the reference that the table held.
    #[inline]
    pub fn put_table_reference(&self) {
        // SAFETY: Whoever removed the connection from the table owns the
        // table's reference; it is given back once, as only one can set DYING.
        drop(unsafe { ConnRef::from_raw(self.as_ptr()) });
    }

    /// The saved hash of one direction's tuple.
    #[inline]
    pub(crate) fn hash(&self, direction: Direction) -> u32 {
        direction.of(&self.hash).load(Ordering::Relaxed)
    }

    /// Saves the hash of one direction's tuple.
    #[inline]
    pub fn set_hash(&self, direction: Direction, hash: u32) {
        direction.of(&self.hash).store(hash, Ordering::Relaxed);
    }

    #[inline]
    fn uses(&self) -> &AtomicU32 {
        // SAFETY: The reference count is an aligned word inside the object,
        // and is only accessed atomically.
        unsafe { AtomicU32::from_ptr((&raw mut (*self.as_ptr()).ct_general.use_).cast()) }
    }

    /// The reference count now.
    #[inline]
    pub fn use_count(&self) -> u32 {
        self.uses().load(Ordering::Relaxed)
    }

    /// A reference, unless the connection is gone already
    /// (`refcount_inc_not_zero`). Its identity must be checked afterwards if it
    /// was met in a lookup.
    #[inline]
    pub fn try_get(&self) -> Option<ConnRef> {
        let uses = self.uses();
        let mut old = uses.load(Ordering::Relaxed);
        loop {
            // Saturated counts (the sign bit) stay: a leak beats a reuse.
            if old == 0 || old > i32::MAX as u32 {
                if old == 0 {
                    return None;
                }
                break;
            }
            match uses.compare_exchange_weak(
                old,
                old.wrapping_add(1),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(current) => old = current,
            }
        }
        Some(ConnRef(NonNull::from(self)))
    }

    /// Another reference, where one is held already.
    #[inline]
    pub fn get(&self) -> ConnRef {
        self.add_reference();
        ConnRef(NonNull::from(self))
    }

    /// Begins a connection that nobody has a reference to yet with `count` of
    /// them. Whoever gets one sees all that was written before.
    #[inline]
    pub fn begin_references(&self, count: u32) {
        self.uses().store(count, Ordering::Release);
    }

    /// Counts one more reference, which somebody else (an skb, the table) will
    /// give back.
    #[inline]
    pub fn add_reference(&self) {
        let old = self.uses().fetch_add(1, Ordering::Relaxed);
        if old > i32::MAX as u32 {
            self.uses().store(SATURATED, Ordering::Relaxed);
        }
    }

    /// The lock of the protocol state and of what else C documents it for.
    /// Bottom halves are off while it is held.
    #[inline(always)]
    pub fn lock(&self) -> Locked<'_> {
        let plain = lock::are_bh_off();
        // SAFETY: The lock is initialised with the object, and is inside it.
        let bh = unsafe {
            if plain {
                lock::lock(&raw mut (*self.as_ptr()).lock);
                false
            } else {
                bindings::conn_lock(self.as_ptr())
            }
        };
        Locked {
            plain,
            conn: self,
            bh,
            _not_send: PhantomData,
        }
    }
}

const SATURATED: u32 = 0xc000_0000;

/// A connection whose lock is held.
pub struct Locked<'a> {
    conn: &'a Conn,
    /// Taken in place.
    plain: bool,
    /// Bottom halves were on, and are off for the lock.
    bh: bool,
    _not_send: PhantomData<*mut ()>,
}

impl Locked<'_> {
    /// The protocol's state, as type `S`.
    ///
    /// # Safety
    ///
    /// `S` must be the member of `union nf_conntrack_proto` that belongs to the
    /// connection's protocol, or have its layout.
    #[inline]
    pub unsafe fn state<S>(&mut self) -> &mut S {
        const { assert!(size_of::<S>() <= size_of::<bindings::nf_conntrack_proto>()) };
        // SAFETY: The lock is held and the borrow is unique; the type is right
        // by the function's safety requirement.
        unsafe { &mut *(&raw mut (*self.conn.as_ptr()).proto).cast() }
    }
}

impl Locked<'_> {
    /// As dropping it, but in place: a drop becomes a function that is called, with
    /// the guard in memory.
    #[inline(always)]
    pub fn unlock(self) {
        // SAFETY: Not dropped any more.
        unsafe { core::mem::ManuallyDrop::new(self).release() }
    }

    /// # Safety
    ///
    /// Once, as the last thing that is done with the guard.
    #[inline(always)]
    unsafe fn release(&self) {
        // SAFETY: Taken in `Conn::lock`, by this guard.
        unsafe {
            if self.plain {
                lock::unlock(&raw mut (*self.conn.as_ptr()).lock);
            } else {
                bindings::conn_unlock(self.conn.as_ptr(), self.bh);
            }
        }
    }
}

impl Drop for Locked<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: It ends here.
        unsafe { self.release() }
    }
}

/// A counted reference to a connection.
pub struct ConnRef(NonNull<Conn>);

// SAFETY: See `Conn`.
unsafe impl Send for ConnRef {}

impl ConnRef {
    /// Takes over a reference that C code counted.
    ///
    /// # Safety
    ///
    /// `ptr` is a valid connection, and one of its references is the caller's.
    #[inline]
    pub unsafe fn from_raw(ptr: *mut bindings::nf_conn) -> Self {
        // SAFETY: Not null by the safety requirement.
        ConnRef(unsafe { NonNull::new_unchecked(ptr.cast()) })
    }

    /// Hands the reference over to C code.
    #[inline]
    pub fn into_raw(self) -> *mut bindings::nf_conn {
        core::mem::ManuallyDrop::new(self).0.as_ptr().cast()
    }
}

impl Deref for ConnRef {
    type Target = Conn;

    #[inline]
    fn deref(&self) -> &Conn {
        // SAFETY: A reference is held, so the object lives.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for ConnRef {
    #[inline]
    fn drop(&mut self) {
        let ptr: *mut bindings::nf_conn = self.0.as_ptr().cast();
        if self.uses().fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            // SAFETY: That was the last reference; this is what C's
            // `nf_conntrack_put` does then.
            unsafe { bindings::nf_ct_destroy(ptr.cast()) };
        }
    }
}

/// A connection that nobody else can reach yet: its reference count is zero,
/// so that lookups that meet a former life of it leave it alone.
pub struct Fresh(NonNull<Conn>);

impl Fresh {
    /// Initialises memory from the connection cache.
    ///
    /// # Safety
    ///
    /// `memory` points to an object just allocated from the cache, whose
    /// reference count is zero if it ever was a connection.
    #[inline]
    pub unsafe fn init(
        memory: NonNull<Conn>,
        net: Net,
        zone: Zone,
        original: &Tuple,
        reply: &Tuple,
    ) -> Self {
        let raw: *mut bindings::nf_conn = memory.as_ptr().cast();
        let tail = offset_of!(bindings::nf_conn, __nfct_init_offset);
        // SAFETY: The memory is ours; readers that still hold a pointer to a
        // former life of it are turned away by the zero count, and check net,
        // zone, tuple and status after taking a reference.
        unsafe {
            AtomicU32::from_ptr((&raw mut (*raw).ct_general.use_).cast())
                .store(0, Ordering::Relaxed);
            #[cfg(any(CONFIG_DEBUG_SPINLOCK, CONFIG_DEBUG_LOCK_ALLOC, CONFIG_PREEMPT_RT))]
            bindings::conn_init_lock(raw);
            // As `spin_lock_init` does then: an unlocked lock is all zero.
            #[cfg(not(any(CONFIG_DEBUG_SPINLOCK, CONFIG_DEBUG_LOCK_ALLOC, CONFIG_PREEMPT_RT)))]
            core::ptr::write_bytes(&raw mut (*raw).lock, 0, 1);
            let [first, second] = &mut (*raw).tuplehash;
            write_tuple(&mut first.tuple, original, Direction::Original);
            write_tuple(&mut second.tuple, reply, Direction::Reply);
            first.hnnode.pprev = core::ptr::null_mut();
            second.hnnode.pprev = core::ptr::null_mut();
            (*raw).status = 0;
            core::ptr::write_volatile(&raw mut (*raw).timeout, 0);
            (*raw).ct_net.net = net.as_ptr();
            (*raw).zone = zone.to_c();
            // In no list of NAT's (see `super::nat`).
            (*raw).nat_bysource.next = core::ptr::null_mut();
            core::ptr::write_bytes(
                raw.cast::<u8>().add(tail),
                0,
                size_of::<bindings::nf_conn>() - tail,
            );
        }
        Fresh(memory)
    }

    /// The connection.
    #[inline]
    pub fn conn(&self) -> &Conn {
        // SAFETY: The memory is this value's own.
        unsafe { self.0.as_ref() }
    }

    /// Sets the master, whose reference it takes over, and the mark, security
    /// mark and status that come from it.
    pub fn set_master(&mut self, master: ConnRef) {
        let mark = master.mark();
        #[cfg(CONFIG_NF_CONNTRACK_SECMARK)]
        let secmark = master.secmark();
        // SAFETY: Nobody else can reach the connection yet.
        unsafe {
            let raw = self.0.as_ptr().cast::<bindings::nf_conn>();
            (*raw).mark = mark;
            #[cfg(CONFIG_NF_CONNTRACK_SECMARK)]
            {
                (*raw).secmark = secmark;
            }
            (*raw).master = master.into_raw();
        }
        self.conn().set_status(Status::EXPECTED);
    }

    /// Makes it reachable, with one reference.
    #[inline]
    pub fn share(self) -> ConnRef {
        let memory = core::mem::ManuallyDrop::new(self).0;
        // SAFETY: The memory is this value's own until now. Release: all of
        // the above is visible to whoever takes a reference.
        unsafe { memory.as_ref() }
            .uses()
            .store(1, Ordering::Release);
        ConnRef(memory)
    }

    /// Takes back what C code was given.
    ///
    /// # Safety
    ///
    /// `ptr` came from [`into_raw`](Self::into_raw), and nobody uses it any more.
    pub unsafe fn from_raw(ptr: *mut bindings::nf_conn) -> Self {
        // SAFETY: Not null by the safety requirement.
        Fresh(unsafe { NonNull::new_unchecked(ptr.cast()) })
    }

    /// Gives up: the C pointer, still with a count of zero, for
    /// `nf_conntrack_free`.
    #[inline]
    pub fn into_raw(self) -> *mut bindings::nf_conn {
        core::mem::ManuallyDrop::new(self).0.as_ptr().cast()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // SAFETY: The count is zero and nobody else can reach it.
        unsafe { bindings::nf_conntrack_free(self.0.as_ptr().cast()) };
    }
}

/// Writes a tuple to where racing readers may be.
///
/// They find the connection's address from a tuple's by the direction in it,
/// which never has another value than the right one: its word is written with it.
#[inline]
fn write_tuple(to: &mut bindings::nf_conntrack_tuple, tuple: &Tuple, direction: Direction) {
    let to = core::ptr::from_mut(to).cast::<u64>();
    let [a, b, c, d, last] = tuple.image();
    // The last byte.
    let last = (last & Tuple::LAST_WORD) | (direction as u64) << 56;
    // SAFETY: A tuple is five words, in which its image is.
    unsafe {
        for (i, word) in [a, b, c, d, last].into_iter().enumerate() {
            to.add(i).write_volatile(word);
        }
    }
}

const _: () = assert!(size_of::<Tuple>() == 40);

/// A template: a connection's likeness from which rules have connections made,
/// with one reference; or null, if memory is short.
///
/// # Safety
///
/// `net` outlives the template.
pub unsafe fn template_alloc(net: Net, zone: Zone, gfp: bindings::gfp_t) -> *mut bindings::nf_conn {
    // SAFETY: As large as a connection, so that `Conn` may be used for it;
    // allocations are aligned to more than the low bits of `_nfct`.
    unsafe {
        let raw: *mut bindings::nf_conn = bindings::template_zalloc(SIZE, gfp).cast();
        if !raw.is_null() {
            (*raw).status = Status::TEMPLATE.0 as kernel::ffi::c_ulong;
            (*raw).ct_net.net = net.as_ptr();
            (*raw).zone = zone.to_c();
            Conn::from_raw(raw).uses().store(1, Ordering::Relaxed);
        }
        raw
    }
}
