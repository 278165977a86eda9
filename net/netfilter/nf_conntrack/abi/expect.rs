// SPDX-License-Identifier: GPL-2.0

//! Expectations: include/net/netfilter/nf_conntrack_expect.h.

use crate::{
    check_prototype,
    expect::{self, Wanted},
};
use core::ptr::null_mut;
use kernel::{
    ffi::{c_int, c_uint, c_void},
    prelude::*,
    sync::rcu,
};
use netfilter::conntrack::{
    expect::{put, Expect, ExpectLock, NewExpect},
    tuple, Conn, Net, Zone,
};
use nf_bindings as bindings;
use nf_proto::{
    be::{Be16, Be32},
    tuple::Address,
};

check_prototype!(
    __nf_ct_expect_find,
    nf_ct_expect_alloc,
    nf_ct_expect_find_get,
    nf_ct_expect_init,
    nf_ct_expect_iterate_destroy,
    nf_ct_expect_iterate_net,
    nf_ct_expect_put,
    nf_ct_expect_related_pair,
    nf_ct_expect_related_report,
    nf_ct_remove_expectations,
    nf_ct_unexpect_related,
    nf_ct_unlink_expect_report,
);

pub(super) fn errno(result: Result) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// C: all pointers are valid; under RCU or the expectations' lock.
#[no_mangle]
pub unsafe extern "C" fn __nf_ct_expect_find(
    net: *mut bindings::net,
    zone: *const bindings::nf_conntrack_zone,
    tuple: *const bindings::nf_conntrack_tuple,
) -> *mut bindings::nf_conntrack_expect {
    // SAFETY: By the C contract.
    let (net, zone, tuple) = unsafe {
        (
            Net::from_raw(net),
            Zone::from_c(&*zone),
            tuple::from_c(&*tuple),
        )
    };
    let rcu = rcu::read_lock();
    // The caller's own read section goes on.
    expect::find_rcu(&rcu, net, zone, tuple).map_or(null_mut(), Expect::as_ptr)
}

/// # Safety
///
/// C: all pointers are valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_expect_find_get(
    net: *mut bindings::net,
    zone: *const bindings::nf_conntrack_zone,
    tuple: *const bindings::nf_conntrack_tuple,
) -> *mut bindings::nf_conntrack_expect {
    // SAFETY: By the C contract.
    let (net, zone, tuple) = unsafe {
        (
            Net::from_raw(net),
            Zone::from_c(&*zone),
            tuple::from_c(&*tuple),
        )
    };
    // Without the lock: some callers hold it.
    let rcu = rcu::read_lock();
    expect::find_rcu(&rcu, net, zone, tuple)
        .filter(|exp| exp.count_reference())
        .map_or(null_mut(), Expect::as_ptr)
}

/// # Safety
///
/// C: the caller has a reference to `me`, and keeps it while it uses the
/// result.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_expect_alloc(
    me: *mut bindings::nf_conn,
) -> *mut bindings::nf_conntrack_expect {
    // SAFETY: By the C contract.
    NewExpect::alloc(unsafe { Conn::from_raw(me) }).map_or(null_mut(), NewExpect::into_raw)
}

/// # Safety
///
/// C: `exp` is the caller's, from [`nf_ct_expect_alloc`]; the other pointers
/// are valid, `saddr` and `src` perhaps null; the addresses are as long as
/// `family` says.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_expect_init(
    exp: *mut bindings::nf_conntrack_expect,
    class: c_uint,
    family: u8,
    saddr: *const bindings::nf_inet_addr,
    daddr: *const bindings::nf_inet_addr,
    proto: u8,
    src: *const bindings::__be16,
    dst: *const bindings::__be16,
) {
    // SAFETY: By the C contract; ports may lie anywhere in a packet.
    unsafe {
        let source = (!saddr.is_null()).then(|| address(saddr, family));
        expect::describe(
            &mut NewExpect::borrow_raw(exp),
            &Wanted {
                class,
                l3num: family.into(),
                source: source.as_ref(),
                destination: &address(daddr, family),
                protocol: proto,
                source_port: (!src.is_null()).then(|| Be16::from_raw(src.read_unaligned())),
                port: Be16::from_raw(dst.read_unaligned()),
            },
        );
    }
}

/// # Safety
///
/// `address` has as many bytes as `family` says.
unsafe fn address(address: *const bindings::nf_inet_addr, family: u8) -> Address {
    if u32::from(family) == bindings::AF_INET {
        // SAFETY: Four bytes, by the function's safety requirement.
        Address::v4(Be32::from_raw(unsafe {
            address.cast::<u32>().read_unaligned()
        }))
    } else {
        // SAFETY: Sixteen bytes, by the function's safety requirement; every
        // bit pattern is an address.
        unsafe { address.cast::<Address>().read_unaligned() }
    }
}

/// # Safety
///
/// C: a reference is the caller's, and is given back.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_expect_put(exp: *mut bindings::nf_conntrack_expect) {
    // SAFETY: By the C contract.
    unsafe { put(exp) };
}

/// # Safety
///
/// C: the caller has references to `expect` and its master.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_expect_related_report(
    expect: *mut bindings::nf_conntrack_expect,
    portid: u32,
    report: c_int,
    flags: c_uint,
) -> c_int {
    // SAFETY: By the C contract.
    let new = unsafe { NewExpect::borrow_raw(expect) };
    errno(expect::related(&new, portid, report, flags))
}

/// # Safety
///
/// C: an array of two, as in [`nf_ct_expect_related_report`].
#[no_mangle]
pub unsafe extern "C" fn nf_ct_expect_related_pair(
    expect: *mut *mut bindings::nf_conntrack_expect,
    flag: c_uint,
) -> c_int {
    // SAFETY: By the C contract.
    let (first, second) = unsafe {
        (
            NewExpect::borrow_raw(*expect),
            NewExpect::borrow_raw(*expect.add(1)),
        )
    };
    errno(expect::related_pair([&first, &second], flag))
}

/// # Safety
///
/// C: a reference is the caller's.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_unexpect_related(exp: *mut bindings::nf_conntrack_expect) {
    // SAFETY: By the C contract.
    expect::withdraw(unsafe { Expect::from_raw(exp) });
}

/// # Safety
///
/// C: the expectations' lock is held, and `exp` was met under it.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_unlink_expect_report(
    exp: *mut bindings::nf_conntrack_expect,
    portid: u32,
    report: c_int,
) {
    // SAFETY: By the C contract.
    unsafe { expect::remove(&ExpectLock::held(), Expect::from_raw(exp), portid, report) };
}

/// # Safety
///
/// C: `ct` is valid.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_remove_expectations(ct: *mut bindings::nf_conn) {
    // SAFETY: By the C contract.
    expect::remove_all(unsafe { Conn::from_raw(ct) });
}

type Choose = Option<unsafe extern "C" fn(*mut bindings::nf_conntrack_expect, *mut c_void) -> bool>;

/// # Safety
///
/// C: `iter` may be called with `data`.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_expect_iterate_destroy(iter: Choose, data: *mut c_void) {
    // SAFETY: By the C contract.
    unsafe { iterate(None, iter, data, 0, 0) };
}

/// # Safety
///
/// C: `net` is valid, and `iter` may be called with `data`.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_expect_iterate_net(
    net: *mut bindings::net,
    iter: Choose,
    data: *mut c_void,
    portid: u32,
    report: c_int,
) {
    // SAFETY: By the C contract.
    unsafe { iterate(Some(Net::from_raw(net)), iter, data, portid, report) };
}

/// # Safety
///
/// `iter` takes `data` and a valid expectation.
unsafe fn iterate(net: Option<Net>, iter: Choose, data: *mut c_void, portid: u32, report: c_int) {
    let Some(iter) = iter else { return };
    expect::iterate(net, portid, report, |_, exp| {
        // SAFETY: By the C contract, with a valid expectation under the lock.
        unsafe { iter(exp.as_ptr(), data) }
    });
}
