// SPDX-License-Identifier: GPL-2.0

//! nfnetlink: netfilter's family of netlink messages.
//!
//! A subsystem is a static table of [`Command`]s, a type each:
//!
//! ```ignore
//! struct Get;
//!
//! impl Command for Get {
//!     const POLICY: Table = POLICY.table();
//!
//!     fn call(request: &Request<'_>) -> Result {
//!         if request.is_dump() {
//!             return request.dump(&THIS_MODULE, List::new(request));
//!         }
//!         let mut answer = Buffer::new(Buffer::USUAL, GFP_KERNEL)?;
//!         let mut writer = answer.message(request.answer(ID, NEW, family));
//!         writer.number(CTA_ID, 1);
//!         writer.finish()?;
//!         request.reply(answer)
//!     }
//! }
//!
//! static SUBSYSTEM: Subsystem<2> =
//!     Subsystem::new(c"name", ID, [Entry::of::<New>(), Entry::of::<Get>()]);
//!
//! let registration = SUBSYSTEM.register()?; // until it is dropped
//! ```
//!
//! A dump ([`Dump`]) is a value that is asked for one buffer of messages after
//! the other, and dropped when it has ended or its reader has gone.
//!
//! C header: [`include/linux/netfilter/nfnetlink.h`](srctree/include/linux/netfilter/nfnetlink.h)

mod dump;
mod send;

pub use dump::{Dump, Output, Progress};
pub use send::{has_listeners, notify, set_error, Group};

use crate::{
    conntrack::Net,
    module::ModuleRef,
    nlattr::{Attributes, Buffer, Extack, Header, Table},
};
use core::{
    cell::UnsafeCell,
    ptr::{null, null_mut},
    sync::atomic::{AtomicBool, Ordering},
};
use kernel::{error::to_result, ffi::c_int, prelude::*, ThisModule};
use nf_bindings as bindings;

/// An error by its number (`bindings::EOPNOTSUPP`), for those that the kernel
/// crate has no name for.
pub fn errno(number: u32) -> Error {
    Error::from_errno((number as c_int).wrapping_neg())
}

/// What is locked while a command runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The subsystem's mutex is held: one command at a time, which may sleep.
    Mutex,
    /// In an RCU read section: many at a time, none of which may sleep.
    Rcu,
}

/// A command of a subsystem.
pub trait Command {
    /// What is locked meanwhile.
    const CALL: Call = Call::Mutex;
    /// What its attributes must be like.
    const POLICY: Table = Table::NONE;

    /// Carries it out.
    ///
    /// # Errors
    ///
    /// What the acknowledgement says. `EAGAIN`: once more from the start.
    fn call(request: &Request<'_>) -> Result;
}

/// A [`Command`] in a subsystem's table.
#[repr(transparent)]
pub struct Entry(bindings::nfnl_callback);

// SAFETY: It is never written.
unsafe impl Sync for Entry {}

impl Entry {
    /// A command's.
    pub const fn of<C: Command>() -> Self {
        Entry(bindings::nfnl_callback {
            call: Some(call::<C>),
            policy: C::POLICY.first,
            type_: match C::CALL {
                Call::Mutex => bindings::nfnl_callback_type_NFNL_CB_MUTEX,
                Call::Rcu => bindings::nfnl_callback_type_NFNL_CB_RCU,
            },
            attr_count: C::POLICY.max,
        })
    }

    /// There is no command of this number.
    pub const NONE: Entry = Entry(bindings::nfnl_callback {
        call: None,
        policy: null(),
        type_: bindings::nfnl_callback_type_NFNL_CB_UNSPEC,
        attr_count: 0,
    });
}

/// # Safety
///
/// C: nfnetlink's arguments, attributes parsed by `C`'s policy.
unsafe extern "C" fn call<C: Command>(
    skb: *mut bindings::sk_buff,
    info: *const bindings::nfnl_info,
    cda: *const *const bindings::nlattr,
) -> c_int {
    // SAFETY: By the C contract all is valid during the call; the table has an
    // entry for each attribute up to the policy's largest.
    let request = unsafe {
        Request {
            skb,
            info: &*info,
            attributes: Attributes::from_raw(cda, usize::from(C::POLICY.max).wrapping_add(1)),
        }
    };
    match C::call(&request) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// A subsystem: a table of commands by their numbers.
pub struct Subsystem<const N: usize> {
    raw: UnsafeCell<bindings::nfnetlink_subsystem>,
    name: &'static CStr,
    commands: [Entry; N],
    claimed: AtomicBool,
}

// SAFETY: The cell is written by the one who has `claimed` it, while nfnetlink
// does not know it.
unsafe impl<const N: usize> Sync for Subsystem<N> {}

impl<const N: usize> Subsystem<N> {
    /// Subsystem `id` (`NFNL_SUBSYS_*`); for statics.
    pub const fn new(name: &'static CStr, id: u8, commands: [Entry; N]) -> Self {
        assert!(N <= u8::MAX as usize);
        Subsystem {
            raw: UnsafeCell::new(bindings::nfnetlink_subsystem {
                name: null(),
                subsys_id: id,
                cb_count: N as u8,
                cb: null(),
                owner: null_mut(),
                commit: None,
                abort: None,
                valid_genid: None,
            }),
            name,
            commands,
            claimed: AtomicBool::new(false),
        }
    }

    /// Has messages carried out from now on. Sleeps.
    ///
    /// # Errors
    ///
    /// `EBUSY` if somebody else has the subsystem.
    pub fn register(&'static self) -> Result<Registration> {
        if self.claimed.swap(true, Ordering::Acquire) {
            return Err(EBUSY);
        }
        // SAFETY: We are the only one here, and nfnetlink does not know the
        // struct yet; all of it is static.
        let result = unsafe {
            (*self.raw.get()).name = self.name.as_char_ptr();
            (*self.raw.get()).cb = self.commands.as_ptr().cast();
            to_result(bindings::nfnetlink_subsys_register(self.raw.get()))
        };
        if let Err(error) = result {
            self.claimed.store(false, Ordering::Release);
            return Err(error);
        }
        Ok(Registration {
            raw: self.raw.get(),
            claimed: &self.claimed,
        })
    }
}

/// A registered [`Subsystem`]. Dropping it waits for the command that is being
/// carried out; dumps keep the module.
pub struct Registration {
    raw: *mut bindings::nfnetlink_subsystem,
    claimed: &'static AtomicBool,
}

// SAFETY: It may be unregistered by any thread.
unsafe impl Send for Registration {}
// SAFETY: A shared reference is good for nothing.
unsafe impl Sync for Registration {}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: Registered in `Subsystem::register`. Sleeps.
        unsafe { bindings::nfnetlink_subsys_unregister(self.raw) };
        self.claimed.store(false, Ordering::Release);
    }
}

/// A message with a command, while it is carried out.
pub struct Request<'a> {
    skb: *mut bindings::sk_buff,
    info: &'a bindings::nfnl_info,
    attributes: Attributes<'a>,
}

impl<'a> Request<'a> {
    /// Its attributes.
    #[inline]
    pub fn attributes(&self) -> Attributes<'a> {
        self.attributes
    }

    /// Where complaints go.
    #[inline]
    pub fn extack(&self) -> Extack<'a> {
        // SAFETY: Null or valid during the request.
        unsafe { Extack::from_raw(self.info.extack) }
    }

    /// The namespace of the socket that it came from.
    #[inline]
    pub fn net(&self) -> Net {
        // SAFETY: The socket keeps its namespace during the request.
        unsafe { Net::from_raw(self.info.net) }
    }

    #[inline]
    fn header(&self) -> &bindings::nlmsghdr {
        // SAFETY: Part of the message.
        unsafe { &*self.info.nlh }
    }

    /// The port of the socket.
    #[inline]
    pub fn portid(&self) -> u32 {
        // SAFETY: The message's buffer, as netlink received it.
        unsafe { bindings::netlink_portid(self.skb) }
    }

    /// Its sequence number.
    #[inline]
    pub fn seq(&self) -> u32 {
        self.header().nlmsg_seq
    }

    /// `NLM_F_*`
    #[inline]
    pub fn flags(&self) -> u32 {
        self.header().nlmsg_flags.into()
    }

    /// The command's number.
    #[inline]
    pub fn message(&self) -> u8 {
        let [_, message] = self.header().nlmsg_type.to_be_bytes();
        message
    }

    /// The family (`NFPROTO_*`), as given.
    #[inline]
    pub fn family(&self) -> u8 {
        // SAFETY: Part of the message.
        unsafe { (*self.info.nfmsg).nfgen_family }
    }

    /// The version, as given.
    #[inline]
    pub fn version(&self) -> u8 {
        // SAFETY: Part of the message.
        unsafe { (*self.info.nfmsg).version }
    }

    /// A list is asked for (`NLM_F_DUMP`: any of its bits).
    #[inline]
    pub fn is_dump(&self) -> bool {
        self.flags() & bindings::NLM_F_DUMP != 0
    }

    /// It may make what is not there (`NLM_F_CREATE`).
    #[inline]
    pub fn may_create(&self) -> bool {
        self.flags() & bindings::NLM_F_CREATE != 0
    }

    /// It must not change what is there (`NLM_F_EXCL`).
    #[inline]
    pub fn is_exclusive(&self) -> bool {
        self.flags() & bindings::NLM_F_EXCL != 0
    }

    /// It replaces what is there (`NLM_F_REPLACE`).
    #[inline]
    pub fn may_replace(&self) -> bool {
        self.flags() & bindings::NLM_F_REPLACE != 0
    }

    /// The sender wants to see the events that it causes (`NLM_F_ECHO`).
    #[inline]
    pub fn wants_report(&self) -> bool {
        self.flags() & bindings::NLM_F_ECHO != 0
    }

    /// How an answer to it begins.
    pub fn answer(&self, subsystem: u8, message: u8, family: u8) -> Header {
        Header {
            portid: self.portid(),
            seq: self.seq(),
            subsystem,
            message,
            flags: 0,
            family,
            resource: 0,
        }
    }

    /// Sends an answer to the socket.
    ///
    /// # Errors
    ///
    /// `ENOBUFS` if it has no room, `ECONNREFUSED` if it is gone.
    pub fn reply(&self, answer: Buffer) -> Result {
        // SAFETY: The namespace is alive; the buffer is handed over.
        to_result(unsafe {
            bindings::nfnetlink_unicast(answer.into_raw(), self.info.net, self.portid())
        })
    }

    /// Begins a dump. The module is kept meanwhile.
    ///
    /// # Errors
    ///
    /// Always: `EINTR` has netlink leave the acknowledgement to the dump's end,
    /// others are that it cannot begin (`EBUSY`, `ENOMEM`).
    pub fn dump<D: Dump>(&self, module: &'static ThisModule, dump: D) -> Result {
        // SAFETY: All is valid during the request.
        unsafe { dump::start(self.info.sk, self.skb, self.info.nlh, module, dump) }
    }

    /// Calls `f` without the subsystem's mutex, as whoever loads a module must:
    /// its initialisation may register a subsystem. All that the command has
    /// looked up may have changed afterwards. The own module is kept meanwhile.
    ///
    /// # Errors
    ///
    /// `ENOENT` if it is going.
    pub fn unlocked<R>(&self, module: &'static ThisModule, f: impl FnOnce() -> R) -> Result<R> {
        let [subsystem, _] = self.header().nlmsg_type.to_be_bytes();
        let kept = ModuleRef::try_get(module).ok_or(ENOENT)?;
        // SAFETY: Held around commands. Without it, only the count keeps the
        // module.
        unsafe { bindings::nfnl_unlock(subsystem) };
        let result = f();
        // SAFETY: As above; unregistering waits for it.
        unsafe { bindings::nfnl_lock(subsystem) };
        drop(kept);
        Ok(result)
    }
}
