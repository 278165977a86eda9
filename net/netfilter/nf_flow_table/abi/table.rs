// SPDX-License-Identifier: GPL-2.0

//! `struct nf_flowtable`: a table of flows, which is the kernel's rhashtable.

use super::flow::Flow;
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ptr::{null_mut, NonNull},
};
use kernel::{
    error::{to_result, Result},
    ffi::c_void,
};
use netfilter::{conntrack::Net, net::Device, random};
use nf_bindings as bindings;
use nf_proto::{flow::key::Key, hash, tuple::Direction};

/// Prepared: what the hash begins with.
struct Secret(UnsafeCell<hash::Start>);

// SAFETY: Written before any table exists, and read-only then.
unsafe impl Sync for Secret {}

static SECRET: Secret = Secret(UnsafeCell::new(hash::Key::new([0; 2]).start()));

/// Chooses the secret of the tables' hash.
///
/// # Safety
///
/// No table exists yet.
pub unsafe fn choose_secret() {
    // SAFETY: By the function's safety requirement.
    unsafe { *SECRET.0.get() = hash::Key::new([random::u64(), random::u64()]).start() };
}

/// The secret of the tables' hash.
#[inline]
pub fn secret() -> &'static hash::Start {
    // SAFETY: Read-only since the module began.
    unsafe { &*SECRET.0.get() }
}

/// A table.
///
/// # Invariants
///
/// Valid, and initialised, for `'a`.
#[derive(Clone, Copy)]
pub struct Table<'a>(
    NonNull<bindings::nf_flowtable>,
    PhantomData<&'a bindings::nf_flowtable>,
);

impl<'a> Table<'a> {
    /// From a C pointer.
    ///
    /// # Safety
    ///
    /// The type invariant.
    #[inline]
    pub unsafe fn from_raw(table: *mut bindings::nf_flowtable) -> Self {
        // SAFETY: By the function's safety requirement.
        Self(unsafe { NonNull::new_unchecked(table) }, PhantomData)
    }

    /// The C pointer.
    #[inline]
    pub fn as_ptr(self) -> *mut bindings::nf_flowtable {
        self.0.as_ptr()
    }

    #[inline]
    fn flags(self) -> u32 {
        // SAFETY: By the type invariant; changed by the control path, as one word.
        unsafe { (&raw const (*self.as_ptr()).flags).read_volatile() }
    }

    /// Packets count for their connections.
    #[inline]
    pub fn counts(self) -> bool {
        self.flags() & bindings::nf_flowtable_flags_NF_FLOWTABLE_COUNTER != 0
    }

    /// Hardware is to take part.
    pub fn wants_hardware(self) -> bool {
        self.flags() & bindings::nf_flowtable_flags_NF_FLOWTABLE_HW_OFFLOAD != 0
    }

    /// The flow of a key, and the key's direction in it. Under RCU.
    #[inline(always)]
    pub fn find(self, key: &Key) -> Option<(&'a Flow, Direction)> {
        let key = bindings::rustynat_flow_key {
            tuple: core::ptr::from_ref(key).cast(),
            hash: key.hash(secret()),
        };
        // SAFETY: By the type invariant; of the tuple nothing but the key is read.
        // What is found lives as long as the RCU section.
        unsafe {
            NonNull::new(bindings::rustynat_flow_find(self.as_ptr(), &key))
                .map(|entry| Flow::of_entry(entry))
        }
    }

    /// Makes a flow known: the direction that collection meets last.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and others of rhashtable. Then it is in the table no more.
    pub fn insert(self, flow: &Flow) -> Result {
        // SAFETY: Both are valid, and the flow is in no table.
        unsafe {
            to_result(bindings::rustynat_flow_insert(
                self.as_ptr(),
                flow.entry(Direction::Reply),
            ))?;
            let second = to_result(bindings::rustynat_flow_insert(
                self.as_ptr(),
                flow.entry(Direction::Original),
            ));
            if second.is_err() {
                bindings::rustynat_flow_remove(self.as_ptr(), flow.entry(Direction::Reply));
            }
            second
        }
    }

    /// Takes a flow out that is in it, and frees it. Under RCU, or where nobody
    /// else removes flows of the table.
    pub fn remove(self, flow: &Flow) {
        // SAFETY: Both are valid. Only collection removes flows, and meets each
        // once: its runs do not overlap.
        unsafe {
            bindings::rustynat_flow_remove(self.as_ptr(), flow.entry(Direction::Original));
            bindings::rustynat_flow_remove(self.as_ptr(), flow.entry(Direction::Reply));
            flow.free();
        }
    }

    /// Lets `visit` see all flows, some perhaps twice. It must not sleep.
    pub fn each<F: FnMut(&Flow)>(self, mut visit: F) {
        // SAFETY: `data` is the closure, for the call; flows live in it.
        unsafe {
            bindings::rustynat_flow_walk(
                self.as_ptr(),
                Some(visit_one::<F>),
                core::ptr::from_mut(&mut visit).cast(),
            );
        }
    }

    /// What its type says of a flow: that it is outdated.
    pub fn outdated(self, flow: &Flow) -> bool {
        // SAFETY: The type outlives the table, if it has one; its function takes
        // flows of the table.
        unsafe {
            let kind = (*self.as_ptr()).type_;
            if kind.is_null() {
                return false;
            }
            match (*kind).gc {
                Some(gc) => gc(flow.as_ptr()),
                None => false,
            }
        }
    }

    /// Waits until a run of collection that is due has ended. Sleeps.
    pub fn flush_collection(self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::rustynat_flow_table_gc_flush(self.as_ptr()) };
    }

    /// Begins the table, its collection and its place among all tables.
    ///
    /// # Safety
    ///
    /// Nobody else uses it.
    ///
    /// # Errors
    ///
    /// `ENOMEM`
    pub unsafe fn start(self) -> Result {
        // SAFETY: By the function's safety requirement; all is taken back in `stop`.
        unsafe {
            to_result(bindings::rustynat_flow_table_init(self.as_ptr()))?;
            bindings::rustynat_flow_table_gc_later(self.as_ptr());
            bindings::rustynat_flow_tables_add(self.as_ptr());
        }
        Ok(())
    }

    /// Ends its collection, before its flows are.
    ///
    /// # Safety
    ///
    /// No packets meet it, and no flows are added any more. Sleeps.
    pub unsafe fn stop(self) {
        // SAFETY: Begun in `start`.
        unsafe {
            bindings::rustynat_flow_tables_remove(self.as_ptr());
            bindings::rustynat_flow_table_gc_stop(self.as_ptr());
        }
    }

    /// Ends the table.
    ///
    /// # Safety
    ///
    /// It is stopped and empty.
    pub unsafe fn destroy(self) {
        // SAFETY: By the function's safety requirement.
        unsafe { bindings::rustynat_flow_table_destroy(self.as_ptr()) };
    }
}

/// # Safety
///
/// As [`Table::each`] has it called: `data` is its closure, `flow` lives.
unsafe extern "C" fn visit_one<F: FnMut(&Flow)>(
    _table: *mut bindings::nf_flowtable,
    flow: *mut bindings::flow_offload,
    data: *mut c_void,
) {
    // SAFETY: Called by `each`, with its closure and a flow that lives.
    unsafe { (*data.cast::<F>())(Flow::from_raw(flow)) }
}

/// A device, whose flows are to end: namespace and index.
#[derive(Clone, Copy)]
pub struct Gone {
    /// The device's namespace.
    pub net: Net,
    /// Its index there.
    pub index: i32,
}

impl Gone {
    /// From a C pointer; none of null.
    ///
    /// # Safety
    ///
    /// Null or a valid device.
    pub unsafe fn from_raw(device: *mut bindings::net_device) -> Option<Self> {
        // SAFETY: By the function's safety requirement. A device is in a namespace.
        unsafe {
            let index = Device::from_raw(device)?.index();
            let net = Net::from_raw(bindings::rustynat_flow_device_net(device));
            Some(Self { net, index })
        }
    }
}

/// Has all tables forget a device, or if it is null, everything. Sleeps.
///
/// # Safety
///
/// Null or a valid device.
pub unsafe fn clean_all(device: *mut bindings::net_device) {
    // SAFETY: By the function's safety requirement.
    unsafe { bindings::rustynat_flow_tables_each(Some(clean_one), device) };
}

/// # Safety
///
/// As [`clean_all`] has it called: both are valid, or `device` is null.
unsafe extern "C" fn clean_one(
    table: *mut bindings::nf_flowtable,
    device: *mut bindings::net_device,
) {
    // SAFETY: Called by `clean_all`, with its device and tables that live.
    unsafe { crate::gc::clean(Table::from_raw(table), Gone::from_raw(device)) };
}

/// A flow of a connection, which is not in a table yet, with zeroes in it; null if
/// memory is short.
pub fn allocate() -> *mut bindings::flow_offload {
    // SAFETY: Any context.
    let flow = unsafe { bindings::rustynat_flow_alloc() };
    if flow.is_null() {
        null_mut()
    } else {
        flow.cast()
    }
}
