// SPDX-License-Identifier: GPL-2.0

//! Devices that go down, and addresses that go: who keeps something about them
//! is told later, in process context.
//!
//! C headers: [`include/linux/notifier.h`](srctree/include/linux/notifier.h),
//! [`include/linux/netdevice.h`](srctree/include/linux/netdevice.h),
//! [`include/linux/inetdevice.h`](srctree/include/linux/inetdevice.h)

use super::{net::NetRef, Net};
use core::{
    cell::UnsafeCell,
    mem::{offset_of, MaybeUninit},
    ptr::NonNull,
};
use kernel::{
    error::{code::EOVERFLOW, to_result, Result},
    ffi::{c_int, c_ulong, c_void},
};
use nf_bindings as bindings;
use nf_proto::{
    be::Be32,
    tuple::{Address, Family},
};

/// What is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Gone {
    /// The number of the device.
    pub device: i32,
    /// The address that it has lost, of this family; or it went down.
    pub address: Option<(Family, Address)>,
}

/// How much is remembered until it can be told. What is more is forgotten, as
/// are those that nobody has memory for: it is over in time anyway.
pub const MOST: usize = 32;

/// Something to tell.
struct Job(NetRef, Gone);

/// Watches devices and addresses of all namespaces for as long as it has users,
/// and tells what goes. To be `static`.
#[repr(C)]
pub struct Watch {
    device: UnsafeCell<bindings::notifier_block>,
    inet: UnsafeCell<bindings::notifier_block>,
    inet6: UnsafeCell<bindings::notifier_block>,
    work: UnsafeCell<MaybeUninit<bindings::work_struct>>,
    jobs: UnsafeCell<[Option<Job>; MOST]>,
    users: UnsafeCell<u32>,
    tell: fn(Net, &[Gone]),
}

// SAFETY: The notifiers and the work are C's once they are registered; jobs are
// changed with their lock held, the number of users with its mutex held.
unsafe impl Sync for Watch {}

type Notify = unsafe extern "C" fn(*mut bindings::notifier_block, c_ulong, *mut c_void) -> c_int;

const fn notifier(function: Notify) -> UnsafeCell<bindings::notifier_block> {
    UnsafeCell::new(bindings::notifier_block {
        notifier_call: Some(function),
        next: core::ptr::null_mut(),
        priority: 0,
    })
}

impl Watch {
    /// Tells by `tell`, of a namespace what has gone in it. In process context.
    pub const fn new(tell: fn(Net, &[Gone])) -> Self {
        Watch {
            device: notifier(device_event),
            inet: notifier(inet_event),
            inet6: notifier(inet6_event),
            work: UnsafeCell::new(MaybeUninit::uninit()),
            jobs: UnsafeCell::new([const { None }; MOST]),
            users: UnsafeCell::new(0),
            tell,
        }
    }

    fn work(&self) -> *mut bindings::work_struct {
        self.work.get().cast()
    }

    /// Before the first user.
    pub fn start(&'static self) {
        // SAFETY: Nobody uses it yet; the function fits its place in `Watch`.
        unsafe { bindings::work_init(self.work(), Some(run)) };
    }

    /// After the last user: nothing is told any more. May sleep.
    pub fn stop(&'static self) {
        // SAFETY: Initialised in `start`. It does not run afterwards.
        unsafe { bindings::work_stop(self.work()) };
        while self.take(&mut Batch::new()).is_some() {}
    }

    /// One user more. May sleep.
    ///
    /// # Errors
    ///
    /// Those of the notifiers' registration; `EOVERFLOW`.
    pub fn register(&'static self) -> Result {
        let _lock = Users::lock();
        // SAFETY: The mutex is held.
        let users = unsafe { &mut *self.users.get() };
        let more = users.checked_add(1).ok_or(EOVERFLOW)?;
        if *users == 0 {
            // SAFETY: They are static, and not registered.
            to_result(unsafe {
                bindings::address_notifiers_register(
                    self.device.get(),
                    self.inet.get(),
                    self.inet6.get(),
                )
            })?;
        }
        *users = more;
        Ok(())
    }

    /// One user less. May sleep. When the last one goes the devices that are up
    /// count as gone, as they do for every notifier that is taken back.
    pub fn unregister(&'static self) {
        let _lock = Users::lock();
        // SAFETY: The mutex is held.
        let users = unsafe { &mut *self.users.get() };
        match *users {
            0 => return,
            1 => {
                // SAFETY: They are registered.
                unsafe {
                    bindings::address_notifiers_unregister(
                        self.device.get(),
                        self.inet.get(),
                        self.inet6.get(),
                    );
                }
            }
            _ => {}
        }
        *users = users.saturating_sub(1);
    }

    /// Remembers what is to be told, and has it told.
    ///
    /// # Safety
    ///
    /// `device` is null or valid.
    unsafe fn note(
        &'static self,
        device: *const bindings::net_device,
        address: Option<(Family, Address)>,
    ) {
        if device.is_null() {
            return;
        }
        // SAFETY: By the function's safety requirement; a device's namespace is
        // valid while its notifiers are called.
        let (net, index) = unsafe {
            (
                Net::from_raw(bindings::device_net(device)),
                bindings::netdev_ifindex(device),
            )
        };
        // One that ends takes its connections with it.
        let Some(held) = NetRef::get(net) else { return };
        let gone = Gone {
            device: index,
            address,
        };
        if self.add(held, gone) {
            // SAFETY: Initialised in `start`.
            unsafe { bindings::work_schedule(self.work()) };
        }
    }

    /// False if there is no room. What is known already is not added.
    fn add(&self, net: NetRef, gone: Gone) -> bool {
        // Given back after the lock.
        let mut net = Some(net);
        self.with_jobs(|jobs| {
            let namespace = net.as_ref().map(NetRef::net);
            let known = jobs.iter().flatten().any(|Job(held, known)| {
                Some(held.net()) == namespace
                    && known.device == gone.device
                    && (known.address.is_none() || *known == gone)
            });
            if known {
                return true;
            }
            let place = jobs.iter_mut().find(|job| job.is_none());
            match (place, net.take()) {
                (Some(place), Some(net)) => {
                    *place = Some(Job(net, gone));
                    true
                }
                (_, given_back) => {
                    net = given_back;
                    false
                }
            }
        })
    }

    fn with_jobs<R>(&self, f: impl FnOnce(&mut [Option<Job>; MOST]) -> R) -> R {
        // SAFETY: Unlocked below; any context that notifiers have.
        unsafe { bindings::gone_lock() };
        // SAFETY: The lock is held.
        let result = f(unsafe { &mut *self.jobs.get() });
        // SAFETY: Locked above.
        unsafe { bindings::gone_unlock() };
        result
    }

    /// Takes all that has gone in one namespace, the first that there is.
    fn take(&self, batch: &mut Batch) -> Option<Net> {
        self.with_jobs(|jobs| {
            let namespace = jobs.iter().flatten().next()?.0.net();
            let of_it = |job: &&mut Option<Job>| {
                job.as_ref()
                    .is_some_and(|Job(net, _)| net.net() == namespace)
            };
            let found = jobs.iter_mut().filter(of_it);
            for (slot, job) in batch.0.iter_mut().zip(found) {
                *slot = job.take();
            }
            Some(namespace)
        })
    }
}

/// Jobs of one namespace; with them its references are given back, which is not to
/// be done with the lock held.
struct Batch([Option<Job>; MOST]);

impl Batch {
    const fn new() -> Self {
        Batch([const { None }; MOST])
    }
}

/// The number of users may be changed.
struct Users;

impl Users {
    fn lock() -> Self {
        // SAFETY: Process context.
        unsafe { bindings::masquerade_mutex_lock() };
        Users
    }
}

impl Drop for Users {
    fn drop(&mut self) {
        // SAFETY: Taken in `lock`.
        unsafe { bindings::masquerade_mutex_unlock() };
    }
}

/// # Safety
///
/// C: the work of a `Watch`.
unsafe extern "C" fn run(work: *mut bindings::work_struct) {
    // SAFETY: By the C contract, a `Watch` is static.
    let watch: &'static Watch = unsafe { &*work.byte_sub(offset_of!(Watch, work)).cast() };
    loop {
        let mut batch = Batch::new();
        let Some(net) = watch.take(&mut batch) else {
            return;
        };
        let mut gone = [Gone {
            device: 0,
            address: None,
        }; MOST];
        let mut number = 0usize;
        for (slot, Job(_, one)) in gone.iter_mut().zip(batch.0.iter().flatten()) {
            *slot = *one;
            number = number.saturating_add(1);
        }
        (watch.tell)(net, gone.get(..number).unwrap_or_default());
    }
}

const DONE: c_int = bindings::NOTIFY_DONE as c_int;

/// The notifier's watch.
///
/// # Safety
///
/// `block` is the field of a `Watch` at `offset`; watches are static.
unsafe fn watch_of(block: *mut bindings::notifier_block, offset: usize) -> &'static Watch {
    // SAFETY: By the function's safety requirement.
    unsafe { NonNull::new_unchecked(block.byte_sub(offset).cast()).as_ref() }
}

/// # Safety
///
/// C: a notifier of devices.
unsafe extern "C" fn device_event(
    block: *mut bindings::notifier_block,
    event: c_ulong,
    info: *mut c_void,
) -> c_int {
    // SAFETY: By the C contract.
    unsafe {
        let watch = watch_of(block, offset_of!(Watch, device));
        watch.note(bindings::notified_device(event, info), None);
    }
    DONE
}

/// # Safety
///
/// C: a notifier of IPv4 addresses.
unsafe extern "C" fn inet_event(
    block: *mut bindings::notifier_block,
    event: c_ulong,
    info: *mut c_void,
) -> c_int {
    let mut word = 0;
    // SAFETY: By the C contract.
    unsafe {
        let watch = watch_of(block, offset_of!(Watch, inet));
        let device = bindings::notified_inet(event, info, &mut word);
        let address = Address::v4(Be32::from_raw(word));
        watch.note(device, Some((Family::Ipv4, address)));
    }
    DONE
}

/// # Safety
///
/// C: a notifier of IPv6 addresses, which may be called in atomic context.
unsafe extern "C" fn inet6_event(
    block: *mut bindings::notifier_block,
    event: c_ulong,
    info: *mut c_void,
) -> c_int {
    let mut address = Address::default();
    // SAFETY: By the C contract; an address is sixteen bytes.
    unsafe {
        let watch = watch_of(block, offset_of!(Watch, inet6));
        let device = bindings::notified_inet6(event, info, (&raw mut address).cast());
        watch.note(device, Some((Family::Ipv6, address)));
    }
    DONE
}
