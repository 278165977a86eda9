// SPDX-License-Identifier: GPL-2.0

//! Routes of new flows (`struct nf_flow_route`), and what nf_tables asks for
//! them.

use super::{flow::Draft, frame::in6};
use crate::path;
use core::{
    mem::{replace, zeroed},
    ptr::{null_mut, NonNull},
};
use kernel::{
    error::{code::ENOENT, Result},
    ffi::c_int,
};
use netfilter::{check_prototype, conntrack::Conn};
use nf_bindings as bindings;
use nf_proto::{
    be::{Be16, Be32},
    flow::{
        key::{Encap, Parts, Tunnel, ENCAPS},
        path::{BridgeTag, Kind, Path, Step},
    },
    tuple::{Address, Direction, Family},
};

check_prototype!(nft_flow_route);

/// # Safety
///
/// C: all are valid; the packet has a route; `route` is all zeroes; under RCU.
#[no_mangle]
pub unsafe extern "C" fn nft_flow_route(
    pkt: *const bindings::nft_pktinfo,
    ct: *const bindings::nf_conn,
    route: *mut bindings::nf_flow_route,
    dir: bindings::ip_conntrack_dir,
    ft: *mut bindings::nft_flowtable,
) -> c_int {
    let direction = if dir == 0 {
        Direction::Original
    } else {
        Direction::Reply
    };
    // SAFETY: By the C contract.
    let (rule, mut builder) = unsafe {
        let rule = Rule {
            packet: &*pkt,
            conn: Conn::from_raw(ct),
            table: ft,
        };
        (rule, Builder(&mut *route))
    };
    match path::find(&rule, direction, &mut builder) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// A reference to a route.
pub struct Route(NonNull<bindings::dst_entry>);

impl Route {
    fn into_raw(self) -> *mut bindings::dst_entry {
        core::mem::ManuallyDrop::new(self).0.as_ptr()
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        // SAFETY: The value's own reference.
        unsafe { bindings::rustynat_flow_dst_release(self.0.as_ptr()) };
    }
}

/// The rule that a packet met: the packet, its connection, and the table that is
/// to have it.
///
/// # Invariants
///
/// The packet is at FORWARD, and has a route; under RCU.
pub struct Rule<'a> {
    packet: &'a bindings::nft_pktinfo,
    conn: &'a Conn,
    table: *mut bindings::nft_flowtable,
}

impl Rule<'_> {
    fn state(&self) -> &bindings::nf_hook_state {
        // SAFETY: A packet's hook has a state.
        unsafe { &*self.packet.state }
    }

    /// The packet's network layer.
    pub fn family(&self) -> Family {
        Family::from_number(self.state().pf.into()).unwrap_or(Family::Ipv4)
    }

    /// Index of the device that the packet came in by.
    fn input(&self) -> c_int {
        // SAFETY: At FORWARD there is one.
        unsafe { bindings::netdev_ifindex(self.state().in_) }
    }

    fn packet_dst(&self) -> Result<NonNull<bindings::dst_entry>> {
        // SAFETY: The packet is valid.
        NonNull::new(unsafe { bindings::rustynat_flow_packet_dst(self.packet.skb) }).ok_or(ENOENT)
    }

    /// The packet's own route.
    ///
    /// # Errors
    ///
    /// `ENOENT`: it is about to go.
    pub fn route_of_packet(&self) -> Result<Route> {
        let dst = self.packet_dst()?;
        // SAFETY: The packet's route is valid under RCU.
        if unsafe { bindings::rustynat_flow_dst_hold(dst.as_ptr()) } {
            Ok(Route(dst))
        } else {
            Err(ENOENT)
        }
    }

    fn look_up(&self, to: Address, from: Address, oif: c_int, iif: c_int) -> Result<Route> {
        // SAFETY: By the type invariant.
        let dst =
            unsafe { bindings::rustynat_flow_route(self.packet, &in6(to), &in6(from), oif, iif) };
        NonNull::new(dst).map(Route).ok_or(ENOENT)
    }

    /// The route of answers to packets of `direction`: out of the device that they
    /// come in by.
    ///
    /// # Errors
    ///
    /// `ENOENT`
    pub fn route_back(&self, direction: Direction) -> Result<Route> {
        let to = self.conn.tuple(direction).src.address;
        let from = self.conn.tuple(direction.opposite()).src.address;
        // SAFETY: The packet's route is valid under RCU, and has a device.
        let device = unsafe { bindings::rustynat_flow_dst_ifindex(self.packet_dst()?.as_ptr()) };
        self.look_up(to, from, self.input(), device)
    }

    /// The route of a tunnel's packets.
    ///
    /// # Errors
    ///
    /// `ENOENT`
    pub fn route_of_tunnel(&self, tunnel: &Tunnel) -> Result<Route> {
        self.look_up(tunnel.destination, tunnel.source, 0, self.input())
    }

    /// The table's hardware is to send what takes this route, out of the device.
    fn is_direct(&self, dst: *const bindings::dst_entry, index: i32) -> bool {
        // SAFETY: The table is valid, and the route held; under RCU.
        unsafe { bindings::rustynat_flow_is_direct(self.table, dst, index) }
    }

    /// The table has the device's packets.
    pub fn has_device(&self, index: i32) -> bool {
        // SAFETY: The table is valid; under RCU.
        unsafe { bindings::rustynat_flow_has_device(self.table, index) }
    }
}

/// The route that is filled in. Its references are the caller's at the end.
pub struct Builder<'a>(&'a mut bindings::nf_flow_route);

type Half = bindings::nf_flow_route__bindgen_ty_1;

impl Builder<'_> {
    fn half(&mut self, direction: Direction) -> &mut Half {
        direction.of_mut(&mut self.0.tuple)
    }

    /// A direction's packets take this route, and the others come from there.
    pub fn set_default(&mut self, direction: Direction, route: Route) {
        // SAFETY: A reference is held.
        unsafe {
            let dst = route.0.as_ptr();
            self.half(direction.opposite()).in_.ifindex =
                bindings::rustynat_flow_dst_ifindex(dst) as u32;
            self.half(direction).xmit_type = if bindings::rustynat_flow_dst_is_xfrm(dst) {
                bindings::flow_offload_xmit_type_FLOW_OFFLOAD_XMIT_XFRM
            } else {
                bindings::flow_offload_xmit_type_FLOW_OFFLOAD_XMIT_NEIGH
            };
        }
        self.replace(direction, route);
    }

    /// A direction's packets take this route.
    pub fn replace(&mut self, direction: Direction, route: Route) {
        let old = replace(&mut self.half(direction).dst, route.into_raw());
        if let Some(old) = NonNull::new(old) {
            drop(Route(old));
        }
    }

    /// A direction's route leads to IPsec.
    pub fn is_ipsec(&mut self, direction: Direction) -> bool {
        self.half(direction).xmit_type == bindings::flow_offload_xmit_type_FLOW_OFFLOAD_XMIT_XFRM
    }

    /// Gives the routes back.
    pub fn forget(&mut self) {
        for direction in [Direction::Original, Direction::Reply] {
            let old = replace(&mut self.half(direction).dst, null_mut());
            if let Some(old) = NonNull::new(old) {
                drop(Route(old));
            }
        }
    }

    /// The way down from a direction's route.
    ///
    /// # Errors
    ///
    /// `ENOENT`: the next hop is not known, or the way is not for the fast path.
    pub fn path(&mut self, rule: &Rule<'_>, direction: Direction) -> Result<Path> {
        let dst = self.half(direction).dst;
        let address = in6(rule.conn.tuple(direction.opposite()).src.address);
        let mut hardware = [0; 6];
        // SAFETY: All may be zero. The route is held; devices live under RCU; there
        // is room for as many steps as there can be.
        unsafe {
            if bindings::rustynat_flow_is_ethernet(dst)
                && !bindings::rustynat_flow_hardware_address(dst, &address, hardware.as_mut_ptr())
            {
                return Err(ENOENT);
            }
            let mut steps: [bindings::rustynat_flow_step; STEPS] = zeroed();
            let number = bindings::rustynat_flow_steps(dst, hardware.as_ptr(), steps.as_mut_ptr());
            let number = usize::try_from(number).map_err(|_| ENOENT)?;
            let mut path =
                Path::new(hardware, steps.iter().take(number).map(step)).map_err(|_| ENOENT)?;
            // It has to know the addresses; a tunnel it cannot make.
            let known = path.destination != [0; 6] && path.tunnel.is_none();
            path.direct |= known && rule.is_direct(dst, path.device);
            Ok(path)
        }
    }

    /// Fills in what is below a direction's route.
    pub fn fill(&mut self, direction: Direction, path: &Path) {
        let input = &mut self.half(direction.opposite()).in_;
        input.ifindex = path.device as u32;
        for (to, from) in input.encap.iter_mut().zip(&path.encaps) {
            to.id = from.id;
            to.proto = from.protocol.raw();
        }
        input.set_num_encaps(path.number);
        input.set_ingress_vlans(path.in_hardware);
        if let Some(tunnel) = path.tunnel {
            // Packets that come have the ends the other way round.
            let tunnel = Tunnel {
                source: tunnel.destination,
                destination: tunnel.source,
                ..tunnel
            };
            // SAFETY: The same layout, as the size asserted with `Side` says.
            unsafe { (&raw mut input.tun).cast::<Tunnel>().write(tunnel) };
            input.set_num_tuns(1);
        }
        let half = self.half(direction);
        half.out.ifindex = path.device as u32;
        half.out.set_needs_gso_segment(path.segment.into());
        if path.direct {
            half.out.h_source = path.source;
            half.out.h_dest = path.destination;
            half.xmit_type = bindings::flow_offload_xmit_type_FLOW_OFFLOAD_XMIT_DIRECT;
        }
    }
}

/// How many devices there are at most.
const STEPS: usize = bindings::rustynat_flow_limit_RUSTYNAT_FLOW_STEPS as usize;

fn step(c: &bindings::rustynat_flow_step) -> Step {
    const KEEP: u32 = 0;
    const TAG: u32 = 1;
    const UNTAG: u32 = 2;
    const UNTAG_HW: u32 = 3;
    let encap = Encap {
        id: c.id,
        protocol: Be16::from_raw(c.proto),
    };
    let words = |words: [u32; 4]| Address(words.map(Be32::from_raw));
    let kind = match (c.type_, c.vlan_mode) {
        (bindings::net_device_path_type_DEV_PATH_ETHERNET, _) => Kind::Ethernet,
        (bindings::net_device_path_type_DEV_PATH_DSA, _) => Kind::Dsa,
        (bindings::net_device_path_type_DEV_PATH_VLAN, _) => Kind::Vlan(encap),
        (bindings::net_device_path_type_DEV_PATH_PPPOE, _) => Kind::Pppoe(encap, c.peer),
        (bindings::net_device_path_type_DEV_PATH_TUN, _) => Kind::Tunnel(Tunnel {
            source: words(c.tunnel_source),
            destination: words(c.tunnel_destination),
            protocol: c.tunnel_proto,
        }),
        // DEV_PATH_BR_VLAN_*
        (bindings::net_device_path_type_DEV_PATH_BRIDGE, mode) => match mode {
            KEEP => Kind::Bridge(BridgeTag::Keep),
            TAG => Kind::Bridge(BridgeTag::Add(encap)),
            UNTAG => Kind::Bridge(BridgeTag::Remove),
            UNTAG_HW => Kind::Bridge(BridgeTag::RemoveInHardware),
            _ => Kind::Other,
        },
        _ => Kind::Other,
    };
    Step {
        device: c.ifindex,
        address: c.address,
        kind,
    }
}

/// Gives a flow its routes, one direction after the other.
///
/// # Safety
///
/// `route` is filled, and its references become the flow's; the flow is in no
/// table.
pub unsafe fn fill(flow: &mut bindings::flow_offload, route: &mut bindings::nf_flow_route) {
    for direction in [Direction::Original, Direction::Reply] {
        let half = direction.of_mut(&mut route.tuple);
        let tuple = &mut direction.of_mut(&mut flow.tuplehash).tuple;
        // SAFETY: By the function's safety requirement.
        unsafe { fill_half(tuple, half) };
    }
}

/// # Safety
///
/// As [`fill`].
unsafe fn fill_half(tuple: &mut bindings::flow_offload_tuple, half: &mut Half) {
    let ipv6 = u16::from(tuple.l3proto) == Family::Ipv6.number();
    let Some(dst) = NonNull::new(replace(&mut half.dst, null_mut())) else {
        return;
    };
    let route = Route(dst);
    // SAFETY: The reference is held.
    unsafe {
        // More than 65535 is no limit to a packet.
        tuple.mtu = bindings::rustynat_flow_mtu(dst.as_ptr(), ipv6).min(u16::MAX.into()) as u16;
    }
    let input = &half.in_;
    let encap = |c: &bindings::nf_flow_route__bindgen_ty_1__bindgen_ty_1__bindgen_ty_1| Encap {
        id: c.id,
        protocol: Be16::from_raw(c.proto),
    };
    let ([first, second], bits) = (&input.encap, u16::from(input.ingress_vlans()));
    // The outermost comes first in packets that come in.
    let (encaps, number, in_hardware) = match input.num_encaps() {
        0 => ([Encap::default(); ENCAPS], 0, 0),
        1 => ([encap(first), Encap::default()], 1, bits & 1),
        _ => (
            [encap(second), encap(first)],
            2,
            bits >> 1 & 1 | (bits & 1) << 1,
        ),
    };
    tuple.set_in_vlan_ingress(in_hardware);
    tuple.set_encap_num(number);
    tuple.set_tun_num(input.num_tuns().into());
    tuple.set_needs_gso_segment(half.out.needs_gso_segment().into());
    let mut draft = Draft(tuple);
    if let Some(parts) = draft.parts() {
        draft.set_key(&Parts {
            device: input.ifindex as i32,
            encaps,
            // SAFETY: The same layout, as the size asserted with `Side` says.
            tunnel: unsafe { (&raw const input.tun).cast::<Tunnel>().read() },
            ..parts
        });
    }
    let direct = half.xmit_type == bindings::flow_offload_xmit_type_FLOW_OFFLOAD_XMIT_DIRECT;
    let (source, destination) = match direct {
        true => (half.out.h_source, half.out.h_dest),
        false => ([0; 6], [0; 6]),
    };
    draft.set_out(bindings::rustynat_flow_out {
        ifindex: half.out.ifindex,
        source,
        destination,
    });
    let Draft(tuple) = draft;
    tuple.set_xmit_type(half.xmit_type as u16);
    // Also of what a device sends directly: when the route goes, so does the flow.
    // SAFETY: The reference is held, and becomes the flow's.
    unsafe {
        tuple.dst_cookie = if ipv6 {
            bindings::rustynat_flow_cookie(dst.as_ptr())
        } else {
            0
        };
    }
    tuple.dst_cache = route.into_raw();
}
