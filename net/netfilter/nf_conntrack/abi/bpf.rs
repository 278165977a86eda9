// SPDX-License-Identifier: GPL-2.0

//! What bpf.c asks for: include/net/netfilter/rustynat_bpf.h.

use crate::{bpf, check_prototype};
use core::{
    mem::{offset_of, size_of, size_of_val},
    ptr::null_mut,
};
use kernel::{
    error::{to_result, Result},
    ffi::c_void,
};
use netfilter::conntrack::{Fresh, Net};
use nf_bindings as bindings;
use nf_proto::{
    bpf::{Options, Refused, ERROR_END, LONG},
    tuple::Tuple,
};

check_prototype!(
    rustynat_bpf_ct_alloc,
    rustynat_bpf_ct_insert,
    rustynat_bpf_ct_lookup,
);

const _: () = {
    type C = bindings::bpf_ct_opts;
    assert!(size_of::<C>() == LONG as usize);
    assert!(offset_of!(C, error) + size_of::<i32>() == ERROR_END as usize);
    assert!(offset_of!(C, l4proto) == 8 && offset_of!(C, ct_zone_id) == 10);
    assert!(offset_of!(C, ct_zone_dir) == 12 && offset_of!(C, reserved) == 13);
};

/// Registers the functions that programs may call.
///
/// # Errors
///
/// `ENOMEM`, or what the kernel thinks of the module's BTF.
pub fn start() -> Result {
    // SAFETY: From the module's init function, once.
    to_result(unsafe { bindings::rustynat_bpf_ct_register() })
}

/// Takes back what the verifier calls. Programs that call the functions hold the
/// module, so there are none.
pub fn stop() {
    // SAFETY: After `start`, once.
    unsafe { bindings::rustynat_bpf_ct_unregister() };
}

const fn errno(refused: Refused) -> i32 {
    let number = match refused {
        Refused::Invalid => bindings::EINVAL,
        Refused::Protocol => bindings::EPROTO,
        Refused::Family => bindings::EAFNOSUPPORT,
        Refused::Namespace => bindings::ENONET,
        Refused::Absent => bindings::ENOENT,
        Refused::NoRoom => bindings::ENOMEM,
    };
    -(number as i32)
}

/// What a program gave: a tuple and options, each with its length.
///
/// # Invariants
///
/// Both are of their length, or null and of none; other programs may write them at
/// any time.
struct Given {
    tuple: *const u8,
    tuple_len: u32,
    opts: *mut bindings::bpf_ct_opts,
    opts_len: u32,
}

/// As much of `N` numbers as `from` has, the rest zero.
///
/// # Safety
///
/// `from` has `length` bytes, and `T` is an integer.
unsafe fn copy<T: Copy + Default, const N: usize>(from: *const u8, length: u32) -> [T; N] {
    let mut to = [T::default(); N];
    let length = (length as usize).min(size_of_val(&to));
    // Nothing to read behind a null pointer either.
    if length != 0 {
        let bytes = to.as_mut_ptr().cast::<u8>();
        // SAFETY: By the function's safety requirement there are as many, and any
        // are an integer; each may be an older or a newer one.
        unsafe { bytes.copy_from_nonoverlapping(from, length) };
    }
    to
}

impl Given {
    fn options(&self) -> Result<Options, Refused> {
        // SAFETY: By the type invariant.
        let bytes = unsafe { copy(self.opts.cast(), self.opts_len) };
        Options::read(bytes, self.opts_len)
    }

    fn tuple(&self, options: &Options) -> Result<Tuple, Refused> {
        // SAFETY: By the type invariant.
        let words = unsafe { copy(self.tuple, self.tuple_len) };
        options.tuple(words, self.tuple_len)
    }

    /// Tells the program which directions a zone is for that it did not choose.
    fn tell_directions(&self, options: &Options) {
        if let Some(directions) = options.chosen_directions() {
            // SAFETY: By the type invariant; long options were read.
            unsafe { (&raw mut (*self.opts).ct_zone_dir).write_unaligned(directions) };
        }
    }

    fn tell_direction(&self, direction: u8) {
        // SAFETY: By the type invariant; options were read.
        unsafe { (&raw mut (*self.opts).dir).write_unaligned(direction) };
    }

    fn tell_error(&self, refused: Refused) {
        if self.opts_len >= ERROR_END {
            // SAFETY: By the type invariant there is room for it.
            unsafe { (&raw mut (*self.opts).error).write_unaligned(errno(refused)) };
        }
    }
}

/// # Safety
///
/// C: `net` is valid, `tuple` and `opts` have their lengths; under RCU.
#[no_mangle]
pub unsafe extern "C" fn rustynat_bpf_ct_alloc(
    net: *mut bindings::net,
    tuple: *const c_void,
    tuple_len: u32,
    opts: *mut bindings::bpf_ct_opts,
    opts_len: u32,
) -> *mut bindings::nf_conn {
    // INVARIANT: By the C contract.
    let given = Given {
        tuple: tuple.cast(),
        tuple_len,
        opts,
        opts_len,
    };
    // SAFETY: By the C contract.
    let net = unsafe { Net::from_raw(net) };
    let made = given.options().and_then(|options| {
        let made = bpf::allocate(net, &options, || given.tuple(&options))?;
        given.tell_directions(&options);
        Ok(made)
    });
    match made {
        Ok(fresh) => fresh.into_raw(),
        Err(refused) => {
            given.tell_error(refused);
            null_mut()
        }
    }
}

/// # Safety
///
/// C: `net` is valid, `tuple` and `opts` have their lengths; under RCU.
#[no_mangle]
pub unsafe extern "C" fn rustynat_bpf_ct_lookup(
    net: *mut bindings::net,
    tuple: *const c_void,
    tuple_len: u32,
    opts: *mut bindings::bpf_ct_opts,
    opts_len: u32,
) -> *mut bindings::nf_conn {
    // INVARIANT: By the C contract.
    let given = Given {
        tuple: tuple.cast(),
        tuple_len,
        opts,
        opts_len,
    };
    // SAFETY: By the C contract.
    let net = unsafe { Net::from_raw(net) };
    let found = if tuple.is_null() {
        Err(Refused::Invalid)
    } else {
        given.options().and_then(|options| {
            let found = bpf::lookup(net, &options, || given.tuple(&options));
            // Also if nothing was found.
            if matches!(found, Ok(_) | Err(Refused::Absent)) {
                given.tell_directions(&options);
            }
            found
        })
    };
    match found {
        Ok((conn, direction)) => {
            given.tell_direction(direction as u8);
            conn.into_raw()
        }
        Err(refused) => {
            given.tell_error(refused);
            null_mut()
        }
    }
}

/// # Safety
///
/// C: `ct` is one of [`rustynat_bpf_ct_alloc`], which becomes this function's;
/// under RCU.
#[no_mangle]
pub unsafe extern "C" fn rustynat_bpf_ct_insert(
    ct: *mut bindings::nf_conn,
) -> *mut bindings::nf_conn {
    // SAFETY: By the C contract.
    match bpf::insert(unsafe { Fresh::from_raw(ct) }) {
        Some(conn) => conn.into_raw(),
        None => null_mut(),
    }
}
