// SPDX-License-Identifier: GPL-2.0

//! Helpers in user space: programs that get a connection's packets from a queue
//! (nfnetlink_cthelper).

use super::{Help, Helper, HelperRef, Policy, RegistryLock, NAME_LEN};
use crate::{
    conntrack::{expect, Conn},
    hook::Verdict,
};
use core::{
    ptr::NonNull,
    sync::atomic::{AtomicU32, Ordering},
};
use kernel::{
    error::code::ENOSPC,
    ffi::{c_char, c_int, c_uint},
    prelude::*,
    sync::rcu,
};
use nf_bindings as bindings;

const USER_SPACE: u32 = bindings::nf_ct_helper_flags_NF_CT_HELPER_F_USERSPACE;
const CONFIGURED: u32 = bindings::nf_ct_helper_flags_NF_CT_HELPER_F_CONFIGURED;

/// How many bytes a helper can keep about a connection.
pub const DATA_LEN: usize = size_of::<Data>();

type Data = [u8; 32];

const _: () = assert!(size_of::<[c_char; 32]>() == DATA_LEN);

/// A class of expectations of a helper in user space.
#[derive(Clone, Copy)]
pub struct UserClass {
    /// What it is called: zero behind the name.
    pub name: [u8; NAME_LEN],
    /// Its limits.
    pub policy: Policy,
}

/// What a helper in user space is to be.
pub struct UserHelper<'a> {
    /// Its name: zero behind it.
    pub name: [u8; NAME_LEN],
    /// Family of the connections that it is for (`NFPROTO_*`).
    pub l3num: u16,
    /// Their protocol.
    pub protocol: u8,
    /// Its classes, from one to four.
    pub classes: &'a [UserClass],
    /// How many bytes it keeps about a connection, at most [`DATA_LEN`].
    pub data_len: u16,
    /// The queue that it gets packets from.
    pub queue: u16,
    /// It is at work.
    pub enabled: bool,
}

/// What the kernel does for helpers in user space.
pub trait UserSpace: 'static {
    /// The module that has them.
    fn module() -> &'static ThisModule;

    /// What to do with a packet of a connection that has `helper`. Under RCU.
    fn verdict(helper: &Helper) -> Verdict;
}

/// A helper that is not registered yet.
///
/// # Invariants
///
/// Allocated, complete, and nobody else's.
pub struct NewHelper(NonNull<Helper>);

impl NewHelper {
    /// Makes one. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; `EINVAL` if there are no or too many classes or `data_len` is
    /// too large.
    pub fn new<U: UserSpace>(what: &UserHelper<'_>) -> Result<Self> {
        let last = what.classes.len().checked_sub(1).ok_or(EINVAL)?;
        if what.classes.len() > expect::CLASSES as usize || usize::from(what.data_len) > DATA_LEN {
            return Err(EINVAL);
        }
        // SAFETY: Sleeping is allowed.
        let raw = NonNull::new(unsafe { bindings::helper_zalloc() }).ok_or(ENOMEM)?;
        let raw = raw.cast::<bindings::nf_conntrack_helper>();
        // INVARIANT: Just allocated, zeroed; completed below.
        let new = NewHelper(raw.cast());
        // SAFETY: Nobody else's.
        let this = unsafe { &mut *raw.as_ptr() };
        copy_name(&mut this.name, &what.name);
        for (to, from) in this.expect_policy.iter_mut().zip(what.classes) {
            copy_name(&mut to.name, &from.name);
            to.max_expected = from.policy.max_expected;
            to.timeout = from.policy.timeout;
        }
        this.expect_class_max = last as u32;
        this.tuple.src.l3num = what.l3num;
        this.tuple.dst.protonum = what.protocol;
        this.me = U::module().as_ptr();
        this.help = Some(help::<U>);
        this.from_nlattr = Some(from_nlattr);
        this.to_nlattr = Some(to_nlattr);
        this.flags = USER_SPACE | if what.enabled { CONFIGURED } else { 0 };
        this.queue_num = what.queue.into();
        this.data_len = what.data_len;
        Ok(new)
    }

    /// The helper.
    pub fn helper(&self) -> &Helper {
        // SAFETY: By the type invariant.
        unsafe { self.0.as_ref() }
    }

    /// Registers it: it is the registry's then.
    pub fn register(self, registry: &RegistryLock) {
        let this = core::mem::ManuallyDrop::new(self);
        // SAFETY: Allocated by `kmalloc`, and freed by its last reference.
        unsafe { registry.add(this.0.as_ref()) };
    }
}

impl Drop for NewHelper {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::kfree(self.0.as_ptr().cast()) };
    }
}

fn copy_name(to: &mut [c_char; NAME_LEN], from: &[u8; NAME_LEN]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from as c_char;
    }
    // Whatever it was, it ends.
    if let Some(last) = to.last_mut() {
        *last = 0;
    }
}

impl Helper {
    fn flags_word(&self) -> &AtomicU32 {
        // SAFETY: An aligned word inside the object; others only read it.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.as_ptr()).flags) }
    }

    /// A helper in user space is at work.
    pub fn is_configured(&self) -> bool {
        self.flags_word().load(Ordering::Relaxed) & CONFIGURED != 0
    }

    /// Says whether a helper in user space is at work.
    pub fn set_configured(&self, on: bool) {
        if on {
            self.flags_word().fetch_or(CONFIGURED, Ordering::Relaxed);
        } else {
            self.flags_word().fetch_and(!CONFIGURED, Ordering::Relaxed);
        }
    }

    fn queue_word(&self) -> &AtomicU32 {
        // SAFETY: An aligned word inside the object, only accessed atomically.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.as_ptr()).queue_num) }
    }

    /// The queue that a helper in user space gets packets from.
    pub fn queue(&self) -> u16 {
        self.queue_word().load(Ordering::Relaxed) as u16
    }

    /// Sets the queue of a helper in user space.
    pub fn set_queue(&self, number: u16) {
        self.queue_word().store(number.into(), Ordering::Relaxed);
    }

    /// How many bytes a helper in user space keeps about a connection.
    pub fn data_len(&self) -> u16 {
        // SAFETY: Constant once registered.
        unsafe { (*self.as_ptr()).data_len }
    }

    /// How many classes it has.
    pub fn classes(&self) -> u32 {
        // SAFETY: Constant once registered.
        unsafe { (*self.as_ptr()).expect_class_max }.saturating_add(1)
    }

    /// Sets the limits of a class, of a helper in user space.
    pub fn set_policy(&self, class: u32, policy: Policy) {
        if !self.is_in_user_space() || class >= self.classes() {
            return;
        }
        // SAFETY: Single words, which others read as such; there are so many
        // classes.
        unsafe {
            let policies = &raw mut (*self.as_ptr()).expect_policy;
            let to = policies
                .cast::<bindings::nf_conntrack_expect_policy>()
                .add(class as usize);
            (&raw mut (*to).max_expected).write_volatile(policy.max_expected);
            (&raw mut (*to).timeout).write_volatile(policy.timeout);
        }
    }
}

impl RegistryLock {
    /// Takes the first helper in user space that `choose` picks out of the
    /// registry, whose reference is the caller's then.
    pub fn take_user_space(&self, mut choose: impl FnMut(&Helper) -> bool) -> Option<HelperRef> {
        let helper = self
            .helpers()
            .find(|helper| helper.is_in_user_space() && choose(helper))?;
        self.remove(helper);
        // SAFETY: The registry's reference; it is in the registry no more.
        Some(unsafe { HelperRef::from_raw(helper.as_ptr()) })
    }
}

impl Help<'_> {
    fn data(self) -> *mut Data {
        // SAFETY: Inside the extension.
        unsafe { (&raw mut (*self.as_ptr()).data).cast() }
    }
}

/// # Safety
///
/// C: a packet of a connection, under RCU.
unsafe extern "C" fn help<U: UserSpace>(
    _skb: *mut bindings::sk_buff,
    _transport: c_uint,
    ct: *mut bindings::nf_conn,
    _info: bindings::ip_conntrack_info,
) -> c_int {
    let rcu = rcu::read_lock();
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    let helper = Help::of(conn).and_then(|help| help.helper(&rcu));
    helper.map_or(Verdict::Drop, U::verdict).code() as c_int
}

/// Sets what a helper in user space keeps about a connection (CTA_HELP_INFO);
/// what is missing is zero.
///
/// # Safety
///
/// C: an attribute or null, a connection.
unsafe extern "C" fn from_nlattr(attr: *mut bindings::nlattr, ct: *mut bindings::nf_conn) -> c_int {
    let rcu = rcu::read_lock();
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    let help = Help::of(conn).filter(|help| {
        help.helper(&rcu)
            .is_some_and(|helper| helper.is_in_user_space() && helper.data_len() != 0)
    });
    let (Some(help), false) = (help, attr.is_null()) else {
        return EINVAL.to_errno();
    };
    // SAFETY: By the C contract the attribute is as long as it says.
    let given = unsafe {
        let length = usize::from((*attr).nla_len).saturating_sub(size_of::<bindings::nlattr>());
        core::slice::from_raw_parts(attr.add(1).cast::<u8>(), length)
    };
    let mut data: Data = [0; DATA_LEN];
    for (to, from) in data.iter_mut().zip(given) {
        *to = *from;
    }
    let _locked = conn.lock();
    // SAFETY: With the connection's lock, as it is read.
    unsafe { help.data().write(data) };
    0
}

/// Shows what a helper in user space keeps about a connection.
///
/// # Safety
///
/// C: a message under construction, a connection.
unsafe extern "C" fn to_nlattr(skb: *mut bindings::sk_buff, ct: *const bindings::nf_conn) -> c_int {
    let rcu = rcu::read_lock();
    // SAFETY: By the C contract.
    let conn = unsafe { Conn::from_raw(ct) };
    let Some(help) = Help::of(conn) else { return 0 };
    let length = match help.helper(&rcu) {
        Some(helper) if helper.is_in_user_space() => usize::from(helper.data_len()).min(DATA_LEN),
        _ => 0,
    };
    if length == 0 {
        return 0;
    }
    let data = {
        let _locked = conn.lock();
        // SAFETY: Written with the connection's lock only.
        unsafe { help.data().read() }
    };
    let attribute = bindings::ctattr_help_CTA_HELP_INFO as c_int;
    // SAFETY: By the C contract; there are so many bytes.
    match unsafe { bindings::nla_put(skb, attribute, length as c_int, data.as_ptr().cast()) } {
        0 => 0,
        _ => ENOSPC.to_errno(),
    }
}
