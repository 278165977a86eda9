// SPDX-License-Identifier: GPL-2.0

//! Network namespaces, what a module keeps for each, and devices.
//!
//! C headers: [`include/net/net_namespace.h`](srctree/include/net/net_namespace.h),
//! [`include/net/netns/generic.h`](srctree/include/net/netns/generic.h)

use crate::rcu::ReadGuard;
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::ptr::{null_mut, NonNull};
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use kernel::ffi::{c_int, c_uint};
use kernel::prelude::*;
use kernel::types::Opaque;
use nf_bindings as bindings;

/// A network namespace (`struct net`).
///
/// # Invariants
///
/// It is alive: the memory that registered modules have for it is there.
#[repr(transparent)]
pub struct Net(Opaque<bindings::net>);

// SAFETY: A namespace belongs to no thread; nothing here changes it.
unsafe impl Send for Net {}
// SAFETY: As above.
unsafe impl Sync for Net {}

impl Net {
    /// Borrows what C lends.
    ///
    /// # Safety
    ///
    /// `ptr` must be a namespace that is not beyond its modules' exit functions
    /// during `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::net) -> &'a Self {
        // INVARIANT: By the safety requirement.
        // SAFETY: The type is transparent over the C struct.
        unsafe { &*ptr.cast() }
    }

    /// The C struct.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::net {
        self.0.get()
    }

    /// What tells it from other namespaces that live at the same time.
    #[inline]
    pub fn id(&self) -> NetId {
        NetId(self.as_raw() as usize)
    }
}

/// Identity of a namespace among those alive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NetId(usize);

impl NetId {
    /// A number for hashing; an address, so it must not be shown.
    #[inline]
    pub fn number(self) -> usize {
        self.0
    }
}

/// A namespace, for as long as a module's state for it exists.
///
/// Registrations (hooks, sysctls, files) hold one. It comes from
/// [`PerNet::init`] alone.
///
/// # Invariants
///
/// The namespace is alive, by the safety requirement of [`PerNet`].
#[derive(Clone)]
pub struct Scope(NonNull<bindings::net>);

// SAFETY: As for `Net`.
unsafe impl Send for Scope {}
// SAFETY: As for `Net`.
unsafe impl Sync for Scope {}

impl Scope {
    /// For a module whose state of a namespace has C's layout, and so is no
    /// [`PerNet`].
    ///
    /// # Safety
    ///
    /// Every clone, and so every registration made with one, must be gone when
    /// the namespace's exit function returns.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a null pointer.
    pub unsafe fn from_raw(net: *mut bindings::net) -> Result<Self> {
        // INVARIANT: By the safety requirement.
        NonNull::new(net).map(Scope).ok_or(EINVAL)
    }
}

impl core::ops::Deref for Scope {
    type Target = Net;

    #[inline]
    fn deref(&self) -> &Net {
        // SAFETY: By the type invariant.
        unsafe { Net::from_raw(self.0.as_ptr()) }
    }
}

/// What a module keeps for each namespace.
///
/// # Safety
///
/// Every clone of the [`Scope`] that [`init`](PerNet::init) gets, and so every
/// registration made with one, must be gone when the value is dropped or, if
/// `init` fails, when it returns.
pub unsafe trait PerNet: Sized + Send + Sync + 'static {
    /// What all namespaces share, made by the module before.
    type Context: Send + Sync + 'static;

    /// Where the registration of this type is: a `static`.
    fn ops() -> &'static Ops<Self>;

    /// A namespace has come up, or the module has. Sleeps.
    ///
    /// # Errors
    ///
    /// An error keeps the namespace or the module from coming up.
    ///
    /// The value is dropped when either goes down, a grace period after
    /// [`Ops::get`] has ceased to find it.
    fn init(net: &Scope, context: &Self::Context) -> Result<Self>;
}

/// The registration of a [`PerNet`] type.
pub struct Ops<T: PerNet> {
    raw: UnsafeCell<bindings::pernet_operations>,
    id: UnsafeCell<c_uint>,
    context: UnsafeCell<Option<T::Context>>,
    claimed: AtomicBool,
    live: AtomicBool,
    _state: PhantomData<fn() -> T>,
}

// SAFETY: The cells are written by the one who has `claimed` alone, before the C
// side sees them and after it has forgotten them.
unsafe impl<T: PerNet> Sync for Ops<T> {}

/// In the memory that the core keeps per namespace, zeroed at first.
struct Slot<T> {
    /// What `get` finds.
    live: AtomicPtr<T>,
    /// What is freed at exit.
    owned: *mut T,
}

impl<T: PerNet> Ops<T> {
    /// Not registered yet.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self {
            raw: UnsafeCell::new(bindings::pernet_operations {
                list: bindings::list_head {
                    next: null_mut(),
                    prev: null_mut(),
                },
                init: Some(init::<T>),
                pre_exit: Some(pre_exit::<T>),
                exit: Some(exit::<T>),
                exit_batch: None,
                exit_rtnl: None,
                id: null_mut(),
                size: core::mem::size_of::<Slot<T>>(),
            }),
            id: UnsafeCell::new(0),
            context: UnsafeCell::new(None),
            claimed: AtomicBool::new(false),
            live: AtomicBool::new(false),
            _state: PhantomData,
        }
    }

    /// Makes the state of every namespace there is, and from now on of every
    /// new one. Sleeps.
    ///
    /// # Errors
    ///
    /// Those of [`PerNet::init`]; `EBUSY` if registered already.
    pub fn register(&'static self, context: T::Context) -> Result<Registration<T>> {
        if self.claimed.swap(true, Ordering::Acquire) {
            return Err(EBUSY);
        }
        // SAFETY: `claimed` makes us the only one here, and the core does not know
        // the struct yet; it is static, as the core requires.
        let result = unsafe {
            *self.context.get() = Some(context);
            (*self.raw.get()).id = self.id.get();
            bindings::register_pernet_subsys(self.raw.get())
        };
        if let Err(error) = kernel::error::to_result(result) {
            // SAFETY: As above.
            unsafe { *self.context.get() = None };
            self.claimed.store(false, Ordering::Release);
            return Err(error);
        }
        self.live.store(true, Ordering::Release);
        Ok(Registration(self))
    }

    /// The state of `net`. `None` before its init and after its pre-exit.
    #[inline]
    pub fn get<'g>(&self, net: &'g Net, _guard: ReadGuard<'g>) -> Option<&'g T> {
        if !self.live.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: While `live` is set the type is registered.
        let slot = unsafe { self.slot(net) }?;
        // SAFETY: The core keeps the slot until a grace period after pre-exit,
        // and `live` was set in this read section or the namespace is alive.
        let state = unsafe { (*slot.as_ptr()).live.load(Ordering::Acquire) };
        // SAFETY: Null or a value that is freed a grace period after `pre_exit`
        // has cleared the pointer, so not in this read section.
        unsafe { state.as_ref() }
    }

    /// # Safety
    ///
    /// The type must be registered, or in the course of that.
    #[inline]
    unsafe fn slot(&self, net: &Net) -> Option<NonNull<Slot<T>>> {
        // SAFETY: The core has written the id before it calls us for the first
        // time, and never after.
        let id = unsafe { *self.id.get() };
        // SAFETY: The namespace is alive and the id is a registered one.
        NonNull::new(unsafe { bindings::net_generic(net.as_raw(), id) }.cast())
    }
}

/// A registered [`PerNet`] type; dropping it ends the state of every namespace.
pub struct Registration<T: PerNet>(&'static Ops<T>);

impl<T: PerNet> Drop for Registration<T> {
    fn drop(&mut self) {
        // Before the core frees the slots: between pre-exit and that there is a
        // grace period.
        self.0.live.store(false, Ordering::Release);
        // SAFETY: `self` is proof that it is registered.
        // No init function runs any more after that.
        unsafe {
            bindings::unregister_pernet_subsys(self.0.raw.get());
            *self.0.context.get() = None;
        }
        self.0.claimed.store(false, Ordering::Release);
    }
}

/// What the namespace core calls when a namespace comes up.
///
/// # Safety
///
/// Only the core may, while `T::ops()` is registered.
unsafe extern "C" fn init<T: PerNet>(net: *mut bindings::net) -> c_int {
    let Some(net) = NonNull::new(net) else {
        return EINVAL.to_errno();
    };
    // INVARIANT: The namespace is alive until `exit`, where the state is dropped
    // and with it, by the requirement of `PerNet`, every clone of this.
    let scope = Scope(net);
    // SAFETY: The core calls this during or after registration.
    let Some(slot) = (unsafe { T::ops().slot(&scope) }) else {
        return ENOMEM.to_errno();
    };
    // SAFETY: Set before registration and until after unregistering.
    let Some(context) = (unsafe { &*T::ops().context.get() }) else {
        return EINVAL.to_errno();
    };
    let state = match T::init(&scope, context).and_then(|state| Ok(KBox::new(state, GFP_KERNEL)?)) {
        Ok(state) => KBox::into_raw(state),
        Err(error) => return error.to_errno(),
    };
    // SAFETY: The slot is ours; `owned` is used by init and exit alone, which
    // the core does not run at the same time for one namespace.
    unsafe {
        (*slot.as_ptr()).owned = state;
        (*slot.as_ptr()).live.store(state, Ordering::Release);
    }
    0
}

/// What the namespace core calls before a namespace goes down.
///
/// # Safety
///
/// Only the core may, while `T::ops()` is registered.
unsafe extern "C" fn pre_exit<T: PerNet>(net: *mut bindings::net) {
    // SAFETY: The core gives a namespace that is alive, and the type is registered.
    let Some(slot) = (unsafe { T::ops().slot(Net::from_raw(net)) }) else {
        return;
    };
    // SAFETY: The core keeps the slot until after `exit`.
    unsafe { (*slot.as_ptr()).live.store(null_mut(), Ordering::Release) };
}

/// What the namespace core calls when a namespace goes down, a grace period after `pre_exit`.
///
/// # Safety
///
/// Only the core may, while `T::ops()` is registered.
unsafe extern "C" fn exit<T: PerNet>(net: *mut bindings::net) {
    // SAFETY: As in `pre_exit`.
    let Some(slot) = (unsafe { T::ops().slot(Net::from_raw(net)) }) else {
        return;
    };
    // SAFETY: As in `init`; the box was made there, and a grace period has passed
    // since `pre_exit`, so nobody has a reference.
    unsafe {
        let state = core::mem::replace(&mut (*slot.as_ptr()).owned, null_mut());
        if !state.is_null() {
            drop(KBox::from_raw(state));
        }
    }
}

/// A network device (`struct net_device`).
///
/// # Invariants
///
/// It is alive while a reference exists.
#[repr(transparent)]
pub struct Device(Opaque<bindings::net_device>);

impl Device {
    /// Borrows what C lends; `None` if null.
    ///
    /// # Safety
    ///
    /// `ptr` must be null or a device that lives during `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *mut bindings::net_device) -> Option<&'a Self> {
        // INVARIANT: By the safety requirement.
        // SAFETY: The type is transparent over the C struct.
        unsafe { ptr.cast::<Self>().as_ref() }
    }

    /// The C struct.
    #[inline]
    pub fn as_raw(&self) -> *mut bindings::net_device {
        self.0.get()
    }

    /// Its number in its namespace.
    #[inline]
    pub fn index(&self) -> c_int {
        // SAFETY: By the invariant it is alive; the number never changes.
        unsafe { bindings::netdev_ifindex(self.0.get()) }
    }

    /// Whether it is a loopback device.
    #[inline]
    pub fn is_loopback(&self) -> bool {
        // SAFETY: By the invariant it is alive.
        unsafe { bindings::netif_is_loopback(self.0.get()) }
    }
}
