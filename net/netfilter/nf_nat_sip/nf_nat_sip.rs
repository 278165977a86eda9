// SPDX-License-Identifier: GPL-2.0

//! NAT for SIP: the drop-in for the stock `nf_nat_sip.ko`. It lends the helper,
//! which does all the reading and says what to write, what nf_nat can do, and
//! translates the calls and streams that the helper expects.

#![deny(missing_docs)]
#![deny(clippy::undocumented_unsafe_blocks)]

use kernel::prelude::*;
use netfilter::conntrack::{
    expect::{Expect, ExpectLock, NewExpect},
    helper::{ExpectFunction, Help, LoadedHalf},
    skb::Packet,
    Conn, Info,
};
use nf_conntrack_sip::{Nat, SIGNALLING};
use nf_nat::{helper, helper_mangle, setup};
use nf_proto::{
    be::Be16,
    nat::{edit::Edit, range::Range, Manip},
    tuple::{Address, Direction},
};

mod abi;

module! {
    type: NatSip,
    name: "nf_nat_sip",
    authors: ["rustynat"],
    description: "SIP NAT helper",
    license: "GPL",
    alias: ["ip_nat_sip"],
}

/// The loaded module. First nobody expects anything for it any more, then what
/// was expected is removed.
struct NatSip {
    _half: LoadedHalf<Nat>,
    _function: ExpectFunction,
}

impl kernel::Module for NatSip {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let function = abi::register(c"sip")?;
        let place = &nf_conntrack_sip::NAT;
        Ok(NatSip {
            _half: LoadedHalf::new(place, &NAT, c"ip_nat_sip", module)?,
            _function: function,
        })
    }
}

static NAT: Nat = Nat {
    follow,
    expect: helper_mangle::expect_at_port,
    expect_pair: helper_mangle::expect_at_pair,
    edit,
};

fn follow(exp: &mut NewExpect<'_>, address: Address, direction: Direction) {
    let to = exp.tuple().dst;
    exp.set_saved(to.address, to.id, direction);
    exp.set_destination(address);
    abi::have_expected(exp);
}

/// Where a datagram's header has its destination port.
const PORT: core::ops::Range<usize> = 2..4;

fn edit(
    packet: &mut Packet<'_>,
    conn: &Conn,
    info: Info,
    transport: u32,
    edits: &[Edit<'_>],
    port: Option<Be16>,
) -> Result {
    if let Some(port) = port {
        let header = transport.wrapping_sub(packet.network_offset());
        let bytes = packet
            .writable(header.wrapping_add(PORT.end as u32))
            .ok_or(ENOMEM)?;
        let field = bytes
            .get_mut(header as usize..)
            .and_then(|header| header.get_mut(PORT))
            .ok_or(EINVAL)?;
        for (to, from) in field.iter_mut().zip(port.to_bytes()) {
            *to = from;
        }
    }
    // This sets the checksum right, too.
    (helper::NAT.edit)(packet, conn, info, transport, edits)
}

/// Translates an expected call or stream: it goes where its master's packet said
/// before that was changed.
///
/// A stream whose other end is expected as well comes from where that is
/// expected. Otherwise, what comes from where its master goes to comes from
/// where its master does.
fn expected(conn: &Conn, exp: &Expect) {
    let Some(master) = conn.master() else { return };
    let there = Range::exactly(exp.saved_address(), exp.saved_id());
    let _ = setup::setup(conn, &there, Manip::Destination);

    let source = conn.tuple(Direction::Original).src.address;
    let (from, shown) = (
        master.tuple(exp.direction()).src.address,
        master.tuple(exp.direction().opposite()).dst.address,
    );
    let range = paired(master, conn, exp).or_else(|| (source == from).then_some(Range::to(shown)));
    if let Some(range) = range {
        let _ = setup::setup(conn, &range, Manip::Source);
    }
}

/// Where the other end of a stream is expected.
fn paired(master: &Conn, conn: &Conn, exp: &Expect) -> Option<Range> {
    if exp.class() == SIGNALLING {
        return None;
    }
    let original = conn.tuple(Direction::Original);
    let help = Help::of(master)?;
    let lock = ExpectLock::take();
    let found = lock.list(&help).find(|pair| {
        let tuple = pair.tuple();
        tuple.src.l3num == original.src.l3num
            && tuple.dst.protocol == original.dst.protocol
            && pair.saved_address() == original.src.address
            && pair.saved_id() == original.src.id
    })?;
    let to = found.tuple().dst;
    Some(Range::exactly(to.address, to.id))
}
