// SPDX-License-Identifier: GPL-2.0

//! Garbage collection: walks the table at its ease and removes what has
//! expired, and, when the table was full, what can be spared.

use crate::{delete, expect, proto, resize, store::TABLE};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use netfilter::conntrack::{
    conn::now,
    settings,
    table::{Entry, Visit},
    work, Conn, Status, HZ,
};
use nf_proto::{l4::Jiffies, tuple::Direction};

/// Buckets that one RCU read section covers.
const BATCH: u32 = 32;

/// The longest a run may take before it lets others work.
const MAX_RUN: Jiffies = HZ / 100;

/// The shortest and the longest time between two walks of the table.
const INTERVAL: (Jiffies, Jiffies) = (HZ, 60 * HZ);

/// Where the walk is; only the one work item touches it.
pub struct Walk {
    bucket: AtomicU32,
    entries: AtomicU32,
    started: AtomicU32,
    expired: AtomicU32,
}

static WALK: Walk = Walk {
    bucket: AtomicU32::new(0),
    entries: AtomicU32::new(0),
    started: AtomicU32::new(0),
    expired: AtomicU32::new(0),
};

static PRESSED: AtomicBool = AtomicBool::new(false);

/// The table is full: the next walk removes what can be spared.
pub fn press() {
    if !PRESSED.load(Ordering::Relaxed) {
        PRESSED.store(true, Ordering::Relaxed);
    }
}

/// One run of the work item; returns after how many jiffies to run again.
/// Process context.
pub fn run() -> Jiffies {
    let start = now();
    let mut bucket = WALK.bucket.load(Ordering::Relaxed);
    if bucket == 0 {
        WALK.started.store(start, Ordering::Relaxed);
        WALK.entries.store(0, Ordering::Relaxed);
        WALK.expired.store(0, Ordering::Relaxed);
    }
    let spare = PRESSED
        .load(Ordering::Relaxed)
        .then(|| settings::max() / 100 * 95)
        .filter(|limit| *limit != 0);
    loop {
        let end = {
            let _rcu = kernel::sync::rcu::read_lock();
            let size = TABLE.size();
            let end = bucket.saturating_add(BATCH).min(size);
            while bucket < end {
                TABLE.visit_bucket(bucket, |entry| visit(entry, spare));
                bucket = bucket.saturating_add(1);
            }
            bucket >= size
        };
        work::resched();
        if end {
            break;
        }
        if now().wrapping_sub(start) > MAX_RUN {
            WALK.bucket.store(bucket, Ordering::Relaxed);
            return 1;
        }
    }
    WALK.bucket.store(0, Ordering::Relaxed);
    PRESSED.store(false, Ordering::Relaxed);
    resize::consider(WALK.entries.load(Ordering::Relaxed));
    pause()
}

/// The more of the last walk's entries had expired, the sooner the next one.
fn pause() -> Jiffies {
    let (least, most) = INTERVAL;
    let entries = WALK.entries.load(Ordering::Relaxed).max(1);
    let expired = WALK.expired.load(Ordering::Relaxed).min(entries);
    // 5 % expired in a second means the shortest pause.
    let live = entries.saturating_sub(expired.saturating_mul(20).min(entries));
    let share = u64::from(live).wrapping_mul(u64::from(most.wrapping_sub(least)));
    let wanted = least.wrapping_add(share.checked_div(u64::from(entries)).unwrap_or(0) as u32);
    // The walk itself took its time already.
    let taken = now().wrapping_sub(WALK.started.load(Ordering::Relaxed));
    wanted.saturating_sub(taken).max(1)
}

fn visit(entry: Entry<'_>, spare: Option<u32>) -> Visit {
    let conn = entry.conn;
    // Every entry counts for the table's size. The rest looks at the reply
    // direction, the one that every connection has in the table.
    WALK.entries.fetch_add(1, Ordering::Relaxed);
    if entry.direction == Direction::Original {
        return Visit::Continue;
    }
    if conn.is_expired(now()) {
        WALK.expired.fetch_add(2, Ordering::Relaxed);
        delete::collect(conn);
        return Visit::Continue;
    }
    if spare.is_none() && !conn.status().has(Status::HELPER) {
        return Visit::Continue;
    }
    // Met without a reference: it may be another connection by now, or its
    // namespace gone.
    let Some(conn) = conn.try_get() else {
        return Visit::Continue;
    };
    let status = conn.status();
    if !status.has(Status::CONFIRMED) || status.has(Status::DYING) {
        return Visit::Continue;
    }
    if status.has(Status::HELPER) {
        expect::gc(&conn);
    }
    let crowded =
        spare.is_some_and(|limit| conn.net().connections().load(Ordering::Relaxed) as u32 >= limit);
    if crowded && can_spare(&conn) {
        delete::kill(&conn);
    }
    Visit::Continue
}

fn can_spare(conn: &Conn) -> bool {
    !conn.status().has(Status::ASSURED) || proto::can_early_drop(conn)
}
