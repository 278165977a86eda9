// SPDX-License-Identifier: GPL-2.0

//! What translation keeps at a connection, and the index of sources.
//!
//! `struct nf_conn` has a list node for the NAT core (`nat_bysource`). Its first
//! word says what the connection is to it:
//!
//! - 0: nothing is kept;
//! - odd: it is masqueraded, the rest is the number of the device it leaves by;
//! - else it is in the index, and this is the link to the next entry of its
//!   chain, [`END`] after the last one. If it is masqueraded too, the number is in
//!   its extension (`struct nf_conn_nat`).
//!
//! So a masqueraded connection needs no extension, unless it is in the index,
//! which few are: see [`Sources`].

use super::{ext, Conn, Net, Status};
use core::{
    mem::{offset_of, size_of},
    ptr::{null_mut, NonNull},
    sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};
use kernel::prelude::*;
use nf_bindings as bindings;
use nf_proto::{
    nat::range::Range,
    tuple::{Direction, Tuple},
};

const _: () = {
    type C = bindings::nf_nat_range2;
    assert!(size_of::<Range>() == size_of::<C>() && align_of::<Range>() == align_of::<C>());
    assert!(offset_of!(Range, flags) == offset_of!(C, flags));
    assert!(offset_of!(Range, min) == offset_of!(C, min_addr));
    assert!(offset_of!(Range, max) == offset_of!(C, max_addr));
    assert!(offset_of!(Range, min_id) == offset_of!(C, min_proto));
    assert!(offset_of!(Range, max_id) == offset_of!(C, max_proto));
    assert!(offset_of!(Range, base_id) == offset_of!(C, base_proto));
};

/// A range that C code gives.
#[inline]
pub fn range_from_c(range: &bindings::nf_nat_range2) -> &Range {
    // SAFETY: Same size, alignment and field offsets (asserted above), and every
    // bit pattern is a valid `Range`.
    unsafe { &*core::ptr::from_ref(range).cast() }
}

impl Conn {
    /// Changes what answers are expected to look like (`nf_conntrack_alter_reply`).
    /// The connection is not confirmed, and the caller its one owner.
    #[inline]
    pub fn alter_reply(&self, reply: &Tuple) {
        let mut reply = *reply;
        reply.dst.direction = Direction::Reply as u8;
        // SAFETY: An unconfirmed connection has one owner; readers that hold a
        // pointer to a former life of it compare again after taking a reference,
        // which they get only if it is in the table.
        unsafe {
            let [_, second] = &mut (*self.as_ptr()).tuplehash;
            (&raw mut second.tuple).write_volatile(super::tuple::to_c(&reply));
        }
    }

    /// Sets status bits of a connection that is not confirmed, by its one owner:
    /// nobody else changes them meanwhile.
    #[inline]
    pub fn set_own_status(&self, bits: Status) {
        // SAFETY: An aligned word inside the object, only accessed atomically.
        let word = unsafe { AtomicU64::from_ptr((&raw mut (*self.as_ptr()).status).cast()) };
        word.store(word.load(Ordering::Relaxed) | bits.0, Ordering::Relaxed);
    }
}

/// `struct hlist_node`.
#[repr(C)]
struct Node {
    next: AtomicUsize,
    /// Address of the link that points here; 0 if it is in no chain.
    pprev: AtomicUsize,
}

const _: () = {
    assert!(size_of::<Node>() == size_of::<bindings::hlist_node>());
    assert!(offset_of!(Node, pprev) == offset_of!(bindings::hlist_node, pprev));
};

/// What stands after the last entry of a chain.
const END: usize = 2;

/// What stands at the head of a chain that takes no entries any more.
const CLOSED: usize = 1;

#[inline]
fn node(conn: &Conn) -> &Node {
    // SAFETY: Laid out as asserted, inside the object; only accessed atomically.
    unsafe { &*(&raw const (*conn.as_ptr()).nat_bysource).cast() }
}

/// The connection to whose node a link points.
///
/// # Safety
///
/// `link` points to a node, and was read under RCU or the chain's lock.
#[inline]
unsafe fn conn_of<'a>(link: usize) -> &'a Conn {
    // SAFETY: Nodes are members of connections, which are type-stable under RCU.
    unsafe {
        Conn::from_raw(
            (link as *const u8)
                .sub(offset_of!(bindings::nf_conn, nat_bysource))
                .cast(),
        )
    }
}

#[inline]
const fn is_entry(link: usize) -> bool {
    link > END && link & 1 == 0
}

/// Something is kept at the connection: it is masqueraded or in the index.
#[inline]
pub fn is_marked(conn: &Conn) -> bool {
    node(conn).next.load(Ordering::Relaxed) != 0
}

/// The number of the device by which a masqueraded connection leaves; 0 if it
/// is not masqueraded.
#[inline]
pub fn masquerade_index(conn: &Conn) -> i32 {
    let link = node(conn).next.load(Ordering::Relaxed);
    if link & 1 != 0 {
        (link >> 1) as i32
    } else if link == 0 {
        0
    } else {
        index_in_extension(conn)
    }
}

#[cold]
fn index_in_extension(conn: &Conn) -> i32 {
    conn.ext::<bindings::nf_conn_nat>().map_or(0, |nat| {
        // SAFETY: The extension lives as long as the connection; an aligned word
        // that changes only while it has one owner.
        unsafe { (&raw const (*nat.as_ptr()).masq_index).read_volatile() }
    })
}

/// Marks a connection as masqueraded. It is not confirmed, and the caller its
/// one owner.
#[inline]
pub fn set_masquerade(conn: &Conn, index: i32) {
    let node = node(conn);
    if !is_entry(node.next.load(Ordering::Relaxed)) && node.next.load(Ordering::Relaxed) != END {
        node.next
            .store(((index as u32 as usize) << 1) | 1, Ordering::Relaxed);
    }
}

/// The index of the sources that are mapped to something that could not be told
/// again without it: that of a range of addresses, or another id than before.
/// All others are mapped to the same again by the same rule.
///
/// Chains are read under RCU and changed under locks of their own.
pub struct Sources {
    heads: AtomicPtr<AtomicUsize>,
    mask: AtomicU32,
    entries: AtomicU32,
}

/// Entries of a chain that a lookup looks at: more have the same hash only if they
/// are of the same source, to many destinations.
const REACH: u32 = 64;

impl Sources {
    /// An index without room.
    #[allow(clippy::new_without_default)] // For statics only.
    pub const fn new() -> Self {
        Sources {
            heads: AtomicPtr::new(null_mut()),
            mask: AtomicU32::new(0),
            entries: AtomicU32::new(0),
        }
    }

    /// Allocates it, with `size` chains, a power of two. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn start(&self, size: u32) -> Result {
        let bytes = (size as usize)
            .checked_mul(size_of::<usize>())
            .ok_or(EINVAL)?;
        // SAFETY: Called once, before the index is used.
        unsafe { bindings::nat_locks_init() };
        // SAFETY: A plain allocation, zeroed.
        let memory = NonNull::new(unsafe { bindings::table_alloc(bytes) }).ok_or(ENOMEM)?;
        let heads: *mut AtomicUsize = memory.as_ptr().cast();
        for i in 0..size as usize {
            // SAFETY: Within the allocation.
            unsafe { (*heads.wrapping_add(i)).store(END, Ordering::Relaxed) };
        }
        self.mask.store(size.wrapping_sub(1), Ordering::Relaxed);
        self.heads.store(heads, Ordering::Release);
        Ok(())
    }

    /// Takes all entries out, for good: nothing can be put in any more. Any number of
    /// connections may be made and freed meanwhile.
    pub fn close(&self) {
        for bucket in 0..=self.mask.load(Ordering::Relaxed) {
            let Some(head) = self.head(bucket) else {
                return;
            };
            // SAFETY: The locks are initialised; unlocked below.
            unsafe { bindings::nat_lock(bucket) };
            let mut link = head.swap(CLOSED, Ordering::AcqRel);
            while is_entry(link) {
                // SAFETY: An entry of the chain, whose lock is held.
                let node = node(unsafe { conn_of(link) });
                link = node.next.load(Ordering::Relaxed);
                node.pprev.store(0, Ordering::Relaxed);
                self.entries.fetch_sub(1, Ordering::Relaxed);
            }
            // SAFETY: Locked above.
            unsafe { bindings::nat_unlock(bucket) };
        }
    }

    /// Frees the index.
    ///
    /// # Safety
    ///
    /// It is closed, or was never used; nobody uses it any more, and nobody will.
    pub unsafe fn stop(&self) {
        // SAFETY: Allocated in `start`; by the safety requirement unused.
        unsafe { bindings::kvfree(self.heads.swap(null_mut(), Ordering::AcqRel).cast()) };
    }

    /// There is nothing in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.load(Ordering::Relaxed) == 0
    }

    #[inline]
    fn head(&self, hash: u32) -> Option<&AtomicUsize> {
        let bucket = hash & self.mask.load(Ordering::Relaxed);
        let heads = NonNull::new(self.heads.load(Ordering::Acquire))?;
        // SAFETY: Below the number of heads, which stay until `stop`.
        Some(unsafe { &*heads.as_ptr().wrapping_add(bucket as usize) })
    }

    /// Offers the connections of a chain to `visit`, newest first, until it has
    /// found what it wants, but only so many. Under RCU. What is offered may just
    /// be becoming another connection.
    pub fn find<R>(&self, hash: u32, mut visit: impl FnMut(&Conn) -> Option<R>) -> Option<R> {
        let mut link = self.head(hash)?.load(Ordering::Acquire);
        for _ in 0..REACH {
            // An entry that was taken out meanwhile may lead anywhere, but always
            // to an entry, the end, or a mark that is no link.
            if !is_entry(link) {
                break;
            }
            // SAFETY: Read under RCU.
            let conn = unsafe { conn_of(link) };
            if let Some(found) = visit(conn) {
                return Some(found);
            }
            link = node(conn).next.load(Ordering::Acquire);
        }
        None
    }

    /// Puts a connection into a chain, which keeps its masquerading. It is not
    /// confirmed, in no chain, and the caller its one owner. If memory is short it is
    /// left out.
    pub fn insert(&self, conn: &Conn, hash: u32) {
        let index = masquerade_index(conn);
        if index != 0 && !index_to_extension(conn, index) {
            return;
        }
        let Some(head) = self.head(hash) else { return };
        let node = node(conn);
        // SAFETY: The locks are initialised; unlocked below.
        unsafe { bindings::nat_lock(hash) };
        let first = head.load(Ordering::Relaxed);
        if first != CLOSED {
            node.next.store(first, Ordering::Relaxed);
            node.pprev
                .store(core::ptr::from_ref(head) as usize, Ordering::Relaxed);
            if is_entry(first) {
                // SAFETY: An entry of the chain, whose lock is held.
                self::node(unsafe { conn_of(first) })
                    .pprev
                    .store(&raw const node.next as usize, Ordering::Relaxed);
            }
            head.store(core::ptr::from_ref(node) as usize, Ordering::Release);
            self.entries.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: Locked above.
        unsafe { bindings::nat_unlock(hash) };
    }

    /// A connection is in a chain.
    #[inline]
    pub fn has(&self, conn: &Conn) -> bool {
        let node = node(conn);
        let next = node.next.load(Ordering::Relaxed);
        next >= END && next & 1 == 0
    }

    /// Takes a connection out of the chain with this hash. Its memory may be
    /// given to another one afterwards.
    pub fn remove(&self, conn: &Conn, hash: u32) {
        let node = node(conn);
        // SAFETY: The locks are initialised; unlocked below.
        unsafe { bindings::nat_lock(hash) };
        let pprev = node.pprev.load(Ordering::Relaxed);
        if self.has(conn) && pprev != 0 {
            let next = node.next.load(Ordering::Relaxed);
            // SAFETY: It is in a chain whose lock is held: the link before is a
            // head or the first word of an entry's node.
            unsafe { (*(pprev as *const AtomicUsize)).store(next, Ordering::Release) };
            if is_entry(next) {
                // SAFETY: An entry of the same chain.
                self::node(unsafe { conn_of(next) })
                    .pprev
                    .store(pprev, Ordering::Relaxed);
            }
            // Its own link stays for readers that are here.
            node.pprev.store(0, Ordering::Relaxed);
            self.entries.fetch_sub(1, Ordering::Relaxed);
        }
        // SAFETY: Locked above.
        unsafe { bindings::nat_unlock(hash) };
    }
}

fn index_to_extension(conn: &Conn, index: i32) -> bool {
    let nat = conn
        .ext::<bindings::nf_conn_nat>()
        .or_else(|| ext::add_ext::<bindings::nf_conn_nat>(conn));
    if let Some(nat) = nat {
        // SAFETY: The connection has one owner.
        unsafe { (&raw mut (*nat.as_ptr()).masq_index).write_volatile(index) };
    }
    nat.is_some()
}

/// A service of this host has what `tuple.src` shall become, and would lose its
/// clients at `tuple.dst` to `client`, which is not of this host. Under RCU.
pub fn is_served(net: Net, tuple: &Tuple, client: &Tuple) -> bool {
    let ipv6 = tuple.src.l3num == nf_proto::tuple::Family::Ipv6.number();
    // SAFETY: The namespace lives; addresses are sixteen bytes.
    unsafe {
        bindings::is_served(
            net.as_ptr(),
            ipv6,
            tuple.dst.protocol,
            (&raw const tuple.src.address).cast(),
            tuple.src.id.raw(),
            (&raw const client.src.address).cast(),
        )
    }
}

/// The lowest port that sockets of the namespace get by themselves: below it are
/// those of services.
#[inline]
pub fn first_local_port(net: Net) -> u16 {
    // SAFETY: The namespace lives.
    unsafe { bindings::first_local_port(net.as_ptr()) as u16 }
}
