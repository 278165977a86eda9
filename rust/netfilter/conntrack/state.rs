// SPDX-License-Identifier: GPL-2.0

//! What protocols keep about a connection (`union nf_conntrack_proto`) and
//! about a namespace (`struct nf_ip_net`), as the pure protocols see it.

use super::{conn::Locked, Conn, Net, HZ};
use core::{
    mem::offset_of,
    mem::size_of,
    ptr::NonNull,
    sync::atomic::{AtomicU32, Ordering},
};
use nf_bindings as bindings;
use nf_proto::l4::{gre, icmp, icmpv6, number, sctp, tcp, udp};

/// A protocol's state that has the layout of a member of the union.
///
/// # Safety
///
/// It has, and every bit pattern is a value of it.
pub unsafe trait OfConnection: Copy {}

macro_rules! same_layout {
    ($($state:ty = $c:ident { $($field:ident = $c_field:ident),* };)*) => {
        $(
            const _: () = {
                assert!(size_of::<$state>() == size_of::<bindings::$c>());
                $(assert!(offset_of!($state, $field) == offset_of!(bindings::$c, $c_field));)*
            };
            // SAFETY: As asserted; all fields are integers.
            unsafe impl OfConnection for $state {}
        )*
    };
}

same_layout! {
    udp::State = nf_ct_udp { stream_from = stream_ts };
    gre::State = nf_ct_gre { stream_timeout = stream_timeout, timeout = timeout };
    sctp::State = ip_ct_sctp {};
    tcp::State = ip_ct_tcp {};
}

/// The protocol's state of a connection whose lock is held.
#[inline]
pub fn of<'a, S: OfConnection>(locked: &'a mut Locked<'_>) -> &'a mut S {
    // SAFETY: `S` has the layout of a member of the union, and any bits are a
    // value of it: with another protocol's connection it would be nonsense, but
    // sound.
    unsafe { locked.state() }
}

/// The state of a connection without its lock: single words may change
/// meanwhile.
#[inline]
pub fn peek<S: OfConnection>(conn: &Conn) -> S {
    // SAFETY: As in `of`; read as a copy.
    unsafe {
        (&raw const (*conn.as_ptr()).proto)
            .cast::<S>()
            .read_volatile()
    }
}

/// UDP's state.
#[inline]
pub fn udp(conn: &Conn) -> udp::State {
    peek(conn)
}

/// Sets UDP's state, of a connection that is not confirmed.
#[inline]
pub fn set_udp(conn: &Conn, state: udp::State) {
    // SAFETY: Layout as above; one aligned word.
    unsafe {
        (&raw mut (*conn.as_ptr()).proto)
            .cast::<udp::State>()
            .write_volatile(state)
    }
}

/// Gives `set` the state of a connection that has just been made: all zero, the
/// default one of every protocol.
#[inline(always)]
pub fn with_new<S: OfConnection, R>(conn: &Conn, set: impl FnOnce(&mut S) -> R) -> R {
    debug_assert!(!conn.is_confirmed());
    // SAFETY: `S` has the layout of a member of the union, and any bits are a value
    // of it. Before it is confirmed, nobody looks at a connection's state but its
    // packet's CPU.
    set(unsafe { &mut *(&raw mut (*conn.as_ptr()).proto).cast::<S>() })
}

/// A timeout table of the connection's own, instead of the namespace's.
pub type OwnTimeouts = Option<NonNull<u32>>;

/// A table in place: words that sysctls may change meanwhile.
#[inline]
fn in_place<const N: usize>(own: OwnTimeouts, namespace: &[u32; N]) -> &[AtomicU32; N] {
    let from = match own {
        Some(own) => own.as_ptr().cast_const().cast::<[u32; N]>(),
        None => core::ptr::from_ref(namespace),
    };
    // SAFETY: A policy's table has as many entries as its protocol's, and stays
    // in the caller's RCU read section as the namespace's does; only accessed
    // atomically from here.
    unsafe { &*from.cast::<[AtomicU32; N]>() }
}

#[inline]
fn table<const N: usize>(own: OwnTimeouts, namespace: &[u32; N]) -> [u32; N] {
    // Word by word: a copy of the whole would be a call.
    let words = in_place(own, namespace);
    core::array::from_fn(|i| words.get(i).map_or(0, |word| word.load(Ordering::Relaxed)))
}

/// UDP's settings.
#[inline]
pub fn udp_policy(net: Net, own: OwnTimeouts) -> udp::Policy {
    udp::Policy {
        timeouts: table(own, &net.protocols().udp.timeouts),
        stream_after: HZ * udp::STREAM_AFTER,
    }
}

/// UDP's timeouts, where they are.
#[inline]
pub fn udp_timeouts(net: &Net, own: OwnTimeouts) -> &[AtomicU32; 2] {
    in_place(own, &net.protocols().udp.timeouts)
}

/// TCP's timeouts, looked up where they are.
pub type TcpTimeouts<'a> = &'a [AtomicU32; tcp::TIMEOUT_MAX];

/// TCP's settings.
#[inline]
pub fn tcp_policy(net: &Net, own: OwnTimeouts) -> tcp::Policy<TcpTimeouts<'_>> {
    let tcp = &net.protocols().tcp;
    tcp::Policy {
        timeouts: in_place(own, &tcp.timeouts),
        loose: tcp.tcp_loose != 0,
        be_liberal: tcp.tcp_be_liberal != 0,
        max_retrans: tcp.tcp_max_retrans,
        ignore_invalid_rst: tcp.tcp_ignore_invalid_rst != 0,
    }
}

/// SCTP's settings.
#[inline]
pub fn sctp_policy(net: Net, own: OwnTimeouts) -> sctp::Policy {
    sctp::Policy {
        timeouts: table(own, &net.protocols().sctp.timeouts),
    }
}

/// GRE's settings.
#[inline]
pub fn gre_policy(net: Net, own: OwnTimeouts) -> gre::Policy {
    gre::Policy {
        timeouts: table(own, &net.protocols().gre.timeouts),
    }
}

/// ICMP's or ICMPv6's timeout.
#[inline]
pub fn icmp_timeout(net: Net, own: OwnTimeouts, l3num: u16) -> u32 {
    let protocols = net.protocols();
    let namespace = if l3num == 2 {
        protocols.icmp.timeout
    } else {
        protocols.icmpv6.timeout
    };
    let [timeout] = table(own, &[namespace]);
    timeout
}

/// The timeout of all other protocols.
#[inline]
pub fn generic_timeout(net: Net, own: OwnTimeouts) -> u32 {
    let [timeout] = table(own, &[net.protocols().generic.timeout]);
    timeout
}

/// The timeouts of a protocol in a namespace, in jiffies, as its policies number
/// them; none of a protocol that has no timeouts of its own (255: all of these).
///
/// Single words change at any time.
pub fn timeouts(net: &Net, protocol: u8) -> Option<&[AtomicU32]> {
    fn words<const N: usize>(table: *mut [u32; N]) -> (*const AtomicU32, usize) {
        (table.cast_const().cast(), N)
    }
    fn word(timeout: *mut u32) -> (*const AtomicU32, usize) {
        (timeout.cast_const().cast(), 1)
    }
    // SAFETY: By the invariant of `Net`; only addresses are computed.
    let (table, entries) = unsafe {
        let all = &raw mut (*net.ct()).nf_ct_proto;
        match protocol {
            number::TCP => words(&raw mut (*all).tcp.timeouts),
            number::UDP => words(&raw mut (*all).udp.timeouts),
            number::SCTP => words(&raw mut (*all).sctp.timeouts),
            number::GRE => words(&raw mut (*all).gre.timeouts),
            number::ICMP => word(&raw mut (*all).icmp.timeout),
            number::ICMPV6 => word(&raw mut (*all).icmpv6.timeout),
            ALL_OTHERS => word(&raw mut (*all).generic.timeout),
            _ => return None,
        }
    };
    // SAFETY: An array inside the namespace, which lives as long as `net` is
    // borrowed; its words are only accessed atomically.
    Some(unsafe { core::slice::from_raw_parts(table, entries) })
}

/// Stands for all protocols that have no timeouts of their own.
pub const ALL_OTHERS: u8 = 255;

/// Sets a namespace's defaults, in jiffies.
pub fn init_net(net: Net) {
    let jiffies = |seconds: u32| seconds.wrapping_mul(HZ);
    // SAFETY: The namespace is being set up: nobody else uses its settings.
    let protocols = unsafe { &mut (*net.ct()).nf_ct_proto };
    protocols.generic.timeout = jiffies(nf_proto::l4::generic::DEFAULT_TIMEOUT);
    protocols.icmp.timeout = jiffies(icmp::DEFAULT_TIMEOUT);
    protocols.icmpv6.timeout = jiffies(icmpv6::DEFAULT_TIMEOUT);
    protocols.udp.timeouts = udp::DEFAULT_TIMEOUTS.map(jiffies);
    protocols.udp.offload_timeout = jiffies(30);
    protocols.tcp.timeouts = tcp::DEFAULT_TIMEOUTS.map(jiffies);
    protocols.tcp.offload_timeout = jiffies(30);
    protocols.tcp.tcp_loose = 1;
    protocols.tcp.tcp_be_liberal = 0;
    protocols.tcp.tcp_max_retrans = 3;
    protocols.tcp.tcp_ignore_invalid_rst = 0;
    protocols.sctp.timeouts = sctp::DEFAULT_TIMEOUTS.map(jiffies);
    protocols.gre.timeouts = gre::DEFAULT_TIMEOUTS.map(jiffies);
    // SAFETY: The list head is inside the namespace, which does not move.
    unsafe { bindings::list_init(&raw mut protocols.gre.keymap_list) };
}
