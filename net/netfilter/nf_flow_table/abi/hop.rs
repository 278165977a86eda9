// SPDX-License-Identifier: GPL-2.0

//! The device and the neighbour that packets of a flow leave to.

use super::flow::Side;
use core::ptr::{null_mut, NonNull};
use netfilter::conntrack::skb::Hook;
use nf_bindings as bindings;

/// Where packets go.
#[derive(Clone, Copy)]
pub struct NextHop {
    pub(super) device: NonNull<bindings::net_device>,
    pub(super) to: To,
}

#[derive(Clone, Copy)]
pub(super) enum To {
    Neighbour(NonNull<bindings::neighbour>),
    /// Destination and source hardware address.
    Address([u8; 6], [u8; 6]),
}

impl NextHop {
    /// The neighbour that the packets of `side` go to, whose answers are `answer`.
    ///
    /// # Errors
    ///
    /// The route is not valid any more, or device or neighbour are not known now.
    #[inline(always)]
    pub fn neighbour(hook: Hook<'_>, side: Side<'_>, answer: Side<'_>) -> Result<Self, NoHop> {
        let mut device = null_mut();
        // SAFETY: Both directions are a flow's, and we are under RCU.
        let neigh = unsafe {
            bindings::rustynat_flow_hop(
                hook.net().as_ptr(),
                side.as_ptr(),
                answer.as_ptr(),
                &mut device,
            )
        };
        match (NonNull::new(device), NonNull::new(neigh)) {
            (Some(device), Some(neigh)) => Ok(Self {
                device,
                to: To::Neighbour(neigh),
            }),
            (None, Some(_)) => Err(NoHop::Stale),
            _ => Err(NoHop::Unknown),
        }
    }

    /// The device that a direction's packets leave by directly.
    ///
    /// # Errors
    ///
    /// It is not known now.
    #[inline]
    pub fn direct(hook: Hook<'_>, side: Side<'_>) -> Result<Self, NoHop> {
        // SAFETY: The route is the flow's or null, and we are under RCU.
        let device = unsafe {
            bindings::rustynat_flow_device(hook.net().as_ptr(), side.route(), side.output())
        };
        let (destination, source) = side.hardware();
        Ok(Self {
            device: NonNull::new(device).ok_or(NoHop::Unknown)?,
            to: To::Address(*destination, *source),
        })
    }
}

/// Why packets of a flow cannot leave.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NoHop {
    /// The flow's route is not valid any more.
    Stale,
    /// Device or neighbour are not known now.
    Unknown,
}

/// A direction's route is still what it was.
#[inline]
pub fn is_route_valid(side: Side<'_>) -> bool {
    if side.route().is_null() {
        return true;
    }
    // SAFETY: The route is the flow's, and we are under RCU.
    unsafe { bindings::rustynat_flow_dst_valid(side.route(), side.cookie()) }
}
