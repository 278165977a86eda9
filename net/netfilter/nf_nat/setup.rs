// SPDX-License-Identifier: GPL-2.0

//! What a new connection becomes: by a rule, or by none (a null binding).

use crate::{
    bysource,
    stat::{self, Reason},
};
use netfilter::{
    conntrack::{conn::now, ext, nat, stat::Counter, state, Conn, ConnRef, Status},
    random,
};
use nf_bindings as bindings;
use nf_conntrack::{confirm, delete, helper, packet};
use nf_proto::{
    l4::{
        number,
        tcp::{self, TcpConntrack},
    },
    nat::{
        choice::{choose, Failed, Request, Surroundings},
        range::{Flags, Range},
        Manip,
    },
    tuple::{Direction, Source, Tuple},
};

const ACCEPT: u32 = bindings::NF_ACCEPT;
const DROP: u32 = bindings::NF_DROP;

pub use netfilter::conntrack::nat::{masquerade_index, set_masquerade};

/// The side `manip` of the connection is settled.
#[inline]
pub fn is_initialized(conn: &Conn, manip: Manip) -> bool {
    conn.status().has(done(manip))
}

/// The status bit for that.
#[inline]
pub const fn done(manip: Manip) -> Status {
    match manip {
        Manip::Source => Status::SRC_NAT_DONE,
        Manip::Destination => Status::DST_NAT_DONE,
    }
}

const fn changed(manip: Manip) -> Status {
    match manip {
        Manip::Source => Status::SRC_NAT,
        Manip::Destination => Status::DST_NAT,
    }
}

/// Settles the side `manip` of a connection as `range` wants it
/// (`nf_nat_setup_info`). Returns an `NF_*` verdict. A confirmed connection is
/// left as it is. Under RCU; the caller is the connection's one owner.
pub fn setup(conn: &Conn, range: &Range, manip: Manip) -> u32 {
    let status = conn.status();
    if status.has(Status::CONFIRMED) {
        return ACCEPT;
    }
    if status.has(done(manip)) {
        return DROP;
    }
    match simple(conn, range, manip) {
        Some(reply) if manip == Manip::Destination && reply == *conn.tuple(Direction::Reply) => {
            conn.set_own_status(done(manip));
            ACCEPT
        }
        Some(reply) => finish(conn, &reply, manip),
        None => search(conn, range, manip),
    }
}

/// What most rules ask for: one address, and the port as it is or as the rule says.
/// Returns what answers will be like if that is free; nothing means that it is
/// not, or that there is a choice.
#[inline]
fn simple(conn: &Conn, range: &Range, manip: Manip) -> Option<Tuple> {
    const PLAIN: Flags = Flags::MAP_IPS.with(Flags::PERSISTENT).with(Flags::NETMAP);
    if !range.single_address() {
        return None;
    }
    let plain = range.flags.0 & !PLAIN.0 == 0;
    let mut reply = *conn.tuple(Direction::Reply);
    let ports = matches!(reply.dst.protocol, number::TCP | number::UDP | number::SCTP);
    match manip {
        Manip::Source => {
            // Its source is still that of its first packet.
            let original = conn.tuple(Direction::Original);
            if !plain
                || reply.dst.address == range.min
                || bysource::find(conn, original, range).is_some()
            {
                return None;
            }
            let may_be_served = ports && reply.dst.id.get() < nat::first_local_port(conn.net());
            reply.dst.address = range.min;
            (!may_be_served && !confirm::is_taken(&reply, conn)).then_some(reply)
        }
        Manip::Destination => {
            let one_port = range.flags.0 & !PLAIN.0 == Flags::PROTO_SPECIFIED.0
                && range.min_id == range.max_id;
            if !ports || !(plain || one_port) {
                return None;
            }
            reply.src.address = range.min;
            if one_port {
                reply.src.id = range.min_id;
            }
            Some(reply)
        }
    }
}

/// [`setup`] where there is a choice.
#[inline(never)]
fn search(conn: &Conn, range: &Range, manip: Manip) -> u32 {
    let Some(before) = conn.tuple(Direction::Reply).invert() else {
        return DROP;
    };
    let request = Request {
        tuple: &before,
        range,
        manip,
        expected: conn.master().is_some(),
        zone: conn.zone().raw_id(),
    };
    let after = match choose(&request, &mut Others { conn, own: &before }) {
        Ok(choice) => choice.tuple,
        Err(Failed::Exhausted { .. }) => return refuse(conn, Reason::Exhausted),
    };
    if after == before {
        conn.set_own_status(done(manip));
        return ACCEPT;
    }
    let Some(reply) = after.invert() else {
        return DROP;
    };
    let verdict = finish(conn, &reply, manip);
    if verdict == ACCEPT && manip == Manip::Source {
        bysource::remember(conn, range, &before, &after);
    }
    verdict
}

/// Answers will be like `reply`: the side `manip` is settled, and was changed.
#[inline]
fn finish(conn: &Conn, reply: &Tuple, manip: Manip) -> u32 {
    conn.alter_reply(reply);
    if helper::has_extension(conn) && !can_adjust(conn) {
        return refuse(conn, Reason::Memory);
    }
    conn.set_own_status(done(manip) | changed(manip));
    ACCEPT
}

#[cold]
fn refuse(conn: &Conn, reason: Reason) -> u32 {
    let net = conn.net();
    stat::count(net, reason);
    net.count(Counter::InsertFailed);
    net.count(Counter::Drop);
    DROP
}

/// A helper may change the length of what is said: there must be room for the
/// sequence numbers' adjustment.
fn can_adjust(conn: &Conn) -> bool {
    conn.ext::<bindings::nf_conn_seqadj>().is_some()
        || ext::add_ext::<bindings::nf_conn_seqadj>(conn).is_some()
}

/// Settles the side `manip` of a connection that no rule is about
/// (`nf_nat_alloc_null_binding`). Returns an `NF_*` verdict. As [`setup`].
///
/// The source keeps its address, and its id too unless the answers could then not
/// be told from another connection's. The destination stays what it is.
#[inline]
pub fn null_binding(conn: &Conn, manip: Manip) -> u32 {
    let status = conn.status();
    if status.any(Status::CONFIRMED | done(manip)) {
        return ACCEPT;
    }
    if manip == Manip::Source && confirm::is_taken(conn.tuple(Direction::Reply), conn) {
        return other_source(conn);
    }
    conn.set_own_status(done(manip));
    ACCEPT
}

#[cold]
#[inline(never)]
fn other_source(conn: &Conn) -> u32 {
    let address = conn.tuple(Direction::Reply).dst.address;
    setup(conn, &Range::to(address), Manip::Source)
}

/// What is known of other connections.
struct Others<'a> {
    conn: &'a Conn,
    /// What the connection is now.
    own: &'a Tuple,
}

/// Who has this touches tuples.
const TRANSLATED: Status = Status(Status::NAT_MASK.0 | Status::SEQ_ADJUST.0);

impl Surroundings for Others<'_> {
    #[inline]
    fn taken(&mut self, tuple: &Tuple) -> bool {
        tuple
            .invert()
            .is_none_or(|reply| confirm::is_taken(&reply, self.conn))
    }

    fn taken_unchanged(&mut self, tuple: &Tuple) -> bool {
        let Some(reply) = tuple.invert() else {
            return true;
        };
        confirm::is_taken(&reply, self.conn) && !self.is_own_answer(tuple, &reply)
    }

    fn taken_harder(&mut self, tuple: &Tuple) -> bool {
        let Some(reply) = tuple.invert() else {
            return true;
        };
        let conn = self.conn;
        if conn.protocol() != number::TCP
            || state::peek::<tcp::State>(conn).state() != TcpConntrack::SynSent
        {
            return confirm::is_taken(&reply, conn);
        }
        match packet::find(conn.net(), conn.zone(), &reply) {
            None => false,
            Some((holder, Direction::Reply)) => !evict(&holder, conn),
            Some(_) => true,
        }
    }

    #[inline]
    fn known_source(&mut self, tuple: &Tuple, range: &Range) -> Option<Source> {
        bysource::find(self.conn, tuple, range)
    }

    #[inline]
    fn serves(&mut self, tuple: &Tuple) -> bool {
        let net = self.conn.net();
        if tuple.src.id.get() >= nat::first_local_port(net) || !nat::is_served(net, tuple, self.own)
        {
            return false;
        }
        stat::count(net, Reason::Shadowing);
        true
    }

    fn random(&mut self) -> u32 {
        random::u64() as u32
    }
}

impl Others<'_> {
    /// Whoever has the tuple is the connection's own answer, which came in on
    /// another CPU and was taken for a beginning: both are settled when they are
    /// confirmed.
    #[cold]
    fn is_own_answer(&self, tuple: &Tuple, reply: &Tuple) -> bool {
        let conn = self.conn;
        if !confirm::may_clash(conn.protocol()) || conn.status().any(TRANSLATED) {
            return false;
        }
        let (net, zone) = (conn.net(), conn.zone());
        let holder: Option<ConnRef> = packet::find(net, zone, tuple)
            .or_else(|| packet::find(net, zone, reply))
            .map(|(holder, _)| holder);
        // It may have gone meanwhile.
        holder.is_none_or(|holder| {
            !holder.status().any(TRANSLATED)
                && holder.tuple(Direction::Original) == conn.tuple(Direction::Reply)
        })
    }
}

/// Ends a closed connection so that a new one can have its port: one whose
/// translated source would not take packets of the new one for its own, as the
/// sequence numbers have gone on. False if it must stay.
fn evict(holder: &Conn, new: &Conn) -> bool {
    const REFUSE: Status = Status(Status::FIXED_TIMEOUT.0 | Status::DYING.0);
    let status = holder.status();
    if status.any(REFUSE) || !status.has(Status::SRC_NAT) || holder.is_expired(now()) {
        return false;
    }
    let (old, fresh) = (
        state::peek::<tcp::State>(holder),
        state::peek::<tcp::State>(new),
    );
    let over = matches!(old.state(), TcpConntrack::TimeWait | TcpConntrack::Close);
    let ([old, _], [fresh, _]) = (&old.seen, &fresh.seen);
    let advanced = (fresh.td_end.wrapping_sub(old.td_end) as i32) > 0;
    if !over || !advanced || !delete::kill(holder) {
        return false;
    }
    stat::count(new.net(), Reason::Evicted);
    // The hardware or the flowtable may still have it.
    !status.any(Status::OFFLOAD | Status::HW_OFFLOAD)
}
