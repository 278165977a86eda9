// SPDX-License-Identifier: GPL-2.0

//! TCP.

use super::{run, seen_reply, Subject};
use crate::ecache;
use netfilter::conntrack::{
    account, seqadj,
    skb::{Hook, Packet},
    state::{self, OwnTimeouts},
    Conn, Net, Status,
};
use nf_bindings as bindings;
use nf_proto::{
    l4::{number, tcp, Flow, Jiffies, Outcome},
    packet::{tcp::Segment, Description},
    tuple::{Direction, Family},
};

impl Subject for Segment {
    #[inline(always)]
    fn number(_: Family) -> u8 {
        number::TCP
    }

    #[inline]
    fn checksum_ok(description: &Description<Self>, packet: &Packet<'_>, hook: Hook<'_>) -> bool {
        hook.checksum_ok(packet, description.transport, number::TCP)
    }

    #[inline(always)]
    fn outcome(
        description: &Description<Self>,
        conn: &Conn,
        flow: Flow,
        own: OwnTimeouts,
    ) -> Outcome {
        let segment = &description.segment;
        let net = conn.net();
        let policy = state::tcp_policy(&net, own);
        let mut flow = flow;
        if conn.has_extensions() {
            flow.synproxy = conn.ext::<bindings::nf_conn_synproxy>().is_some();
            flow.ack_offset =
                seqadj::offset(conn, flow.direction.opposite(), segment.ack.wrapping_sub(1));
        }
        run::<tcp::Tcp<state::TcpTimeouts<'_>>>(conn, segment, &flow, &policy)
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
        const STEADY: u64 = Status::SEEN_REPLY.0 | Status::ASSURED.0;
        if status.0 & (STEADY | Status::FIXED_TIMEOUT.0) != STEADY
            || !tcp::may_be_steady(&description.segment)
        {
            return turns(&apart(description), conn, direction, status, len, now);
        }
        if is_special(conn) {
            return false;
        }
        let policy = state::tcp_policy(&net, None);
        let mut locked = conn.lock();
        let state = state::of::<tcp::State>(&mut locked);
        let steady = tcp::steady(state, &description.segment, direction, &policy);
        locked.unlock();
        let Some(timeout) = steady else {
            return turns(&apart(description), conn, direction, status, len, now);
        };
        conn.set_timeout(now.wrapping_add(timeout));
        if conn.has_extensions() {
            account::add(conn, direction, 1, len);
        }
        true
    }

    #[inline(always)]
    fn begins(description: &Description<Self>, conn: &Conn, len: u32, _: Jiffies) -> bool {
        let net = conn.net();
        let policy = state::tcp_policy(&net, None);
        let timeout = state::with_new::<tcp::State, _>(conn, |state| {
            tcp::first_syn(state, &description.segment, &policy)
        });
        let Some(timeout) = timeout else { return false };
        conn.set_timeout(timeout);
        if conn.has_extensions() {
            account::add(conn, Direction::Original, 1, len);
            ecache::cache(conn, ecache::Event::ProtoInfo);
        }
        true
    }
}

/// A copy in memory, for what is not compiled into the same function: so the
/// original can stay in registers.
#[inline(always)]
fn apart(description: &Description<Segment>) -> Segment {
    description.segment
}

/// What is asked of the connection beside the segment's own numbers.
#[inline(always)]
fn is_special(conn: &Conn) -> bool {
    conn.extensions().is_some_and(|all| {
        all.has::<bindings::nf_conn_seqadj>()
            | all.has::<bindings::nf_conn_synproxy>()
            | all.has::<bindings::nf_conn_timeout>()
            != 0
    })
}

/// A segment that opens or closes a connection as the protocol has it, as
/// [`Subject::goes_on`].
#[inline(always)]
fn turns(
    segment: &Segment,
    conn: &Conn,
    direction: Direction,
    status: Status,
    len: u32,
    now: Jiffies,
) -> bool {
    if segment.flags.syn() {
        answers(segment, conn, direction, status, len, now)
    } else {
        proceeds(segment, conn, direction, status, len, now)
    }
}

#[inline(never)]
fn answers(
    segment: &Segment,
    conn: &Conn,
    direction: Direction,
    status: Status,
    len: u32,
    now: Jiffies,
) -> bool {
    turns_by(
        |state, segment, direction, known, policy| {
            tcp::answer(state, segment, direction, known, policy)
        },
        segment,
        conn,
        direction,
        status,
        len,
        now,
    )
}

#[inline(never)]
fn proceeds(
    segment: &Segment,
    conn: &Conn,
    direction: Direction,
    status: Status,
    len: u32,
    now: Jiffies,
) -> bool {
    turns_by(
        |state, segment, direction, known, policy| {
            tcp::proceed(state, segment, direction, known, policy)
        },
        segment,
        conn,
        direction,
        status,
        len,
        now,
    )
}

/// Compiled for each of both, so that what they need at once is less.
#[inline(always)]
fn turns_by(
    take: impl FnOnce(
        &mut tcp::State,
        &Segment,
        Direction,
        (bool, bool),
        &tcp::Policy<state::TcpTimeouts<'_>>,
    ) -> Option<tcp::Turn>,
    segment: &Segment,
    conn: &Conn,
    direction: Direction,
    status: Status,
    len: u32,
    now: Jiffies,
) -> bool {
    if status.has(Status::FIXED_TIMEOUT) || !tcp::may_turn(segment) || is_special(conn) {
        return false;
    }
    let known = (
        status.has(Status::SEEN_REPLY),
        status.any(Status::ASSURED | Status::NAT_CLASH),
    );
    let net = conn.net();
    let mut locked = conn.lock();
    let state = state::of::<tcp::State>(&mut locked);
    let policy = state::tcp_policy(&net, None);
    let turn = take(state, segment, direction, known, &policy);
    locked.unlock();
    let Some(turn) = turn else { return false };
    conn.set_timeout(now.wrapping_add(turn.timeout));
    if turn.assured {
        conn.set_status(Status::ASSURED);
    }
    if conn.has_extensions() {
        note(conn, direction, len, turn);
    }
    if direction == Direction::Reply && !status.has(Status::SEEN_REPLY) {
        seen_reply(conn);
    }
    true
}

/// Counts the packet, and notes its events.
#[inline(never)]
fn note(conn: &Conn, direction: Direction, len: u32, turn: tcp::Turn) {
    account::add(conn, direction, 1, len);
    if turn.moves {
        ecache::cache(conn, ecache::Event::ProtoInfo);
    }
    if turn.assured {
        ecache::cache(conn, ecache::Event::Assured);
    }
}
