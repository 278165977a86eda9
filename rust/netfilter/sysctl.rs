// SPDX-License-Identifier: GPL-2.0

//! Sysctls of a network namespace.
//!
//! C header: [`include/linux/sysctl.h`](srctree/include/linux/sysctl.h)

use crate::array::Array;
use crate::net::Scope;
use core::cell::UnsafeCell;
use core::ptr::NonNull;
use kernel::ffi::{c_int, c_void};
use kernel::prelude::*;
use kernel::sync::Arc;
use nf_bindings as bindings;

/// A number that a sysctl shows and sets, and that anything reads at any time.
#[repr(transparent)]
pub struct Setting<V>(UnsafeCell<V>);

// SAFETY: All access is by volatile reads and writes of one word, on either side
// (C's `READ_ONCE` and `WRITE_ONCE`).
unsafe impl<V: Send> Sync for Setting<V> {}

impl<V: Copy> Setting<V> {
    /// With its default.
    pub const fn new(value: V) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// The value now.
    #[inline]
    pub fn get(&self) -> V {
        // SAFETY: The cell is valid; the type's comment tells why this is no race.
        unsafe { self.0.get().read_volatile() }
    }

    /// Changes it.
    #[inline]
    pub fn set(&self, value: V) {
        // SAFETY: As above.
        unsafe { self.0.get().write_volatile(value) }
    }
}

/// Where a file finds its number in a `T`.
pub enum Kind<T> {
    /// A number of one byte, between these.
    U8(fn(&T) -> &Setting<u8>, u8, u8),
    /// A number of four bytes, between these.
    U32(fn(&T) -> &Setting<u32>, u32, u32),
    /// A time: seconds in the file, jiffies in the setting.
    Seconds(fn(&T) -> &Setting<u32>),
    /// A number that is computed when read; the file is read-only.
    Computed(fn(&T) -> u32),
}

/// A file of the sysctl directory.
pub struct Entry<T: 'static> {
    /// Its name.
    pub name: &'static CStr,
    /// Its permissions.
    pub mode: u16,
    /// What is in it.
    pub kind: Kind<T>,
    /// Called after each successful write, in process context; writers of one
    /// file are not serialised. An error is what the writer gets, and is
    /// returned with the new value in place.
    pub changed: Option<fn(&T) -> Result>,
}

/// What a file's handler needs; `ctl_table.extra1` points here.
#[repr(C)]
struct Slot<T: 'static> {
    // First: the kernel's handlers read the smallest value by that pointer.
    min: u32,
    max: u32,
    entry: &'static Entry<T>,
    data: Arc<T>,
}

/// The registered files of one namespace. Dropping removes them and waits for
/// those who are in a handler.
///
/// # Invariants
///
/// `header` is what registering the table gave; table and slots stay where
/// they are until it is unregistered.
pub struct Registration<T: 'static> {
    header: NonNull<bindings::ctl_table_header>,
    _table: Array<bindings::ctl_table>,
    _slots: Array<Slot<T>>,
    _net: Scope,
}

// SAFETY: The table's pointers are into what this owns, and `T` is shared between
// threads already.
unsafe impl<T: Send + Sync> Send for Registration<T> {}
// SAFETY: There is nothing to do with a shared reference.
unsafe impl<T: Send + Sync> Sync for Registration<T> {}

impl<T: Send + Sync + 'static> Registration<T> {
    /// Makes the files of `entries` in `path` (such as `net/netfilter`), with
    /// their numbers in `data`. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, also if a file of that name exists.
    pub fn new(
        net: Scope,
        path: &'static CStr,
        entries: &'static [Entry<T>],
        data: Arc<T>,
    ) -> Result<Self> {
        let slots = Array::new(entries.iter().map(|entry| {
            let (min, max) = match entry.kind {
                Kind::U8(_, min, max) => (min.into(), max.into()),
                Kind::U32(_, min, max) => (min, max),
                Kind::Seconds(_) | Kind::Computed(_) => (0, u32::MAX),
            };
            Slot {
                min,
                max,
                entry,
                data: data.clone(),
            }
        }))?;
        let table = Array::new(slots.iter().map(|slot| {
            let (at, len): (*mut c_void, usize) = match slot.entry.kind {
                Kind::U8(setting, ..) => (setting(&data).0.get().cast(), 1),
                Kind::U32(setting, ..) | Kind::Seconds(setting) => {
                    (setting(&data).0.get().cast(), 4)
                }
                // Not used by the handler, but a table without data is refused.
                Kind::Computed(_) => ((&raw const slot.max).cast_mut().cast(), 4),
            };
            bindings::ctl_table {
                procname: slot.entry.name.as_char_ptr(),
                data: at,
                maxlen: len as c_int,
                mode: slot.entry.mode,
                proc_handler: Some(handler::<T>),
                poll: core::ptr::null_mut(),
                extra1: core::ptr::from_ref(slot).cast_mut().cast(),
                extra2: (&raw const slot.max).cast_mut().cast(),
            }
        }))?;
        // SAFETY: The namespace is alive by the invariant of `Scope`; `table` has
        // that many entries and lives until it is unregistered.
        let header = unsafe {
            bindings::register_net_sysctl_sz(
                net.as_raw(),
                path.as_char_ptr(),
                table.as_ptr().cast_mut(),
                table.len(),
            )
        };
        // INVARIANT: Just registered; moving an `Array` does not move its elements.
        Ok(Self {
            header: NonNull::new(header).ok_or(ENOMEM)?,
            _table: table,
            _slots: slots,
            _net: net,
        })
    }
}

impl<T> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: By the invariant it is registered.
        unsafe { bindings::unregister_net_sysctl_table(self.header.as_ptr()) };
    }
}

/// What is called for each read and write.
///
/// # Safety
///
/// Only the sysctl core may, with a table made by `Registration<T>`.
unsafe extern "C" fn handler<T: Send + Sync + 'static>(
    table: *const bindings::ctl_table,
    write: c_int,
    buffer: *mut c_void,
    len: *mut usize,
    position: *mut bindings::loff_t,
) -> c_int {
    // SAFETY: The table is one of ours, whose `extra1` is a slot that lives until
    // the table is unregistered, which waits for us.
    let slot = unsafe { &*(*table).extra1.cast::<Slot<T>>() };
    let data: &T = &slot.data;
    // SAFETY: The kernel gives the arguments of a handler, which go to another
    // one; the table's data, and its extra pointers if the handler uses them,
    // have the type that it reads and writes.
    let result = unsafe {
        match slot.entry.kind {
            Kind::U8(..) => bindings::proc_dou8vec_minmax(table, write, buffer, len, position),
            Kind::U32(..) => bindings::proc_douintvec_minmax(table, write, buffer, len, position),
            Kind::Seconds(_) => {
                bindings::proc_dointvec_jiffies(table, write, buffer, len, position)
            }
            Kind::Computed(compute) => {
                let mut value = compute(data);
                let mut copy = *table;
                copy.data = (&raw mut value).cast();
                bindings::proc_douintvec(&copy, write, buffer, len, position)
            }
        }
    };
    match slot.entry.changed {
        Some(changed) if result == 0 && write != 0 => match changed(data) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        },
        _ => result,
    }
}
