// SPDX-License-Identifier: GPL-2.0

//! What a module that has a helper implements, and how it registers it.

use super::{verdict, Policy, Why, NAME_LEN};
use crate::conntrack::{skb::Packet, Conn, Info};
use core::{
    marker::PhantomData,
    mem::MaybeUninit,
    ptr::{null_mut, NonNull},
};
use kernel::{
    ffi::{c_char, c_int, c_uint},
    prelude::*,
};
use nf_bindings as bindings;
use nf_proto::tuple::Family;

/// A helper: it reads a protocol's packets and says what connections they
/// announce.
///
/// A rule assigns it to a connection by its name; from then on it is called with
/// each packet of the connection, in both directions, after NAT has picked its
/// addresses. A module that helps on several ports, families or protocols makes
/// a [`Registration`] for each.
pub trait ConntrackHelper: 'static {
    /// Its name, of at most 15 bytes.
    const NAME: &'static CStr;

    /// The protocol of its connections (`IPPROTO_*`).
    const PROTOCOL: u8;

    /// The port that its protocol usually has, host order.
    const PORT: u16;

    /// The connection is PPTP's control connection: when it goes, its tunnels go
    /// with it. What it remembers begins as `struct nf_ct_pptp_master` does.
    const HAS_TUNNELS: bool = false;

    /// Reads a packet of `conn`, whose transport header begins `transport` bytes
    /// after the packet's data. Under RCU, with bottom halves off or not.
    ///
    /// # Errors
    ///
    /// The packet is dropped, and the log says why.
    fn help(packet: &mut Packet<'_>, conn: &Conn, info: Info, transport: u32) -> Result<(), Why>;
}

/// A class of expectations.
#[derive(Clone, Copy)]
pub struct Class {
    /// What it is called, of at most 15 bytes; may be empty.
    pub name: &'static CStr,
    /// Its limits.
    pub policy: Policy,
}

/// Which connections a helper is for, beside its protocol.
#[derive(Clone, Copy)]
pub struct Place {
    /// The family of the connections.
    pub family: Family,
    /// The port, host order. On another one than the usual, the helper's name is
    /// followed by `-` and `number`.
    pub port: u16,
    /// Tells those on unusual ports apart.
    pub number: u32,
}

impl Place {
    /// The helper's usual port.
    pub const fn usual<H: ConntrackHelper>(family: Family) -> Self {
        Place {
            family,
            port: H::PORT,
            number: 0,
        }
    }
}

/// A helper in the registry, until it is dropped: then nobody is in its
/// functions any more, its expectations are gone, and connections that had it
/// go on without.
///
/// # Invariants
///
/// The pointer is a helper in the registry, whose reference is this value's.
pub struct Registration<H: ConntrackHelper>(
    NonNull<bindings::nf_conntrack_helper>,
    PhantomData<fn() -> H>,
);

// SAFETY: It belongs to no thread: any may take it out of the registry.
unsafe impl<H: ConntrackHelper> Send for Registration<H> {}
// SAFETY: A shared reference is good for nothing.
unsafe impl<H: ConntrackHelper> Sync for Registration<H> {}

impl<H: ConntrackHelper> Registration<H> {
    /// Registers a helper of a module. Sleeps.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there are no or too many classes, a limit is too high or a
    /// name too long; `EBUSY` if there is one like it; `ENOMEM`.
    pub fn new(place: Place, classes: &[Class], module: &'static ThisModule) -> Result<Self> {
        let last = classes.len().checked_sub(1).ok_or(EINVAL)?;
        let mut policies = [const { MaybeUninit::zeroed() }; MAX_CLASSES];
        if classes.len() > policies.len() || H::NAME.to_bytes_with_nul().len() > NAME_LEN {
            return Err(EINVAL);
        }
        for (to, from) in policies.iter_mut().zip(classes) {
            to.write(from.to_c()?);
        }
        let mut model = MaybeUninit::uninit();
        let mut registered = null_mut();
        // SAFETY: `model` is initialised by the first call, which reads `last`
        // and one policies, all zero or written above; it is copied by the
        // second. The module takes the helper back, by dropping the value,
        // before it goes.
        let result = unsafe {
            bindings::nf_ct_helper_init(
                model.as_mut_ptr(),
                place.family.number(),
                H::PROTOCOL.into(),
                H::NAME.as_char_ptr(),
                H::PORT,
                place.port,
                place.number,
                policies.as_ptr().cast(),
                last as u32,
                Some(help::<H>),
                None,
                module.as_ptr(),
            );
            if H::HAS_TUNNELS {
                (*model.as_mut_ptr()).destroy = Some(bindings::gre_pptp_destroy_siblings);
            }
            bindings::nf_conntrack_helper_register(model.as_mut_ptr(), &raw mut registered)
        };
        if result < 0 {
            return Err(Error::from_errno(result));
        }
        let registered = NonNull::new(registered).ok_or(EINVAL)?;
        Ok(Registration(registered, PhantomData))
    }
}

impl<H: ConntrackHelper> Drop for Registration<H> {
    fn drop(&mut self) {
        // SAFETY: It is registered, by the type invariant; once.
        unsafe { bindings::nf_conntrack_helper_unregister(self.0.as_ptr()) };
    }
}

const MAX_CLASSES: usize = bindings::NF_CT_MAX_EXPECT_CLASSES as usize;

impl Class {
    /// # Errors
    ///
    /// `EINVAL` if the name is too long.
    fn to_c(self) -> Result<bindings::nf_conntrack_expect_policy> {
        let mut name = [0; NAME_LEN];
        let bytes = self.name.to_bytes_with_nul();
        if bytes.len() > name.len() {
            return Err(EINVAL);
        }
        for (to, from) in name.iter_mut().zip(bytes) {
            *to = *from as c_char;
        }
        Ok(bindings::nf_conntrack_expect_policy {
            max_expected: self.policy.max_expected,
            timeout: self.policy.timeout,
            name,
        })
    }
}

/// # Safety
///
/// C: a packet of a connection, under RCU.
unsafe extern "C" fn help<H: ConntrackHelper>(
    skb: *mut bindings::sk_buff,
    transport: c_uint,
    ct: *mut bindings::nf_conn,
    info: bindings::ip_conntrack_info,
) -> c_int {
    // SAFETY: By the C contract.
    let (mut packet, conn) = unsafe { (Packet::from_raw(skb), Conn::from_raw(ct)) };
    let done = H::help(&mut packet, conn, Info::from_number(info), transport);
    verdict(done, &packet, conn).code() as c_int
}
