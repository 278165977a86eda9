// SPDX-License-Identifier: GPL-2.0

//! What hardware is told of a direction of a flow: which packets are its own
//! ([`Match`]), and what to do to them ([`Actions`], as the kernel's
//! include/net/flow_offload.h has them). How many actions there can be follows
//! from the type of [`Actions`]: there is a place for each, and no other.
//!
//! [`next`] says what is to be done about a flow that hardware has.

use super::key::{Encap, Key, ENCAPS};
use crate::{
    be::{Be16, Be32},
    l4::number,
    tuple::{Address, Direction, Family},
};

/// How many actions the kernel's rule has room for that they are written to.
pub const ROOM: usize = 24;

/// The most actions that there can be.
pub const MOST: usize = 2 + MAC + 2 * ENCAPS + 2 * (WORDS + 1) + 1 + 1;

const _: () = assert!(MOST <= ROOM);

/// Words of 32 bits of an IPv6 address.
const WORDS: usize = 4;
/// Words of 32 bits that both hardware addresses are in.
const MAC: usize = 4;

const ETH_P_PPP_SES: u16 = 0x8864;
const ETH_P_8021Q: u16 = 0x8100;
const ETH_P_8021AD: u16 = 0x88a8;

/// Of TCP's flags: FIN and RST, which are for connection tracking.
const ENDS: u16 = 0x05;

/// Hardware cannot be told: the flow is the software's alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unsupported;

/// The encapsulations that a direction's packets come in.
#[derive(Clone, Copy, Default, Debug)]
pub struct Wraps {
    /// The outermost first.
    pub encaps: [Encap; ENCAPS],
    /// How many there are.
    pub number: usize,
    /// Which of them, a bit each, the device takes off before anybody looks.
    pub in_hardware: u8,
}

/// An encapsulation that a rule has to do with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrap {
    Vlan(Encap),
    Pppoe(u16),
}

impl Wraps {
    fn each(&self) -> Result<[Option<Wrap>; ENCAPS], Unsupported> {
        let mut wraps = [None; ENCAPS];
        let places = [(0, 1 << 0), (1, 1 << 1)];
        for ((to, encap), (place, bit)) in wraps.iter_mut().zip(&self.encaps).zip(places) {
            if place >= self.number || self.in_hardware & bit != 0 {
                continue;
            }
            *to = Some(match encap.protocol.get() {
                ETH_P_8021Q | ETH_P_8021AD => Wrap::Vlan(*encap),
                ETH_P_PPP_SES => Wrap::Pppoe(encap.id),
                _ => return Err(Unsupported),
            });
        }
        Ok(wraps)
    }

    /// The VLAN tags, the outermost first.
    fn vlans(&self) -> Result<[Option<Encap>; ENCAPS], Unsupported> {
        let [first, second] = self.each()?.map(|wrap| match wrap {
            Some(Wrap::Vlan(encap)) => Some(encap),
            _ => None,
        });
        Ok(match first {
            None => [second, None],
            Some(_) => [first, second],
        })
    }
}

/// Which packets are a direction's. All that is there must be as said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Match {
    /// Index of the device that they come in by.
    pub device: i32,
    /// VLAN tags, the outermost first.
    pub vlans: [Option<Encap>; ENCAPS],
    /// Network layer.
    pub family: Family,
    /// Source address.
    pub source: Address,
    /// Destination address.
    pub destination: Address,
    /// Transport protocol, `IPPROTO_*`.
    pub protocol: u8,
    /// Source and destination port, if it has ports.
    pub ports: Option<[Be16; 2]>,
    /// Those of TCP's flags that must not be set.
    pub unset: Be16,
}

impl Match {
    /// Packets of this key, that come in by `device`.
    ///
    /// # Errors
    ///
    /// [`Unsupported`]: another protocol or encapsulation than hardware knows.
    pub fn new(key: &Key, device: i32, wraps: &Wraps) -> Result<Self, Unsupported> {
        let protocol = key.protocol();
        let (ports, unset) = match protocol {
            number::TCP => (Some(key.ports()), ENDS),
            number::UDP => (Some(key.ports()), 0),
            number::GRE => (None, 0),
            _ => return Err(Unsupported),
        };
        Ok(Self {
            device,
            vlans: wraps.vlans()?,
            family: key.family().ok_or(Unsupported)?,
            source: key.source(),
            destination: key.destination(),
            protocol,
            ports,
            unset: Be16::new(unset),
        })
    }
}

/// The header that a [`Mangle`] changes (`enum flow_action_mangle_base`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    /// Ethernet's.
    Ethernet = 1,
    /// IPv4's.
    Ipv4 = 2,
    /// IPv6's.
    Ipv6 = 3,
    /// TCP's.
    Tcp = 4,
    /// UDP's.
    Udp = 5,
}

/// Four bytes of a header that are changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mangle {
    /// The header.
    pub header: Header,
    /// Where they are in it, bytes.
    pub offset: u32,
    /// Which of their bits stay as they are.
    pub keep: [u8; 4],
    /// What the others become.
    pub value: [u8; 4],
}

/// An action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// The tunnel's header goes.
    TunnelDecap,
    /// A tunnel's header comes: that of the direction's route.
    TunnelEncap,
    /// Bytes are changed.
    Mangle(Mangle),
    /// The outermost VLAN tag goes.
    VlanPop,
    /// A VLAN tag comes.
    VlanPush(Encap),
    /// A PPPoE header comes, of this session.
    PppoePush(u16),
    /// Checksums are made right: that of IPv4, and of the transport protocol with
    /// this number, if it is TCP or UDP.
    Checksum(u8),
    /// The packet leaves.
    Redirect,
}

/// What is asked for, of a direction of a flow.
pub struct Request<'a> {
    /// The direction.
    pub direction: Direction,
    /// Its key, and that of the other direction.
    pub keys: [&'a Key; 2],
    /// In what its packets come, and those of the other one.
    pub wraps: [Wraps; 2],
    /// Source and destination address that packets leave with.
    pub hardware: [[u8; 6]; 2],
    /// Packets come in a tunnel, and leave in one.
    pub tunnels: [bool; 2],
    /// Source and destination are translated.
    pub translated: [bool; 2],
}

/// An address and a port that are rewritten.
type Rewrite = ([Option<Mangle>; WORDS], Option<Mangle>);

/// The actions on a direction's packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actions {
    tunnels: [Option<Action>; 2],
    hardware: [Mangle; MAC],
    pops: [Option<Action>; ENCAPS],
    pushes: [Option<Action>; ENCAPS],
    translations: [Rewrite; 2],
    checksum: Option<Action>,
}

impl Actions {
    /// The actions that are asked for.
    ///
    /// # Errors
    ///
    /// [`Unsupported`]: an encapsulation that hardware does not know.
    pub fn new(request: &Request<'_>) -> Result<Self, Unsupported> {
        let [key, answer] = request.keys;
        let [come, leave] = &request.wraps;
        let [decap, encap] = request.tunnels;
        let [source, destination] = request.translated;
        let family = key.family().ok_or(Unsupported)?;
        let of_source = request.direction == Direction::Original;
        let rewrite = |wanted: bool, at_source: bool| match wanted {
            true => rewrite(family, answer, at_source),
            false => ([None; WORDS], None),
        };
        let pushes = leave.each()?.map(|wrap| {
            wrap.map(|wrap| match wrap {
                Wrap::Vlan(encap) => Action::VlanPush(encap),
                Wrap::Pppoe(session) => Action::PppoePush(session),
            })
        });
        Ok(Self {
            tunnels: [
                decap.then_some(Action::TunnelDecap),
                encap.then_some(Action::TunnelEncap),
            ],
            hardware: hardware(&request.hardware),
            pops: come.vlans()?.map(|tag| tag.map(|_| Action::VlanPop)),
            pushes,
            // What is source to one direction is destination to the other.
            translations: [rewrite(source, of_source), rewrite(destination, !of_source)],
            // Of IPv6 drivers know by themselves.
            checksum: ((source || destination) && family == Family::Ipv4)
                .then_some(Action::Checksum(key.protocol())),
        })
    }

    /// Lets `visit` see each, in order; there are at most [`MOST`].
    ///
    /// # Errors
    ///
    /// Those of `visit`, after which it sees no more.
    pub fn each<E>(&self, mut visit: impl FnMut(Action) -> Result<(), E>) -> Result<(), E> {
        for action in self.tunnels.iter().flatten() {
            visit(*action)?;
        }
        for mangle in &self.hardware {
            visit(Action::Mangle(*mangle))?;
        }
        for action in self.pops.iter().chain(&self.pushes).flatten() {
            visit(*action)?;
        }
        for (address, port) in &self.translations {
            for mangle in address.iter().chain(core::iter::once(port)).flatten() {
                visit(Action::Mangle(*mangle))?;
            }
        }
        for action in self.checksum.iter() {
            visit(*action)?;
        }
        visit(Action::Redirect)
    }
}

/// The changes of hardware addresses: source and destination.
fn hardware(addresses: &[[u8; 6]; 2]) -> [Mangle; MAC] {
    const NONE: [u8; 4] = [0; 4];
    let [[s0, s1, s2, s3, s4, s5], [d0, d1, d2, d3, d4, d5]] = *addresses;
    let ethernet = |offset, keep, value| Mangle {
        header: Header::Ethernet,
        offset,
        keep,
        value,
    };
    [
        ethernet(4, [0xff, 0xff, 0, 0], [0, 0, s0, s1]),
        ethernet(8, NONE, [s2, s3, s4, s5]),
        ethernet(0, NONE, [d0, d1, d2, d3]),
        ethernet(4, [0, 0, 0xff, 0xff], [d4, d5, 0, 0]),
    ]
}

/// The changes that make a packet's source, or its destination, what answers are
/// sent to, or come from.
fn rewrite(family: Family, answer: &Key, at_source: bool) -> Rewrite {
    let [from, to] = answer.ports();
    let (address, port) = match at_source {
        true => (answer.destination(), to),
        false => (answer.source(), from),
    };
    let word = |header: Header, offset: u32, value: Be32| {
        Some(Mangle {
            header,
            offset,
            keep: [0; 4],
            value: value.to_bytes(),
        })
    };
    let Address([a, b, c, d]) = address;
    let address = match (family, at_source) {
        (Family::Ipv4, true) => [word(Header::Ipv4, 12, a), None, None, None],
        (Family::Ipv4, false) => [word(Header::Ipv4, 16, a), None, None, None],
        (Family::Ipv6, at_source) => {
            let [e, f, g, h] = match at_source {
                true => [8, 12, 16, 20],
                false => [24, 28, 32, 36],
            };
            let word = |offset, value| word(Header::Ipv6, offset, value);
            [word(e, a), word(f, b), word(g, c), word(h, d)]
        }
    };
    let header = match answer.protocol() {
        number::TCP => Header::Tcp,
        number::UDP => Header::Udp,
        _ => return (address, None),
    };
    let ([high, low], keep) = (port.to_bytes(), 0xff);
    let (keep, value) = match at_source {
        true => ([0, 0, keep, keep], [high, low, 0, 0]),
        false => ([keep, keep, 0, 0], [0, 0, high, low]),
    };
    let port = Mangle {
        header,
        offset: 0,
        keep,
        value,
    };
    (address, Some(port))
}

/// How a flow and hardware are to each other.
#[derive(Clone, Copy, Default, Debug)]
pub struct State {
    /// The flow has ended.
    pub ended: bool,
    /// Its connection is closing.
    pub closing: bool,
    /// Hardware has been, or is to be, told of it.
    pub known: bool,
    /// Something is being asked of hardware about it.
    pub busy: bool,
    /// It has been, or is to be, told to forget it.
    pub leaving: bool,
    /// It was told so.
    pub left: bool,
}

/// What collection does about a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Nothing, until hardware has answered.
    Wait,
    /// It keeps it.
    Keep,
    /// It keeps it, and asks hardware for its counters.
    Ask,
    /// It has hardware forget it.
    Withdraw,
    /// It frees it.
    Free,
}

/// What collection does about a flow. What hardware knows is not freed.
pub const fn next(state: State) -> Next {
    match state {
        State { busy: true, .. } => Next::Wait,
        State {
            known: true,
            leaving: false,
            ended,
            closing,
            ..
        } => {
            if ended || closing {
                Next::Withdraw
            } else {
                Next::Ask
            }
        }
        State { ended: false, .. } => Next::Keep,
        State {
            known: true,
            left: false,
            ..
        } => Next::Wait,
        _ => Next::Free,
    }
}

/// When a flow is over that was in use last at `used`, and else is over at
/// `timeout`: jiffies all, `lifetime` from the last use on.
pub const fn extended(timeout: u32, used: u64, lifetime: u32) -> Option<u32> {
    if used == 0 {
        // Hardware did not say.
        return None;
    }
    let until = (used as u32).wrapping_add(lifetime);
    if (until.wrapping_sub(timeout) as i32) > 0 {
        Some(until)
    } else {
        None
    }
}

/// Whether to ask for counters: of a flow with `left` of its `lifetime`, jiffies,
/// that is not as good as new.
pub const fn is_due(left: i32, lifetime: u32) -> bool {
    let tenth = match lifetime.checked_div(10) {
        Some(tenth) => tenth,
        None => 0,
    };
    (left as i64) < lifetime.saturating_sub(tenth) as i64
}

#[cfg(test)]
mod tests;
