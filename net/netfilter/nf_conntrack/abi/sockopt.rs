// SPDX-License-Identifier: GPL-2.0

//! `SO_ORIGINAL_DST`: where a redirected connection was addressed to.

use crate::packet;
use core::mem::zeroed;
use kernel::{
    error::code::{EFAULT, EINVAL, ENOENT},
    ffi::{c_int, c_void},
    prelude::*,
};
use netfilter::conntrack::{Net, Zone};
use nf_bindings as bindings;
use nf_proto::{
    l4::number,
    tuple::{Address, Direction, Tuple},
};

struct Ops(core::cell::UnsafeCell<bindings::nf_sockopt_ops>);

// SAFETY: Set up before it is registered, then C's to change under its lock.
unsafe impl Sync for Ops {}

const fn ops(family: u32, option: u32, get: Get) -> Ops {
    // SAFETY: All of its fields may be zero.
    let mut ops: bindings::nf_sockopt_ops = unsafe { zeroed() };
    ops.pf = family as u8;
    ops.get_optmin = option as c_int;
    ops.get_optmax = option as c_int + 1;
    ops.get = Some(get);
    Ops(core::cell::UnsafeCell::new(ops))
}

type Get = unsafe extern "C" fn(*mut bindings::sock, c_int, *mut c_void, *mut c_int) -> c_int;

static IPV4: Ops = ops(bindings::PF_INET, bindings::SO_ORIGINAL_DST, get_ipv4);
static IPV6: Ops = ops(bindings::PF_INET6, bindings::IP6T_SO_ORIGINAL_DST, get_ipv6);

/// Registers both.
pub fn init() -> Result {
    // SAFETY: The operations are static.
    unsafe {
        let owner = crate::THIS_MODULE.as_ptr();
        (*IPV4.0.get()).owner = owner;
        (*IPV6.0.get()).owner = owner;
        let error = bindings::nf_register_sockopt(IPV4.0.get());
        if error < 0 {
            return Err(Error::from_errno(error));
        }
        let error = bindings::nf_register_sockopt(IPV6.0.get());
        if error < 0 {
            bindings::nf_unregister_sockopt(IPV4.0.get());
            return Err(Error::from_errno(error));
        }
    }
    Ok(())
}

/// Takes them away.
pub fn exit() {
    // SAFETY: Registered in `init`.
    unsafe {
        bindings::nf_unregister_sockopt(IPV6.0.get());
        bindings::nf_unregister_sockopt(IPV4.0.get());
    }
}

/// The destination of the first packet of the connection that `sk` has, and
/// IPv6's flow label (network order) and device. The user has room for `room`
/// bytes of the `wanted` ones.
///
/// # Safety
///
/// C: a valid socket, not locked.
unsafe fn original(
    sk: *mut bindings::sock,
    ipv6: bool,
    room: c_int,
    wanted: usize,
) -> Result<(Address, [u8; 2], u32, c_int)> {
    let mut seen = Tuple::default();
    let mut flow_label = 0;
    let mut device = 0;
    // SAFETY: By the caller's contract; the tuple has C's layout.
    let net = unsafe {
        let net = bindings::sock_reply_tuple(
            sk,
            ipv6,
            core::ptr::from_mut(&mut seen).cast(),
            &mut flow_label,
            &mut device,
        );
        Net::from_raw(net)
    };
    if !matches!(seen.dst.protocol, number::TCP | number::SCTP) {
        return Err(Error::from_errno(-(bindings::ENOPROTOOPT as c_int)));
    }
    // IPv4's has always taken a negative length for a large one.
    if (ipv6 && room < 0) || (room as u32 as usize) < wanted {
        return Err(EINVAL);
    }
    let _rcu = kernel::sync::rcu::read_lock();
    let (conn, _) = packet::find(net, Zone::DEFAULT, &seen).ok_or(ENOENT)?;
    let first = conn.tuple(Direction::Original).dst;
    Ok((first.address, first.id.to_bytes(), flow_label, device))
}

/// # Safety
///
/// C: the arguments of `getsockopt`.
unsafe fn answer<T>(user: *mut c_void, value: &T) -> c_int {
    // SAFETY: By the C contract; `value` has no padding.
    let left = unsafe {
        bindings::ct_copy_to_user(user, core::ptr::from_ref(value).cast(), size_of::<T>())
    };
    if left == 0 {
        0
    } else {
        EFAULT.to_errno()
    }
}

/// # Safety
///
/// C: the arguments of `getsockopt`.
unsafe extern "C" fn get_ipv4(
    sk: *mut bindings::sock,
    _option: c_int,
    user: *mut c_void,
    len: *mut c_int,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe {
        let (address, port, _, _) =
            match original(sk, false, *len, size_of::<bindings::sockaddr_in>()) {
                Ok(original) => original,
                Err(error) => return error.to_errno(),
            };
        // All of it is zero first: nothing of the stack is shown.
        let mut socket: bindings::sockaddr_in = zeroed();
        socket.sin_family = bindings::PF_INET as u16;
        socket.sin_port = u16::from_ne_bytes(port);
        let [word, ..] = address.0;
        socket.sin_addr.s_addr = word.raw();
        answer(user, &socket)
    }
}

/// # Safety
///
/// C: the arguments of `getsockopt`.
unsafe extern "C" fn get_ipv6(
    sk: *mut bindings::sock,
    _option: c_int,
    user: *mut c_void,
    len: *mut c_int,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe {
        let wanted = size_of::<bindings::sockaddr_in6>();
        let (address, port, flow_label, device) = match original(sk, true, *len, wanted) {
            Ok(original) => original,
            Err(error) => return error.to_errno(),
        };
        let mut socket: bindings::sockaddr_in6 = zeroed();
        socket.sin6_family = bindings::PF_INET6 as u16;
        socket.sin6_port = u16::from_ne_bytes(port);
        socket.sin6_flowinfo = flow_label;
        core::ptr::from_mut(&mut socket.sin6_addr)
            .cast::<Address>()
            .write(address);
        socket.sin6_scope_id = bindings::ct_scope_id(&raw const socket.sin6_addr, device);
        answer(user, &socket)
    }
}
