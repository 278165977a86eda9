// SPDX-License-Identifier: GPL-2.0

//! `/proc/net/nf_conntrack` and `/proc/net/stat/nf_conntrack`, in the formats
//! that programs parse.

use crate::store::TABLE;
use netfilter::conntrack::{
    account,
    conn::now,
    proc::{Content, Output},
    stat, state,
    table::Visit,
    Conn, Net, Status, HZ,
};
use nf_proto::{
    l4::{number, sctp, tcp, Reason},
    tuple::Direction,
};

/// The connections of a namespace: a position is a bucket.
pub struct Connections;

impl Content for Connections {
    fn positions() -> u32 {
        let _rcu = kernel::sync::rcu::read_lock();
        TABLE.size()
    }

    fn show(position: u32, net: Net, out: &mut Output) {
        let _rcu = kernel::sync::rcu::read_lock();
        TABLE.visit_bucket(position, |entry| {
            if entry.direction == Direction::Original && entry.conn.net() == net {
                if let Some(conn) = entry.conn.try_get() {
                    // It may be another connection by now.
                    let status = conn.status();
                    let listed = status.has(Status::CONFIRMED)
                        && !status.has(Status::DYING)
                        && conn.net() == net
                        && !conn.is_expired(now());
                    if listed {
                        line(&conn, out);
                    }
                }
            }
            Visit::Continue
        });
    }
}

fn line(conn: &Conn, out: &mut Output) {
    let status = conn.status();
    let (l3name, l4name): (&[u8], &[u8]) = (
        match conn.l3num() {
            2 => b"ipv4     2 ",
            10 => b"ipv6     10 ",
            _ => b"unknown  0 ",
        },
        match conn.protocol() {
            number::ICMP => b"icmp     ",
            number::TCP => b"tcp      ",
            number::UDP => b"udp      ",
            number::GRE => b"gre      ",
            number::SCTP => b"sctp     ",
            number::ICMPV6 => b"icmpv6   ",
            _ => b"unknown  ",
        },
    );
    out.text(l3name)
        .text(l4name)
        .number(conn.protocol().into())
        .text(b" ");
    if !status.has(Status::OFFLOAD) {
        out.number(conn.expires(now()) / HZ).text(b" ");
        match conn.protocol() {
            number::TCP => {
                out.text(state::peek::<tcp::State>(conn).state().name().as_bytes())
                    .text(b" ");
            }
            number::SCTP => {
                out.text(state::peek::<sctp::State>(conn).state().name().as_bytes())
                    .text(b" ");
            }
            _ => {}
        }
    }
    if conn.protocol() == number::GRE {
        let gre = state::peek::<nf_proto::l4::gre::State>(conn);
        out.text(b"timeout=").number(gre.timeout / HZ);
        out.text(b", stream_timeout=")
            .number(gre.stream_timeout / HZ)
            .text(b" ");
    }
    out.tuple(conn.tuple(Direction::Original));
    zone(conn, 1, b"zone-orig=", out);
    counters(conn, Direction::Original, out);
    if !status.has(Status::SEEN_REPLY) {
        out.text(b"[UNREPLIED] ");
    }
    out.tuple(conn.tuple(Direction::Reply));
    zone(conn, 2, b"zone-reply=", out);
    counters(conn, Direction::Reply, out);
    if status.has(Status::HW_OFFLOAD) {
        out.text(b"[HW_OFFLOAD] ");
    } else if status.has(Status::OFFLOAD) {
        out.text(b"[OFFLOAD] ");
    } else if status.has(Status::ASSURED) {
        out.text(b"[ASSURED] ");
    }
    out.text(b"mark=").number(conn.mark()).text(b" ");
    out.security_context(conn.secmark());
    zone(conn, 3, b"zone=", out);
    if let Some(seconds) = account::seconds_since_start(conn) {
        out.text(b"delta-time=").big_number(seconds).text(b" ");
    }
    // The reference that was taken for this line is among them, as in stock.
    out.text(b"use=").number(conn.use_count()).text(b"\n");
}

fn zone(conn: &Conn, directions: u8, label: &[u8], out: &mut Output) {
    let zone = conn.zone();
    if zone.directions() == directions {
        out.text(label).number(zone.raw_id().into()).text(b" ");
    }
}

fn counters(conn: &Conn, direction: Direction, out: &mut Output) {
    if let Some((packets, bytes)) = account::read(conn, direction) {
        out.text(b"packets=").big_number(packets);
        out.text(b" bytes=").big_number(bytes).text(b" ");
    }
}

/// The statistics of a namespace: a heading, and a line a CPU.
pub struct Statistics;

/// Columns, some of them of counters that are no more.
const HEADING: &[u8] = b"entries  clashres found new invalid ignore delete chainlength insert \
insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n";

impl Content for Statistics {
    fn positions() -> u32 {
        stat::cpus().saturating_add(1)
    }

    fn show(position: u32, net: Net, out: &mut Output) {
        let Some(cpu) = position.checked_sub(1) else {
            out.text(HEADING);
            return;
        };
        let Some(counters) = stat::of_cpu(net, cpu) else {
            return;
        };
        let entries = net
            .connections()
            .load(core::sync::atomic::Ordering::Relaxed) as u32;
        let columns = [
            (entries, b"  " as &[u8]),
            (counters.clash_resolve, b" "),
            (counters.found, b" "),
            (0, b" "),
            (counters.invalid, b" "),
            (0, b" "),
            (0, b" "),
            (counters.chaintoolong, b" "),
            (counters.insert, b" "),
            (counters.insert_failed, b" "),
            (counters.drop, b" "),
            (counters.early_drop, b" "),
            (counters.error, b"  "),
            (counters.expect_new, b" "),
            (counters.expect_create, b" "),
            (counters.expect_delete, b" "),
            (counters.search_restart, b"\n"),
        ];
        for (value, separator) in columns {
            out.hex(value).text(separator);
        }
    }
}

/// Why packets of a namespace were INVALID or dropped: a line a reason that
/// occurred, with its number of packets.
pub struct Reasons;

impl Content for Reasons {
    fn positions() -> u32 {
        Reason::ALL.len() as u32
    }

    fn show(position: u32, net: Net, out: &mut Output) {
        let Some(reason) = Reason::ALL.get(position as usize) else {
            return;
        };
        let count = stat::reason_count(net, *reason);
        if count != 0 {
            out.big_number(count)
                .text(b" ")
                .text(reason.text().as_bytes())
                .text(b"\n");
        }
    }
}
