// SPDX-License-Identifier: GPL-2.0

//! PPTP's keymap: which source key belongs to a GRE packet's destination key
//! (`struct nf_ct_gre_keymap`, one for each direction of a call).

use super::{conn::Conn, tuple, Net};
use core::{mem::offset_of, ptr::null_mut};
use nf_bindings as bindings;
use nf_proto::{
    alg::{pptp::Control, room::Kept},
    be::Be16,
    tuple::{Direction, Tuple},
};

type Keymap = bindings::nf_ct_gre_keymap;

/// The source key of a packet with this tuple, its destination key known; 0 if
/// no call has it. Under RCU.
pub fn source_key(net: Net, wanted: &Tuple) -> Be16 {
    let head = list(net);
    // SAFETY: Entries are freed after a grace period; links are read as RCU
    // readers do.
    unsafe {
        let mut link = (&raw const (*head).next).read_volatile();
        while link != head {
            let map = link.byte_sub(offset_of!(Keymap, list)).cast::<Keymap>();
            let of = tuple::from_c(&(*map).tuple);
            if of.src.l3num == wanted.src.l3num
                && of.src.address == wanted.src.address
                && of.dst.address == wanted.dst.address
                && of.dst.protocol == wanted.dst.protocol
                && of.dst.id == wanted.dst.id
            {
                return of.src.id;
            }
            link = (&raw const (*link).next).read_volatile();
        }
    }
    Be16::new(0)
}

fn list(net: Net) -> *mut bindings::list_head {
    // SAFETY: The head is inside the namespace.
    unsafe { &raw mut (*net.ct()).nf_ct_proto.gre.keymap_list }
}

// The helper's own code leaves the pointers alone, and the lock them.
const _: () = {
    type Master = bindings::nf_ct_pptp_master;
    assert!(Control::LEN <= offset_of!(Master, keymap));
    // After two words: see `Control`.
    assert!(offset_of!(Master, pac_call_id) == 8 && offset_of!(Master, pns_call_id) == 10);
};

/// No memory, the call has other keys already, or the connection is over.
pub struct NotAdded;

fn entry(conn: &Conn, direction: Direction) -> Option<*mut *mut Keymap> {
    let help = conn.ext::<bindings::nf_conn_help>()?.as_ptr();
    // SAFETY: Only PPTP's helper has keymaps: its data is `nf_ct_pptp_master`.
    unsafe {
        let pptp = (&raw mut (*help).data).cast::<bindings::nf_ct_pptp_master>();
        Some(
            (&raw mut (*pptp).keymap)
                .cast::<*mut Keymap>()
                .add(direction as usize),
        )
    }
}

/// Adds the entries of a call, one for each direction: both or none.
pub fn add(conn: &Conn, original: &Tuple, reply: &Tuple) -> Result<(), NotAdded> {
    let slots = [
        (entry(conn, Direction::Original).ok_or(NotAdded)?, original),
        (entry(conn, Direction::Reply).ok_or(NotAdded)?, reply),
    ];
    // SAFETY: The slots are the connection's; they and the list change under
    // the lock only, and what is not linked is nobody else's.
    unsafe {
        let maps = [bindings::gre_keymap_alloc(), bindings::gre_keymap_alloc()];
        bindings::gre_keymap_lock();
        let [first, second] = maps;
        // Of a connection that is going, `remove` has been called or will be.
        let fits = !first.is_null()
            && !second.is_null()
            && !conn.is_dying()
            && slots.iter().all(|(slot, of)| {
                let old = **slot;
                old.is_null() || super::table::same_tuple(tuple::from_c(&(*old).tuple), of)
            });
        for ((slot, of), map) in slots.into_iter().zip(maps) {
            if fits && (*slot).is_null() {
                (*map).tuple = tuple::to_c(of);
                *slot = map;
                bindings::gre_keymap_link(list(conn.net()), map);
            } else {
                bindings::kfree(map.cast());
            }
        }
        bindings::gre_keymap_unlock();
        if fits {
            Ok(())
        } else {
            Err(NotAdded)
        }
    }
}

/// Removes both entries of a call.
pub fn remove(conn: &Conn) {
    remove_if(conn, |_| true);
}

/// Removes both entries of a call if the tunnel `tunnel` belongs to it, and not
/// to one before it.
pub fn remove_of(conn: &Conn, tunnel: &Conn) {
    let first = *tunnel.tuple(Direction::Original);
    remove_if(conn, |of| super::table::same_tuple(of, &first));
}

/// Removes both entries if `is_it` says so of the tuple of one of them.
fn remove_if(conn: &Conn, is_it: impl Fn(&Tuple) -> bool) {
    let (Some(original), Some(reply)) = (
        entry(conn, Direction::Original),
        entry(conn, Direction::Reply),
    ) else {
        return;
    };
    let slots = [original, reply];
    // SAFETY: As in `add`; readers may still be at the entries, which are freed
    // after a grace period.
    unsafe {
        bindings::gre_keymap_lock();
        let mut maps = slots.iter().filter_map(|slot| (**slot).as_ref());
        if maps.any(|map| is_it(tuple::from_c(&map.tuple))) {
            for slot in slots {
                if !(*slot).is_null() {
                    bindings::gre_keymap_unlink(*slot);
                    *slot = null_mut();
                }
            }
        }
        bindings::gre_keymap_unlock();
    }
}
