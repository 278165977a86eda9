// SPDX-License-Identifier: GPL-2.0

//! The table of confirmed connections.
//!
//! Every connection is in it twice, by the hash of its original and of its
//! reply tuple. Lookups take no lock; changes take one of 1,024 locks, chosen
//! by the low bits of the hash. Sizes are powers of two of at least 1,024
//! buckets, so that all buckets a hash can be in, in tables of whatever size,
//! are under the same lock.
//!
//! The table grows and shrinks while it is used: a new array of buckets is
//! hung behind the old one, buckets are moved one at a time under their lock,
//! insertions go to the new array, lookups that find nothing in the old array
//! go on to the new one. A lookup that is led off its chain by a moved entry
//! sees it by the value of the nulls marker at the chain's end, and starts
//! again.

mod packet;
mod walk;

pub use packet::{Met, Room};
pub use walk::{Position, Walk};

use super::{lock, stat::Counter, Conn, ConnRef, Net, Zone};
use core::{
    mem::offset_of,
    ptr::{null_mut, NonNull},
    sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering},
};
use nf_bindings as bindings;
use nf_proto::tuple::{Direction, Tuple};

/// Locks, and the least number of buckets (`CONNTRACK_LOCKS`).
pub const LOCKS: u32 = 1024;

/// The most buckets.
pub const MAX_BUCKETS: u32 = 1 << 27;

/// An array of buckets.
///
/// # Invariants
///
/// `heads` is an allocation of its own, of `mask + 1` heads: a power of two, which
/// the allocator would round up to twice as much if there was more in it.
pub struct Buckets {
    heads: NonNull<Link>,
    mask: u32,
    /// Distinguishes this array's nulls markers from the one before's.
    generation: u32,
    /// The array that replaces this one, while entries move there and after.
    next: AtomicPtr<Buckets>,
}

/// A link of a chain: the address of a node, or an odd nulls marker.
type Link = AtomicUsize;

/// `struct hlist_nulls_node`.
#[repr(C)]
struct Node {
    next: Link,
    /// Address of the link that points here.
    pprev: AtomicUsize,
}

const _: () = {
    assert!(size_of::<Node>() == size_of::<bindings::hlist_nulls_node>());
    assert!(offset_of!(Node, pprev) == offset_of!(bindings::hlist_nulls_node, pprev));
    assert!(offset_of!(bindings::nf_conntrack_tuple_hash, hnnode) == 0);
};

const IS_NULLS: usize = 1;
const POISON: usize = 0x122 + 0xdead_0000_0000_0000;

impl Buckets {
    /// Allocates an array of `size` (a power of two, at least [`LOCKS`])
    /// buckets. May sleep.
    pub fn new(size: u32, generation: u32) -> Option<NonNull<Buckets>> {
        let bytes = (size as usize).checked_mul(size_of::<Link>())?;
        // SAFETY: A plain allocation, zeroed.
        let heads = NonNull::new(unsafe { bindings::table_alloc(bytes) })?.cast::<Link>();
        // SAFETY: As above.
        let header = unsafe { bindings::table_alloc(size_of::<Buckets>()) };
        let Some(header) = NonNull::new(header.cast::<Buckets>()) else {
            // SAFETY: Allocated above; nobody else has it.
            unsafe { bindings::kvfree(heads.as_ptr().cast()) };
            return None;
        };
        // SAFETY: The memory is ours and large enough.
        let buckets = unsafe {
            header.write(Buckets {
                heads,
                mask: size.wrapping_sub(1),
                generation,
                next: AtomicPtr::new(null_mut()),
            });
            header.as_ref()
        };
        for bucket in 0..size {
            buckets
                .head(bucket)
                .store(buckets.marker(bucket), Ordering::Relaxed);
        }
        Some(header)
    }

    /// Frees the array at once.
    ///
    /// # Safety
    ///
    /// No reader can still have it.
    pub unsafe fn free(this: NonNull<Buckets>) {
        // SAFETY: Both allocated in `new`, by the safety requirement unused.
        unsafe {
            bindings::kvfree(this.as_ref().heads.as_ptr().cast());
            bindings::kvfree(this.as_ptr().cast());
        }
    }

    /// Number of buckets.
    #[inline]
    pub fn size(&self) -> u32 {
        self.mask.wrapping_add(1)
    }

    /// The head of the chain that `hash` is in.
    #[inline]
    fn head(&self, hash: u32) -> &Link {
        // SAFETY: By the type invariant; the masked hash is below the heads' number.
        unsafe { self.heads.add((hash & self.mask) as usize).as_ref() }
    }

    /// The marker at the end of the chain that `hash` is in.
    #[inline]
    fn marker(&self, hash: u32) -> usize {
        let value = ((self.generation as usize) << 32) | (hash & self.mask) as usize;
        (value << 1) | IS_NULLS
    }

    /// The first head, as C's `nf_conntrack_hash`.
    pub fn heads(&self) -> *mut bindings::hlist_nulls_head {
        self.heads.as_ptr().cast()
    }

    #[inline]
    fn next(&self) -> Option<&Buckets> {
        // SAFETY: A successor is freed only after a grace period that begins
        // when this array is no longer reachable.
        unsafe { self.next.load(Ordering::Acquire).as_ref() }
    }
}

/// An entry of a chain: one direction of a connection.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// The connection.
    pub conn: &'a Conn,
    /// The direction whose tuple hashes here.
    pub direction: Direction,
}

/// # Safety
///
/// `link` is no nulls marker, and was read under RCU or the bucket's lock.
#[inline]
unsafe fn entry<'a>(link: usize) -> Entry<'a> {
    let hash = link as *const bindings::nf_conntrack_tuple_hash;
    // SAFETY: Nodes in chains are `tuplehash` members of connections, which are
    // type-stable under RCU.
    unsafe {
        let index = (*hash).tuple.dst.dir & 1;
        let first = hash.sub(index as usize);
        let conn = first
            .cast::<u8>()
            .sub(offset_of!(bindings::nf_conn, tuplehash))
            .cast::<bindings::nf_conn>();
        Entry {
            conn: Conn::from_raw(conn),
            direction: if index == 0 {
                Direction::Original
            } else {
                Direction::Reply
            },
        }
    }
}

/// # Safety
///
/// As for [`entry`].
#[inline]
unsafe fn node_at<'a>(link: usize) -> &'a Node {
    // SAFETY: A link that is no marker is the address of a node, in memory that
    // is type-stable under RCU; shared access to it is atomic.
    unsafe { &*(link as *const Node) }
}

/// The tuple of an entry.
///
/// # Safety
///
/// As for [`entry`].
#[inline]
unsafe fn tuple_at<'a>(link: usize) -> &'a Tuple {
    let hash = link as *const bindings::nf_conntrack_tuple_hash;
    // SAFETY: As in `entry`; see `Conn::tuple`.
    super::tuple::from_c(unsafe { &(*hash).tuple })
}

#[inline]
fn node(conn: &Conn, direction: Direction) -> &Node {
    // SAFETY: `hnnode` is at the start of the tuple hash and laid out as
    // `Node`, see above; shared access to it is atomic.
    unsafe {
        let hashes = &(*conn.as_ptr()).tuplehash;
        &*core::ptr::from_ref(direction.of(hashes)).cast()
    }
}

/// What a lookup looks for.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    /// The tuple.
    pub tuple: &'a Tuple,
    /// The namespace.
    pub net: Net,
    /// The zone.
    pub zone: Zone,
}

impl Key<'_> {
    /// This entry is the one (`nf_ct_key_equal`).
    #[inline]
    pub fn matches(&self, entry: Entry<'_>) -> bool {
        same_tuple(self.tuple, entry.conn.tuple(entry.direction))
            && entry.conn.is_confirmed()
            && entry.conn.net() == self.net
            && entry.conn.zone().same_id(self.zone, entry.direction)
    }

    /// An entry of this tuple may be the one: ports, protocol and part of the
    /// destination are equal. Enough to tell entries of one chain apart, almost
    /// always.
    #[inline]
    fn resembles(&self, tuple: &Tuple) -> bool {
        let (a, b) = (tuple_words(self.tuple), tuple_words(tuple));
        // SAFETY: A tuple is five words long.
        unsafe {
            let word = |i| a.add(i).read_unaligned() ^ b.add(i).read_unaligned();
            (word(2) | (word(4) & DIRECTION_MASK)) == 0
        }
    }
}

/// Two tuples are equal, their direction aside.
#[inline]
pub fn same_tuple(a: &Tuple, b: &Tuple) -> bool {
    let (a, b) = (tuple_words(a), tuple_words(b));
    // SAFETY: A tuple is five words long. The direction is its last byte.
    unsafe {
        let word = |i| a.add(i).read_unaligned() ^ b.add(i).read_unaligned();
        (word(0) | word(1) | word(2) | word(3) | (word(4) & DIRECTION_MASK)) == 0
    }
}

/// Packets of `b` go back where those of `a` come from, in answer to them.
#[inline(always)]
pub fn mirrors(a: &Tuple, b: &Tuple) -> bool {
    const DST: usize = offset_of!(Tuple, dst);
    let ((a_src, a_dst, a_rest), (b_src, b_dst, b_rest)) = (a.ends(), b.ends());
    let ids = (a_src.raw() ^ b_dst.raw()) | (a_dst.raw() ^ b_src.raw()) | (a_rest ^ b_rest);
    let (a, b) = (tuple_words(a).cast::<u8>(), tuple_words(b).cast::<u8>());
    // SAFETY: Source and destination begin alike, with four words of an address.
    unsafe {
        let half = |x: *const u8, y: *const u8| {
            let word = |i: usize| {
                let (x, y) = (x.add(i).cast::<u64>(), y.add(i).cast::<u64>());
                x.read_unaligned() ^ y.read_unaligned()
            };
            word(0) | word(8)
        };
        (half(a, b.add(DST)) | half(a.add(DST), b) | u64::from(ids)) == 0
    }
}

#[inline]
fn tuple_words(tuple: &Tuple) -> *const u64 {
    core::ptr::from_ref(tuple).cast()
}

const _: () = assert!(size_of::<Tuple>() == 40);
const DIRECTION_MASK: u64 = u64::from_le(0x00ff_ffff_ffff_ffff);

/// The table.
pub struct Table {
    current: AtomicPtr<Buckets>,
    /// Bumped with every new array.
    generation: AtomicU32,
}

/// What a visitor of entries wants next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// The next entry.
    Continue,
    /// No more.
    Stop,
}

impl Table {
    /// A table without buckets; [`Self::start`] gives it some.
    #[allow(clippy::new_without_default)] // For statics only.
    pub const fn new() -> Self {
        Self {
            current: AtomicPtr::new(null_mut()),
            generation: AtomicU32::new(0),
        }
    }

    /// Gives the table its first array of buckets.
    pub fn start(&self, buckets: NonNull<Buckets>) {
        self.current.store(buckets.as_ptr(), Ordering::Release);
    }

    /// Takes the array of buckets away, to be freed.
    ///
    /// # Safety
    ///
    /// The table is empty and no longer used.
    pub unsafe fn stop(&self) -> Option<NonNull<Buckets>> {
        NonNull::new(self.current.swap(null_mut(), Ordering::AcqRel))
    }

    /// The array of buckets now; under RCU.
    #[inline]
    pub fn buckets(&self) -> &Buckets {
        // SAFETY: Set in `start` before anything else happens; replaced arrays
        // are freed a grace period later, and callers are under RCU.
        unsafe { &*self.current.load(Ordering::Acquire) }
    }

    /// Looks an entry up and takes a reference to its connection. Under RCU.
    ///
    /// `is_expired` is called with a matching entry, which is passed over if it
    /// says so.
    #[inline(always)]
    pub fn find(
        &self,
        hash: u32,
        key: &Key<'_>,
        mut is_expired: impl FnMut(&Conn) -> bool,
    ) -> Option<(ConnRef, Direction)> {
        let mut buckets = self.buckets();
        loop {
            let marker = buckets.marker(hash);
            let mut link = buckets.head(hash).load(Ordering::Acquire);
            while link & IS_NULLS == 0 {
                // SAFETY: Under RCU, and no marker.
                if key.resembles(unsafe { tuple_at(link) }) {
                    // SAFETY: As above.
                    let found = unsafe { entry(link) };
                    if !is_expired(found.conn) {
                        if let Some(conn) = found.conn.try_get() {
                            // Only now does it stay what it is.
                            if key.matches(found) {
                                return Some((conn, found.direction));
                            }
                        }
                    }
                }
                // SAFETY: As above.
                link = unsafe { node_at(link) }.next.load(Ordering::Acquire);
            }
            if link != marker {
                // Led off the chain by an entry that moved.
                key.net.count(Counter::SearchRestart);
                continue;
            }
            buckets = buckets.next()?;
        }
    }

    /// Calls `visit` for the entries in `hash`'s chains, in all arrays it can
    /// be in. Under RCU or the lock; without the lock an entry may be missed or
    /// met again if the table is changing size.
    #[inline]
    pub fn visit_chain<'a>(&'a self, hash: u32, mut visit: impl FnMut(Entry<'a>) -> Visit) {
        let mut next = Some(self.buckets());
        while let Some(buckets) = next {
            let mut link = buckets.head(hash).load(Ordering::Acquire);
            while link & IS_NULLS == 0 {
                // SAFETY: Under RCU or the lock, and no marker.
                let (found, this) = unsafe { (entry(link), node_at(link)) };
                link = this.next.load(Ordering::Acquire);
                if visit(found) == Visit::Stop {
                    return;
                }
            }
            next = buckets.next();
        }
    }

    /// Number of buckets, for [`Self::visit_bucket`]; under RCU.
    #[inline]
    pub fn size(&self) -> u32 {
        self.buckets().size()
    }

    /// Calls `visit` for the entries of a bucket, by its number, wherever they
    /// are while the table changes size. Under RCU, or exact with the lock that
    /// `lock(bucket, bucket)` takes.
    pub fn visit_bucket<'a>(&'a self, bucket: u32, mut visit: impl FnMut(Entry<'a>) -> Visit) {
        let current = self.buckets();
        let mut chain = |buckets: &'a Buckets, bucket: u32| {
            let mut link = buckets.head(bucket).load(Ordering::Acquire);
            while link & IS_NULLS == 0 {
                // SAFETY: Under RCU or the lock, and no marker.
                let (found, this) = unsafe { (entry(link), node_at(link)) };
                link = this.next.load(Ordering::Acquire);
                if visit(found) == Visit::Stop {
                    return Visit::Stop;
                }
            }
            Visit::Continue
        };
        if chain(current, bucket) == Visit::Stop {
            return;
        }
        let Some(next) = current.next() else { return };
        // The same hashes fill several buckets of a larger array; a smaller
        // array's buckets are visited with the first that fill them.
        let mut bucket = bucket;
        while bucket < next.size() {
            if chain(next, bucket) == Visit::Stop {
                return;
            }
            bucket = bucket.saturating_add(current.size());
        }
    }

    /// Locks the chains of two hashes.
    #[inline]
    pub fn lock(&self, first: u32, second: u32) -> LockedChains<'_> {
        let (a, b) = (first % LOCKS, second % LOCKS);
        let locks = (a.min(b), a.max(b));
        let plain = a == b && lock::are_bh_off();
        // SAFETY: Both numbers are below the number of locks, and the same
        // order is used everywhere.
        let bh = unsafe {
            if plain {
                lock::lock(lock_at(a));
                false
            } else {
                bindings::table_lock(locks.0, locks.1)
            }
        };
        LockedChains {
            plain,
            table: self,
            locks,
            bh,
        }
    }

    /// Replaces the array of buckets by `new`, bucket by bucket. May sleep;
    /// only one at a time. `publish` tells those who walk the array by
    /// themselves; the old array is freed a grace period after it returns.
    pub fn resize(&self, new: NonNull<Buckets>, publish: impl FnOnce(&Self)) {
        // SAFETY: Only this function replaces arrays, one at a time.
        let old = unsafe { &*self.current.load(Ordering::Acquire) };
        // SAFETY: Not yet shared, and kept until a later resize.
        let to = unsafe { new.as_ref() };
        old.next.store(new.as_ptr(), Ordering::Release);
        // Whoever holds a lock may not have seen the new array yet, and would
        // insert into the old one: buckets are moved under their lock, which
        // orders every later holder after the store above.
        for bucket in 0..old.size() {
            let guard = self.lock(bucket, bucket);
            while move_last(old.head(bucket), to, old.marker(bucket)) {}
            drop(guard);
            if bucket % 64 == 63 {
                // SAFETY: Process context, no lock held.
                unsafe { bindings::table_resched() };
            }
        }
        self.current.store(new.as_ptr(), Ordering::Release);
        publish(self);
        // SAFETY: Waits until no reader has the old array, then frees it; it is
        // no longer reachable.
        unsafe {
            bindings::synchronize_rcu();
            Buckets::free(NonNull::from(old));
        }
    }

    /// Takes every lock in turn: whoever holds one from here on began to after
    /// the call.
    pub fn pass_locks(&self) {
        for lock in 0..LOCKS {
            drop(self.lock(lock, lock));
        }
    }

    /// The first head and the number of buckets, with the resize lock held.
    pub fn first_head(&self) -> (*mut bindings::hlist_nulls_head, u32) {
        // SAFETY: Only a resize frees the array, and that needs the lock.
        let buckets = unsafe { &*self.current.load(Ordering::Acquire) };
        (buckets.heads(), buckets.size())
    }

    /// Number of buckets, in process context, with the resize lock held.
    pub fn size_now(&self) -> u32 {
        // SAFETY: Only a resize frees the array, and that needs the lock.
        unsafe { &*self.current.load(Ordering::Acquire) }.size()
    }

    /// Nothing is in a bucket just now; with the resize lock held.
    #[inline]
    pub fn is_bucket_empty(&self, bucket: u32) -> bool {
        // SAFETY: Only a resize frees the array, and that needs the lock.
        let buckets = unsafe { &*self.current.load(Ordering::Acquire) };
        buckets.head(bucket).load(Ordering::Relaxed) & IS_NULLS != 0
    }

    /// A number for the next array of buckets.
    pub fn next_generation(&self) -> u32 {
        self.generation
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_add(1)
            & 0x3fff_ffff
    }
}

/// Moves the last entry of a chain to the array `to`. The entry stays
/// reachable throughout: it is first led into its new chain, then cut off the
/// old one. Called with the chain's lock held.
fn move_last(head: &Link, to: &Buckets, marker: usize) -> bool {
    let mut at = head;
    let mut link = at.load(Ordering::Relaxed);
    if link & IS_NULLS != 0 {
        return false;
    }
    loop {
        // SAFETY: The lock is held, and no marker.
        let this = unsafe { entry(link) };
        let this_node = node(this.conn, this.direction);
        let next = this_node.next.load(Ordering::Relaxed);
        if next & IS_NULLS == 0 {
            at = &this_node.next;
            link = next;
            continue;
        }
        let new_head = to.head(this.conn.hash(this.direction));
        let first = new_head.load(Ordering::Relaxed);
        this_node.next.store(first, Ordering::Release);
        if first & IS_NULLS == 0 {
            // SAFETY: The lock is held, and no marker.
            unsafe { node_at(first) }.pprev.store(
                core::ptr::from_ref(&this_node.next) as usize,
                Ordering::Relaxed,
            );
        }
        new_head.store(link, Ordering::Release);
        this_node
            .pprev
            .store(core::ptr::from_ref(new_head) as usize, Ordering::Relaxed);
        at.store(marker, Ordering::Release);
        return true;
    }
}

/// One of the locks.
///
/// # Safety
///
/// `number` is below [`LOCKS`].
#[inline(always)]
unsafe fn lock_at(number: u32) -> *mut bindings::spinlock_t {
    let first = (&raw mut bindings::nf_conntrack_locks).cast::<bindings::spinlock_t>();
    // SAFETY: By the function's safety requirement.
    unsafe { first.add(number as usize) }
}

/// Chains whose locks are held.
pub struct LockedChains<'a> {
    table: &'a Table,
    locks: (u32, u32),
    /// One lock, taken in place.
    plain: bool,
    /// Bottom halves were on, and are off for the lock.
    bh: bool,
}

impl LockedChains<'_> {
    /// Calls `visit` for every entry `hash` can collide with. `hash` must be
    /// one of those locked for.
    #[inline]
    pub fn visit<'a>(&'a self, hash: u32, visit: impl FnMut(Entry<'a>) -> Visit) {
        debug_assert!(hash % LOCKS == self.locks.0 || hash % LOCKS == self.locks.1);
        self.table.visit_chain(hash, visit);
    }

    /// The entry that a key is of, if there is one; else the length of the chain.
    /// `hash` must be the key's, and one of those locked for.
    #[inline(always)]
    pub fn find<'a>(&'a self, hash: u32, key: &Key<'_>) -> Result<Entry<'a>, u32> {
        let mut length = 0u32;
        let mut next = Some(self.table.buckets());
        while let Some(buckets) = next {
            let mut link = buckets.head(hash).load(Ordering::Acquire);
            while link & IS_NULLS == 0 {
                // SAFETY: Under the lock, and no marker.
                if key.resembles(unsafe { tuple_at(link) }) {
                    // SAFETY: As above.
                    let found = unsafe { entry(link) };
                    if key.matches(found) {
                        return Ok(found);
                    }
                }
                length = length.wrapping_add(1);
                // SAFETY: As above.
                link = unsafe { node_at(link) }.next.load(Ordering::Acquire);
            }
            next = buckets.next();
        }
        Err(length)
    }

    /// Inserts one direction of a connection. The caller's reference becomes
    /// the table's once both directions are in.
    #[inline]
    pub fn insert(&self, conn: &Conn, direction: Direction, hash: u32) {
        let mut buckets = self.table.buckets();
        while let Some(next) = buckets.next() {
            buckets = next;
        }
        conn.set_hash(direction, hash);
        let head = buckets.head(hash);
        let this = node(conn, direction);
        let address = core::ptr::from_ref(this) as usize;
        let first = head.load(Ordering::Relaxed);
        this.next.store(first, Ordering::Relaxed);
        this.pprev
            .store(core::ptr::from_ref(head) as usize, Ordering::Relaxed);
        if first & IS_NULLS == 0 {
            // SAFETY: The lock is held, and no marker.
            unsafe { node_at(first) }
                .pprev
                .store(core::ptr::from_ref(&this.next) as usize, Ordering::Relaxed);
        }
        head.store(address, Ordering::Release);
    }

    /// Removes one direction of a connection, if it is in a chain. Readers that
    /// stand on it find their way on.
    #[inline]
    pub fn remove(&self, conn: &Conn, direction: Direction) {
        let this = node(conn, direction);
        let pprev = this.pprev.load(Ordering::Relaxed);
        if pprev == POISON || pprev == 0 {
            return;
        }
        let next = this.next.load(Ordering::Relaxed);
        // SAFETY: The lock of this chain is held, so `pprev` is the address of
        // the link that points here: a head or another node's `next`.
        unsafe { &*(pprev as *const Link) }.store(next, Ordering::Release);
        if next & IS_NULLS == 0 {
            // SAFETY: The lock is held, and no marker.
            unsafe { node_at(next) }
                .pprev
                .store(pprev, Ordering::Relaxed);
        }
        this.pprev.store(POISON, Ordering::Relaxed);
    }

    /// Marks one direction as in no chain, so that [`Self::remove`] passes over
    /// it.
    #[inline]
    pub fn leave_out(&self, conn: &Conn, direction: Direction, hash: u32) {
        conn.set_hash(direction, hash);
        node(conn, direction).pprev.store(POISON, Ordering::Relaxed);
    }
}

impl Drop for LockedChains<'_> {
    #[inline]
    fn drop(&mut self) {
        let (a, b) = self.locks;
        // SAFETY: Locked in `Table::lock`, by this guard.
        unsafe {
            if self.plain {
                lock::unlock(lock_at(a));
            } else {
                bindings::table_unlock(a, b, self.bh);
            }
        }
    }
}
