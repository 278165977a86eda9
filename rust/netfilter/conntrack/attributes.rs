// SPDX-License-Identifier: GPL-2.0

//! What of a connection user space reads and sets, and packets do not.

use super::{
    conn::{ConnRef, Fresh, Status},
    ecache::Cache,
    Conn, Net,
};
use crate::nlattr::Attributes;
use core::{ptr::null_mut, sync::atomic::Ordering};
use kernel::{error::to_result, prelude::*};
use nf_bindings as bindings;
use nf_proto::tuple::Direction;

impl Conn {
    /// Sets the mark.
    pub fn set_mark(&self, mark: u32) {
        // SAFETY: An aligned word that others may read and write meanwhile.
        unsafe { (&raw mut (*self.as_ptr()).mark).write_volatile(mark) }
    }

    /// When it was confirmed and when it ended (0: it has not), nanoseconds
    /// since 1970, if that is noted.
    pub fn times(&self) -> Option<(u64, u64)> {
        let stamp = self.ext::<bindings::nf_conn_tstamp>()?.as_ptr();
        // SAFETY: The extension lives as long as the connection; aligned words.
        unsafe {
            Some((
                (&raw const (*stamp).start).read_volatile(),
                (&raw const (*stamp).stop).read_volatile(),
            ))
        }
    }

    /// When the event that is being reported happened, nanoseconds since 1970,
    /// if that is noted.
    pub fn event_time(&self) -> Option<u64> {
        let time = Cache::of(self)?.time();
        (time != 0).then_some(time)
    }

    /// What SYNPROXY keeps about it.
    pub fn synproxy(&self) -> Option<Synproxy> {
        let raw = self.ext::<bindings::nf_conn_synproxy>()?.as_ptr();
        // SAFETY: The extension lives as long as the connection; aligned words.
        unsafe {
            Some(Synproxy {
                isn: (&raw const (*raw).isn).read_volatile(),
                its: (&raw const (*raw).its).read_volatile(),
                tsoff: (&raw const (*raw).tsoff).read_volatile(),
            })
        }
    }

    /// Sets what SYNPROXY keeps about it, if it keeps something.
    pub fn set_synproxy(&self, new: Synproxy) {
        if let Some(raw) = self.ext::<bindings::nf_conn_synproxy>() {
            let raw = raw.as_ptr();
            // SAFETY: As above.
            unsafe {
                (&raw mut (*raw).isn).write_volatile(new.isn);
                (&raw mut (*raw).its).write_volatile(new.its);
                (&raw mut (*raw).tsoff).write_volatile(new.tsoff);
            }
        }
    }

    /// Takes packets and bytes of one direction off its counters.
    pub fn uncount(&self, direction: Direction, packets: u64, bytes: u64) {
        if let Some(acct) = self.ext::<bindings::nf_conn_acct>() {
            // SAFETY: The extension lives as long as the connection; its
            // counters are only accessed atomically.
            let counter = unsafe { direction.of(&(*acct.as_ptr()).counter) };
            for (word, by) in [
                ((&raw const counter.packets).cast_mut(), packets),
                ((&raw const counter.bytes).cast_mut(), bytes),
            ] {
                // SAFETY: As above.
                unsafe { core::sync::atomic::AtomicU64::from_ptr(word.cast()) }
                    .fetch_sub(by, Ordering::Relaxed);
            }
        }
    }
}

impl Conn {
    /// Sets what its protocol keeps about it, by the attributes in
    /// `CTA_PROTOINFO`.
    ///
    /// # Errors
    ///
    /// `EINVAL`, `ERANGE`
    pub fn set_protocol_info(&self, attributes: Attributes<'_>) -> Result {
        // SAFETY: Never null; descriptions of protocols are constant. The table
        // has an entry for each attribute that there can be.
        unsafe {
            let l4proto = bindings::nf_ct_l4proto_find(self.protocol());
            match (*l4proto).from_nlattr {
                Some(from_nlattr) => to_result(from_nlattr(attributes.as_ptr(), self.as_ptr())),
                None => Ok(()),
            }
        }
    }
}

/// What SYNPROXY keeps about a connection (`struct nf_conn_synproxy`).
#[derive(Clone, Copy)]
pub struct Synproxy {
    /// The client's initial sequence number.
    pub isn: u32,
    /// The timestamp that the client was given at first.
    pub its: u32,
    /// By how much the server's timestamps are off.
    pub tsoff: u32,
}

/// A connection that user space makes, until it is in the table: if it does not
/// get there, all that it has is given back, its master too.
pub struct Draft(Fresh);

impl Draft {
    /// From a new connection.
    pub fn new(fresh: Fresh) -> Self {
        Draft(fresh)
    }

    /// The connection.
    pub fn conn(&self) -> &Conn {
        self.0.conn()
    }

    /// Makes it one that `master` expected.
    pub fn set_master(&mut self, master: ConnRef) {
        self.take_master();
        let raw = self.conn().as_ptr();
        // SAFETY: Nobody else can reach the connection yet.
        unsafe { (*raw).master = master.into_raw() };
        self.conn().set_status(Status::EXPECTED);
    }

    fn take_master(&mut self) -> Option<ConnRef> {
        let raw = self.conn().as_ptr();
        // SAFETY: Nobody else can reach the connection; its reference to a
        // master came from `set_master`.
        unsafe {
            let master = core::mem::replace(&mut (*raw).master, null_mut());
            (!master.is_null()).then(|| ConnRef::from_raw(master))
        }
    }

    /// Puts it into the table by `insert`, which leaves one reference to the
    /// caller if it succeeds.
    ///
    /// # Errors
    ///
    /// Those of `insert`.
    pub fn insert<E>(self, insert: impl FnOnce(&Conn) -> Result<(), E>) -> Result<ConnRef, E> {
        insert(self.conn())?;
        let this = core::mem::ManuallyDrop::new(self);
        // SAFETY: Counted by `insert`; `self` is forgotten.
        Ok(unsafe { ConnRef::from_raw(this.conn().as_ptr()) })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        drop(self.take_master());
    }
}

/// At most so many connections are looked up in the list of dying ones at once.
pub const DYING_BATCH: usize = 32;

/// The next connections of a namespace whose end could not be reported yet: by
/// address, those after `after`.
pub fn dying_after(net: Net, after: usize) -> [Option<ConnRef>; DYING_BATCH] {
    let mut found = [null_mut(); DYING_BATCH];
    // SAFETY: The namespace is alive; there is room for as many.
    unsafe {
        bindings::ecache_dying_after(
            net.area().as_ptr(),
            after,
            found.as_mut_ptr(),
            DYING_BATCH as u32,
        );
    }
    // SAFETY: Null, or a connection to which a reference was taken.
    found.map(|raw| (!raw.is_null()).then(|| unsafe { ConnRef::from_raw(raw) }))
}
