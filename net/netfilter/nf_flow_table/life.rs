// SPDX-License-Identifier: GPL-2.0

//! A flow's life: it begins when a rule says so, lives while packets come, and
//! gives its connection back to connection tracking.

use crate::{
    abi::{
        flow::{Flags, Flow},
        table::{secret, Table},
    },
    offload,
};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::error::Result;
use netfilter::{
    conntrack::{conn::now, state, Conn, Net, Status},
    time::HZ,
};
use nf_proto::{
    flow::timeout::{remaining, DAY},
    l4::{number, tcp, Jiffies},
};

/// How long flows live that have no setting, seconds.
const LIFETIME: u32 = 30;

/// The protocol has ports that flows are known by.
#[inline]
pub fn has_ports(protocol: u8) -> bool {
    matches!(protocol, number::TCP | number::UDP)
}

/// How long a flow lives without packets, jiffies.
#[inline]
pub fn lifetime(net: Net, protocol: u8) -> Jiffies {
    let protocols = net.protocols();
    match protocol {
        number::TCP => protocols.tcp.offload_timeout,
        number::UDP => protocols.udp.offload_timeout,
        _ => HZ.wrapping_mul(LIFETIME),
    }
}

/// A flow's time has come.
#[inline]
pub fn is_expired(flow: &Flow, now: Jiffies) -> bool {
    flow.timeout().wrapping_sub(now) as i32 <= 0
}

/// A flow may be used: neither it nor its connection has ended.
#[inline]
pub fn is_alive(flow: &Flow) -> bool {
    !flow.flags().any(Flags::TEARDOWN) && !flow.conn().is_dying()
}

/// Sets for how long a connection is kept, jiffies, unless that is fixed.
fn keep(conn: &Conn, time: Jiffies) {
    let status = conn.status();
    if status.has(Status::FIXED_TIMEOUT) {
        return;
    }
    let until = if status.has(Status::CONFIRMED) {
        time.wrapping_add(now())
    } else {
        time
    };
    conn.set_timeout(until);
}

/// Makes a flow known to a table.
///
/// # Errors
///
/// As [`Table::insert`].
pub fn add(table: Table<'_>, flow: &Flow) -> Result {
    flow.settle(secret());
    let conn = flow.conn();
    flow.set_timeout(now().wrapping_add(lifetime(conn.net(), conn.protocol())));
    table.insert(flow)?;
    keep(conn, HZ.wrapping_mul(DAY));
    if table.wants_hardware() {
        offload::tell(table, flow);
    }
    Ok(())
}

/// A packet was seen. Without `force` the time is written once a second: other
/// CPUs have the flow in their caches. Hardware that should have had the packet is
/// told again.
#[inline]
pub fn refresh(table: Table<'_>, flow: &Flow, force: bool) {
    let conn = flow.conn();
    let until = now().wrapping_add(lifetime(conn.net(), conn.protocol()));
    if force || until.wrapping_sub(flow.timeout()) > HZ {
        flow.set_timeout(until);
        if table.wants_hardware() {
            offload::tell(table, flow);
        }
    }
}

/// Ends a flow: its connection is connection tracking's again. It is in the table
/// until collection finds it.
pub fn teardown(flow: &Flow) {
    // Both at once: the connection may be another flow's from then on.
    flow.conn()
        .clear_status(Status::OFFLOAD | Status::HW_OFFLOAD);
    if !flow.test_and_set(Flags::TEARDOWN) {
        give_back(flow);
    }
}

/// Has TCP's windows be learned anew; the number of its state.
fn restart_tcp(conn: &Conn, closed: bool) -> u8 {
    let mut locked = conn.lock();
    let tcp: &mut tcp::State = state::of(&mut locked);
    tcp.end_offload(closed);
    tcp.state() as u8
}

/// Gives a connection the time that its state has, less what it was idle.
fn give_back(flow: &Flow) {
    let conn = flow.conn();
    let net = conn.net();
    let protocol = conn.protocol();
    let mut closed = false;
    let index = match protocol {
        number::TCP => {
            // A FIN or RST was seen: a new SYN may open it again.
            closed = flow.flags().any(Flags::CLOSING);
            usize::from(restart_tcp(conn, closed))
        }
        number::UDP | number::GRE => usize::from(conn.status().has(Status::SEEN_REPLY)),
        _ => return,
    };
    let timeout = state::timeouts(&net, protocol)
        .and_then(|timeouts| timeouts.get(index))
        .map_or(0, |timeout: &AtomicU32| timeout.load(Ordering::Relaxed));
    let now = now();
    let idle = (!closed && is_expired(flow, now)).then(|| lifetime(net, protocol));
    let time = remaining(timeout, idle);
    if closed || conn.timeout().wrapping_sub(now) as i32 > time as i32 {
        keep(conn, time);
    }
}
