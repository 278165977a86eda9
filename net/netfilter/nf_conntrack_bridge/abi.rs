// SPDX-License-Identifier: GPL-2.0

//! The hooks, and what is in C (bridge.c).

use kernel::ffi::{c_uint, c_void};
use netfilter::{
    conntrack::skb::{Hook, Packet},
    skb::SkBuff,
};
use nf_bindings as bindings;
use nf_conntrack::check_prototype;
use nf_proto::tuple::Family;

check_prototype!(nf_ct_bridge_in, nf_ct_bridge_post, nf_ct_bridge_pre);

/// nf_conntrack knows the hooks while this exists.
pub struct Registration(());

impl Registration {
    /// Tells it.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        // SAFETY: What is registered is static.
        unsafe { bindings::rustynat_br_start() };
        Self(())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`; no namespace uses the hooks any more, as
        // each that does holds the module.
        unsafe { bindings::rustynat_br_stop() };
    }
}

/// What became of a fragment.
pub enum Gathered {
    /// It completed its packet, which is there now; or it was none.
    Whole,
    /// It is kept, or was dropped.
    Kept,
    /// It is malformed.
    Broken,
}

/// A hook's state.
#[derive(Clone, Copy)]
pub struct State<'a>(&'a bindings::nf_hook_state);

impl State<'_> {
    /// As connection tracking has it.
    #[inline]
    pub fn hook(&self) -> Hook<'_> {
        // SAFETY: Valid as long as the borrow.
        unsafe { Hook::from_raw(self.0) }
    }

    /// As that of an IP hook.
    #[inline]
    pub fn of_family<R>(&self, family: Family, f: impl FnOnce(Hook<'_>) -> R) -> R {
        // SAFETY: A copy of plain words and pointers, used while the original is
        // valid.
        let mut state = unsafe { core::ptr::read(self.0) };
        state.pf = match family {
            Family::Ipv4 => bindings::NFPROTO_IPV4,
            Family::Ipv6 => bindings::NFPROTO_IPV6,
        } as u8;
        // SAFETY: Valid for the call.
        f(unsafe { Hook::from_raw(&state) })
    }
}

/// A packet on the bridge: its data begins with the network header, before which
/// is the Ethernet header.
pub struct Frame<'a>(Packet<'a>);

impl<'a> Frame<'a> {
    /// The packet.
    #[inline]
    pub fn packet(&self) -> &Packet<'a> {
        &self.0
    }

    /// The packet.
    #[inline]
    pub fn packet_mut(&mut self) -> &mut Packet<'a> {
        &mut self.0
    }

    /// The packet, in the end.
    #[inline]
    pub fn into_packet(self) -> Packet<'a> {
        self.0
    }

    /// The packet, for a function that takes it and gives a verdict.
    #[inline]
    pub fn packet_again(&self) -> Packet<'_> {
        // SAFETY: The frame's own, which is borrowed meanwhile.
        unsafe { Packet::from_raw(self.0.as_ptr()) }
    }

    fn skb(&mut self) -> &mut SkBuff {
        // SAFETY: The frame's own, borrowed meanwhile.
        unsafe { SkBuff::from_raw(self.0.as_ptr()) }
    }

    /// IPv4 or IPv6, by the Ethernet type.
    #[inline]
    pub fn family(&self) -> Option<Family> {
        // SAFETY: As in `skb`; only read.
        match unsafe { SkBuff::from_raw(self.0.as_ptr()) }.protocol() {
            0x0800 => Some(Family::Ipv4),
            0x86dd => Some(Family::Ipv6),
            _ => None,
        }
    }

    /// Makes the fixed part of the network header linear; false if the packet is
    /// shorter.
    pub fn pull_header(&mut self, family: Family) -> bool {
        self.skb().may_pull(match family {
            Family::Ipv4 => 20,
            Family::Ipv6 => 40,
        })
    }

    /// Cuts off what is behind `len` bytes; false if memory is short.
    pub fn trim(&mut self, len: u32) -> bool {
        // SAFETY: The packet is valid and ours, no reference into it is alive.
        len >= self.0.len() || unsafe { bindings::pskb_trim_rcsum(self.0.as_ptr(), len) == 0 }
    }

    /// Offers a fragment for reassembly.
    pub fn gather(&mut self, state: State<'_>, family: Family, zone: u16) -> Gathered {
        let net = state.0.net;
        // SAFETY: The packet is valid and ours; if it is kept, the caller says
        // that it was stolen.
        let gathered = unsafe {
            match family {
                Family::Ipv4 => bindings::rustynat_br_gather4(net, self.0.as_ptr(), zone),
                Family::Ipv6 => bindings::rustynat_br_gather6(net, self.0.as_ptr(), zone),
            }
        };
        match gathered {
            bindings::rustynat_gathered_RUSTYNAT_WHOLE => Gathered::Whole,
            bindings::rustynat_gathered_RUSTYNAT_KEPT => Gathered::Kept,
            _ => Gathered::Broken,
        }
    }

    /// It was put together from fragments.
    #[inline]
    pub fn is_reassembled(&self) -> bool {
        // SAFETY: The packet is valid.
        unsafe { bindings::rustynat_br_reassembled(self.0.as_ptr()) }
    }

    /// It stands for several segments.
    pub fn is_gso(&self) -> bool {
        // SAFETY: The packet is valid.
        unsafe { bindings::rustynat_br_is_gso(self.0.as_ptr()) }
    }

    /// It is here only because the bridge device is promiscuous.
    pub fn is_promiscuous(&self) -> bool {
        // SAFETY: The packet is valid.
        unsafe { bindings::rustynat_br_promisc(self.0.as_ptr()) }
    }

    /// It is for the host's own link address.
    pub fn is_for_host(&self) -> bool {
        // SAFETY: The packet is valid.
        unsafe { bindings::rustynat_br_for_host(self.0.as_ptr()) }
    }

    /// Takes away whatever tracking has given it.
    pub fn reset(&mut self) {
        // SAFETY: The packet is valid and ours.
        unsafe { bindings::rustynat_br_reset(self.0.as_ptr()) }
    }

    /// Sends it out in fragments.
    pub fn refragment(self, state: State<'_>) {
        // SAFETY: The packet is valid and ours, and is consumed, of which the
        // hook's verdict tells.
        unsafe { bindings::rustynat_br_refragment(self.0.as_ptr(), state.0) }
    }
}

/// # Safety
///
/// `skb` and `state` are a hook's arguments.
#[inline]
unsafe fn arguments<'a>(
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> (Frame<'a>, State<'a>) {
    // SAFETY: By the safety requirement.
    unsafe { (Frame(Packet::from_raw(skb)), State(&*state)) }
}

/// # Safety
///
/// C: a hook's arguments.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_bridge_pre(
    _priv: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the C contract.
    let (frame, state) = unsafe { arguments(skb, state) };
    crate::enter(frame, state)
}

/// # Safety
///
/// C: a hook's arguments.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_bridge_in(
    _priv: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the C contract.
    let (frame, _) = unsafe { arguments(skb, state) };
    crate::arrive(frame)
}

/// # Safety
///
/// C: a hook's arguments.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_bridge_post(
    _priv: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the C contract.
    let (frame, state) = unsafe { arguments(skb, state) };
    crate::leave(frame, state)
}
