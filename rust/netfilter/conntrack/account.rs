// SPDX-License-Identifier: GPL-2.0

//! Counters, timestamps and labels of a connection: the extensions that hold
//! nothing but numbers.

use super::{ext, Conn};
use core::sync::atomic::{AtomicU64, Ordering};
use nf_bindings as bindings;
use nf_proto::tuple::Direction;

/// Gives a new connection what the namespace's settings say: counters,
/// timestamps, labels. Without memory it goes without.
#[inline]
pub fn init(conn: &Conn) {
    let net = conn.net();
    if net.accounting() {
        ext::add_ext::<bindings::nf_conn_acct>(conn);
    }
    if net.timestamps() {
        ext::add_ext::<bindings::nf_conn_tstamp>(conn);
    }
    if net.labels_used() {
        ext::add_ext::<bindings::nf_conn_labels>(conn);
    }
}

#[inline]
fn counters(conn: &Conn, direction: Direction) -> Option<(&AtomicU64, &AtomicU64)> {
    let acct = conn.ext::<bindings::nf_conn_acct>()?.as_ptr();
    // SAFETY: The extension lives as long as the connection; its counters are
    // only accessed atomically.
    unsafe {
        let counter = direction.of(&(*acct).counter);
        Some((
            AtomicU64::from_ptr((&raw const counter.packets).cast_mut().cast()),
            AtomicU64::from_ptr((&raw const counter.bytes).cast_mut().cast()),
        ))
    }
}

/// As [`add`], of as many as hardware may have counted.
pub fn add_many(conn: &Conn, direction: Direction, packets: u64, bytes: u64) {
    if let Some((p, b)) = counters(conn, direction) {
        p.fetch_add(packets, Ordering::Relaxed);
        b.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// Counts packets and bytes of one direction, if the connection has counters.
#[inline]
pub fn add(conn: &Conn, direction: Direction, packets: u32, bytes: u32) {
    if let Some((p, b)) = counters(conn, direction) {
        p.fetch_add(packets.into(), Ordering::Relaxed);
        b.fetch_add(bytes.into(), Ordering::Relaxed);
    }
}

/// Counts the one packet of a connection that is given up for `winner`.
pub fn merge(winner: &Conn, loser: &Conn, direction: Direction) {
    if let Some((_, bytes)) = counters(loser, direction) {
        add(winner, direction, 1, bytes.load(Ordering::Relaxed) as u32);
    }
}

/// Packets and bytes of one direction.
pub fn read(conn: &Conn, direction: Direction) -> Option<(u64, u64)> {
    let (p, b) = counters(conn, direction)?;
    Some((p.load(Ordering::Relaxed), b.load(Ordering::Relaxed)))
}

/// Notes when the connection was confirmed.
#[inline]
pub fn started(conn: &Conn) {
    if let Some(stamp) = conn.ext::<bindings::nf_conn_tstamp>() {
        // SAFETY: Written once, by whoever confirms.
        unsafe { (*stamp.as_ptr()).start = bindings::ktime_real_ns() };
    }
}

/// Notes when the connection ended; if it has expired, that is when.
#[inline]
pub fn stopped(conn: &Conn) {
    let Some(stamp) = conn.ext::<bindings::nf_conn_tstamp>() else {
        return;
    };
    let late = super::conn::now().wrapping_sub(conn.timeout());
    let late = if (late as i32) > 0 { late } else { 0 };
    // SAFETY: Written once, by whoever set DYING.
    unsafe {
        (*stamp.as_ptr()).stop =
            bindings::ktime_real_ns().wrapping_sub(bindings::jiffies64_to_nsecs(late.into()));
    }
}

/// Whole seconds since the connection was confirmed, if that was noted.
pub fn seconds_since_start(conn: &Conn) -> Option<u64> {
    let stamp = conn.ext::<bindings::nf_conn_tstamp>()?;
    // SAFETY: The extension lives as long as the connection.
    let (start, now) = unsafe {
        (
            (&raw const (*stamp.as_ptr()).start).read_volatile(),
            bindings::ktime_real_ns(),
        )
    };
    now.saturating_sub(start).checked_div(1_000_000_000)
}
