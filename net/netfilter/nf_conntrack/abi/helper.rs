// SPDX-License-Identifier: GPL-2.0

//! Helpers: include/net/netfilter/nf_conntrack_helper.h.

use super::expect::errno;
use crate::{check_prototype, expect, helper};
use core::ptr::{null_mut, NonNull};
use kernel::{
    ffi::{c_char, c_int, c_uint, c_void},
    prelude::*,
    sync::rcu,
};
use netfilter::conntrack::{
    expect::ExpectLock,
    helper::{
        self as object, string, Help, Helper, HelperRef, RegistryLock, EXPECT_FUNCTIONS,
        NAT_HELPERS,
    },
    Conn,
};
use nf_bindings as bindings;

check_prototype!(
    __nf_conntrack_helper_find,
    __nf_conntrack_helper_register,
    __nf_ct_try_assign_helper,
    nf_conntrack_helper_put,
    nf_conntrack_helper_register,
    nf_conntrack_helper_release,
    nf_conntrack_helper_try_module_get,
    nf_conntrack_helper_unregister,
    nf_conntrack_helpers_register,
    nf_conntrack_helpers_unregister,
    nf_ct_helper_expectfn_destroy,
    nf_ct_helper_expectfn_find_by_name,
    nf_ct_helper_expectfn_find_by_symbol,
    nf_ct_helper_expectfn_register,
    nf_ct_helper_expectfn_unregister,
    nf_ct_helper_ext_add,
    nf_ct_helper_init,
    nf_nat_helper_put,
    nf_nat_helper_register,
    nf_nat_helper_try_module_get,
    nf_nat_helper_unregister,
);

type Raw = *mut bindings::nf_conntrack_helper;

/// # Safety
///
/// C: `name` is a string; under RCU.
#[no_mangle]
pub unsafe extern "C" fn __nf_conntrack_helper_find(
    name: *const c_char,
    l3num: u16,
    protonum: u8,
) -> Raw {
    let rcu = rcu::read_lock();
    // SAFETY: By the C contract. The caller's own read section goes on.
    let name = unsafe { string(name) };
    helper::find(&rcu, name, l3num, protonum).map_or(null_mut(), Helper::as_ptr)
}

/// # Safety
///
/// C: `name` is a string; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_helper_try_module_get(
    name: *const c_char,
    l3num: u16,
    protonum: u8,
) -> Raw {
    // SAFETY: By the C contract.
    let name = unsafe { string(name) };
    helper::get_with_module(name, l3num, protonum).map_or(null_mut(), HelperRef::into_raw)
}

/// # Safety
///
/// C: `helper` is from [`nf_conntrack_helper_try_module_get`].
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_helper_put(helper: Raw) {
    // SAFETY: By the C contract the caller gives its reference back.
    helper::put_with_module(unsafe { HelperRef::from_raw(helper) });
}

/// # Safety
///
/// C: `name` is a string; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_helper_try_module_get(
    name: *const c_char,
    l3num: u16,
    protonum: u8,
) -> c_int {
    // SAFETY: By the C contract.
    let name = unsafe { string(name) };
    errno(helper::get_nat_module(name, l3num, protonum))
}

/// # Safety
///
/// C: `helper` is valid, and its NAT half was got.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_helper_put(helper: Raw) {
    // SAFETY: By the C contract.
    if let Some(helper) = unsafe { Helper::from_raw(helper) } {
        helper::put_nat_module(helper);
    }
}

/// # Safety
///
/// C: `ct` is the caller's, not confirmed.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_helper_ext_add(
    ct: *mut bindings::nf_conn,
    gfp: bindings::gfp_t,
) -> *mut bindings::nf_conn_help {
    // SAFETY: By the C contract.
    Help::add(unsafe { Conn::from_raw(ct) }, gfp).map_or(null_mut(), Help::as_ptr)
}

/// # Safety
///
/// C: `ct` is the caller's, not confirmed; `tmpl` is null or valid; under RCU.
#[no_mangle]
pub unsafe extern "C" fn __nf_ct_try_assign_helper(
    ct: *mut bindings::nf_conn,
    tmpl: *mut bindings::nf_conn,
    flags: bindings::gfp_t,
) -> c_int {
    if tmpl.is_null() {
        return 0;
    }
    // SAFETY: By the C contract.
    let (conn, template) = unsafe { (Conn::from_raw(ct), Conn::from_raw(tmpl)) };
    errno(helper::assign_from(template, conn, flags))
}

type ExpectFn = bindings::nf_ct_helper_expectfn;

/// # Safety
///
/// C: `n` is in no list, and stays until a grace period after it is
/// unregistered.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_helper_expectfn_register(n: *mut ExpectFn) {
    let _lock = ExpectLock::take();
    // SAFETY: By the C contract, with the lock.
    unsafe { EXPECT_FUNCTIONS.add(n) };
}

/// # Safety
///
/// C: `n` is registered.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_helper_expectfn_unregister(n: *mut ExpectFn) {
    let _lock = ExpectLock::take();
    // SAFETY: By the C contract, with the lock.
    unsafe { EXPECT_FUNCTIONS.remove(n) };
}

/// # Safety
///
/// C: `n` is valid, and was unregistered a grace period ago; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_helper_expectfn_destroy(n: *const ExpectFn) {
    // SAFETY: By the C contract.
    let Some(function) = (unsafe { (*n).expectfn }) else {
        return;
    };
    expect::iterate(None, 0, 0, |_, exp| exp.calls(function));
    // Who took such an expectation before may still be in the function.
    object::synchronize();
}

/// # Safety
///
/// C: `name` is a string; under RCU.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_helper_expectfn_find_by_name(name: *const c_char) -> *mut ExpectFn {
    // SAFETY: By the C contract.
    let name = unsafe { string(name) };
    let rcu = rcu::read_lock();
    EXPECT_FUNCTIONS
        .find(&rcu, |entry| object::function_name(entry) == name)
        .map_or(null_mut(), |entry| core::ptr::from_ref(entry).cast_mut())
}

/// # Safety
///
/// C: under RCU.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_helper_expectfn_find_by_symbol(
    symbol: *const c_void,
) -> *mut ExpectFn {
    let rcu = rcu::read_lock();
    EXPECT_FUNCTIONS
        .find(&rcu, |entry| {
            entry
                .expectfn
                .is_some_and(|f| f as usize == symbol as usize)
        })
        .map_or(null_mut(), |entry| core::ptr::from_ref(entry).cast_mut())
}

/// # Safety
///
/// C: `me` is allocated by `kmalloc`, complete, and the registry's from now on;
/// may sleep.
#[no_mangle]
pub unsafe extern "C" fn __nf_conntrack_helper_register(me: Raw) -> c_int {
    // SAFETY: By the C contract.
    let Some(helper) = (unsafe { Helper::from_raw(me) }) else {
        return EINVAL.to_errno();
    };
    errno(helper::register(helper, |registry: &RegistryLock| {
        // SAFETY: By the C contract.
        unsafe { registry.add(helper) }
    }))
}

/// # Safety
///
/// C: both pointers are valid; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_helper_register(me: Raw, helper_ptr: *mut Raw) -> c_int {
    // SAFETY: By the C contract.
    let new = unsafe { object::duplicate(me) };
    // Known before it is registered, as packets may come at once.
    // SAFETY: By the C contract.
    unsafe { *helper_ptr = new.map_or(null_mut(), NonNull::as_ptr) };
    let Some(new) = new else {
        return ENOMEM.to_errno();
    };
    // SAFETY: Just allocated.
    let result = unsafe { __nf_conntrack_helper_register(new.as_ptr()) };
    if result < 0 {
        // SAFETY: Allocated above, and not registered; by the C contract.
        unsafe {
            *helper_ptr = null_mut();
            bindings::kfree(new.as_ptr().cast());
        }
    }
    result
}

/// # Safety
///
/// C: arrays of `n`; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_helpers_register(
    helper: Raw,
    n: c_uint,
    helper_ptr: *mut Raw,
) -> c_int {
    for i in 0..n {
        // SAFETY: By the C contract.
        let result = unsafe {
            nf_conntrack_helper_register(helper.add(i as usize), helper_ptr.add(i as usize))
        };
        if result < 0 {
            // SAFETY: So many are registered.
            unsafe { nf_conntrack_helpers_unregister(helper_ptr, i) };
            return result;
        }
    }
    0
}

/// # Safety
///
/// C: `me` is registered; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_helper_unregister(me: Raw) {
    // SAFETY: By the C contract the registry's reference is given back.
    helper::unregister(unsafe { HelperRef::from_raw(me) });
}

/// # Safety
///
/// C: an array of `n` registered helpers; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_helpers_unregister(helper: *mut Raw, n: c_uint) {
    for i in (0..n).rev() {
        // SAFETY: By the C contract.
        unsafe {
            let entry = helper.add(i as usize);
            nf_conntrack_helper_unregister(*entry);
            *entry = null_mut();
        }
    }
}

/// # Safety
///
/// C: a reference is the caller's and is given back; the helper's function was
/// taken away.
#[no_mangle]
pub unsafe extern "C" fn nf_conntrack_helper_release(me: Raw) {
    // SAFETY: By the C contract.
    helper::release(unsafe { HelperRef::from_raw(me) });
}

/// # Safety
///
/// C: `helper` is the caller's; `exp_pol` is an array of `expect_class_max` and
/// one; `name` is a string.
#[no_mangle]
pub unsafe extern "C" fn nf_ct_helper_init(
    helper: Raw,
    l3num: u16,
    protonum: u16,
    name: *const c_char,
    default_port: u16,
    spec_port: u16,
    id: u32,
    exp_pol: *const bindings::nf_conntrack_expect_policy,
    expect_class_max: u32,
    help: Option<
        unsafe extern "C" fn(
            *mut bindings::sk_buff,
            c_uint,
            *mut bindings::nf_conn,
            bindings::ip_conntrack_info,
        ) -> c_int,
    >,
    from_nlattr: Option<
        unsafe extern "C" fn(*mut bindings::nlattr, *mut bindings::nf_conn) -> c_int,
    >,
    module: *mut bindings::module,
) {
    // SAFETY: By the C contract; names are cut where the arrays end.
    unsafe {
        helper.write_bytes(0, 1);
        let this = &mut *helper;
        this.tuple.src.l3num = l3num;
        *this.tuple.src.u.all.as_mut() = spec_port.to_be();
        this.tuple.dst.protonum = protonum as u8;
        this.help = help;
        this.from_nlattr = from_nlattr;
        this.me = module;
        bindings::snprintf(
            this.nat_mod_name.as_mut_ptr(),
            this.nat_mod_name.len(),
            c"ip_nat_%s".as_char_ptr(),
            name,
        );
        let (buffer, length) = (this.name.as_mut_ptr(), this.name.len());
        if spec_port == default_port {
            bindings::snprintf(buffer, length, c"%s".as_char_ptr(), name);
        } else {
            bindings::snprintf(buffer, length, c"%s-%u".as_char_ptr(), name, id);
        }
        if expect_class_max >= bindings::NF_CT_MAX_EXPECT_CLASSES {
            return;
        }
        let classes = (expect_class_max as usize).wrapping_add(1);
        let policies = core::slice::from_raw_parts(exp_pol, classes);
        for (to, from) in this.expect_policy.iter_mut().zip(policies) {
            *to = *from;
        }
        this.expect_class_max = expect_class_max;
    }
}

/// # Safety
///
/// C: `nat` is in no list, and stays until a grace period after it is
/// unregistered; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_helper_register(nat: *mut bindings::nf_conntrack_nat_helper) {
    let _registry = RegistryLock::take();
    // SAFETY: By the C contract, with the lock.
    unsafe { NAT_HELPERS.add(nat) };
}

/// # Safety
///
/// C: `nat` is registered; may sleep.
#[no_mangle]
pub unsafe extern "C" fn nf_nat_helper_unregister(nat: *mut bindings::nf_conntrack_nat_helper) {
    let _registry = RegistryLock::take();
    // SAFETY: By the C contract, with the lock.
    unsafe { NAT_HELPERS.remove(nat) };
}
