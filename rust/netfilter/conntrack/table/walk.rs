// SPDX-License-Identifier: GPL-2.0

//! Walking the table, with pauses, while it changes.
//!
//! A walk shows every connection that is in the table all the time exactly once,
//! whatever is inserted, removed or resized meanwhile, and holds nothing between
//! two calls. That follows from the order: entries come by the bits of their
//! hash from the lowest up, then by address. An entry has its place in this
//! order for life. What a bucket of a table of any size holds is a range of it,
//! so a position means the same before and after a resize.

use super::{Buckets, Entry, Link, Table, Visit, IS_NULLS};
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
        let span = END
            .checked_div(u64::from(mask).wrapping_add(1))
            .unwrap_or(END);
        Position {
            reversed: (self.reversed & !span.wrapping_sub(1)).wrapping_add(span),
            address: 0,
        }
    }
}

/// How many connections are referred to at a time.
const BATCH: usize = 8;

/// Empty classes of hashes that are passed over at a time.
const EMPTY: u32 = 256;

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
    /// `choose` is called with a chain's lock held, and must not sleep; `visit`
    /// without any lock.
    pub fn run(
        &mut self,
        table: &Table,
        mut choose: impl FnMut(&Conn) -> bool,
        mut visit: impl FnMut(&Conn) -> Visit,
    ) -> bool {
        let mut passed = 0u32;
        while !self.position.is_end() {
            if let Some(mut batch) = self.next_batch(table, &mut choose) {
                for slot in &mut batch.refs {
                    let Some((position, conn)) = slot.take() else {
                        break;
                    };
                    if visit(&conn) == Visit::Stop {
                        return false;
                    }
                    self.position = position;
                }
                self.position = batch.next.unwrap_or(self.position);
            }
            passed = passed.wrapping_add(1);
            if passed % PAUSE == 0 {
                work::resched();
            }
        }
        true
    }

    /// The next connections, of those with one class of hashes: the class is
    /// that of one bucket, in the smaller table if the table is just changing
    /// its size. If there is none, the position is a later class's.
    fn next_batch(
        &mut self,
        table: &Table,
        choose: &mut impl FnMut(&Conn) -> bool,
    ) -> Option<Batch> {
        let _rcu = kernel::sync::rcu::read_lock();
        let mut passed = 0u32;
        let hash = loop {
            let hash = self.position.hash();
            let class = Class::now(table, hash);
            if !class.is_empty() {
                break hash;
            }
            self.position = self.position.next_class(class.mask);
            passed = passed.wrapping_add(1);
            if passed == EMPTY || self.position.is_end() {
                return None;
            }
        };
        let _lock = table.lock(hash, hash);
        // Entries do not move while their lock is held; what the size was
        // before does not count.
        let class = Class::now(table, hash);
        let found = Nearest::new();
        class.visit(|entry| {
            if entry.direction == self.direction && choose(entry.conn) {
                let position = Position::of(entry);
                if position > self.position {
                    found.offer(position, entry.conn);
                }
            }
        });
        let next = self.position.next_class(class.mask);
        let batch = found.into_batch(next);
        if batch.is_none() {
            self.position = next;
        }
        batch
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

    /// The heads of an array's chains that hold the class.
    fn heads<'b>(&'b self, array: &'b Buckets) -> impl Iterator<Item = &'b Link> {
        let step = self.mask.wrapping_add(1);
        let mut bucket = Some(self.hash & self.mask);
        core::iter::from_fn(move || {
            let this = bucket.filter(|bucket| *bucket <= array.mask)?;
            bucket = this.checked_add(step);
            Some(array.head(this))
        })
    }

    /// Nothing is in it just now. What moves is in the new array before it
    /// leaves the old one.
    fn is_empty(&self) -> bool {
        let is_empty = |array| {
            self.heads(array)
                .all(|head| head.load(Ordering::Acquire) & IS_NULLS != 0)
        };
        is_empty(self.arrays.0) && self.arrays.1.is_none_or(is_empty)
    }

    /// With the lock.
    fn visit(&self, mut visit: impl FnMut(Entry<'a>)) {
        let mut chain = |head: &Link| {
            let mut link = head.load(Ordering::Relaxed);
            while link & IS_NULLS == 0 {
                // SAFETY: The lock is held, and no marker.
                let found = unsafe { super::entry(link) };
                link = super::node(found.conn, found.direction)
                    .next
                    .load(Ordering::Relaxed);
                visit(found);
            }
        };
        self.heads(self.arrays.0).for_each(&mut chain);
        if let Some(next) = self.arrays.1 {
            self.heads(next).for_each(&mut chain);
        }
    }
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
                Some(present) if offered.0 < present.0 => {
                    slot.set(Some(offered));
                    offered = present;
                }
                Some(_) => {}
            }
        }
        self.has_more.set(true);
    }

    /// With references, while the lock is still held.
    fn into_batch(self, next: Position) -> Option<Batch> {
        self.slots.first()?.get()?;
        Some(Batch {
            refs: self
                .slots
                .map(|slot| slot.get().map(|(position, conn)| (position, conn.get()))),
            next: (!self.has_more.get()).then_some(next),
        })
    }
}

/// Connections in their order, each with a reference.
struct Batch {
    refs: [Option<(Position, ConnRef)>; BATCH],
    /// Where the walk goes on, if that was all of the class.
    next: Option<Position>,
}
