// SPDX-License-Identifier: GPL-2.0

//! `struct nf_conntrack_helper` and `struct nf_conn_help`: helpers, and what a
//! connection keeps about its helper.

mod function;
mod info;
mod memory;
mod nat;
mod payload;
mod ports;
mod register;
mod registry;
pub mod user;

pub use function::ExpectFunction;
pub use nat::{LoadedHalf, Nat, NatHalf};
pub use payload::Segment;
pub use ports::{places, Registrations, MAX_PORTS};
pub use register::{Class, ConntrackHelper, Place, Registration};
pub use registry::*;

use super::{ext, refcount::Refcount, skb::Packet, Conn, Info, Status};
use crate::hook::Verdict;
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    ptr::{null_mut, NonNull},
    sync::atomic::{AtomicPtr, AtomicUsize, Ordering},
};
use kernel::{ffi::c_char, ffi::c_int, prelude::*, sync::rcu};
use nf_bindings as bindings;
use nf_proto::tuple::Tuple;

/// Length of a helper's name, with the terminating zero.
pub const NAME_LEN: usize = bindings::NF_CT_HELPER_NAME_LEN as usize;

/// A helper (`struct nf_conntrack_helper`).
///
/// # Invariants
///
/// Freed a grace period after the last reference (`ct_refcnt`) is given back.
/// Its functions are taken away, with a grace period, before their module goes.
#[repr(transparent)]
pub struct Helper(UnsafeCell<bindings::nf_conntrack_helper>);

// SAFETY: What changes while others can reach it is accessed atomically.
unsafe impl Sync for Helper {}
// SAFETY: It belongs to no thread.
unsafe impl Send for Helper {}

/// How many expectations of a class there may be, and for how long
/// (`struct nf_conntrack_expect_policy`).
#[derive(Clone, Copy)]
pub struct Policy {
    /// The most of one connection.
    pub max_expected: u32,
    /// How long one lives, seconds.
    pub timeout: u32,
}

impl Helper {
    /// From a C pointer; none if null.
    ///
    /// # Safety
    ///
    /// `ptr` is null or a helper that stays allocated for `'a`.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::nf_conntrack_helper) -> Option<&'a Helper> {
        // SAFETY: By the function's safety requirement.
        unsafe { ptr.cast::<Helper>().as_ref() }
    }

    /// The C pointer.
    #[inline]
    pub fn as_ptr(&self) -> *mut bindings::nf_conntrack_helper {
        self.0.get()
    }

    /// Its name, without the terminating zero.
    #[inline]
    pub fn name(&self) -> &[u8] {
        // SAFETY: Constant once registered; an array of bytes.
        text(unsafe { &(*self.as_ptr()).name })
    }

    /// The name of the module that it needs under NAT.
    #[inline]
    pub fn nat_module_name(&self) -> &[u8] {
        // SAFETY: Constant once registered; an array of bytes.
        text(unsafe { &(*self.as_ptr()).nat_mod_name })
    }

    /// What it is for: family, protocol and port.
    #[inline]
    pub fn tuple(&self) -> &Tuple {
        // SAFETY: Constant once registered.
        super::tuple::from_c(unsafe { &(*self.as_ptr()).tuple })
    }

    /// Its family, `NFPROTO_*`; 0 for all.
    #[inline]
    pub fn l3num(&self) -> u16 {
        self.tuple().src.l3num
    }

    /// Its protocol.
    #[inline]
    pub fn protocol(&self) -> u8 {
        self.tuple().dst.protocol
    }

    /// It is for this family.
    #[inline]
    pub fn covers(&self, l3num: u16) -> bool {
        self.l3num() == bindings::NFPROTO_UNSPEC as u16 || self.l3num() == l3num
    }

    /// It only hands packets to user space (`NF_CT_HELPER_F_USERSPACE`).
    #[inline]
    pub fn is_in_user_space(&self) -> bool {
        let flag = bindings::nf_ct_helper_flags_NF_CT_HELPER_F_USERSPACE;
        // SAFETY: An aligned word; ctnetlink's neighbour may write it.
        unsafe { (&raw const (*self.as_ptr()).flags).read_volatile() & flag != 0 }
    }

    /// The policy of a class that it has.
    #[inline]
    pub fn policy(&self, class: u32) -> Option<Policy> {
        // SAFETY: Single words; user space may set those of its helpers.
        unsafe {
            if class > (&raw const (*self.as_ptr()).expect_class_max).read_volatile() {
                return None;
            }
            let policies = &raw const (*self.as_ptr()).expect_policy;
            let policy = (*policies).get(class as usize)?;
            Some(Policy {
                max_expected: (&raw const policy.max_expected).read_volatile(),
                timeout: (&raw const policy.timeout).read_volatile(),
            })
        }
    }

    /// The name of a class; empty if it has none.
    pub fn class_name(&self, class: u32) -> &[u8] {
        // SAFETY: Constant once registered; arrays of bytes.
        unsafe { &(*self.as_ptr()).expect_policy }
            .get(class as usize)
            .map_or(&[], |policy| text(&policy.name))
    }

    /// Its name ends and its classes are no more than there can be.
    pub fn is_well_formed(&self) -> bool {
        // SAFETY: The caller is registering it, so it does not change.
        let classes = unsafe { (*self.as_ptr()).expect_class_max };
        classes < super::expect::CLASSES
            && self.name().len() < NAME_LEN
            && self.nat_module_name().len() < NAME_LEN
    }

    /// Gives the classes without a limit the limit `most`; false if one has a
    /// larger one. Before it is registered.
    pub fn default_limits(&self, most: u32) -> bool {
        // SAFETY: Not registered yet, so the caller's own.
        let raw = unsafe { &mut *self.as_ptr() };
        let classes = 0..=raw.expect_class_max;
        raw.expect_policy
            .iter_mut()
            .zip(classes)
            .all(|(policy, _)| {
                if policy.max_expected == 0 {
                    policy.max_expected = most;
                }
                policy.max_expected <= most
            })
    }

    #[inline]
    fn help_word(&self) -> &AtomicUsize {
        // SAFETY: A function pointer or null, accessed atomically.
        unsafe { AtomicUsize::from_ptr((&raw mut (*self.as_ptr()).help).cast()) }
    }

    /// It is still registered, or can still be called.
    #[inline]
    pub fn is_alive(&self) -> bool {
        self.help_word().load(Ordering::Acquire) != 0
    }

    /// Both have the same function.
    #[inline]
    pub fn same_function(&self, other: &Helper) -> bool {
        self.help_word().load(Ordering::Relaxed) == other.help_word().load(Ordering::Relaxed)
    }

    /// Takes its module's functions away: from a grace period on nobody is in
    /// them. That by which PPTP's tunnels end is not its module's: connections
    /// that still have tunnels need it.
    pub fn disable(&self) {
        self.help_word().store(0, Ordering::Release);
        let raw = self.as_ptr();
        let stays = bindings::gre_pptp_destroy_siblings as usize;
        // SAFETY: Function pointers or null, each written as one word.
        unsafe {
            let destroy = (&raw const (*raw).destroy).read_volatile();
            if destroy.map(|destroy| destroy as usize) != Some(stays) {
                (&raw mut (*raw).destroy).write_volatile(None);
            }
            (&raw mut (*raw).from_nlattr).write_volatile(None);
            (&raw mut (*raw).to_nlattr).write_volatile(None);
        }
    }

    /// Lets it read a packet of `conn` whose transport header is `transport`
    /// bytes from the packet's data; a verdict. Under RCU.
    #[inline]
    pub fn call(&self, packet: &mut Packet<'_>, transport: u32, conn: &Conn, info: Info) -> c_int {
        // SAFETY: Null or a function.
        let help = unsafe { (&raw const (*self.as_ptr()).help).read_volatile() };
        match help {
            // SAFETY: All is valid for the call; its module waits for a grace
            // period before it goes.
            Some(help) => unsafe { help(packet.as_ptr(), transport, conn.as_ptr(), info.number()) },
            None => bindings::NF_ACCEPT as c_int,
        }
    }

    /// It has something to do when a connection is over.
    pub fn has_destroy(&self) -> bool {
        // SAFETY: Null or a function.
        unsafe { (&raw const (*self.as_ptr()).destroy).read_volatile() }.is_some()
    }

    /// Tells it that a connection is over. Under RCU.
    pub fn connection_over(&self, conn: &Conn) {
        // SAFETY: Null or a function.
        let destroy = unsafe { (&raw const (*self.as_ptr()).destroy).read_volatile() };
        if let Some(destroy) = destroy {
            // SAFETY: Valid for the call; its module waits for a grace period
            // before it goes.
            unsafe { destroy(conn.as_ptr()) };
        }
    }

    #[inline]
    fn uses(&self) -> Refcount<'_> {
        // SAFETY: Inside the object, and only accessed atomically.
        unsafe { Refcount::from_raw(&raw mut (*self.as_ptr()).ct_refcnt) }
    }

    /// A reference, unless it is going.
    #[inline]
    pub fn try_get(&self) -> Option<HelperRef> {
        self.uses()
            .increment_unless_zero()
            .then(|| HelperRef(NonNull::from(self)))
    }

    /// Its module stays, if it has one and that is not going already.
    pub fn try_get_module(&self) -> bool {
        // SAFETY: Under RCU the module is there, as it waits for a grace
        // period after unregistering; `try_module_get` takes null.
        unsafe { bindings::try_module_get((*self.as_ptr()).me) }
    }

    /// Gives back what [`try_get_module`](Self::try_get_module) took.
    pub fn put_module(&self) {
        // SAFETY: Taken before; `module_put` takes null.
        unsafe { bindings::module_put((*self.as_ptr()).me) };
    }
}

/// The bytes of `name` before its zero.
fn text(name: &[c_char]) -> &[u8] {
    name.split(|byte| *byte == 0).next().unwrap_or(&[])
}

/// The bytes of a C string before its zero.
///
/// # Safety
///
/// `string` is terminated, and stays for `'a`.
pub unsafe fn string<'a>(string: *const c_char) -> &'a [u8] {
    // SAFETY: By the function's safety requirement.
    unsafe { core::slice::from_raw_parts(string.cast(), bindings::strlen(string)) }
}

/// A counted reference to a helper (`ct_refcnt`).
pub struct HelperRef(NonNull<Helper>);

impl HelperRef {
    /// Takes over a reference that C code counted.
    ///
    /// # Safety
    ///
    /// `ptr` is a helper, and one of its references is the caller's.
    #[inline]
    pub unsafe fn from_raw(ptr: *mut bindings::nf_conntrack_helper) -> Self {
        // SAFETY: Not null by the safety requirement.
        HelperRef(unsafe { NonNull::new_unchecked(ptr.cast()) })
    }

    /// Hands the reference over to C code.
    #[inline]
    pub fn into_raw(self) -> *mut bindings::nf_conntrack_helper {
        ManuallyDrop::new(self).0.as_ptr().cast()
    }
}

impl Deref for HelperRef {
    type Target = Helper;

    #[inline]
    fn deref(&self) -> &Helper {
        // SAFETY: A reference is held.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for HelperRef {
    fn drop(&mut self) {
        if self.uses().decrement() {
            let raw = self.as_ptr();
            // SAFETY: No reference is left; who met it under RCU gets the time
            // to see that. Allocated by `kmalloc`.
            unsafe { bindings::kvfree_call_rcu(&raw mut (*raw).rcu, raw.cast()) };
        }
    }
}

/// What a connection keeps about its helper (`struct nf_conn_help`), for as
/// long as the connection is borrowed.
#[derive(Clone, Copy)]
pub struct Help<'c>(NonNull<bindings::nf_conn_help>, PhantomData<&'c Conn>);

impl<'c> Help<'c> {
    /// That of a connection, if it has it.
    #[inline]
    pub fn of(conn: &'c Conn) -> Option<Self> {
        Some(Help(conn.ext()?, PhantomData))
    }

    /// Gives a connection that is not confirmed room for a helper; none if it
    /// has it already or memory is short.
    pub fn add(conn: &'c Conn, gfp: bindings::gfp_t) -> Option<Self> {
        let help = ext::add(conn, bindings::nf_ct_ext_id_NF_CT_EXT_HELPER, gfp)?;
        conn.set_status(Status::HELPER);
        Some(Help(help.cast(), PhantomData))
    }

    /// The C pointer.
    #[inline]
    pub fn as_ptr(self) -> *mut bindings::nf_conn_help {
        self.0.as_ptr()
    }

    #[inline]
    fn word(self) -> &'c AtomicPtr<bindings::nf_conntrack_helper> {
        // SAFETY: The extension lives as long as the connection; the pointer
        // is accessed atomically.
        unsafe { AtomicPtr::from_ptr(&raw mut (*self.as_ptr()).helper) }
    }

    /// The helper, under RCU.
    #[inline]
    pub fn helper<'g>(self, _rcu: &'g rcu::Guard) -> Option<&'g Helper> {
        // SAFETY: The connection has a reference, and a helper is freed a grace
        // period after the last one is given back.
        unsafe { Helper::from_raw(self.word().load(Ordering::Acquire)) }
    }

    /// There is a helper.
    #[inline]
    pub fn has_helper(self) -> bool {
        !self.word().load(Ordering::Relaxed).is_null()
    }

    /// Sets the helper; what was there before is given back.
    pub fn set_helper(self, helper: Option<HelperRef>) {
        let new = helper.map_or(null_mut(), HelperRef::into_raw);
        let old = self.word().swap(new, Ordering::AcqRel);
        if !old.is_null() {
            // SAFETY: The reference was the connection's, and only one gets it
            // out of the exchange.
            drop(unsafe { HelperRef::from_raw(old) });
        }
    }

    /// Lends a template its helper: who owns the template keeps the reference
    /// as long as that.
    pub fn lend(self, helper: &HelperRef) {
        self.word().store(helper.as_ptr(), Ordering::Release);
    }

    /// The list of expectations.
    #[inline]
    pub(crate) fn expectations(self) -> *mut bindings::hlist_head {
        // SAFETY: Inside the extension.
        unsafe { &raw mut (*self.as_ptr()).expectations }
    }

    /// It expects nothing; without the lock a hint.
    #[inline]
    pub fn expects_nothing(self) -> bool {
        // SAFETY: An aligned word inside the extension.
        unsafe {
            (&raw const (*self.expectations()).first)
                .read_volatile()
                .is_null()
        }
    }

    /// How many expectations of a class it has.
    #[inline]
    pub fn expecting(self, class: u32, _lock: &super::expect::ExpectLock) -> u32 {
        // SAFETY: Written under the lock only.
        unsafe { &(*self.as_ptr()).expecting }
            .get(class as usize)
            .copied()
            .unwrap_or(0)
            .into()
    }

    /// One more of a class, or one less.
    #[inline]
    pub fn count(self, class: u32, by: i8, _lock: &super::expect::ExpectLock) {
        // SAFETY: Written under the lock only.
        let counts = unsafe { &mut (*self.as_ptr()).expecting };
        if let Some(count) = counts.get_mut(class as usize) {
            *count = count.saturating_add_signed(by);
        }
    }
}

/// Loads the module that has a helper of this name. Sleeps.
///
/// # Errors
///
/// `ENOENT`
pub fn request_helper(name: &[u8]) -> Result {
    let length = c_int::try_from(name.len()).map_err(|_| ENOENT)?;
    let format = c"nfct-helper-%.*s".as_char_ptr();
    // SAFETY: The format takes a length and as many bytes.
    match unsafe { bindings::__request_module(true, format, length, name.as_ptr()) } {
        0 => Ok(()),
        _ => Err(ENOENT),
    }
}

/// Loads a module by its name or alias. Sleeps.
pub fn request_module(name: &[u8]) {
    let length = c_int::try_from(name.len()).unwrap_or(0);
    // SAFETY: The format takes a length and as many bytes.
    unsafe { bindings::__request_module(true, c"%.*s".as_char_ptr(), length, name.as_ptr()) };
}

/// Why a helper drops a packet, for the log.
pub type Why = &'static CStr;

/// What becomes of a packet that a helper has read.
#[inline]
pub fn verdict(done: Result<(), Why>, packet: &Packet<'_>, conn: &Conn) -> Verdict {
    match done {
        Ok(()) => Verdict::Accept,
        Err(why) => {
            log(packet, conn, why);
            Verdict::Drop
        }
    }
}

/// Tells the administrator why a connection's helper drops a packet
/// (`nf_ct_helper_log`).
#[cold]
fn log(packet: &Packet<'_>, conn: &Conn, why: &CStr) {
    // SAFETY: Packet and connection are valid, and the format takes a string.
    unsafe {
        bindings::nf_ct_helper_log(
            packet.as_ptr(),
            conn.as_ptr(),
            c"%s".as_char_ptr(),
            why.as_char_ptr(),
        );
    }
}

/// Waits until nobody is in a read section that began before. Sleeps.
pub fn synchronize() {
    // SAFETY: Process context.
    unsafe { bindings::synchronize_rcu() };
}

/// A copy of a helper, for the registry, with the caller as its owner until it
/// is registered. Sleeps; none if memory is short.
///
/// # Safety
///
/// `model` is valid.
pub unsafe fn duplicate(
    model: *const bindings::nf_conntrack_helper,
) -> Option<NonNull<bindings::nf_conntrack_helper>> {
    // SAFETY: Just allocated in this size; `model` is valid by the safety
    // requirement.
    unsafe {
        let new = NonNull::new(bindings::helper_zalloc())?.cast();
        core::ptr::copy_nonoverlapping(model, new.as_ptr(), 1);
        Some(new)
    }
}
