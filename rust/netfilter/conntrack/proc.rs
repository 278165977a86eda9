// SPDX-License-Identifier: GPL-2.0

//! Tables of a namespace in its `/proc/net`, for the namespace's root only.

use super::{tuple, Net};
use core::ptr::{null_mut, NonNull};
use kernel::{
    ffi::{c_int, c_void},
    prelude::*,
};
use nf_bindings as bindings;
use nf_proto::tuple::Tuple;

/// What a file shows, by positions: the chains of a table. Between two of them
/// the reader may be away for long.
pub trait Content: 'static {
    /// How many positions there are now.
    fn positions() -> u32;

    /// Shows what of `net` is at `position`, perhaps nothing. Process context;
    /// it must not sleep. If the output overflows, it is called again.
    fn show(position: u32, net: Net, out: &mut Output);
}

/// The output of a file.
///
/// # Invariants
///
/// A valid `struct seq_file` that only this thread uses.
pub struct Output(NonNull<bindings::seq_file>);

impl Output {
    /// Writes text.
    pub fn text(&mut self, text: &[u8]) -> &mut Self {
        // SAFETY: Valid by the invariant; the bytes are copied.
        unsafe { bindings::seq_write(self.0.as_ptr(), text.as_ptr().cast(), text.len()) };
        self
    }

    /// Writes a number.
    pub fn number(&mut self, number: u32) -> &mut Self {
        // SAFETY: Valid by the invariant; a null delimiter is none.
        unsafe { bindings::seq_put_decimal_ull(self.0.as_ptr(), null_mut(), number.into()) };
        self
    }

    /// Writes a large number.
    pub fn big_number(&mut self, number: u64) -> &mut Self {
        // SAFETY: Valid by the invariant; a null delimiter is none.
        unsafe { bindings::seq_put_decimal_ull(self.0.as_ptr(), null_mut(), number) };
        self
    }

    /// Writes eight hexadecimal digits.
    pub fn hex(&mut self, number: u32) -> &mut Self {
        // SAFETY: Valid by the invariant; a null delimiter is none.
        unsafe { bindings::seq_hex8(self.0.as_ptr(), number) };
        self
    }

    /// Writes a security mark's context, if there is a module that knows it.
    pub fn security_context(&mut self, secmark: u32) -> &mut Self {
        // SAFETY: Valid by the invariant.
        unsafe { bindings::seq_secctx(self.0.as_ptr(), secmark) };
        self
    }

    /// Writes a tuple as all tables do, with a space at the end.
    pub fn tuple(&mut self, tuple: &Tuple) -> &mut Self {
        // SAFETY: Valid by the invariant; every protocol number has an entry.
        unsafe {
            bindings::print_tuple(
                self.0.as_ptr(),
                tuple::as_c(tuple),
                bindings::nf_ct_l4proto_find(tuple.dst.protocol),
            );
        }
        self
    }
}

struct Operations<C>(core::marker::PhantomData<C>);

impl<C: Content> Operations<C> {
    const TABLE: bindings::seq_operations = bindings::seq_operations {
        start: Some(start::<C>),
        stop: Some(stop),
        next: Some(next::<C>),
        show: Some(show::<C>),
    };
}

/// Makes the file `name` of a namespace. Sleeps.
///
/// # Errors
///
/// `ENOMEM`, also if there is one of the name.
pub fn create<C: Content>(net: Net, name: &'static CStr) -> Result {
    // SAFETY: The namespace is live; name and operations are static.
    let entry = unsafe {
        bindings::ct_proc_create(net.as_ptr(), name.as_char_ptr(), &Operations::<C>::TABLE)
    };
    if entry.is_null() {
        Err(ENOMEM)
    } else {
        Ok(())
    }
}

/// Makes the file `name` in a namespace's `stat` folder. Sleeps.
///
/// # Errors
///
/// `ENOMEM`, also if there is one of the name.
pub fn create_stat<C: Content>(net: Net, name: &'static CStr) -> Result {
    // SAFETY: As in `create`.
    let entry = unsafe {
        bindings::ct_proc_create_stat(net.as_ptr(), name.as_char_ptr(), &Operations::<C>::TABLE)
    };
    if entry.is_null() {
        Err(ENOMEM)
    } else {
        Ok(())
    }
}

/// Removes the file `name` of a namespace's `stat` folder. Sleeps.
pub fn remove_stat(net: Net, name: &'static CStr) {
    // SAFETY: The namespace is live; the name is static.
    unsafe { bindings::ct_proc_remove_stat(net.as_ptr(), name.as_char_ptr()) };
}

/// Removes the file `name` of a namespace, and waits for its readers. Sleeps.
pub fn remove(net: Net, name: &'static CStr) {
    // SAFETY: The namespace is live; the name is static.
    unsafe { bindings::ct_proc_remove(net.as_ptr(), name.as_char_ptr()) };
}

/// What stands for a position, as it must not be null.
fn token<C: Content>(position: i64) -> *mut c_void {
    match u32::try_from(position) {
        Ok(position) if position < C::positions() => {
            (position as usize).wrapping_add(1) as *mut c_void
        }
        _ => null_mut(),
    }
}

/// # Safety
///
/// As an operation of a file that was made here.
unsafe extern "C" fn start<C: Content>(
    _seq: *mut bindings::seq_file,
    position: *mut bindings::loff_t,
) -> *mut c_void {
    // SAFETY: The caller's.
    token::<C>(unsafe { *position })
}

/// # Safety
///
/// As an operation of a file that was made here.
unsafe extern "C" fn next<C: Content>(
    _seq: *mut bindings::seq_file,
    _token: *mut c_void,
    position: *mut bindings::loff_t,
) -> *mut c_void {
    // SAFETY: The caller's.
    unsafe {
        *position = (*position).wrapping_add(1);
        token::<C>(*position)
    }
}

/// # Safety
///
/// As an operation of a file that was made here.
unsafe extern "C" fn stop(_seq: *mut bindings::seq_file, _token: *mut c_void) {}

/// # Safety
///
/// As an operation of a file that was made here.
unsafe extern "C" fn show<C: Content>(seq: *mut bindings::seq_file, token: *mut c_void) -> c_int {
    let position = (token as usize).wrapping_sub(1) as u32;
    // SAFETY: An operation of a file that `create` made: it holds its
    // namespace, and this thread is in it alone.
    unsafe {
        let net = Net::from_raw(bindings::ct_seq_net(seq));
        C::show(position, net, &mut Output(NonNull::new_unchecked(seq)));
    }
    0
}
