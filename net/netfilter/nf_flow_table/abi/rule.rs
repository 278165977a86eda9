// SPDX-License-Identifier: GPL-2.0

//! Rules for hardware (`struct nf_flow_rule`): what [`nf_proto::flow::hardware`]
//! says of a flow, in the kernel's words.

use super::{
    flow::{Exit, Flags, Flow, Side},
    table::Table,
};
use core::{
    mem::zeroed,
    ptr::{null, NonNull},
};
use kernel::{
    error::{
        code::{EINVAL, ENODEV, ENOENT, ENOMEM},
        to_result, Error, Result,
    },
    ffi::c_uint,
};
use netfilter::{conntrack::Net, nfnetlink::errno};
use nf_bindings as bindings;
use nf_proto::{
    flow::{
        hardware::{Action, Actions, Match, Request, Unsupported, Wraps, ROOM},
        key::Encap,
    },
    l4::number,
    tuple::{Address, Direction, Family},
};

/// `TCA_CSUM_UPDATE_FLAG_*`
const SUM_IPV4: u32 = 1;
const SUM_TCP: u32 = 8;
const SUM_UDP: u32 = 16;

/// A rule of ours, with room for [`ROOM`] actions.
pub struct Rule(NonNull<bindings::nf_flow_rule>);

impl Rule {
    /// The rule for a direction of a flow, with the actions that the table's type
    /// wants. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `EOPNOTSUPP` (hardware cannot be told), others of the type.
    pub fn new(table: Table<'_>, flow: &Flow, direction: Direction) -> Result<Self> {
        // SAFETY: It sleeps; what it gives is ours.
        let rule = NonNull::new(unsafe { bindings::rustynat_flow_rule_alloc(ROOM as c_uint) })
            .map(Rule)
            .ok_or(ENOMEM)?;
        rule.set_match(flow, direction)?;
        // SAFETY: A table has a type, which outlives it; the action takes a rule of ours
        // without actions, and a flow that lives.
        unsafe {
            let kind = (*table.as_ptr()).type_;
            let action = match kind.is_null() {
                true => None,
                false => (*kind).action,
            };
            let action = action.ok_or_else(not_supported)?;
            let net = flow.conn().net().as_ptr();
            let code = action(net, flow.as_ptr(), direction as i32, rule.as_ptr());
            if code < 0 {
                return Err(EINVAL);
            }
        }
        Ok(rule)
    }

    /// The C pointer.
    pub fn as_ptr(&self) -> *mut bindings::nf_flow_rule {
        self.0.as_ptr()
    }

    fn set_match(&self, flow: &Flow, direction: Direction) -> Result {
        let (side, answer) = (flow.side(direction), flow.side(direction.opposite()));
        // SAFETY: A valid tuple, whose device is a word.
        let device = unsafe { bindings::rustynat_flow_ingress(side.as_ptr()) } as i32;
        let found = Match::new(side.key(), device, &wraps(side)).map_err(unsupported)?;
        let tunnel = match answer.exit() {
            Exit::Neighbour => tunnel(answer)?,
            _ => null(),
        };
        let [source, destination] =
            [found.source, found.destination].map(|Address(words)| words.map(|word| word.raw()));
        let c = bindings::rustynat_flow_match {
            source,
            destination,
            tags: found.vlans.map(|vlan| tag(vlan.unwrap_or_default())),
            tunnel,
            ifindex: found.device,
            ports: found.ports.unwrap_or_default().map(|port| port.raw()),
            unset: found.unset.raw(),
            protocol: found.protocol,
            ipv6: found.family == Family::Ipv6,
            has_ports: found.ports.is_some(),
        };
        // SAFETY: A rule of ours, whose packets are not set yet. The tunnel is the
        // route's, which the flow holds.
        unsafe { bindings::rustynat_flow_rule_match(self.as_ptr(), &c) };
        Ok(())
    }
}

impl Drop for Rule {
    fn drop(&mut self) {
        // SAFETY: Ours, and drivers do not keep it.
        unsafe { bindings::rustynat_flow_rule_free(self.as_ptr()) };
    }
}

fn not_supported() -> Error {
    errno(bindings::EOPNOTSUPP)
}

fn unsupported(_: Unsupported) -> Error {
    not_supported()
}

fn tag(encap: Encap) -> bindings::rustynat_flow_tag {
    bindings::rustynat_flow_tag {
        id: encap.id,
        protocol: encap.protocol.raw(),
    }
}

fn wraps(side: Side<'_>) -> Wraps {
    let (encaps, number) = side.encaps();
    Wraps {
        encaps,
        number,
        in_hardware: side.in_hardware(),
    }
}

/// The tunnel that a direction's route puts packets in; null if it does not.
fn tunnel(side: Side<'_>) -> Result<*const bindings::ip_tunnel_info> {
    let mut tunnel = null();
    // SAFETY: The route is the flow's, or null.
    to_result(unsafe { bindings::rustynat_flow_tunnel(side.route(), &mut tunnel) })?;
    Ok(tunnel)
}

/// A device that is held.
struct Device(NonNull<bindings::net_device>);

impl Device {
    fn get(net: Net, index: i32) -> Result<Self> {
        // SAFETY: The namespace is a connection's, which is held.
        let device = unsafe { bindings::rustynat_flow_dev_get(net.as_ptr(), index) };
        NonNull::new(device).map(Device).ok_or(ENODEV)
    }

    fn address(&self) -> [u8; 6] {
        let mut address = [0; 6];
        // SAFETY: The device is held; six bytes are written.
        unsafe { bindings::rustynat_flow_dev_address(self.0.as_ptr(), address.as_mut_ptr()) };
        address
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: The value's own reference.
        unsafe { bindings::rustynat_flow_dev_put(self.0.as_ptr()) };
    }
}

/// Where packets leave: the device, source and destination hardware address.
fn leave(net: Net, side: Side<'_>, answer: Side<'_>) -> Result<(Device, [[u8; 6]; 2])> {
    match side.exit() {
        Exit::Direct => {
            let (destination, source) = side.hardware();
            let device = Device::get(net, side.output())?;
            Ok((device, [*source, *destination]))
        }
        Exit::Neighbour => {
            let device = Device::get(net, answer.input())?;
            let mut destination = [0; 6];
            let address = super::frame::in6(answer.key().source());
            // SAFETY: The route is the flow's; six bytes are written.
            let known = unsafe {
                !side.route().is_null()
                    && bindings::rustynat_flow_hardware_address(
                        side.route(),
                        &address,
                        destination.as_mut_ptr(),
                    )
            };
            if !known {
                return Err(ENOENT);
            }
            let source = device.address();
            Ok((device, [source, destination]))
        }
        Exit::Xfrm | Exit::None => Err(not_supported()),
    }
}

/// Adds the actions of a flow that is routed to a rule.
///
/// # Safety
///
/// `rule` is a [`Rule`]'s.
///
/// # Errors
///
/// `EOPNOTSUPP`: hardware cannot be told. `ENODEV`, `ENOENT`: where packets leave is
/// not known now. `E2BIG`: there are actions already.
pub unsafe fn route(
    net: Net,
    flow: &Flow,
    direction: Direction,
    rule: *mut bindings::nf_flow_rule,
) -> Result {
    let (side, answer) = (flow.side(direction), flow.side(direction.opposite()));
    let tunnel_of = |side: Side<'_>| match side.exit() {
        Exit::Direct => Ok(null()),
        _ => tunnel(side),
    };
    let (decap, encap) = (tunnel_of(answer)?, tunnel_of(side)?);
    let (device, hardware) = leave(net, side, answer)?;
    let flags = flow.flags();
    let actions = Actions::new(&Request {
        direction,
        keys: [side.key(), answer.key()],
        wraps: [wraps(side), wraps(answer)],
        hardware,
        tunnels: [!decap.is_null(), !encap.is_null()],
        translated: [flags.any(Flags::SNAT), flags.any(Flags::DNAT)],
    })
    .map_err(unsupported)?;
    actions.each(|action| {
        let action = in_c(action, encap, device.0);
        // SAFETY: By the function's safety requirement; the device is held, and the
        // tunnel the route's.
        to_result(unsafe { bindings::rustynat_flow_rule_add(rule, ROOM as c_uint, &action) })
    })
}

fn in_c(
    action: Action,
    tunnel: *const bindings::ip_tunnel_info,
    device: NonNull<bindings::net_device>,
) -> bindings::rustynat_flow_action {
    // SAFETY: All of it may be zero.
    let mut c: bindings::rustynat_flow_action = unsafe { zeroed() };
    match action {
        Action::TunnelDecap => c.id = bindings::flow_action_id_FLOW_ACTION_TUNNEL_DECAP,
        Action::TunnelEncap => {
            c.id = bindings::flow_action_id_FLOW_ACTION_TUNNEL_ENCAP;
            c.tunnel = tunnel;
        }
        Action::Mangle(mangle) => {
            c.id = bindings::flow_action_id_FLOW_ACTION_MANGLE;
            c.header = mangle.header as u32;
            c.offset = mangle.offset;
            c.keep = mangle.keep;
            c.value = mangle.value;
        }
        Action::VlanPop => c.id = bindings::flow_action_id_FLOW_ACTION_VLAN_POP,
        Action::VlanPush(encap) => {
            c.id = bindings::flow_action_id_FLOW_ACTION_VLAN_PUSH;
            c.tag = tag(encap);
        }
        Action::PppoePush(session) => {
            c.id = bindings::flow_action_id_FLOW_ACTION_PPPOE_PUSH;
            c.tag.id = session;
        }
        Action::Checksum(protocol) => {
            c.id = bindings::flow_action_id_FLOW_ACTION_CSUM;
            c.checksums = SUM_IPV4
                | match protocol {
                    number::TCP => SUM_TCP,
                    number::UDP => SUM_UDP,
                    _ => 0,
                };
        }
        Action::Redirect => {
            c.id = bindings::flow_action_id_FLOW_ACTION_REDIRECT;
            c.dev = device.as_ptr();
        }
    }
    c
}
