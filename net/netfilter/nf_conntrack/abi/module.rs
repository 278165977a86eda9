// SPDX-License-Identifier: GPL-2.0

//! The module's life: what is set up when it is loaded and when a namespace
//! begins, and taken down again, in the opposite order.

use super::{bpf, core as abi_core, hooks, sockopt, sysctl};
use crate::{
    ecache, expect, ext, gc, helper, iterate,
    listing::{Connections, Reasons, Statistics},
    packet, resize,
    store::{self, CACHE, TABLE},
};
use core::{
    cell::UnsafeCell,
    sync::atomic::{AtomicBool, Ordering},
};
use kernel::{
    ffi::{c_int, c_uint},
    prelude::*,
};
use netfilter::conntrack::{
    conn, proc, settings,
    skb::{Carried, Packet},
    stat, state,
    table::Buckets,
    tuple, work, Conn, Info, Net, Status, Zone,
};
use nf_bindings as bindings;
use nf_proto::{
    l4::{
        number,
        tcp::{self, TcpConntrack},
    },
    tuple::Direction,
};

const FILE: &CStr = c"nf_conntrack";
const REASONS_FILE: &CStr = c"nf_conntrack_invalid";

static STARTED: AtomicBool = AtomicBool::new(false);

/// The table exists (for the parameter `hashsize`).
#[no_mangle]
pub extern "C" fn nf_conntrack_is_started() -> bool {
    STARTED.load(Ordering::Relaxed)
}

/// Sets the table's size (for the parameter `hashsize`).
#[no_mangle]
pub extern "C" fn nf_conntrack_set_buckets(buckets: c_uint) -> c_int {
    match resize::set(buckets) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

/// One run of garbage collection; returns after how many jiffies the next one
/// is due.
#[no_mangle]
pub extern "C" fn nf_conntrack_gc_run() -> c_uint {
    gc::run()
}

/// Looks at the table's size.
#[no_mangle]
pub extern "C" fn nf_conntrack_resize_run() {
    resize::consider(resize::entries());
}

/// Sets the module up.
pub fn start() -> Result {
    let secret = || [netfilter::random::u64(), netfilter::random::u64()];
    store::set_keys(secret(), secret());
    let asked = settings::buckets();
    // SAFETY: The module is being loaded.
    let usual = unsafe { bindings::ct_default_buckets() };
    let size = store::round_size(if asked == 0 { usual } else { asked });
    // Who sets a size expects that it allows for chains of eight.
    let limit = if asked == 0 {
        size
    } else {
        size.saturating_mul(8)
    };
    CACHE.start()?;
    let made = start_with_cache(size, limit);
    if made.is_err() {
        // SAFETY: Nothing of it is in use.
        unsafe { CACHE.stop() };
    }
    made
}

fn start_with_cache(size: u32, limit: u32) -> Result {
    // SAFETY: The module is being loaded.
    unsafe { bindings::ct_locks_init() };
    let buckets = Buckets::new(size, TABLE.next_generation()).ok_or(ENOMEM)?;
    TABLE.start(buckets);
    resize::set_floor(size);
    settings::set_table(&TABLE);
    settings::set_max(limit);
    let made = start_with_table(size);
    if made.is_err() {
        // SAFETY: It is empty, and nobody has it.
        unsafe {
            if let Some(buckets) = TABLE.stop() {
                Buckets::free(buckets);
            }
        }
    }
    made
}

fn start_with_table(size: u32) -> Result {
    expect::start(size, [netfilter::random::u64(), netfilter::random::u64()])?;
    let made = helper::start().and_then(|()| {
        let made = start_with_registries();
        if made.is_err() {
            helper::stop();
        }
        made
    });
    if made.is_err() {
        expect::stop();
    }
    made
}

fn start_with_registries() -> Result {
    sockopt::init()?;
    if let Err(error) = sysctl::init() {
        sockopt::exit();
        return Err(error);
    }
    STARTED.store(true, Ordering::Relaxed);
    // SAFETY: The hooks are static; the operations too.
    let error = unsafe {
        bindings::ct_set_hook(&raw const HOOK.0);
        bindings::register_pernet_subsys(NAMESPACES.0.get())
    };
    if error < 0 {
        // SAFETY: Set above; waits until nobody uses it.
        unsafe { bindings::ct_set_hook(core::ptr::null()) };
        STARTED.store(false, Ordering::Relaxed);
        sysctl::exit();
        sockopt::exit();
        return Err(Error::from_errno(error));
    }
    // Programs can be loaded from here on, but run when the module is.
    if let Err(error) = bpf::start() {
        end_registries();
        return Err(error);
    }
    // It looks at all namespaces: they have their areas now.
    work::start();
    Ok(())
}

/// Takes the registries down.
fn end_registries() {
    // SAFETY: Registered in `start_with_registries`.
    unsafe { bindings::unregister_pernet_subsys(NAMESPACES.0.get()) };
    sysctl::exit();
    STARTED.store(false, Ordering::Relaxed);
    // SAFETY: Waits until nobody uses it.
    unsafe { bindings::ct_set_hook(core::ptr::null()) };
    sockopt::exit();
}

/// Takes it down. No hook is registered any more, as no other module uses this
/// one.
pub fn stop() {
    bpf::stop();
    // Before the namespaces' areas go, at which it looks.
    work::stop();
    end_registries();
    helper::stop();
    expect::stop();
    // SAFETY: Every namespace has removed its connections, and readers are
    // gone.
    unsafe {
        bindings::rcu_barrier();
        if let Some(buckets) = TABLE.stop() {
            Buckets::free(buckets);
        }
        CACHE.stop();
    }
}

struct Static<T>(T);

// SAFETY: What is in it is only read, or C's own to write.
unsafe impl<T> Sync for Static<T> {}

static NAMESPACES: Static<UnsafeCell<bindings::pernet_operations>> = Static(UnsafeCell::new({
    // SAFETY: All of its fields may be zero.
    let mut operations: bindings::pernet_operations = unsafe { core::mem::zeroed() };
    operations.init = Some(init_net);
    operations.exit_batch = Some(exit_nets);
    operations.id = (&raw const bindings::nf_conntrack_net_id).cast_mut();
    operations.size = size_of::<bindings::rustynat_conntrack_net>();
    operations
}));

/// # Safety
///
/// C: a namespace that begins.
unsafe extern "C" fn init_net(net: *mut bindings::net) -> c_int {
    // SAFETY: By the C contract.
    let net = unsafe { Net::from_raw(net) };
    match begin(net) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}

fn begin(net: Net) -> Result {
    net.set_checksum(true);
    state::init_net(net);
    stat::init_net(net)?;
    ext::pernet_init(net);
    let made = sysctl::init_net(net).and_then(|()| {
        let made = begin_files(net);
        if made.is_err() {
            sysctl::exit_net(net);
        }
        made
    });
    if made.is_err() {
        ext::pernet_exit(net);
        stat::exit_net(net);
    }
    made
}

fn begin_files(net: Net) -> Result {
    proc::create::<Connections>(net, FILE)?;
    let made = begin_statistics(net).and_then(|()| {
        let made = expect::proc_init(net).and_then(|()| {
            // SAFETY: The namespace is valid.
            let hooks = if unsafe { bindings::nf_conntrack_enable_hooks } {
                // SAFETY: As above.
                unsafe { hooks::nf_ct_netns_get(net.as_ptr(), bindings::NFPROTO_INET as u8) }
            } else {
                0
            };
            if hooks < 0 {
                expect::proc_exit(net);
                return Err(Error::from_errno(hooks));
            }
            Ok(())
        });
        if made.is_err() {
            end_statistics(net);
        }
        made
    });
    if made.is_err() {
        proc::remove(net, FILE);
    }
    made
}

fn begin_statistics(net: Net) -> Result {
    proc::create_stat::<Statistics>(net, FILE)?;
    let made = proc::create_stat::<Reasons>(net, REASONS_FILE);
    if made.is_err() {
        proc::remove_stat(net, FILE);
    }
    made
}

fn end_statistics(net: Net) {
    proc::remove_stat(net, REASONS_FILE);
    proc::remove_stat(net, FILE);
}

/// # Safety
///
/// C: a list of namespaces that end.
unsafe extern "C" fn exit_nets(list: *mut bindings::list_head) {
    let each = |end: &mut dyn FnMut(Net)| {
        // SAFETY: By the C contract.
        unsafe {
            let mut net = bindings::ct_exit_list_next(list, core::ptr::null_mut());
            while !net.is_null() {
                end(Net::from_raw(net));
                net = bindings::ct_exit_list_next(list, net);
            }
        }
    };
    each(&mut |net| {
        // SAFETY: The namespace is valid; taken in `begin_files`.
        unsafe {
            if bindings::nf_conntrack_enable_hooks {
                hooks::nf_ct_netns_put(net.as_ptr(), bindings::NFPROTO_INET as u8);
            }
        }
        expect::proc_exit(net);
        end_statistics(net);
        proc::remove(net, FILE);
        sysctl::exit_net(net);
    });
    // Packets on their way through the hooks come to their end.
    // SAFETY: Process context.
    unsafe { bindings::ct_wait_for_packets() };
    loop {
        let mut busy = false;
        each(&mut |net| {
            if net.connections().load(Ordering::Relaxed) != 0 {
                iterate::remove(Some(net), 0, 0, |_| true);
            }
            busy |= net.connections().load(Ordering::Acquire) != 0;
        });
        if !busy {
            break;
        }
        // Packets in queues still have connections.
        work::pause();
    }
    each(&mut |net| {
        ext::pernet_exit(net);
        stat::exit_net(net);
    });
}

// `nf_ct_hook`: what vmlinux calls.

static HOOK: Static<bindings::nf_ct_hook> = Static(bindings::nf_ct_hook {
    update: Some(update),
    destroy: Some(abi_core::nf_ct_destroy),
    get_tuple_skb: Some(get_tuple_skb),
    attach: Some(attach),
    set_closing: Some(set_closing),
    confirm: Some(abi_core::__nf_conntrack_confirm),
    get_id: Some(get_id),
});

/// # Safety
///
/// C: a valid packet.
unsafe extern "C" fn update(_net: *mut bindings::net, skb: *mut bindings::sk_buff) -> c_int {
    // SAFETY: By the C contract.
    packet::update(&mut unsafe { Packet::from_raw(skb) }) as c_int
}

/// A packet made by the kernel about another one (RST, ICMP error) belongs to
/// that one's connection, in the other direction.
///
/// # Safety
///
/// C: two valid packets, `skb` with a connection.
unsafe extern "C" fn attach(nskb: *mut bindings::sk_buff, skb: *const bindings::sk_buff) {
    // SAFETY: By the C contract; only read.
    let about = unsafe { Packet::from_raw(skb.cast_mut()) };
    if let Carried::Connection(conn, info) = about.carried() {
        let info = match info.direction() {
            Direction::Original => Info::RELATED_REPLY,
            Direction::Reply => Info::RELATED,
        };
        // SAFETY: By the C contract.
        unsafe { Packet::from_raw(nskb) }.attach(conn.get(), info);
    }
}

/// The tuple of a packet, as seen by its sender.
///
/// # Safety
///
/// C: a valid tuple and packet.
unsafe extern "C" fn get_tuple_skb(
    dst: *mut bindings::nf_conntrack_tuple,
    skb: *const bindings::sk_buff,
) -> bool {
    // SAFETY: By the C contract; only read.
    let packet = unsafe { Packet::from_raw(skb.cast_mut()) };
    if let Carried::Connection(conn, info) = packet.carried() {
        // SAFETY: By the C contract.
        unsafe { dst.write(tuple::to_c(conn.tuple(info.direction()))) };
        return true;
    }
    // SAFETY: A packet that has come in has a device.
    let Some(net) = (unsafe { packet.device_net() }) else {
        return false;
    };
    let _rcu = kernel::sync::rcu::read_lock();
    let Some(found) = packet::tuple_at(&packet, packet.network_offset(), 2, net) else {
        return false;
    };
    match packet::find(net, Zone::DEFAULT, &found) {
        Some((conn, direction)) => {
            // SAFETY: By the C contract.
            unsafe { dst.write(tuple::to_c(conn.tuple(direction.opposite()))) };
            true
        }
        None => false,
    }
}

/// A module has ended the connection's socket or flow.
///
/// # Safety
///
/// C: a valid connection.
unsafe extern "C" fn set_closing(nfct: *mut bindings::nf_conntrack) {
    // SAFETY: By the C contract; a connection begins with its `nf_conntrack`.
    let conn = unsafe { Conn::from_raw(nfct.cast()) };
    if conn.protocol() != number::TCP || !conn.is_confirmed() {
        return;
    }
    let changed = {
        let mut locked = conn.lock();
        let changed = state::of::<tcp::State>(&mut locked).set_closing();
        if changed && !conn.status().has(Status::FIXED_TIMEOUT) {
            let net = conn.net();
            let policy = state::tcp_policy(&net, crate::timeout::policy(conn));
            let close = policy.timeout(TcpConntrack::Close as usize);
            conn.set_timeout(conn::now().wrapping_add(close));
        }
        changed
    };
    if changed && !conn.status().has(Status::FIXED_TIMEOUT) {
        ecache::cache(conn, ecache::Event::ProtoInfo);
    }
}

/// # Safety
///
/// C: a valid connection.
unsafe extern "C" fn get_id(nfct: *const bindings::nf_conntrack) -> u32 {
    // SAFETY: By the C contract.
    store::id(unsafe { Conn::from_raw(nfct.cast()) })
}
