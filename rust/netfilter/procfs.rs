// SPDX-License-Identifier: GPL-2.0

//! Files in `/proc/net`.
//!
//! C headers: [`include/linux/proc_fs.h`](srctree/include/linux/proc_fs.h),
//! [`include/linux/seq_file.h`](srctree/include/linux/seq_file.h)

use crate::net::Scope;
use core::ptr::{null_mut, NonNull};
use kernel::ffi::{c_int, c_uint, c_void};
use kernel::prelude::*;
use kernel::sync::Arc;
use kernel::types::Opaque;
use nf_bindings as bindings;
use nf_proto::tuple::{Address, Family};

/// What a file shows, in steps.
///
/// A reader comes back for more at the position after the last one that fitted,
/// with no lock held in between. So a position should be something that stays,
/// such as a bucket of a hash table, and not the n-th of what comes and goes.
pub trait Listing: Send + Sync + 'static {
    /// Shows what stands above all.
    fn header(&self, _seq: &mut SeqFile) {}

    /// The first position from `from` on that has something to show; `None` at
    /// the end.
    fn next(&self, from: u64) -> Option<u64>;

    /// Shows what is at `position`, perhaps nothing. Process context. If the
    /// buffer overflows all of it is shown again with a larger one.
    fn show(&self, position: u64, seq: &mut SeqFile);
}

/// Where a file is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Directory {
    /// `/proc/net`
    Net,
    /// `/proc/net/stat`
    NetStat,
}

/// The output of a file (`struct seq_file`).
///
/// # Invariants
///
/// It is valid and this thread's alone.
#[repr(transparent)]
pub struct SeqFile(Opaque<bindings::seq_file>);

impl SeqFile {
    /// Borrows what C lends.
    ///
    /// # Safety
    ///
    /// `ptr` must be a valid seq file that no other thread uses during `'a`.
    pub unsafe fn from_raw<'a>(ptr: *mut bindings::seq_file) -> &'a mut Self {
        // INVARIANT: By the safety requirement.
        // SAFETY: The type is transparent over the C struct.
        unsafe { &mut *ptr.cast() }
    }

    /// Writes text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        // SAFETY: Valid by the invariant; the bytes are copied.
        unsafe { bindings::seq_write(self.0.get(), text.as_ptr().cast(), text.len()) };
        self
    }

    /// Writes a number.
    pub fn decimal(&mut self, number: u64) -> &mut Self {
        // SAFETY: Valid by the invariant; a null delimiter is none.
        unsafe { bindings::seq_put_decimal_ull(self.0.get(), null_mut(), number) };
        self
    }

    /// Writes a number in hexadecimal, with leading zeros up to `width`.
    pub fn hex(&mut self, number: u64, width: u32) -> &mut Self {
        // SAFETY: Valid by the invariant; the format takes an int and a long long.
        unsafe {
            bindings::seq_printf(
                self.0.get(),
                c"%0*llx".as_char_ptr(),
                width as c_int,
                number,
            )
        };
        self
    }

    /// Writes an address: IPv6 ones in full, without `::`.
    pub fn address(&mut self, family: Family, address: &Address) -> &mut Self {
        let format = match family {
            Family::Ipv4 => c"%pI4",
            Family::Ipv6 => c"%pI6",
        };
        let address: *const Address = address;
        // SAFETY: Valid by the invariant; both formats take a pointer to no more
        // than the 16 bytes of an address.
        unsafe {
            bindings::seq_printf(self.0.get(), format.as_char_ptr(), address.cast::<c_void>())
        };
        self
    }
}

/// A file in one namespace. Dropping removes it and waits for those who read it.
///
/// # Invariants
///
/// `entry` is a file of ours, made with the pointer of `_data`.
pub struct File<L: Listing> {
    entry: NonNull<bindings::proc_dir_entry>,
    _data: Arc<L>,
    _net: Scope,
}

// SAFETY: The entry is a handle of C's that any thread may use.
unsafe impl<L: Listing> Send for File<L> {}
// SAFETY: There is nothing to do with a shared reference.
unsafe impl<L: Listing> Sync for File<L> {}

impl<L: Listing> File<L> {
    const OPS: bindings::seq_operations = bindings::seq_operations {
        start: Some(start::<L>),
        stop: Some(stop),
        next: Some(next::<L>),
        show: Some(show::<L>),
    };

    /// Makes the file `name` with permissions `mode`. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, also if the name is taken.
    pub fn new(
        net: Scope,
        directory: Directory,
        name: &'static CStr,
        mode: u16,
        data: Arc<L>,
    ) -> Result<Self> {
        // SAFETY: The namespace is alive by the invariant of `Scope`, and so are
        // its directories; operations and name are static; the data outlives the
        // file. The state begins with what `seq_file_net.h` keeps there.
        let entry = unsafe {
            let parent = match directory {
                Directory::Net => bindings::proc_net(net.as_raw()),
                Directory::NetStat => bindings::proc_net_stat(net.as_raw()),
            };
            bindings::proc_create_net_data(
                name.as_char_ptr(),
                mode,
                parent,
                &Self::OPS,
                core::mem::size_of::<bindings::seq_net_private>() as c_uint,
                Arc::as_ptr(&data).cast_mut().cast(),
            )
        };
        // INVARIANT: Made just now.
        Ok(Self {
            entry: NonNull::new(entry).ok_or(ENOMEM)?,
            _data: data,
            _net: net,
        })
    }
}

impl<L: Listing> Drop for File<L> {
    fn drop(&mut self) {
        // SAFETY: By the invariant it is ours. Waits for who is in an operation.
        unsafe { bindings::proc_remove(self.entry.as_ptr()) };
    }
}

/// # Safety
///
/// `seq` must be of a file made by `File<L>`, in one of its operations.
unsafe fn listing<'a, L: Listing>(seq: *mut bindings::seq_file) -> &'a L {
    // SAFETY: The file's data is the pointer of an `Arc<L>` that the `File` keeps
    // until its operations are over.
    unsafe { &*bindings::pde_data(seq).cast::<L>() }
}

// The token that stands for a seq_file position: the file's own, 1 for the
// header and from 2 on the listing's positions, as it must not be null.

fn token<L: Listing>(listing: &L, from: i64, position: &mut i64) -> *mut c_void {
    let found = match from.checked_sub(1) {
        Some(-1) => Some(0),
        Some(from) => u64::try_from(from)
            .ok()
            .and_then(|from| listing.next(from))
            .and_then(|at| i64::try_from(at).ok())
            .and_then(|at| at.checked_add(1)),
        None => None,
    };
    match found.and_then(|at| Some((at, usize::try_from(at.checked_add(1)?).ok()?))) {
        Some((at, token)) => {
            *position = at;
            token as *mut c_void
        }
        None => {
            *position = from;
            null_mut()
        }
    }
}

/// The `start` operation: from the position on.
///
/// # Safety
///
/// Only seq_file may call it, for a file made by `File<L>`.
unsafe extern "C" fn start<L: Listing>(
    seq: *mut bindings::seq_file,
    position: *mut bindings::loff_t,
) -> *mut c_void {
    // SAFETY: We are an operation of such a file; `position` is the caller's.
    let (listing, position) = unsafe { (listing::<L>(seq), &mut *position) };
    token(listing, *position, position)
}

/// The `next` operation.
///
/// # Safety
///
/// Only seq_file may call it, for a file made by `File<L>`.
unsafe extern "C" fn next<L: Listing>(
    seq: *mut bindings::seq_file,
    _token: *mut c_void,
    position: *mut bindings::loff_t,
) -> *mut c_void {
    // SAFETY: As in `start`.
    let (listing, position) = unsafe { (listing::<L>(seq), &mut *position) };
    token(listing, position.wrapping_add(1), position)
}

/// The `stop` operation: nothing is held.
///
/// # Safety
///
/// None; the type asks for it.
unsafe extern "C" fn stop(_seq: *mut bindings::seq_file, _token: *mut c_void) {}

/// The `show` operation.
///
/// # Safety
///
/// Only seq_file may call it, for a file made by `File<L>`.
unsafe extern "C" fn show<L: Listing>(seq: *mut bindings::seq_file, token: *mut c_void) -> c_int {
    // SAFETY: We are an operation of such a file, and it is this thread's.
    let (listing, seq) = unsafe { (listing::<L>(seq), SeqFile::from_raw(seq)) };
    match (token as u64).checked_sub(2) {
        None => listing.header(seq),
        Some(position) => listing.show(position, seq),
    }
    0
}
