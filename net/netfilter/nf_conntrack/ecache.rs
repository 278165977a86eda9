// SPDX-License-Identifier: GPL-2.0

//! Events: collected while a packet is handled, reported once at its end.
//!
//! What the listener has no room for is reported again with the next event of
//! the connection; its end, after which there is none, until it gets through.

use core::sync::atomic::Ordering;
use netfilter::conntrack::{
    conn::now,
    ecache::{self as raw, Cache, Dying},
    work, Conn, Net, HZ,
};
use nf_bindings::{gfp_t, GFP_ATOMIC};
use nf_proto::l4::Jiffies;

pub use netfilter::conntrack::ecache::{Event, ExpectEvent};

/// The listener had no room for the event.
pub struct NotDelivered;

/// Memory is short.
pub struct NoRoom;

const OFF: u8 = 0;
const ON: u8 = 1;
/// While somebody listens.
const AUTOMATIC: u8 = 2;

/// `nf_conntrack_events` of a new namespace.
pub const DEFAULT: u8 = AUTOMATIC;

/// After how many jiffies a report is tried again: when it first failed, and
/// when it failed again.
const RETRY: (Jiffies, Jiffies) = (HZ, HZ.div_ceil(100));

/// The longest that the work may take at a time, in jiffies.
const MAX_RUN: Jiffies = HZ.div_ceil(100);

/// The connection may have events to report.
#[inline]
pub fn exists(conn: &Conn) -> bool {
    Cache::of(conn).is_some()
}

/// Notes an event, to be reported when the packet has been handled.
#[inline]
pub fn cache(conn: &Conn, event: Event) {
    if !raw::is_heard(conn.net()) {
        return;
    }
    let Some(cache) = Cache::of(conn) else { return };
    // The time is that of the first event, not of the last.
    if cache.waiting().load(Ordering::Relaxed) == 0 {
        cache.restamp();
    }
    cache
        .waiting()
        .fetch_or(event.bit().into(), Ordering::AcqRel);
}

/// Reports what was noted, and what could not be reported before. Bottom halves
/// are off.
#[inline]
pub fn deliver(conn: &Conn) {
    let Some(cache) = Cache::of(conn) else { return };
    // Most packets have none: what is only read stays shared between CPUs. Who
    // is noting one right now will be here with a packet of his own.
    if cache.waiting().load(Ordering::Relaxed) == 0 && cache.missed().load(Ordering::Relaxed) == 0 {
        return;
    }
    if !conn.is_confirmed() || conn.is_dying() {
        return;
    }
    let events = cache.waiting().swap(0, Ordering::AcqRel) as u32;
    let missed = cache.missed().load(Ordering::Relaxed);
    tell(conn, cache, events, missed, 0, 0);
}

/// Reports an event at once. `portid` is the netlink port that caused it, or 0;
/// `report` whether this port wants to hear of it.
#[inline]
pub fn report(conn: &Conn, event: Event, portid: u32, report: i32) -> Result<(), NotDelivered> {
    if report_mask(conn, event.bit(), portid, report) < 0 {
        Err(NotDelivered)
    } else {
        Ok(())
    }
}

/// [`report`] for several events, a bit each; returns what the listener says.
pub fn report_mask(conn: &Conn, events: u32, portid: u32, report: i32) -> i32 {
    let Some(cache) = Cache::of(conn) else {
        return 0;
    };
    if !conn.is_confirmed() {
        return 0;
    }
    let destroyer = cache.destroyer().load(Ordering::Relaxed);
    // Of an end that is reported again, only that.
    let missed = match destroyer {
        0 => cache.missed().load(Ordering::Relaxed),
        _ => 0,
    };
    let portid = if destroyer != 0 { destroyer } else { portid };
    cache.restamp();
    let answer = tell(conn, cache, events, missed, portid, report);
    if answer < 0 && events & Event::Destroy.bit() != 0 && destroyer == 0 && portid != 0 {
        cache.destroyer().store(portid, Ordering::Relaxed);
    }
    answer
}

fn tell(conn: &Conn, cache: Cache<'_>, events: u32, missed: u32, portid: u32, report: i32) -> i32 {
    let all = events | missed;
    if all & u32::from(cache.connection_events()) == 0 {
        return 0;
    }
    let Some(answer) = raw::notify(conn, all, portid, report) else {
        return 0;
    };
    if answer < 0 {
        cache.missed().fetch_or(events, Ordering::AcqRel);
    } else if missed != 0 {
        cache.missed().fetch_and(!missed, Ordering::AcqRel);
    }
    answer
}

/// Tells of an event of an expectation.
///
/// # Safety
///
/// As for `netfilter::conntrack::ecache::notify_expect`: the expectation is
/// valid, has a master, and its lock is held.
pub use netfilter::conntrack::ecache::notify_expect as expect_event;

/// Gives a new connection what its template or the namespace's setting says.
#[inline]
pub fn init(conn: &Conn, template: Option<&Conn>) -> Result<(), NoRoom> {
    let wanted = template
        .and_then(Cache::of)
        .map(|cache| (cache.connection_events(), cache.expectation_events()));
    if wanted.is_none() && conn.net().events() == OFF {
        return Ok(());
    }
    let (connection, expectation) = wanted.unwrap_or((0, 0));
    add(conn, connection, expectation, GFP_ATOMIC)
}

/// Has the connection's events reported, by masks of what is wanted; without
/// any, by the namespace's setting.
pub fn add(conn: &Conn, connection: u16, expectation: u16, gfp: gfp_t) -> Result<(), NoRoom> {
    let named = connection != 0 || expectation != 0;
    match conn.net().events() {
        // What a rule names counts even then.
        OFF if named => {}
        AUTOMATIC if raw::has_listener() => {}
        ON => {}
        _ => return Ok(()),
    }
    let (connection, expectation) = if named {
        (connection, expectation)
    } else {
        (u16::MAX, u16::MAX)
    };
    match Cache::add(conn, connection, expectation, gfp) {
        Some(_) => Ok(()),
        None => Err(NoRoom),
    }
}

/// Keeps a connection that has left the table, with the table's reference,
/// until its end can be reported.
pub fn add_dying(conn: &Conn) {
    Dying::of(conn.net()).add(conn);
}

/// Why the work should run.
pub enum Retry {
    /// A report failed.
    Failed,
    /// A report succeeded again.
    Sent,
}

/// Has the reports tried again that failed.
pub fn retry_later(net: Net, why: Retry) {
    let dying = Dying::of(net);
    match why {
        Retry::Failed => {
            dying.run_in(RETRY.0);
            raw::set_pending(net, true);
        }
        Retry::Sent if dying.is_empty() => raw::set_pending(net, false),
        Retry::Sent => dying.run_now(),
    }
}

/// Some reports of the namespace failed, and were not made since.
#[inline]
pub fn retry_pending(net: Net) -> bool {
    raw::is_pending(net)
}

/// One run of the work item: after how many jiffies it is to run again, if
/// something is left. Process context.
pub fn run(mut dying: Dying<'_>) -> Option<Jiffies> {
    let start = now();
    while let Some(conn) = dying.first() {
        if report(&conn, Event::Destroy, 0, 0).is_err() {
            return Some(RETRY.1);
        }
        conn.remove();
        if now().wrapping_sub(start) > MAX_RUN {
            return Some(0);
        }
        work::resched();
    }
    None
}

/// Prepares a new namespace.
pub fn pernet_init(net: Net) {
    raw::start(net);
}

/// Ends a namespace that has no connection any more. May sleep.
pub fn pernet_exit(net: Net) {
    raw::stop(net);
}
