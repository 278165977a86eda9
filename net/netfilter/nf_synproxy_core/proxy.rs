// SPDX-License-Identifier: GPL-2.0

//! What is done with the packets of both sides.

use crate::{
    abi::{
        extension,
        net::Namespace,
        wire::{Attach, Way, Wire},
    },
    statistics::{CONN_REOPENED, COOKIE_INVALID, COOKIE_RETRANS, COOKIE_VALID},
};
use netfilter::conntrack::{
    seqadj as raw,
    skb::{Carried, Packet, Window},
    state, Conn, Info,
};
use nf_bindings as bindings;
use nf_conntrack::{
    ecache::{self, Event},
    seqadj,
};
use nf_proto::{
    be::Be32,
    l4::{number, tcp},
    packet,
    seqadj::Edit,
    synproxy::{
        self,
        options::{flag, timestamps, Options},
        segment::Header,
        Initial, Step,
    },
    tuple::{Direction, Family},
};

const ACCEPT: u32 = bindings::NF_ACCEPT;
const DROP: u32 = bindings::NF_DROP;
const STOLEN: u32 = bindings::NF_STOLEN;

/// The fixed part of a TCP header, bytes.
const FIXED: u32 = 20;

/// The options of a TCP header at `transport` (from the packet's data) whose fixed
/// part is `header`. `None` if it is cut off.
pub fn options_of<R>(
    packet: &Packet<'_>,
    transport: u32,
    header: &[u8; 20],
    f: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    let len = Header::options_len(header)?;
    if len == 0 {
        return Some(f(&[]));
    }
    let mut window = Window::new();
    let at = transport.checked_add(FIXED)?;
    if at >= packet.len() {
        return None;
    }
    packet.bytes_at(at, &mut window).get(..len).map(f)
}

/// Answers a client's SYN with a cookie in which `mss` stands; `options` are the
/// answer's.
pub fn syn_ack(wire: &Wire<'_, '_>, options: &Options, mss: u16) {
    let cookie = wire.cookie(mss);
    let ecn = options.has(flag::ECN);
    let header = wire.header().client_syn_ack(cookie, ecn);
    wire.send(Way::Back, &header, options, Attach::Packets);
}

/// Opens the connection to the server, if the client's ACK brings a cookie back:
/// `options` are those of the ACK and become those of the SYN, `seq` is the number
/// behind the client's own SYN. False: the ACK is not to be believed.
pub fn client_ack(
    namespace: &Namespace,
    wire: &Wire<'_, '_>,
    options: &mut Options,
    seq: u32,
) -> bool {
    let Some(mss) = wire.cookie_mss() else {
        namespace.statistics().count(COOKIE_INVALID);
        return false;
    };
    namespace.statistics().count(COOKIE_VALID);
    // Of what an ACK says only its timestamp is the client's word; what it could
    // do, it said in its SYN.
    options.present &= flag::TIMESTAMP;
    if options.has(flag::TIMESTAMP) {
        synproxy::decode(options);
    }
    options.mss = mss;
    options.present |= flag::MSS;
    let header = wire.header().server_syn(seq, options.has(flag::ECN));
    let template = Attach::Template(namespace.template());
    wire.send(Way::On, &header, options, template);
    true
}

/// A packet at its last hook. Returns an `NF_*` verdict. Under RCU.
pub fn packet(namespace: &Namespace, family: Family, mut packet: Packet<'_>) -> u32 {
    let Carried::Connection(conn, info) = packet.carried() else {
        return ACCEPT;
    };
    let Some(initial) = extension::load(conn) else {
        return ACCEPT;
    };
    if packet.is_loopback() {
        return ACCEPT;
    }
    // An ICMP error has the connection too.
    let transport = {
        let mut window = Window::new();
        let len = packet.network_len();
        match packet::network(family, packet.network_bytes(&mut window), len) {
            Ok(network) if network.tuple.dst.protocol == number::TCP => {
                packet.network_offset().wrapping_add(network.transport)
            }
            _ => return ACCEPT,
        }
    };
    let Some(bytes) = fixed(&packet, transport) else {
        return DROP;
    };
    let header = Header::read(&bytes);
    let state = state::peek::<tcp::State>(conn);
    let step = synproxy::step(state.state(), info.direction(), header.flags);
    match step {
        Step::Pass => {}
        Step::Refused => seqadj::init(conn, info, initial.shift_of_rst(header.seq)),
        Step::Begin { .. } | Step::Repeat | Step::Answered => {
            let Some(options) = options_of(&packet, transport, &bytes, Options::read) else {
                return DROP;
            };
            let exchange = Exchange {
                namespace,
                conn,
                info,
                initial,
                header,
                options,
            };
            let wire = |packet| Wire::new(namespace.net(), family, packet, &bytes);
            match step {
                Step::Repeat => {
                    let repeated = wire(&packet).is_some_and(|wire| exchange.repeat(&wire));
                    return end(packet, repeated);
                }
                Step::Answered => {
                    let [window, _] = state.seen.map(|seen| seen.td_maxwin);
                    let answered = wire(&packet).map(|wire| exchange.answered(&wire, window));
                    return end(packet, answered.is_some());
                }
                _ => exchange.begin(step == Step::Begin { reopened: true }),
            }
        }
    }
    match shift_timestamps(&mut packet, transport, &bytes, conn, info.direction()) {
        Ok(()) => ACCEPT,
        Err(raw::Failed) => DROP,
    }
}

fn fixed(packet: &Packet<'_>, transport: u32) -> Option<[u8; 20]> {
    let mut window = Window::new();
    packet
        .bytes_at(transport, &mut window)
        .first_chunk()
        .copied()
}

fn end(packet: Packet<'_>, done: bool) -> u32 {
    if !done {
        return DROP;
    }
    crate::abi::wire::consume(packet);
    STOLEN
}

/// A packet that moves the handshake on.
struct Exchange<'a> {
    namespace: &'a Namespace,
    conn: &'a Conn,
    info: Info,
    initial: Initial,
    header: Header,
    options: Options,
}

impl Exchange<'_> {
    /// The SYN to the server, with what we told the hook in it.
    fn begin(mut self, reopened: bool) {
        if reopened {
            self.initial.tsoff = 0;
            self.namespace.statistics().count(CONN_REOPENED);
        }
        self.initial.isn = self.header.ack;
        if self.options.has(flag::TIMESTAMP) {
            self.initial.its = self.options.tsecr;
        }
        extension::store(self.conn, &self.initial);
        ecache::cache(self.conn, Event::Synproxy);
    }

    /// The client asks again, by a keep-alive, one number before the next.
    fn repeat(mut self, wire: &Wire<'_, '_>) -> bool {
        let seq = self.header.seq.wrapping_add(1);
        let sent = client_ack(self.namespace, wire, &mut self.options, seq);
        if sent {
            self.namespace.statistics().count(COOKIE_RETRANS);
        }
        sent
    }

    /// The server's SYN ACK: both sides get an ACK. `window` is the client's.
    fn answered(mut self, wire: &Wire<'_, '_>, window: u32) {
        let Options {
            present,
            wscale,
            tsval,
            tsecr,
            ..
        } = self.options;
        let scale = if self.options.has(flag::WSCALE) {
            wscale
        } else {
            0
        };
        let stamps = Options {
            present: present & flag::TIMESTAMP,
            tsval,
            tsecr,
            ..Options::default()
        };
        let back = Options {
            tsval: tsecr,
            tsecr: tsval,
            ..stamps
        };
        // Before the shifts are known: what it echoes is the server's own.
        let ack = self.header.server_ack(window.min(u16::MAX.into()) as u16);
        wire.send(Way::Back, &ack, &back, Attach::Nothing);

        if stamps.has(flag::TIMESTAMP) {
            self.initial.tsoff = tsval.wrapping_sub(self.initial.its);
            extension::store(self.conn, &self.initial);
            ecache::cache(self.conn, Event::Synproxy);
        }
        seqadj::init(self.conn, self.info, self.initial.shift(self.header.seq));
        ecache::cache(self.conn, Event::SeqAdj);
        let ack = self.header.client_ack(scale);
        wire.send(Way::On, &ack, &stamps, Attach::Packets);
    }
}

/// The most timestamp options in a header.
const STAMPS: usize = 4;

fn shift_timestamps(
    packet: &mut Packet<'_>,
    transport: u32,
    header: &[u8; 20],
    conn: &Conn,
    direction: Direction,
) -> Result<(), raw::Failed> {
    let Some(initial) = extension::load(conn).filter(|initial| initial.tsoff != 0) else {
        return Ok(());
    };
    let mut edits = [Edit::default(); STAMPS];
    let found = options_of(packet, transport, header, |options| {
        let mut found = 0usize;
        for (edit, (at, tsval, tsecr)) in edits.iter_mut().zip(timestamps(options)) {
            let (within, old, new) = initial.shifted(direction, tsval, tsecr);
            *edit = Edit {
                offset: at.saturating_add(within).saturating_add(FIXED as usize),
                old: Be32::new(old),
                new: Be32::new(new),
            };
            found = found.saturating_add(1);
        }
        found
    });
    let length = Header::options_len(header).unwrap_or(0) as u32;
    match edits.get(..found.unwrap_or(0)) {
        None | Some([]) => Ok(()),
        Some(edits) => raw::apply(packet, transport, length.saturating_add(FIXED), edits),
    }
}
