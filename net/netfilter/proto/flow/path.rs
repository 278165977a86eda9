// SPDX-License-Identifier: GPL-2.0

//! What lies between a route's device and the wire: each device on the way down
//! tells its step, and together they say which device a flow's packets come in
//! and go out by, in what encapsulation.

use super::key::{Encap, Tunnel, ENCAPS};

/// What a bridge does to the tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BridgeTag {
    /// Leaves it alone.
    Keep,
    /// Adds it.
    Add(Encap),
    /// Takes it off.
    Remove,
    /// Has its hardware take it off.
    RemoveInHardware,
}

/// What a device is to a packet.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A wire.
    Ethernet,
    /// A switch behind it, where the way down ends.
    Dsa,
    /// A VLAN.
    Vlan(Encap),
    /// A PPPoE session, and the peer's hardware address.
    Pppoe(Encap, [u8; 6]),
    /// A tunnel: addresses as in packets that go out.
    Tunnel(Tunnel),
    /// A bridge.
    Bridge(BridgeTag),
    /// Something that the fast path cannot do.
    Other,
}

/// A device on the way down.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Index of the device.
    pub device: i32,
    /// Its hardware address.
    pub address: [u8; 6],
    /// What it does.
    pub kind: Kind,
}

/// A way down.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Path {
    /// Index of the lowest device; 0 if there is none.
    pub device: i32,
    /// Encapsulations, in the order in which packets get them.
    pub encaps: [Encap; ENCAPS],
    /// How many of them there are.
    pub number: u8,
    /// Of which of them, a bit each, hardware takes care.
    pub in_hardware: u8,
    /// The tunnel, addresses as in packets that go out.
    pub tunnel: Option<Tunnel>,
    /// Hardware address that packets go out with.
    pub source: [u8; 6],
    /// Hardware address that packets go out to.
    pub destination: [u8; 6],
    /// The packet is to be sent by the device, with these addresses.
    pub direct: bool,
    /// What is several packets in one must be cut up before it is encapsulated.
    pub segment: bool,
}

/// The way does something that the fast path cannot do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unknown;

impl Path {
    /// The way down to the neighbour with the hardware address `neighbour`.
    ///
    /// # Errors
    ///
    /// [`Unknown`]
    pub fn new(neighbour: [u8; 6], steps: impl Iterator<Item = Step>) -> Result<Self, Unknown> {
        let mut path = Self {
            destination: neighbour,
            ..Self::default()
        };
        for step in steps {
            if path.source == [0; 6] && !matches!(step.kind, Kind::Other) {
                path.source = step.address;
            }
            if !matches!(step.kind, Kind::Bridge(_)) {
                path.device = step.device;
            }
            if path.take(step.kind)? {
                break;
            }
        }
        Ok(path)
    }

    /// Whether it ends there.
    fn take(&mut self, kind: Kind) -> Result<bool, Unknown> {
        match kind {
            Kind::Ethernet => {}
            Kind::Dsa => return Ok(true),
            Kind::Vlan(encap) => self.push(encap)?,
            Kind::Pppoe(encap, peer) => {
                self.push(encap)?;
                self.destination = peer;
                self.direct = true;
                self.segment = true;
            }
            Kind::Tunnel(tunnel) => {
                if self.tunnel.replace(tunnel).is_some() {
                    return Err(Unknown);
                }
            }
            Kind::Bridge(tag) => {
                match tag {
                    BridgeTag::Keep => {}
                    BridgeTag::Add(encap) => self.push(encap)?,
                    BridgeTag::Remove => {
                        self.number = self.number.checked_sub(1).ok_or(Unknown)?;
                        *self.slot()? = Encap::default();
                    }
                    BridgeTag::RemoveInHardware => {
                        let last = self.number.checked_sub(1).ok_or(Unknown)?;
                        self.in_hardware |= 1u8.checked_shl(last.into()).unwrap_or(0);
                    }
                }
                self.direct = true;
            }
            Kind::Other => return Err(Unknown),
        }
        Ok(false)
    }

    fn slot(&mut self) -> Result<&mut Encap, Unknown> {
        self.encaps.get_mut(usize::from(self.number)).ok_or(Unknown)
    }

    fn push(&mut self, encap: Encap) -> Result<(), Unknown> {
        *self.slot()? = encap;
        self.number = self.number.saturating_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::be::Be16;

    const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];

    fn step(device: i32, kind: Kind) -> Step {
        Step {
            device,
            address: [2, 0, 0, 0, 0, device as u8],
            kind,
        }
    }

    fn tag(id: u16) -> Encap {
        Encap {
            id,
            protocol: Be16::new(0x8100),
        }
    }

    fn path(kinds: &[Kind]) -> Result<Path, Unknown> {
        let steps = (1..).zip(kinds).map(|(device, kind)| step(device, *kind));
        Path::new(PEER, steps)
    }

    #[test]
    fn a_wire() {
        let path = path(&[Kind::Ethernet]).unwrap();
        assert_eq!((path.device, path.number, path.direct), (1, 0, false));
        assert_eq!((path.source, path.destination), ([2, 0, 0, 0, 0, 1], PEER));
    }

    #[test]
    fn tags_in_order_and_not_more_than_two() {
        let two = path(&[Kind::Vlan(tag(1)), Kind::Vlan(tag(2)), Kind::Ethernet]).unwrap();
        assert_eq!((two.device, two.number), (3, 2));
        assert_eq!(two.encaps, [tag(1), tag(2)]);
        // The address is the first device's.
        assert_eq!(two.source, [2, 0, 0, 0, 0, 1]);
        let three = [Kind::Vlan(tag(1)); 3];
        assert_eq!(path(&three), Err(Unknown));
    }

    #[test]
    fn bridges_add_and_remove_tags() {
        let added = path(&[Kind::Bridge(BridgeTag::Add(tag(3))), Kind::Ethernet]).unwrap();
        assert_eq!((added.device, added.number, added.direct), (2, 1, true));
        let removed = path(&[
            Kind::Vlan(tag(3)),
            Kind::Bridge(BridgeTag::Remove),
            Kind::Ethernet,
        ])
        .unwrap();
        assert_eq!((removed.number, removed.encaps), (0, [Encap::default(); 2]));
        assert_eq!(path(&[Kind::Bridge(BridgeTag::Remove)]), Err(Unknown));
        let hardware = Kind::Bridge(BridgeTag::RemoveInHardware);
        assert_eq!(path(&[hardware]), Err(Unknown));
        assert_eq!(
            path(&[Kind::Vlan(tag(3)), hardware]).unwrap().in_hardware,
            1
        );
    }

    #[test]
    fn pppoe_goes_to_its_peer() {
        let peer = [2, 0, 0, 0, 0, 7];
        let path = path(&[Kind::Pppoe(tag(5), peer), Kind::Ethernet]).unwrap();
        assert!(path.direct && path.segment);
        assert_eq!(path.destination, peer);
    }

    #[test]
    fn one_tunnel_no_more_and_nothing_unknown() {
        let tunnel = Kind::Tunnel(Tunnel::default());
        assert!(path(&[tunnel, Kind::Ethernet]).unwrap().tunnel.is_some());
        assert_eq!(path(&[tunnel, tunnel]), Err(Unknown));
        assert_eq!(path(&[Kind::Other]), Err(Unknown));
        let dsa = path(&[Kind::Dsa, Kind::Other]).unwrap();
        assert_eq!(dsa.device, 1);
    }
}
