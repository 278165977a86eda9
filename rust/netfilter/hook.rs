// SPDX-License-Identifier: GPL-2.0

//! Netfilter hooks.
//!
//! C header: [`include/linux/netfilter.h`](srctree/include/linux/netfilter.h)

use crate::array::Array;
use crate::net::{Device, Net, Scope};
use crate::rcu::{self, ReadGuard};
use crate::skb::SkBuff;
use kernel::ffi::{c_uint, c_void};
use kernel::prelude::*;
use kernel::sync::Arc;
use nf_bindings as bindings;
use nf_proto::tuple::Family;

pub mod priority;

/// A place on a packet's way (`enum nf_inet_hooks`).
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum HookNumber {
    /// Arrived, not yet routed.
    PreRouting = bindings::nf_inet_hooks_NF_INET_PRE_ROUTING as u8,
    /// Routed to this host.
    LocalIn = bindings::nf_inet_hooks_NF_INET_LOCAL_IN as u8,
    /// Routed to another one.
    Forward = bindings::nf_inet_hooks_NF_INET_FORWARD as u8,
    /// Made by this host.
    LocalOut = bindings::nf_inet_hooks_NF_INET_LOCAL_OUT as u8,
    /// About to leave.
    PostRouting = bindings::nf_inet_hooks_NF_INET_POST_ROUTING as u8,
}

impl HookNumber {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::PreRouting,
        Self::LocalIn,
        Self::Forward,
        Self::LocalOut,
        Self::PostRouting,
    ];
}

/// What becomes of a packet.
///
/// There is no `NF_STOLEN` here: a hook that keeps a packet must own it, which
/// this interface does not give.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Free it (`NF_DROP`).
    Drop,
    /// Free it, and tell a local sender so (`NF_DROP_ERR()`).
    DropError(Error),
    /// On to the next hook (`NF_ACCEPT`).
    Accept,
    /// Call this hook again (`NF_REPEAT`).
    Repeat,
    /// Give it to userspace (`NF_QUEUE`).
    Queue {
        /// The queue's number.
        number: u16,
        /// Accept it if nobody listens there.
        bypass: bool,
    },
}

impl Verdict {
    /// The number that C knows it by.
    #[inline]
    pub fn code(self) -> c_uint {
        match self {
            Verdict::Drop => bindings::NF_DROP,
            Verdict::DropError(error) => {
                (error.to_errno().unsigned_abs() << 16) | bindings::NF_DROP
            }
            Verdict::Accept => bindings::NF_ACCEPT,
            Verdict::Repeat => bindings::NF_REPEAT,
            Verdict::Queue { number, bypass } => {
                let flag = if bypass {
                    bindings::NF_VERDICT_FLAG_QUEUE_BYPASS
                } else {
                    0
                };
                (u32::from(number) << 16) | flag | bindings::NF_QUEUE
            }
        }
    }
}

/// Where a packet is (`struct nf_hook_state`), during an RCU read section.
pub struct HookContext<'a> {
    state: &'a bindings::nf_hook_state,
    family: Family,
    hook: HookNumber,
    rcu: ReadGuard<'a>,
}

impl<'a> HookContext<'a> {
    /// The hook.
    #[inline]
    pub fn hook(&self) -> HookNumber {
        self.hook
    }

    /// The packet's network layer.
    #[inline]
    pub fn family(&self) -> Family {
        self.family
    }

    /// The device it arrived at, if the hook knows one.
    #[inline]
    pub fn input(&self) -> Option<&'a Device> {
        // SAFETY: Null or a device that the read section keeps alive.
        unsafe { Device::from_raw(self.state.in_) }
    }

    /// The device it leaves by, if the hook knows one.
    #[inline]
    pub fn output(&self) -> Option<&'a Device> {
        // SAFETY: As above.
        unsafe { Device::from_raw(self.state.out) }
    }

    /// The namespace.
    #[inline]
    pub fn net(&self) -> &'a Net {
        // SAFETY: A namespace in which packets are under way is alive.
        unsafe { Net::from_raw(self.state.net) }
    }

    /// Proof of the read section.
    #[inline]
    pub fn rcu(&self) -> ReadGuard<'a> {
        self.rcu
    }
}

/// What looks at packets.
pub trait Hook: Send + Sync + 'static {
    /// A packet has come to a hook. Softirq or process context, in an RCU read
    /// section; must not sleep.
    fn packet(&self, context: &HookContext<'_>, skb: &mut SkBuff) -> Verdict;
}

/// A place to register a hook at.
#[derive(Clone, Copy)]
pub struct Point {
    /// Network layer.
    pub family: Family,
    /// Hook.
    pub hook: HookNumber,
    /// Order among the functions there, smallest first (`NF_IP_PRI_*`).
    pub priority: i32,
}

/// Registered hooks of one namespace. Dropping takes them away and waits for
/// packets that are still in one; that sleeps.
///
/// # Invariants
///
/// `ops` are registered in `net`; their `priv` is the pointer of `_hook`.
pub struct Registration<H: Hook> {
    ops: Array<bindings::nf_hook_ops>,
    net: Scope,
    _hook: Arc<H>,
}

// SAFETY: The list heads and pointers in `ops` are used under the hook core's own
// lock only, and `H` is `Send + Sync`.
unsafe impl<H: Hook> Send for Registration<H> {}
// SAFETY: There is nothing to do with a shared reference.
unsafe impl<H: Hook> Sync for Registration<H> {}

impl<H: Hook> Registration<H> {
    /// Registers `hook` at all `points` or at none. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, `E2BIG` if there are too many hooks.
    pub fn new(net: Scope, points: &[Point], hook: Arc<H>) -> Result<Self> {
        let ops = Array::new(points.iter().map(|point| bindings::nf_hook_ops {
            hook: Some(trampoline::<H>),
            priv_: Arc::as_ptr(&hook).cast_mut().cast(),
            pf: point.family.number() as u8,
            hooknum: point.hook as c_uint,
            priority: point.priority,
            ..pin_init::zeroed()
        }))?;
        let len = c_uint::try_from(ops.len())?;
        // SAFETY: The namespace is alive by the invariant of `Scope`; `ops` stays
        // where it is until it is unregistered, and so does what `priv` points at.
        kernel::error::to_result(unsafe {
            bindings::nf_register_net_hooks(net.as_raw(), ops.as_ptr(), len)
        })?;
        // INVARIANT: Registered just now.
        Ok(Self {
            ops,
            net,
            _hook: hook,
        })
    }
}

impl<H: Hook> Drop for Registration<H> {
    fn drop(&mut self) {
        // SAFETY: By the invariant they are registered there.
        unsafe {
            bindings::nf_unregister_net_hooks(
                self.net.as_raw(),
                self.ops.as_ptr(),
                self.ops.len() as c_uint,
            )
        };
        // Packets may still be in the hook: `ops` and the hook go after them.
        rcu::synchronize();
    }
}

/// What the hook core calls.
///
/// # Safety
///
/// Only the hook core may, with what `Registration::new` gave it.
unsafe extern "C" fn trampoline<H: Hook>(
    data: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: `data` is what was registered, an `Arc<H>`'s pointer, which the
    // registration keeps until a grace period after unregistering.
    let hook = unsafe { &*data.cast::<H>() };
    // SAFETY: The core lends us the skb and the state for this call.
    let (skb, state) = unsafe { (SkBuff::from_raw(skb), &*state) };
    let family = match u32::from(state.pf) {
        bindings::NFPROTO_IPV4 => Family::Ipv4,
        bindings::NFPROTO_IPV6 => Family::Ipv6,
        _ => return bindings::NF_ACCEPT,
    };
    let number = match u32::from(state.hook) {
        bindings::nf_inet_hooks_NF_INET_PRE_ROUTING => HookNumber::PreRouting,
        bindings::nf_inet_hooks_NF_INET_LOCAL_IN => HookNumber::LocalIn,
        bindings::nf_inet_hooks_NF_INET_FORWARD => HookNumber::Forward,
        bindings::nf_inet_hooks_NF_INET_LOCAL_OUT => HookNumber::LocalOut,
        bindings::nf_inet_hooks_NF_INET_POST_ROUTING => HookNumber::PostRouting,
        _ => return bindings::NF_ACCEPT,
    };
    let context = HookContext {
        state,
        family,
        hook: number,
        // SAFETY: The hook core holds the read lock around every call.
        rcu: unsafe { ReadGuard::assume() },
    };
    hook.packet(&context, skb).code()
}
