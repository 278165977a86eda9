// SPDX-License-Identifier: GPL-2.0

//! Echo requests and their replies, of ICMP and ICMPv6.

use super::Subject;
use netfilter::conntrack::{
    account,
    skb::{Hook, Packet},
    state::{self, OwnTimeouts},
    Conn, Net, Status,
};
use nf_bindings as bindings;
use nf_proto::{
    l4::{number, Flow, Jiffies, Outcome, Reason},
    packet::{icmp::Echo, Description},
    tuple::{Direction, Family},
};

impl Subject for Echo {
    const COUNTS_ERRORS: bool = true;

    #[inline(always)]
    fn number(family: Family) -> u8 {
        match family {
            Family::Ipv4 => number::ICMP,
            Family::Ipv6 => number::ICMPV6,
        }
    }

    #[inline]
    fn checksum_ok(description: &Description<Self>, packet: &Packet<'_>, hook: Hook<'_>) -> bool {
        hook.checksum_ok(
            packet,
            description.transport,
            description.tuple.dst.protocol,
        )
    }

    #[inline(always)]
    fn outcome(
        description: &Description<Self>,
        conn: &Conn,
        flow: Flow,
        own: OwnTimeouts,
    ) -> Outcome {
        if !description.segment.request && !flow.confirmed {
            return Outcome::invalid(Reason::IcmpUnexpected);
        }
        let l3num = description.tuple.src.l3num;
        Outcome::accept(state::icmp_timeout(conn.net(), own, l3num))
    }

    #[inline(always)]
    fn goes_on(
        description: &Description<Self>,
        conn: &Conn,
        direction: Direction,
        status: Status,
        net: Net,
        len: u32,
        now: Jiffies,
    ) -> bool {
        let extensions = conn.extensions();
        let first_answer = direction == Direction::Reply && !status.has(Status::SEEN_REPLY);
        if first_answer
            || status.has(Status::FIXED_TIMEOUT)
            || extensions.is_some_and(|all| all.has::<bindings::nf_conn_timeout>() != 0)
        {
            return false;
        }
        let timeout = state::icmp_timeout(net, None, description.tuple.src.l3num);
        conn.set_timeout(now.wrapping_add(timeout));
        if extensions.is_some() {
            account::add(conn, direction, 1, len);
        }
        true
    }

    #[inline(always)]
    fn begins(description: &Description<Self>, conn: &Conn, len: u32, _: Jiffies) -> bool {
        if !description.segment.request {
            return false;
        }
        let l3num = description.tuple.src.l3num;
        conn.set_timeout(state::icmp_timeout(conn.net(), None, l3num));
        account::add(conn, Direction::Original, 1, len);
        true
    }
}
