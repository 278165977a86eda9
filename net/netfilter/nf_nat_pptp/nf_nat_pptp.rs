// SPDX-License-Identifier: GPL-2.0

//! NAT for PPTP (RFC 2637): the drop-in for the stock `nf_nat_pptp.ko`. It lends
//! the helper, which does all the reading and writing, what nf_nat can do, and
//! translates the tunnels of calls.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::conntrack::{expect::Expect, helper::LoadedHalf, Conn};
use nf_conntrack_pptp::PptpNat;
use nf_nat::setup::setup;
use nf_proto::{
    nat::{range::Range, Manip},
    tuple::Direction,
};

module! {
    type: NatPptp,
    name: "nf_nat_pptp",
    authors: ["rustynat"],
    description: "Netfilter NAT helper module for PPTP",
    license: "GPL",
    alias: ["ip_nat_pptp"],
}

/// The loaded module.
struct NatPptp {
    _half: LoadedHalf<PptpNat>,
}

static HALF: PptpNat = PptpNat {
    nat: &nf_nat::helper::NAT,
    translate,
};

impl kernel::Module for NatPptp {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let place = &nf_conntrack_pptp::NAT;
        Ok(NatPptp {
            _half: LoadedHalf::new(place, &HALF, c"ip_nat_pptp", module)?,
        })
    }
}

/// The tunnel goes from where the control connection goes to, to where that comes
/// from. The PNS's id is the one of the other side: where the PNS sends, it is
/// the source's, which is not in the packet, and where it receives the
/// destination's. If there is no such way, the tunnel is dropped when it is
/// confirmed.
fn translate(conn: &Conn, exp: &Expect) {
    let Some(master) = conn.master() else { return };
    let direction = exp.direction();
    let there = master.tuple(direction.opposite());
    let (source, destination) = (there.dst.address, there.src.address);
    let (from, to) = match direction {
        Direction::Original => (
            Range::exactly(source, exp.saved_id()),
            Range::to(destination),
        ),
        Direction::Reply => (
            Range::to(source),
            Range::exactly(destination, exp.saved_id()),
        ),
    };
    let _ = setup(conn, &from, Manip::Source);
    let _ = setup(conn, &to, Manip::Destination);
}
