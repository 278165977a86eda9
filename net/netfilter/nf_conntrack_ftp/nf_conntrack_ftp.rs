// SPDX-License-Identifier: GPL-2.0

//! FTP (RFC 959, RFC 2428): the drop-in for the stock `nf_conntrack_ftp.ko`. The
//! two sides of a control connection tell each other where the data connection
//! of the next transfer goes: that is expected.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::{prelude::*, sync::rcu};
use netfilter::conntrack::{
    helper::{
        places, Class, ConntrackHelper, Help, NatHalf, Policy, Registrations, Why, MAX_PORTS,
    },
    skb::Packet,
    Conn, Info,
};
use nf_conntrack::{announce::Announcements, expect::Wanted};
use nf_proto::{
    alg::{
        ftp::{self, Announcement, Kind, Reading},
        lines::Lines,
    },
    be::Be16,
    l4::number,
    tuple::Family,
};

mod abi;

module! {
    type: Ftp,
    name: "nf_conntrack_ftp",
    authors: ["rustynat"],
    description: "ftp connection tracking helper",
    license: "GPL",
    alias: ["ip_conntrack_ftp", "nfct-helper-ftp"],
}

/// Where nf_nat_ftp has its functions.
pub static NAT: NatHalf = NatHalf::new();

/// The loaded module.
struct Ftp {
    _helper: Registrations<Self, { 2 * MAX_PORTS }>,
}

/// One transfer is announced at a time.
const CLASS: Class = Class {
    name: c"",
    policy: Policy {
        max_expected: 1,
        timeout: 5 * 60,
    },
};

impl kernel::Module for Ftp {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let families = [Family::Ipv4, Family::Ipv6];
        let places = places::<Self>(abi::ports(), &families, |port, _| port.into());
        Ok(Ftp {
            _helper: Registrations::new(places, &[CLASS], module)?,
        })
    }
}

impl ConntrackHelper for Ftp {
    const NAME: &'static CStr = c"ftp";
    const PROTOCOL: u8 = number::TCP;
    const PORT: u16 = 21;

    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
        if !info.is_established() {
            return Ok(());
        }
        follow(packet, conn, info, transport)
    }
}

/// Both directions' lines.
type Both = [Lines; 2];

fn follow(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why> {
    let help = Help::of(conn).ok_or(c"connection without helper")?;
    if !packet.linearize() {
        return Err(c"no memory");
    }
    let Some(segment) = packet.segment(transport) else {
        return Ok(());
    };
    let direction = info.direction();
    let family = conn.family();
    let (seq, end) = (segment.seq, segment.end());
    let ends_line = segment.payload.ends_with(b"\n");

    let begins_line = help.remember(conn, |both: &mut Both| direction.of_mut(both).begins(seq));
    if begins_line {
        match ftp::read(segment.payload, direction, family) {
            Reading::Other => {}
            Reading::Unclear(kind) => return Err(unclear(kind)),
            Reading::Announced(found) => {
                help.remember(conn, |both: &mut Both| {
                    direction.of_mut(both).announces(seq, found.port)
                })
                .map_err(|_| c"another port in a retransmission")?;
                expect(packet, conn, info, transport, &found)?;
            }
        }
    }
    if ends_line {
        help.remember(conn, |both: &mut Both| {
            direction.of_mut(both).ends_before(end)
        });
    }
    Ok(())
}

/// Expects the data connection that the sender of the packet announces.
fn expect(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    transport: u32,
    found: &Announcement,
) -> Result<(), Why> {
    let direction = info.direction();
    let family = conn.family();
    let sender = conn.tuple(direction).src.address;
    let reply = conn.tuple(direction.opposite());
    // Another host's address opens a way into another network: only if that is
    // wanted, and then it is reached as it is.
    let third = found.address.filter(|address| *address != sender);
    if third.is_some() && !abi::loose() {
        return Ok(());
    }
    let rcu = rcu::read_lock();
    let nat = NAT.of(conn, &rcu).filter(|_| third.is_none());
    let mut announcements = Announcements::<1, { ftp::LONGEST }>::new(conn, nat);
    let wanted = Wanted {
        class: 0,
        l3num: family.number(),
        source: Some(&reply.src.address),
        destination: third.as_ref().unwrap_or(&reply.dst.address),
        protocol: number::TCP,
        source_port: None,
        port: Be16::new(found.port),
    };
    announcements.announce(&wanted, direction.opposite(), found.span, |port| {
        ftp::write(found.kind, &reply.dst.address, family, port).ok()
    })?;
    announcements.finish(packet, info, transport)
}

fn unclear(kind: Kind) -> Why {
    match kind {
        Kind::Port => c"partial or wrong `PORT'",
        Kind::Eprt => c"partial or wrong `EPRT'",
        Kind::Pasv => c"partial or wrong `227'",
        Kind::Epsv => c"partial or wrong `229'",
    }
}
