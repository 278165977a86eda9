// SPDX-License-Identifier: GPL-2.0

//! Timeout policies as C code reads and writes them (`ctnl_timeout`).

use super::{
    attributes::{put, value, Attributes, Policy, U32},
    Constant,
};
use crate::timeout::{Kind, MOST};
use core::{
    mem::zeroed,
    sync::atomic::{AtomicU32, Ordering},
};
use kernel::{
    error::code::{EINVAL, ENOSPC},
    ffi::{c_int, c_void},
};
use netfilter::conntrack::{state, Net, HZ};
use nf_bindings as bindings;
use nf_proto::be::Be32;

/// # Safety
///
/// `tb` is a parsed table of the kind's attributes, `net` a namespace; `data` is
/// null, for the namespace's own timeouts, or as long as the kind says.
unsafe fn get(kind: &Kind, tb: Attributes, net: *mut bindings::net, data: *mut c_void) -> c_int {
    // SAFETY: By the function's safety requirement.
    let net = unsafe { Net::from_raw(net) };
    let Some(defaults) = state::timeouts(&net, kind.protocol) else {
        return EINVAL.to_errno();
    };
    let table = kind.table(defaults, |attribute| {
        // SAFETY: By the function's safety requirement.
        unsafe { value(tb, attribute.into()) }.map(|seconds| Be32::from_bytes(seconds).get())
    });
    let into = if data.is_null() {
        defaults
    } else {
        // SAFETY: By the function's safety requirement; packets may be using it.
        unsafe { core::slice::from_raw_parts(data.cast::<AtomicU32>(), kind.entries) }
    };
    for (word, timeout) in into.iter().zip(table) {
        word.store(timeout, Ordering::Relaxed);
    }
    0
}

/// # Safety
///
/// `skb` is a netlink message, `data` as long as the kind says.
unsafe fn write(kind: &Kind, skb: *mut bindings::sk_buff, data: *const c_void) -> c_int {
    let mut table = [0; MOST];
    // SAFETY: By the function's safety requirement; single words may change.
    let words = unsafe { core::slice::from_raw_parts(data.cast::<AtomicU32>(), kind.entries) };
    for (timeout, word) in table.iter_mut().zip(words) {
        *timeout = word.load(Ordering::Relaxed);
    }
    for (attribute, timeout) in kind.attributes(&table) {
        // SAFETY: By the function's safety requirement.
        if !unsafe { put(skb, attribute.into(), Be32::new(timeout / HZ).to_bytes()) } {
            return ENOSPC.to_errno();
        }
    }
    0
}

macro_rules! kinds {
    ($($module:ident = $kind:ident;)*) => {
        $(pub(super) mod $module {
            use super::*;
            use crate::timeout::$kind as KIND;

            const ATTRIBUTES: usize = KIND.map.len();

            static POLICY: Policy<{ ATTRIBUTES + 1 }> = {
                // SAFETY: All of its fields may be zero.
                let mut table = unsafe { zeroed::<[bindings::nla_policy; ATTRIBUTES + 1]>() };
                let mut i = 1;
                while i <= ATTRIBUTES {
                    table[i].type_ = U32 as u8;
                    i += 1;
                }
                Constant(table)
            };

            /// # Safety
            ///
            /// C: a parsed table, a namespace, and an object or null.
            unsafe extern "C" fn from_attributes(
                tb: Attributes,
                net: *mut bindings::net,
                data: *mut c_void,
            ) -> c_int {
                // SAFETY: By the C contract.
                unsafe { get(&KIND, tb, net, data) }
            }

            /// # Safety
            ///
            /// C: a netlink message, and an object.
            unsafe extern "C" fn to_attributes(
                skb: *mut bindings::sk_buff,
                data: *const c_void,
            ) -> c_int {
                // SAFETY: By the C contract.
                unsafe { write(&KIND, skb, data) }
            }

            pub(in super::super) const fn describe(
                mut l4: bindings::nf_conntrack_l4proto,
            ) -> bindings::nf_conntrack_l4proto {
                l4.ctnl_timeout.nlattr_to_obj = Some(from_attributes);
                l4.ctnl_timeout.obj_to_nlattr = Some(to_attributes);
                l4.ctnl_timeout.obj_size = (KIND.entries * size_of::<u32>()) as u16;
                l4.ctnl_timeout.nlattr_max = ATTRIBUTES as u16;
                l4.ctnl_timeout.nla_policy = POLICY.0.as_ptr();
                l4
            }
        })*
    };
}

kinds! {
    tcp = TCP;
    udp = UDP;
    gre = GRE;
    sctp = SCTP;
    icmp = ICMP;
    icmpv6 = ICMPV6;
    generic = GENERIC;
}
