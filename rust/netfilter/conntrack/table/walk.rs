// SPDX-License-Identifier: GPL-2.0

//! Walking the table, with pauses, while it changes.
//!
//! A walk shows every connection that is in the table all the time exactly once,
//! whatever is inserted, removed or resized meanwhile, and holds nothing between
//! two calls. That follows from the order: entries come by the bits of their
//! hash from the lowest up, then by address. An entry has its place in this
//! order for life. What a bucket of a table of any size holds is a range of it,
//! so a position means the same before and after a resize.

use super::{Buckets, Entry, Table, Visit, IS_NULLS};
use crate::conntrack::{work, Conn, ConnRef};
use core::{cell::Cell, sync::atomic::Ordering};
use nf_proto::tuple::Direction;

/// A place in the order of entries. It refers to nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The hash, its bits reversed; 2^32 is the end.
    reversed: u64,
    /// The connection's address, as a number.
    address: usize,
}

const END: u64 = 1 << 32;

impl Position {
    /// Before all entries.
    pub const START: Position = Position {
        reversed: 0,
        address: 0,
    };

    fn of(entry: Entry<'_>) -> Self {
        Position {
            reversed: entry.conn.hash(entry.direction).reverse_bits().into(),
            address: entry.conn.as_ptr() as usize,
        }
    }

    /// After all entries.
    pub fn is_end(self) -> bool {
        self.reversed >= END
    }

    /// The hash that this place is at.
    fn hash(self) -> u32 {
        (self.reversed as u32).reverse_bits()
    }

    /// The first place after those whose hashes agree with this one's in the
    /// bits of `mask`, which is one below a power of two.
    fn next_class(self, mask: u32) -> Self {
        self.after_classes(1, mask)
    }

    /// The first place after so many classes, of which its own is the first.
    fn after_classes(self, classes: u64, mask: u32) -> Self {
        let span = END
            .checked_div(u64::from(mask).wrapping_add(1))
            .unwrap_or(END);
        let here = self.reversed & !span.wrapping_sub(1);
        Position {
            reversed: here.wrapping_add(classes.wrapping_mul(span)),
            address: 0,
        }
    }
}

/// How many connections are referred to at a time.
const BATCH: usize = 8;

/// Buckets that are looked through at a time.
const BUCKETS: u64 = 256;

/// How often so much is done before others may run.
const PAUSE: u32 = 16;

/// A walk over connections that have an entry of one direction.
pub struct Walk {
    position: Position,
    direction: Direction,
}

impl Walk {
    /// Begins a walk: by original entries, which all connections have but those
    /// that only answers find (`NAT_CLASH`), or by reply entries.
    pub const fn new(direction: Direction) -> Self {
        Walk {
            position: Position::START,
            direction,
        }
    }

    /// Goes on until `visit` says stop (then the connection that it stopped at
    /// comes again next time), or to the end: true. Process context; others may
    /// run meanwhile.
    ///
    /// `choose` is called under RCU, and must not sleep; it may be asked about a
    /// connection that is just becoming another one, and is asked again when
    /// that can no longer be. `visit` is called without any lock, with a
    /// reference held.
    pub fn run(
        &mut self,
        table: &Table,
        mut choose: impl FnMut(&Conn) -> bool,
        mut visit: impl FnMut(&Conn) -> Visit,
    ) -> bool {
        let mut passed = 0u32;
        while !self.position.is_end() {
            if let Some(batch) = self.next_batch(table, &mut choose) {
                for (position, conn) in batch.refs.into_iter().flatten() {
                    if visit(&conn) == Visit::Stop {
                        return false;
                    }
                    self.position = position;
                }
                self.position = batch.next;
            }
            passed = passed.wrapping_add(1);
            if passed % PAUSE == 0 {
                work::resched();
            }
        }
        true
    }

    /// The next connections, of those with some classes of hashes: a class is
    /// that of one bucket, in the smaller table if the table is just changing
    /// its size. If there is none, the position is a later class's.
    fn next_batch(
        &mut self,
        table: &Table,
        choose: &mut impl FnMut(&Conn) -> bool,
    ) -> Option<Batch> {
        let _rcu = kernel::sync::rcu::read_lock();
        let found = Nearest::new();
        let mut lock = None;
        let next = self.scan(table, choose, &found).unwrap_or_else(|| {
            // Entries do not move while their lock is held.
            let hash = self.position.hash();
            lock = Some(table.lock(hash, hash));
            let class = Class::now(table, hash);
            found.clear();
            class.visit(self.offering(choose, &found));
            self.position.next_class(class.mask)
        });
        if found.is_empty() {
            self.position = next;
            return None;
        }
        let batch = self.refer(found, next, choose);
        drop(lock);
        Some(batch)
    }

    /// Looks through buckets without a lock until enough is found: the place
    /// after the last of them. Nothing if the table is changing its size or an
    /// entry moved, so that some may have been missed.
    fn scan<'a>(
        &self,
        table: &'a Table,
        choose: &mut impl FnMut(&Conn) -> bool,
        found: &Nearest<'a>,
    ) -> Option<Position> {
        let buckets = table.buckets();
        if buckets.next().is_some() {
            return None;
        }
        let mut offer = self.offering(choose, found);
        let mut bucket = self.position.hash() & buckets.mask;
        let mut passed = 0u64;
        while passed < BUCKETS && !found.is_full() {
            if !visit_chain(buckets, bucket, &mut offer) {
                return None;
            }
            passed = passed.wrapping_add(1);
            match next_bucket(bucket, buckets.mask) {
                0 => break,
                next => bucket = next,
            }
        }
        // What was moved meanwhile is where it was not looked for.
        if buckets.next().is_some() {
            return None;
        }
        Some(self.position.after_classes(passed, buckets.mask))
    }

    /// Adds entries that are chosen and beyond the position to what was found.
    fn offering<'a, 'b>(
        &'b self,
        choose: &'b mut impl FnMut(&Conn) -> bool,
        found: &'b Nearest<'a>,
    ) -> impl FnMut(Entry<'a>) + 'b
    where
        'a: 'b,
    {
        |entry| {
            if entry.direction == self.direction && choose(entry.conn) {
                let position = Position::of(entry);
                if position > self.position {
                    found.offer(position, entry.conn);
                }
            }
        }
    }

    /// Takes references, and looks again what it is that they were taken to.
    fn refer(
        &self,
        found: Nearest<'_>,
        next: Position,
        choose: &mut impl FnMut(&Conn) -> bool,
    ) -> Batch {
        let mut last = self.position;
        let has_more = found.has_more.get();
        let refs = found.slots.map(|slot| {
            let (position, conn) = slot.get()?;
            last = position;
            let conn = conn.try_get()?;
            let direction = self.direction;
            let is_same = Position::of(Entry {
                conn: &conn,
                direction,
            }) == position;
            (is_same && conn.is_confirmed() && !conn.is_dying() && choose(&conn))
                .then_some((position, conn))
        });
        Batch {
            refs,
            next: if has_more { last } else { next },
        }
    }
}

/// The buckets of hashes that agree in their low bits: one in the smaller of the
/// arrays that there are.
struct Class<'a> {
    arrays: (&'a Buckets, Option<&'a Buckets>),
    hash: u32,
    mask: u32,
}

impl<'a> Class<'a> {
    /// Under RCU.
    fn now(table: &'a Table, hash: u32) -> Self {
        let current = table.buckets();
        let next = current.next();
        Class {
            arrays: (current, next),
            hash,
            mask: next.map_or(current.mask, |next| current.mask.min(next.mask)),
        }
    }

    /// Visits all that is in it. With the lock.
    fn visit(&self, mut visit: impl FnMut(Entry<'a>)) {
        // All buckets of an array that hold the class: of the smaller one, one.
        let mut array = |array: &'a Buckets| {
            let mut bucket = self.hash & self.mask;
            while bucket <= array.mask {
                visit_chain(array, bucket, &mut visit);
                bucket = bucket.wrapping_add(self.mask).wrapping_add(1);
            }
        };
        let (current, next) = self.arrays;
        array(current);
        if let Some(next) = next {
            array(next);
        }
    }
}

/// The bucket after this one, by its bits from the lowest up; after the last one
/// 0. That is to add one at the highest bit and to carry downwards.
#[inline]
fn next_bucket(bucket: u32, mask: u32) -> u32 {
    match (!bucket & mask).checked_ilog2() {
        Some(highest) => {
            let bit = 1u32.wrapping_shl(highest);
            bucket & bit.wrapping_sub(1) | bit
        }
        None => 0,
    }
}

/// Visits a chain, under RCU or with its lock. False if it was led off the chain
/// by an entry that moved, which cannot be with the lock.
#[inline]
fn visit_chain<'a>(buckets: &'a Buckets, bucket: u32, visit: &mut impl FnMut(Entry<'a>)) -> bool {
    let mut link = buckets.head(bucket).load(Ordering::Acquire);
    while link & IS_NULLS == 0 {
        // SAFETY: Under RCU, and no marker.
        let found = unsafe { super::entry(link) };
        link = super::node(found.conn, found.direction)
            .next
            .load(Ordering::Acquire);
        visit(found);
    }
    link == buckets.marker(bucket)
}

/// The first so many connections by position.
struct Nearest<'a> {
    slots: [Cell<Option<(Position, &'a Conn)>>; BATCH],
    has_more: Cell<bool>,
}

impl<'a> Nearest<'a> {
    fn new() -> Self {
        Nearest {
            slots: [const { Cell::new(None) }; BATCH],
            has_more: Cell::new(false),
        }
    }

    fn offer(&self, position: Position, conn: &'a Conn) {
        let mut offered = (position, conn);
        for slot in &self.slots {
            match slot.get() {
                None => {
                    slot.set(Some(offered));
                    return;
                }
                // An entry that goes and comes back into its chain leads to what
                // was met before.
                Some(present) if offered.0 == present.0 => return,
                Some(present) if offered.0 < present.0 => {
                    slot.set(Some(offered));
                    offered = present;
                }
                Some(_) => {}
            }
        }
        self.has_more.set(true);
    }

    fn is_empty(&self) -> bool {
        self.slots.first().is_none_or(|slot| slot.get().is_none())
    }

    fn is_full(&self) -> bool {
        self.slots.last().is_none_or(|slot| slot.get().is_some())
    }

    fn clear(&self) {
        for slot in &self.slots {
            slot.set(None);
        }
        self.has_more.set(false);
    }
}

/// Connections in their order, each with a reference.
struct Batch {
    refs: [Option<(Position, ConnRef)>; BATCH],
    /// Where the walk goes on after them.
    next: Position,
}
