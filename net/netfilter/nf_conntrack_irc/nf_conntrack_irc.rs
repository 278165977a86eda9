// SPDX-License-Identifier: GPL-2.0

//! IRC (RFC 1459) with DCC: the drop-in for the stock `nf_conntrack_irc.ko`. A
//! client tells another one, through the server, where it can be reached.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::{prelude::*, sync::rcu};
use netfilter::conntrack::{
    expect::MAX_OF_CLASS,
    helper::{
        places, Class, ConntrackHelper, Help, NatHalf, Policy, Registrations, Why, MAX_PORTS,
    },
    skb::Packet,
    Conn, Info,
};
use nf_conntrack::{announce::Announcements, expect::Wanted};
use nf_proto::{
    alg::{
        irc::{self, Announcement},
        lines::Lines,
    },
    be::Be16,
    l4::number,
    tuple::{Address, Direction, Family},
};

mod abi;

module! {
    type: Irc,
    name: "nf_conntrack_irc",
    authors: ["rustynat"],
    description: "IRC (DCC) connection tracking helper",
    license: "GPL",
    alias: ["ip_conntrack_irc", "nfct-helper-irc"],
}

/// Where nf_nat_irc has its functions.
pub static NAT: NatHalf = NatHalf::new();

/// The loaded module.
struct Irc {
    _helper: Registrations<Self, MAX_PORTS>,
}

impl kernel::Module for Irc {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let most = abi::max_dcc_channels();
        if most == 0 || most > MAX_OF_CLASS {
            pr_err!("max_dcc_channels must be from 1 to {}\n", MAX_OF_CLASS);
            return Err(EINVAL);
        }
        let class = Class {
            name: c"",
            policy: Policy {
                max_expected: most,
                timeout: abi::dcc_timeout(),
            },
        };
        let places = places::<Self>(abi::ports(), &[Family::Ipv4], |_, index| index);
        Ok(Irc {
            _helper: Registrations::new(places, &[class], module)?,
        })
    }
}

/// A segment announces this many at most: more is no conversation.
const MOST: usize = 8;

/// Only so much of a segment is read.
const SEARCHED: usize = 4095;

impl ConntrackHelper for Irc {
    const NAME: &'static CStr = c"irc";
    const PROTOCOL: u8 = number::TCP;
    const PORT: u16 = 6667;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        // Clients announce. Until there was an answer there is nothing to read.
        if info != Info::ESTABLISHED {
            return Ok(());
        }
        follow(packet, conn, info, transport)
    }
}

fn follow(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
    let help = Help::of(conn).ok_or(c"connection without helper")?;
    if !packet.linearize() {
        return Err(c"no memory");
    }
    let Some(segment) = packet.segment(transport) else {
        return Ok(());
    };
    let (seq, end) = (segment.seq, segment.end());
    let ends_line = segment.payload.ends_with(b"\n");
    let begins_line = help.remember(conn, |lines: &mut Lines| {
        let begins = lines.begins(seq);
        if ends_line {
            lines.ends_before(end);
        }
        begins
    });

    let rcu = rcu::read_lock();
    let nat = NAT.of(conn, &rcu);
    let mut announcements = Announcements::<MOST, { irc::LONGEST }>::new(conn, nat);
    let searched = segment.payload.get(..SEARCHED).unwrap_or(segment.payload);
    for found in irc::announcements(searched, begins_line) {
        if is_own(conn, &found) {
            expect(&mut announcements, conn, &found)?;
        }
    }
    announcements.finish(packet, info, transport)
}

/// The address is the client's, inside or outside of NAT. Anything else was put
/// into its mouth.
fn is_own(conn: &Conn, found: &Announcement) -> bool {
    let address = Address::v4(found.address);
    conn.tuple(Direction::Original).src.address == address
        || conn.tuple(Direction::Reply).dst.address == address
}

fn expect(
    announcements: &mut Announcements<'_, MOST, { irc::LONGEST }>,
    conn: &Conn,
    found: &Announcement,
) -> Result<(), Why> {
    let outside = conn.tuple(Direction::Reply).dst.address;
    let wanted = Wanted {
        class: 0,
        l3num: conn.l3num(),
        // It is the other client, which nobody here knows.
        source: None,
        destination: &outside,
        protocol: number::TCP,
        source_port: None,
        port: Be16::new(found.port),
    };
    let Address([word, ..]) = outside;
    announcements.announce(&wanted, Direction::Reply, found.span, |port| {
        irc::write(word, port).ok()
    })
}
