// SPDX-License-Identifier: GPL-2.0

//! What a namespace has (`struct synproxy_net`, which rules read through
//! `synproxy_net_id`), and its hooks.

use crate::{proxy, statistics::Statistics};
use core::{cell::UnsafeCell, mem::zeroed, ptr::null_mut};
use kernel::{
    error::to_result,
    ffi::{c_int, c_uint, c_void},
    prelude::*,
    sync::Arc,
};
use netfilter::{
    conntrack::{
        conn::template_alloc,
        ext,
        skb::{Hook, Packet},
        work::ProtoLock,
        Conn, ConnRef, Net, Status, Zone,
    },
    net::Scope,
    procfs::{Directory, File},
};
use nf_bindings as bindings;
use nf_conntrack::check_prototype;
use nf_proto::tuple::Family;

check_prototype!(
    ipv4_synproxy_hook,
    ipv6_synproxy_hook,
    nf_synproxy_ipv4_fini,
    nf_synproxy_ipv4_init,
    nf_synproxy_ipv6_fini,
    nf_synproxy_ipv6_init,
);

/// A namespace's area: what C knows of it first.
#[repr(C)]
struct Area {
    c: bindings::synproxy_net,
    namespace: *mut Namespace,
}

/// A namespace.
pub struct Namespace {
    net: Net,
    // Before the statistics, which it shows.
    _file: File<Statistics>,
    statistics: Arc<Statistics>,
    template: ConnRef,
}

impl Namespace {
    /// That of a packet or a rule: rules are gone before it is.
    #[inline]
    pub fn of<'a>(net: Net) -> &'a Namespace {
        // SAFETY: The module is registered while rules use it, and the area's
        // pointer is set in `init` and cleared when no rule is left.
        unsafe { &*(*area(net.as_ptr())).namespace }
    }

    /// The namespace itself.
    #[inline]
    pub fn net(&self) -> Net {
        self.net
    }

    /// Its counters.
    #[inline]
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The template of connections to servers.
    #[inline]
    pub fn template(&self) -> &Conn {
        &self.template
    }

    /// # Safety
    ///
    /// It is dropped before the namespace ends.
    unsafe fn new(net: *mut bindings::net) -> Result<Self> {
        // SAFETY: By the safety requirement.
        let (net, scope) = unsafe { (Net::from_raw(net), Scope::from_raw(net)?) };
        // SAFETY: As above; it has one reference, which is ours.
        let template = unsafe {
            let raw = template_alloc(net, Zone::DEFAULT, bindings::GFP_KERNEL);
            if raw.is_null() {
                return Err(ENOMEM);
            }
            ConnRef::from_raw(raw)
        };
        ext::add_ext::<bindings::nf_conn_seqadj>(&template).ok_or(ENOMEM)?;
        ext::add_ext::<bindings::nf_conn_synproxy>(&template).ok_or(ENOMEM)?;
        template.set_status(Status::CONFIRMED);
        let statistics = Arc::new(Statistics::new()?, GFP_KERNEL)?;
        let file = File::new(
            scope,
            Directory::NetStat,
            c"synproxy",
            0o444,
            statistics.clone(),
        )?;
        Ok(Self {
            net,
            _file: file,
            statistics,
            template,
        })
    }
}

fn area(net: *mut bindings::net) -> *mut Area {
    // SAFETY: The namespace is alive, and the id is ours once the module has
    // been registered, which is before anybody can ask.
    unsafe { bindings::net_generic(net, bindings::synproxy_net_id).cast() }
}

/// # Safety
///
/// The core calls it for a namespace that comes up.
unsafe extern "C" fn init(net: *mut bindings::net) -> c_int {
    // SAFETY: `exit` drops it.
    let made = unsafe { Namespace::new(net) };
    let boxed = made.and_then(|namespace| Ok(KBox::new(namespace, GFP_KERNEL)?));
    match boxed {
        Ok(namespace) => {
            // SAFETY: The area is this namespace's, and nobody looks yet.
            let area = unsafe { &mut *area(net) };
            area.c.tmpl = namespace.template.as_ptr();
            area.c.stats = namespace.statistics.as_raw();
            area.namespace = KBox::into_raw(namespace);
            0
        }
        Err(error) => error.to_errno(),
    }
}

/// # Safety
///
/// The core calls it for a namespace that goes down, after its last packet.
unsafe extern "C" fn exit(net: *mut bindings::net) {
    let area = area(net);
    // SAFETY: Made in `init`; no rule and no hook is left.
    unsafe {
        drop(KBox::from_raw((*area).namespace));
        (*area).namespace = null_mut();
    }
}

struct Static<T>(UnsafeCell<T>);

// SAFETY: The kernel's own to write, under its locks.
unsafe impl<T> Sync for Static<T> {}

static NAMESPACES: Static<bindings::pernet_operations> = Static(UnsafeCell::new({
    // SAFETY: All of its fields may be zero.
    let mut operations: bindings::pernet_operations = unsafe { zeroed() };
    operations.init = Some(init);
    operations.exit = Some(exit);
    operations.id = (&raw const bindings::synproxy_net_id).cast_mut();
    operations.size = size_of::<Area>();
    operations
}));

/// All namespaces have their areas while this exists.
pub struct Registration(());

impl Registration {
    /// Makes them. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new() -> Result<Self> {
        // SAFETY: Static, and registered once, by the module's init.
        to_result(unsafe { bindings::register_pernet_subsys(NAMESPACES.0.get()) })?;
        Ok(Self(()))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`.
        unsafe { bindings::unregister_pernet_subsys(NAMESPACES.0.get()) };
    }
}

/// # Safety
///
/// `skb` and `state` are a hook's arguments.
#[inline(always)]
unsafe fn hook(
    family: Family,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the safety requirement.
    let (packet, hook) = unsafe { (Packet::from_raw(skb), Hook::from_raw(state)) };
    proxy::packet(Namespace::of(hook.net()), family, packet)
}

/// # Safety
///
/// C: a hook's arguments.
#[no_mangle]
pub unsafe extern "C" fn ipv4_synproxy_hook(
    _priv: *mut c_void,
    skb: *mut bindings::sk_buff,
    nhs: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the C contract.
    unsafe { hook(Family::Ipv4, skb, nhs) }
}

/// # Safety
///
/// C: a hook's arguments.
#[no_mangle]
pub unsafe extern "C" fn ipv6_synproxy_hook(
    _priv: *mut c_void,
    skb: *mut bindings::sk_buff,
    nhs: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the C contract.
    unsafe { hook(Family::Ipv6, skb, nhs) }
}

type HookFn = unsafe extern "C" fn(
    *mut c_void,
    *mut bindings::sk_buff,
    *const bindings::nf_hook_state,
) -> c_uint;

const HOOKS: usize = 2;

/// Just before the connection is confirmed, which adjusts sequence numbers.
const fn operations(hook: HookFn, family: u32) -> [bindings::nf_hook_ops; HOOKS] {
    const fn operation(hook: HookFn, family: u32, number: u32) -> bindings::nf_hook_ops {
        // SAFETY: All of its fields may be zero.
        let mut op: bindings::nf_hook_ops = unsafe { zeroed() };
        op.hook = Some(hook);
        op.pf = family as u8;
        op.hooknum = number;
        op.priority = bindings::nf_ip_hook_priorities_NF_IP_PRI_CONNTRACK_CONFIRM - 1;
        op
    }
    [
        operation(hook, family, bindings::nf_inet_hooks_NF_INET_LOCAL_IN),
        operation(hook, family, bindings::nf_inet_hooks_NF_INET_POST_ROUTING),
    ]
}

struct Hooks([bindings::nf_hook_ops; HOOKS]);

// SAFETY: Constant; the kernel only reads them.
unsafe impl Sync for Hooks {}

static IPV4: Hooks = Hooks(operations(ipv4_synproxy_hook, bindings::NFPROTO_IPV4));
static IPV6: Hooks = Hooks(operations(ipv6_synproxy_hook, bindings::NFPROTO_IPV6));

/// # Safety
///
/// `users` and `net` are one namespace's; the lock is held.
unsafe fn get(net: *mut bindings::net, users: *mut c_uint, hooks: &'static Hooks) -> c_int {
    // SAFETY: By the safety requirement; the operations are static.
    unsafe {
        if *users == 0 {
            let error = bindings::nf_register_net_hooks(net, hooks.0.as_ptr(), HOOKS as c_uint);
            if error != 0 {
                return error;
            }
        }
        *users = (*users).saturating_add(1);
    }
    0
}

/// # Safety
///
/// As for `get`, which was called before.
unsafe fn put(net: *mut bindings::net, users: *mut c_uint, hooks: &'static Hooks) {
    // SAFETY: By the safety requirement.
    unsafe {
        let last = *users == 1;
        *users = (*users).saturating_sub(1);
        if last {
            bindings::nf_unregister_net_hooks(net, hooks.0.as_ptr(), HOOKS as c_uint);
        }
    }
}

/// # Safety
///
/// C: both are one namespace's. Sleeps.
#[no_mangle]
pub unsafe extern "C" fn nf_synproxy_ipv4_init(
    snet: *mut bindings::synproxy_net,
    net: *mut bindings::net,
) -> c_int {
    let _lock = ProtoLock::take();
    // SAFETY: By the C contract.
    unsafe { get(net, &raw mut (*snet).hook_ref4, &IPV4) }
}

/// # Safety
///
/// C: as for `nf_synproxy_ipv4_init`, which was called before.
#[no_mangle]
pub unsafe extern "C" fn nf_synproxy_ipv4_fini(
    snet: *mut bindings::synproxy_net,
    net: *mut bindings::net,
) {
    let _lock = ProtoLock::take();
    // SAFETY: By the C contract.
    unsafe { put(net, &raw mut (*snet).hook_ref4, &IPV4) }
}

/// # Safety
///
/// C: both are one namespace's. Sleeps.
#[no_mangle]
pub unsafe extern "C" fn nf_synproxy_ipv6_init(
    snet: *mut bindings::synproxy_net,
    net: *mut bindings::net,
) -> c_int {
    let _lock = ProtoLock::take();
    // SAFETY: By the C contract.
    unsafe { get(net, &raw mut (*snet).hook_ref6, &IPV6) }
}

/// # Safety
///
/// C: as for `nf_synproxy_ipv6_init`, which was called before.
#[no_mangle]
pub unsafe extern "C" fn nf_synproxy_ipv6_fini(
    snet: *mut bindings::synproxy_net,
    net: *mut bindings::net,
) {
    let _lock = ProtoLock::take();
    // SAFETY: By the C contract.
    unsafe { put(net, &raw mut (*snet).hook_ref6, &IPV6) }
}
