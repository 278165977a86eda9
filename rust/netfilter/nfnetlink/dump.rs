// SPDX-License-Identifier: GPL-2.0

//! Dumps: lists that are longer than a buffer.

use crate::{
    conntrack::Net,
    nlattr::{Header, Writer},
};
use core::{
    marker::PhantomData,
    ptr::{null_mut, NonNull},
};
use kernel::{error::code::EMSGSIZE, error::to_result, ffi::c_int, prelude::*, ThisModule};
use nf_bindings as bindings;

/// A dump under way: where it is, and what it shows.
///
/// Between steps any time may pass, and anything change. A position must not be
/// a pointer to what can go; what it owns is given back when it is dropped, be
/// it finished or not.
pub trait Dump: Sized + Send + 'static {
    /// Writes messages until there are no more, or no room is left.
    /// Process context; one step of a socket at a time, without any lock.
    ///
    /// # Errors
    ///
    /// End the dump, and are its acknowledgement.
    fn step(&mut self, out: &mut Output<'_>) -> Result<Progress>;

    /// Flags of the message that ends the dump (`NLM_F_DUMP_FILTERED`).
    fn answer_flags(&self) -> u16 {
        0
    }
}

/// How far a dump is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The buffer is full, and there is more.
    More,
    /// That was all.
    Finished,
}

/// The buffer of a dump's step.
pub struct Output<'a> {
    skb: NonNull<bindings::sk_buff>,
    callback: NonNull<bindings::netlink_callback>,
    _callback: PhantomData<&'a mut ()>,
}

impl Output<'_> {
    fn callback(&mut self) -> &mut bindings::netlink_callback {
        // SAFETY: Netlink's, for this step ours.
        unsafe { self.callback.as_mut() }
    }

    /// The namespace of the socket.
    pub fn net(&self) -> Net {
        // SAFETY: The buffer belongs to the socket, which keeps its namespace.
        unsafe { Net::from_raw(bindings::netlink_net(self.skb.as_ptr())) }
    }

    /// How messages of the dump begin. `flags` beside `NLM_F_MULTI`.
    pub fn header(&mut self, subsystem: u8, message: u8, flags: u16, family: u8) -> Header {
        // SAFETY: The request that the dump answers, which it keeps.
        let (portid, seq) = unsafe {
            let callback = self.callback();
            (
                bindings::netlink_portid(callback.skb),
                (*callback.nlh).nlmsg_seq,
            )
        };
        Header {
            portid,
            seq,
            subsystem,
            message,
            // A dump that the kernel asked for itself has no port.
            flags: if portid != 0 {
                flags | bindings::NLM_F_MULTI as u16
            } else {
                flags
            },
            family,
            resource: 0,
        }
    }

    /// Begins a message. If the list changed since the last one, as
    /// [`changes`](Self::changes) says, it is marked (`NLM_F_DUMP_INTR`).
    #[inline]
    pub fn message(&mut self, mut header: Header) -> Writer<'_> {
        let callback = self.callback();
        if callback.prev_seq != 0 && callback.seq != callback.prev_seq {
            header.flags |= bindings::NLM_F_DUMP_INTR as u16;
        }
        callback.prev_seq = callback.seq;
        // SAFETY: Netlink gives a linear buffer, for this step ours.
        unsafe { Writer::message(self.skb, header) }
    }

    /// Says which state the list is in: a number, not 0, that is another one
    /// after each change. To be called at the start of each step by dumps whose
    /// readers must know of changes.
    pub fn changes(&mut self, number: u32) {
        self.callback().seq = number;
    }

    /// Nothing was written yet.
    pub fn is_empty(&self) -> bool {
        // SAFETY: The buffer is valid.
        unsafe { (*self.skb.as_ptr()).len == 0 }
    }
}

/// Has netlink begin a dump.
///
/// # Safety
///
/// The pointers are those of a request that is being carried out.
pub(super) unsafe fn start<D: Dump>(
    socket: *mut bindings::sock,
    skb: *mut bindings::sk_buff,
    header: *const bindings::nlmsghdr,
    module: &'static ThisModule,
    dump: D,
) -> Result {
    // Until `begin` takes it; if that is not called, it is dropped here.
    let mut dump = Some(dump);
    let mut control = bindings::netlink_dump_control {
        start: Some(begin::<D>),
        dump: Some(step::<D>),
        done: Some(done::<D>),
        extack: null_mut(),
        data: (&raw mut dump).cast(),
        module: module.as_ptr(),
        min_dump_alloc: 0,
        flags: 0,
    };
    // SAFETY: By the function's safety requirement. `begin` is called, if it is,
    // before the function returns, and then `done` in the end.
    to_result(unsafe { bindings::__netlink_dump_start(socket, skb, header, &mut control) })
}

/// # Safety
///
/// C: called once, from [`start`].
unsafe extern "C" fn begin<D: Dump>(callback: *mut bindings::netlink_callback) -> c_int {
    // SAFETY: By the C contract; `data` is what `start` has set.
    let dump = unsafe { (*(*callback).data.cast::<Option<D>>()).take() };
    let Some(dump) = dump else {
        return EINVAL.to_errno();
    };
    let flags = dump.answer_flags();
    match KBox::new(dump, GFP_KERNEL) {
        Ok(dump) => {
            // SAFETY: By the C contract.
            unsafe {
                (*callback).answer_flags = flags;
                (*callback).data = KBox::into_raw(dump).cast();
            }
            0
        }
        Err(_) => ENOMEM.to_errno(),
    }
}

/// # Safety
///
/// C: between [`begin`] and [`done`], one at a time.
unsafe extern "C" fn step<D: Dump>(
    skb: *mut bindings::sk_buff,
    callback: *mut bindings::netlink_callback,
) -> c_int {
    // SAFETY: By the C contract; set in `begin`.
    let dump = unsafe { &mut *(*callback).data.cast::<D>() };
    let (Some(buffer), Some(callback)) = (NonNull::new(skb), NonNull::new(callback)) else {
        return EINVAL.to_errno();
    };
    let mut out = Output {
        skb: buffer,
        callback,
        _callback: PhantomData,
    };
    match dump.step(&mut out) {
        // SAFETY: The buffer is valid.
        Ok(Progress::More) => match unsafe { (*skb).len } {
            // Not one message has room: better an error than an end that looks
            // as if that was all.
            0 => EMSGSIZE.to_errno(),
            length => length as c_int,
        },
        Ok(Progress::Finished) => 0,
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// C: called once, after the last step.
unsafe extern "C" fn done<D: Dump>(callback: *mut bindings::netlink_callback) -> c_int {
    // SAFETY: Set in `begin`, and not used from now on.
    unsafe { drop(KBox::from_raw((*callback).data.cast::<D>())) };
    0
}
