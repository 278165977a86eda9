// SPDX-License-Identifier: GPL-2.0

//! SYNPROXY: a client's SYN is answered with a SYN cookie (RFC 4987 section 3.6), so
//! that nothing has to be remembered about it. Only when the client's ACK brings
//! the cookie back is a connection opened to the server, and the two are joined
//! by shifting sequence numbers and timestamps.
//!
//! The cookie in the sequence number carries the MSS. What else the client can
//! do is carried by a cookie in the timestamp ([`encode`]), or not at all.

pub mod options;
pub mod segment;

use crate::{l4::tcp::TcpConntrack, packet::tcp::Flags, tuple::Direction};
use options::{flag, Options};

/// Low bits of a timestamp that the cookie uses: 64 ms.
const COOKIE: u32 = 0x3f;
const SCALE: u32 = 0xf;
const SACK: u32 = 1 << 4;
const ECN: u32 = 1 << 5;

/// The timestamp of a SYN ACK sent at `now` (milliseconds) to a client with these
/// options.
///
/// Bits 0 to 3 are the client's window scale, 15 for none; bit 4 says that it
/// permits SACK, bit 5 that it asked for ECN; the rest is the time.
#[inline]
pub const fn encode(now: u32, client: &Options) -> u32 {
    let mut cookie = now & !COOKIE;
    cookie |= if client.has(flag::WSCALE) {
        client.wscale as u32 & SCALE
    } else {
        SCALE
    };
    if client.has(flag::SACK_PERM) {
        cookie |= SACK;
    }
    if client.has(flag::ECN) {
        cookie |= ECN;
    }
    cookie
}

/// Adds to the options of a client's ACK what the timestamp that it echoes says.
#[inline]
pub fn decode(ack: &mut Options) {
    let cookie = ack.tsecr;
    ack.wscale = (cookie & SCALE) as u8;
    if cookie & SCALE != SCALE {
        ack.present |= flag::WSCALE;
    }
    if cookie & SACK != 0 {
        ack.present |= flag::SACK_PERM;
    }
    if cookie & ECN != 0 {
        ack.present |= flag::ECN;
    }
}

/// What is done with a packet of a connection that SYNPROXY has opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It goes on, its timestamps shifted.
    Pass,
    /// The server has refused: its RST gets a number that the client believes.
    /// Then it goes on.
    Refused,
    /// The SYN to the server: initial numbers are noted. If the connection was
    /// closed, it begins anew.
    Begin {
        /// It was closed.
        reopened: bool,
    },
    /// The client's ACK again, as the server has not answered: the SYN is sent
    /// again, if the cookie is right.
    Repeat,
    /// The server's SYN ACK: it gets its ACK, and the client may send.
    Answered,
}

/// What to do with a segment that left the connection in `state`.
#[inline]
pub const fn step(state: TcpConntrack, direction: Direction, flags: Flags) -> Step {
    let original = matches!(direction, Direction::Original);
    match state {
        TcpConntrack::Close if flags.rst() && !original => Step::Refused,
        TcpConntrack::Close if flags.syn() && !flags.ack() && original => {
            Step::Begin { reopened: true }
        }
        TcpConntrack::SynSent if original && flags.syn() => Step::Begin { reopened: false },
        TcpConntrack::SynSent if original && flags.ack() => Step::Repeat,
        TcpConntrack::SynRecv if flags.syn() && flags.ack() => Step::Answered,
        _ => Step::Pass,
    }
}

/// What is kept about a connection (`struct nf_conn_synproxy`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Initial {
    /// The number that the client was given for the server's: the cookie.
    pub isn: u32,
    /// The timestamp that the client was given for the server's.
    pub its: u32,
    /// By how much the server's timestamps are ahead of what the client was
    /// given; 0 if there is nothing to shift.
    pub tsoff: u32,
}

impl Initial {
    /// The shift of the server's sequence numbers on the way to the client, from
    /// the number of its SYN ACK (host byte order).
    #[inline]
    pub const fn shift(&self, server: u32) -> i32 {
        self.isn.wrapping_sub(server) as i32
    }

    /// The shift of the RST of a server that refuses: it goes behind the cookie.
    #[inline]
    pub const fn shift_of_rst(&self, seq: u32) -> i32 {
        self.shift(seq).wrapping_add(1)
    }

    /// A timestamp pair in a packet: where in it the server's time stands (bytes
    /// from the pair's start), and what it becomes.
    #[inline]
    pub const fn shifted(&self, direction: Direction, tsval: u32, tsecr: u32) -> (usize, u32, u32) {
        match direction {
            Direction::Reply => (0, tsval, tsval.wrapping_sub(self.tsoff)),
            Direction::Original => (4, tsecr, tsecr.wrapping_add(self.tsoff)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_carries_what_it_can() {
        for present in 0..0x20u8 {
            for wscale in 0..=14u8 {
                for now in [0, 63, 64, 0x1234_5678, u32::MAX] {
                    let client = Options {
                        present,
                        wscale,
                        ..Options::default()
                    };
                    let cookie = encode(now, &client);
                    assert_eq!(cookie & !63, now & !63);
                    let mut ack = Options {
                        present: flag::TIMESTAMP,
                        tsecr: cookie,
                        ..Options::default()
                    };
                    decode(&mut ack);
                    let carried = flag::WSCALE | flag::SACK_PERM | flag::ECN;
                    assert_eq!(ack.present & carried, present & carried);
                    assert!(!client.has(flag::WSCALE) || ack.wscale == wscale);
                }
            }
        }
    }

    #[test]
    fn steps() {
        use Direction::{Original, Reply};
        const SYN: Flags = Flags(Flags::SYN);
        const SYN_ACK: Flags = Flags(Flags::SYN | Flags::ACK);
        const ACK: Flags = Flags(Flags::ACK);
        const RST: Flags = Flags(Flags::RST | Flags::ACK);
        let begin = |reopened| Step::Begin { reopened };
        let rows = [
            (TcpConntrack::SynSent, Original, SYN, begin(false)),
            (TcpConntrack::SynSent, Original, ACK, Step::Repeat),
            // Nothing that the server sends sets the client's numbers.
            (TcpConntrack::SynSent, Reply, ACK, Step::Pass),
            (TcpConntrack::SynSent, Reply, SYN, Step::Pass),
            (
                TcpConntrack::SynSent,
                Original,
                Flags(Flags::FIN),
                Step::Pass,
            ),
            (TcpConntrack::SynRecv, Reply, SYN_ACK, Step::Answered),
            (TcpConntrack::SynRecv, Reply, ACK, Step::Pass),
            (TcpConntrack::Close, Reply, RST, Step::Refused),
            (TcpConntrack::Close, Original, RST, Step::Pass),
            (TcpConntrack::Close, Original, SYN, begin(true)),
            (TcpConntrack::Close, Original, SYN_ACK, Step::Pass),
            (TcpConntrack::Established, Original, ACK, Step::Pass),
            (TcpConntrack::Established, Reply, ACK, Step::Pass),
            (TcpConntrack::TimeWait, Reply, ACK, Step::Pass),
        ];
        for (state, direction, flags, expected) in rows {
            let is = step(state, direction, flags);
            assert_eq!(is, expected, "{state:?} {direction:?} {flags:?}");
        }
    }

    #[test]
    fn shifts_meet() {
        for (isn, server) in [(10u32, 4_000_000_000u32), (4_000_000_000, 10), (7, 7)] {
            let initial = Initial {
                isn,
                its: 5,
                tsoff: 0u32.wrapping_sub(3),
            };
            assert_eq!(server.wrapping_add_signed(initial.shift(server)), isn);
            let rst = server.wrapping_add_signed(initial.shift_of_rst(server));
            assert_eq!(rst, isn.wrapping_add(1));
            // What the client echoes of a shifted timestamp is the server's own.
            let (at, old, new) = initial.shifted(Direction::Reply, 100, 200);
            assert_eq!((at, old), (0, 100));
            let (at, old, back) = initial.shifted(Direction::Original, 300, new);
            assert_eq!((at, old, back), (4, new, 100));
        }
    }
}
