// SPDX-License-Identifier: GPL-2.0

//! A packet at a device's ingress, which we may take and send.

use super::{
    flow::Side,
    hop::{NextHop, To},
};
use core::ptr::NonNull;
use netfilter::{
    conntrack::{
        skb::{Hook, Packet},
        Net,
    },
    skb::SkBuff,
};
use nf_bindings as bindings;
use nf_proto::{
    be::Be16,
    flow::{
        encap,
        ingress::{self, Arrival, Stop},
        key::Encap,
        translate,
    },
    nat::rewrite::Form,
    tuple::{Address, Family},
};

/// A packet. Whatever sends or drops it takes it.
///
/// # Invariants
///
/// A valid skb that is ours, at a device's ingress: its data begins with the
/// network header; in an RCU section.
pub struct Frame(NonNull<bindings::sk_buff>);

/// An address as C has it.
pub(super) fn in6(Address(words): Address) -> bindings::in6_addr {
    bindings::in6_addr {
        in6_u: bindings::in6_addr__bindgen_ty_1 {
            u6_addr32: words.map(|word| word.raw()),
        },
    }
}

impl Frame {
    /// From a C pointer.
    ///
    /// # Safety
    ///
    /// The type invariant.
    #[inline]
    pub unsafe fn from_raw(skb: NonNull<bindings::sk_buff>) -> Self {
        Self(skb)
    }

    /// Leaves the packet to the stack.
    #[inline]
    pub fn pass(self) -> Outcome {
        Outcome(bindings::NF_ACCEPT)
    }

    /// Has the caller drop the packet.
    #[inline]
    pub fn refuse(self) -> Outcome {
        Outcome(bindings::NF_DROP)
    }

    #[inline]
    fn skb(&self) -> &SkBuff {
        // SAFETY: By the type invariant.
        unsafe { SkBuff::from_raw(self.0.as_ptr()) }
    }

    #[inline]
    fn arrival(&self, device: i32) -> Arrival {
        // SAFETY: By the type invariant; what is behind the buffer's end is its
        // shared info.
        unsafe {
            let skb = self.0.as_ref();
            let headers = skb.__bindgen_anon_4.__bindgen_anon_1.as_ref();
            let vlan = &headers.__bindgen_anon_2;
            let tag = (vlan.vlan_all != 0).then(|| Encap {
                id: vlan.__bindgen_anon_1.vlan_tci,
                protocol: Be16::from_raw(vlan.__bindgen_anon_1.vlan_proto),
            });
            let shared: *const bindings::skb_shared_info = skb.head.add(skb.end as usize).cast();
            Arrival {
                device,
                protocol: u16::from_be(headers.protocol),
                tag,
                several: (*shared).gso_size != 0,
            }
        }
    }

    /// What the packet is, `ETH_P_*`, unless it is encapsulated.
    #[inline(always)]
    pub fn untagged_protocol(&self) -> u16 {
        // SAFETY: By the type invariant.
        let headers = unsafe { self.0.as_ref().__bindgen_anon_4.__bindgen_anon_1.as_ref() };
        // SAFETY: Both members of the union are plain words.
        let tagged = unsafe { headers.__bindgen_anon_2.vlan_all } != 0;
        if tagged {
            return 0;
        }
        u16::from_be(headers.protocol)
    }

    /// The packet, which came in by `device`, if it is one as nearly all are
    /// ([`ingress::plain`]).
    #[inline(always)]
    pub fn plain(&self, device: i32, family: Family) -> Option<ingress::Packet> {
        let protocol = match family {
            Family::Ipv4 => ingress::IPV4,
            Family::Ipv6 => ingress::IPV6,
        };
        if self.untagged_protocol() != protocol {
            return None;
        }
        let skb = self.skb();
        ingress::plain(family, skb.linear(), skb.len() as u32, device)
    }

    /// Reads the packet, which came in by `device`; headers become linear for
    /// that. None if it is for the stack.
    #[inline(always)]
    pub fn read<T>(
        &mut self,
        device: i32,
        read: impl Fn(&[u8], u32, &Arrival) -> Result<T, Stop>,
    ) -> Option<T> {
        let arrival = self.arrival(device);
        loop {
            // SAFETY: By the type invariant; nothing else borrows the packet.
            let skb = unsafe { SkBuff::from_raw(self.0.as_ptr()) };
            match read(skb.linear(), skb.len() as u32, &arrival) {
                Ok(packet) => return Some(packet),
                Err(Stop::Pass) => return None,
                // More than is at hand: each time there is more of it.
                Err(Stop::Pull(len)) => {
                    if !skb.may_pull(len as usize) {
                        return None;
                    }
                }
            }
        }
    }

    /// Bytes of the packet.
    #[inline]
    pub fn bytes(&self) -> u32 {
        self.skb().len() as u32
    }

    /// Each of several packets in one is at most `mtu` bytes long.
    #[inline]
    pub fn fits(&self, mtu: u32) -> bool {
        // SAFETY: By the type invariant.
        unsafe { bindings::rustynat_flow_fits(self.0.as_ptr(), mtu) }
    }

    /// IPsec's policies let the packet be forwarded.
    #[inline(always)]
    pub fn is_allowed(&mut self, hook: Hook<'_>, packet: &ingress::Packet, family: Family) -> bool {
        (packet.tunnel == 0 && self.has_no_policy(hook.net()))
            || self.ask_policies(packet.encap, packet.network(), family)
    }

    /// The namespace has no policy for what is forwarded, which is accepted then, and
    /// the packet did not come through IPsec, which is what its policies would
    /// be asked about (`__xfrm_check_nopolicy`). Asked in place, as a call costs more than
    /// the question.
    #[cfg(CONFIG_XFRM)]
    #[inline(always)]
    fn has_no_policy(&self, net: Net) -> bool {
        const NUMBER: usize = bindings::nf_rust_offset_NF_RUST_NET_XFRM_FORWARD as usize;
        const DEFAULT: usize = bindings::nf_rust_offset_NF_RUST_NET_XFRM_FORWARD_DEFAULT as usize;
        const ACCEPT: u32 = bindings::nf_rust_xfrm_NF_RUST_XFRM_ACCEPT;
        const SEC_PATH: u32 = bindings::nf_rust_xfrm_NF_RUST_XFRM_SEC_PATH;
        // SAFETY: By the type invariants of both; that is where a word and a byte
        // are in a namespace that others may write meanwhile.
        unsafe {
            let namespace = net.as_ptr().cast::<u8>();
            namespace.add(NUMBER).cast::<u32>().read_volatile() == 0
                && u32::from(self.0.as_ref().active_extensions) & SEC_PATH == 0
                && u32::from(namespace.add(DEFAULT).read_volatile()) == ACCEPT
        }
    }

    #[cfg(not(CONFIG_XFRM))]
    #[inline(always)]
    fn has_no_policy(&self, _net: Net) -> bool {
        true
    }

    /// Has the policies looked up, for headers that begin at `outer` and `inner`.
    #[cold]
    fn ask_policies(&mut self, outer: u32, inner: u32, family: Family) -> bool {
        // SAFETY: By the type invariant; the headers were read and are linear.
        unsafe {
            bindings::rustynat_flow_allowed(self.0.as_ptr(), family == Family::Ipv6, outer, inner)
        }
    }

    /// Cuts off what is behind `len` bytes; false if memory is short.
    #[inline]
    #[must_use]
    pub fn trim(&mut self, len: u32) -> bool {
        // SAFETY: By the type invariant.
        self.bytes() <= len || unsafe { bindings::rustynat_flow_trim(self.0.as_ptr(), len) }
    }

    /// Sends the packet's headers on, as `translate::forward`; false if that is
    /// not possible: it is to be dropped.
    #[inline(always)]
    #[must_use]
    pub fn forward(
        &mut self,
        packet: &ingress::Packet,
        answer: Side<'_>,
        sums: Option<translate::Sums>,
    ) -> bool {
        // SAFETY: By the type invariant.
        let mut skb = unsafe { Packet::from_raw(self.0.as_ptr()) };
        // Of the transport header's checksum, which only translation changes.
        let form = match sums {
            Some(_) => skb.form(packet.transport),
            None => Form::Full,
        };
        let (network, transport) = (
            packet.network() as usize,
            packet.transport.wrapping_sub(packet.network()) as usize,
        );
        skb.writable(packet.headers)
            .and_then(|bytes| bytes.get_mut(network..))
            .is_some_and(|bytes| {
                translate::forward(bytes, transport, answer.key(), sums, form).is_ok()
            })
    }

    /// Takes off encapsulation and tunnel; false if memory is short: it is to be
    /// dropped.
    #[inline]
    #[must_use]
    pub fn pop(&mut self, packet: &ingress::Packet, family: Family) -> bool {
        let protocol = match family {
            Family::Ipv4 => ingress::IPV4,
            Family::Ipv6 => ingress::IPV6,
        };
        // SAFETY: By the type invariant; so many bytes were read and are linear.
        unsafe {
            bindings::rustynat_flow_pop(
                self.0.as_ptr(),
                packet.encap,
                packet.tunnel,
                protocol.to_be(),
            )
        }
    }

    /// Puts the packet into the tunnel of the direction `answer`, which has the
    /// route of `side`; false if that is not possible: it is to be dropped.
    #[must_use]
    pub fn push_tunnel(&mut self, hook: Hook<'_>, side: Side<'_>, answer: Side<'_>) -> bool {
        let dst = side.route();
        if dst.is_null() {
            return false;
        }
        let tunnel = answer.tunnel();
        let ends = encap::Ends {
            source: tunnel.destination,
            destination: tunnel.source,
        };
        match side.family() {
            Family::Ipv4 => self.push_ipip(hook, dst, &ends),
            Family::Ipv6 => self.push_ip6ip6(hook, dst, &ends),
        }
    }

    fn push_ipip(
        &mut self,
        hook: Hook<'_>,
        dst: *mut bindings::dst_entry,
        ends: &encap::Ends,
    ) -> bool {
        let Some(inner) = self.skb().header::<20>(0) else {
            return false;
        };
        let (Address([source, ..]), Address([destination, ..])) = (ends.source, ends.destination);
        // SAFETY: By the type invariant, and the route is the flow's.
        unsafe {
            let skb = self.0.as_ptr();
            let header = bindings::rustynat_flow_push_tunnel(skb, dst, false);
            if header.is_null() {
                return false;
            }
            let id = bindings::rustynat_flow_ip_id(
                hook.net().as_ptr(),
                skb,
                source.raw(),
                destination.raw(),
            );
            let cut = bindings::rustynat_flow_mtu_locked(dst);
            // There is room for the header.
            *header.cast() = encap::ipip(&inner, ends, self.bytes(), id, cut);
        }
        true
    }

    fn push_ip6ip6(
        &mut self,
        hook: Hook<'_>,
        dst: *mut bindings::dst_entry,
        ends: &encap::Ends,
    ) -> bool {
        let len = self.bytes();
        let Some(inner) = self.skb().header::<40>(0) else {
            return false;
        };
        let (source, destination) = (in6(ends.source), in6(ends.destination));
        // SAFETY: By the type invariant, and the route is the flow's.
        unsafe {
            let skb = self.0.as_ptr();
            let header = bindings::rustynat_flow_push_tunnel(skb, dst, true);
            if header.is_null() {
                return false;
            }
            let net = hook.net().as_ptr();
            let label = bindings::rustynat_flow_label(net, skb, &source, &destination);
            // There is room for the header.
            *header.cast() = encap::ip6ip6(&inner, len, label);
            *header.add(8).cast() = ends.source.0;
            *header.add(24).cast() = ends.destination.0;
        }
        true
    }

    /// Puts the packet into the encapsulations that the direction `answer` comes
    /// in, the innermost first; false if that is not possible.
    fn push(&mut self, answer: Side<'_>, device: NonNull<bindings::net_device>) -> bool {
        let (encaps, number) = answer.encaps();
        encaps
            .iter()
            .take(number)
            .rev()
            .all(|encap| match encap.protocol.get() {
                ingress::VLAN | ingress::QINQ => {
                    // SAFETY: By the type invariant; the device is alive.
                    unsafe {
                        bindings::rustynat_flow_push_vlan(
                            self.0.as_ptr(),
                            encap.protocol.raw(),
                            encap.id,
                            device.as_ptr(),
                        )
                    }
                }
                ingress::PPPOE => self.push_pppoe(encap.id, device),
                _ => false,
            })
    }

    fn push_pppoe(&mut self, session: u16, device: NonNull<bindings::net_device>) -> bool {
        let Some(bytes) = encap::pppoe(session, self.skb().protocol(), self.bytes()) else {
            return false;
        };
        // SAFETY: By the type invariant; the device is alive.
        unsafe {
            let header = bindings::rustynat_flow_push_pppoe(self.0.as_ptr(), device.as_ptr());
            if header.is_null() {
                return false;
            }
            // There is room for the header.
            *header.cast() = bytes;
        }
        true
    }

    /// Sends the packet to IPsec.
    pub fn to_ipsec(self, hook: Hook<'_>, side: Side<'_>) -> Outcome {
        let ipv6 = side.family() == Family::Ipv6;
        if side.route().is_null() {
            return self.refuse();
        }
        // SAFETY: By the type invariant, and the route is the flow's.
        unsafe {
            bindings::rustynat_flow_xfrm(hook.as_ptr(), self.0.as_ptr(), side.route(), ipv6);
        }
        Outcome(bindings::NF_STOLEN)
    }

    /// Sends the packet, in the encapsulations that the direction `answer` comes
    /// in, the way that `side` says.
    #[inline(always)]
    pub fn send(self, side: Side<'_>, answer: Side<'_>, hop: &NextHop) -> Outcome {
        if !answer.is_encapsulated() {
            self.transmit(side, hop, false);
            return Outcome(bindings::NF_STOLEN);
        }
        self.send_encapsulated(side, answer, hop)
    }

    #[inline(never)]
    fn send_encapsulated(mut self, side: Side<'_>, answer: Side<'_>, hop: &NextHop) -> Outcome {
        if side.must_segment() {
            return self.send_segments(side, answer, hop);
        }
        if !self.push(answer, hop.device) {
            return self.refuse();
        }
        self.transmit(side, hop, true);
        Outcome(bindings::NF_STOLEN)
    }

    #[cold]
    fn send_segments(self, side: Side<'_>, answer: Side<'_>, hop: &NextHop) -> Outcome {
        // SAFETY: By the type invariant: what comes back is ours, a list of packets,
        // of which each is taken out of it before it is sent.
        unsafe {
            let mut next = bindings::rustynat_flow_segment(self.0.as_ptr());
            while let Some(skb) = NonNull::new(next) {
                next = bindings::rustynat_flow_next_segment(skb.as_ptr());
                let mut segment = Frame(skb);
                if segment.push(answer, hop.device) {
                    segment.transmit(side, hop, true);
                } else {
                    bindings::rustynat_flow_drop(skb.as_ptr());
                }
            }
        }
        Outcome(bindings::NF_STOLEN)
    }

    #[inline(always)]
    fn transmit(self, side: Side<'_>, hop: &NextHop, encapsulated: bool) {
        let (skb, device) = (self.0.as_ptr(), hop.device.as_ptr());
        // SAFETY: By the type invariant. Device and neighbour were found in this
        // RCU section; the route is the flow's.
        unsafe {
            match &hop.to {
                To::Neighbour(neigh) => bindings::rustynat_flow_output(
                    skb,
                    side.route(),
                    device,
                    neigh.as_ptr(),
                    encapsulated,
                ),
                To::Address(destination, source) => bindings::rustynat_flow_xmit(
                    skb,
                    device,
                    destination.as_ptr().cast(),
                    source.as_ptr().cast(),
                ),
            }
        }
    }
}

/// What becomes of a packet: a hook's answer. It comes from [`Frame`] alone, so
/// that a packet that was sent is not the stack's as well.
pub struct Outcome(u32);

impl Outcome {
    /// The answer as C has it.
    #[inline]
    pub fn code(self) -> u32 {
        self.0
    }
}

/// Sets one port of a packet.
///
/// # Safety
///
/// `skb` is valid and ours, `thoff` the offset of its transport header from the
/// network header.
pub unsafe fn set_port(
    skb: NonNull<bindings::sk_buff>,
    thoff: u32,
    protocol: u8,
    source: bool,
    port: Be16,
) {
    // SAFETY: By the function's safety requirement.
    let mut packet = unsafe { Packet::from_raw(skb.as_ptr()) };
    let form = packet.form(thoff);
    let len = thoff.saturating_add(if protocol == nf_proto::l4::number::TCP {
        20
    } else {
        8
    });
    if packet.network_len() < len {
        return;
    }
    if let Some(bytes) = packet
        .writable(len)
        .and_then(|bytes| bytes.get_mut(thoff as usize..))
    {
        // Long enough, as just seen.
        let _ = translate::set_port(bytes, protocol, source, port, form);
    }
}
