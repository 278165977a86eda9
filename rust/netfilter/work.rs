// SPDX-License-Identifier: GPL-2.0

//! Work that is done again and again, such as garbage collection.
//!
//! C header: [`include/linux/workqueue.h`](srctree/include/linux/workqueue.h)

use core::ptr::NonNull;
use kernel::prelude::*;
use kernel::sync::Arc;
use kernel::types::Opaque;
use nf_bindings as bindings;

/// What is done at intervals.
pub trait Tick: Send + Sync + 'static {
    /// Does it once, in process context, and says after how many jiffies to do
    /// it again. The timer is deferrable: an idle CPU is not woken for it.
    fn tick(&self) -> u32;
}

#[repr(C)]
struct Inner<T> {
    // First: the work function gets a pointer to it.
    work: Opaque<bindings::delayed_work>,
    data: Arc<T>,
}

/// Work that repeats until this is dropped.
///
/// # Invariants
///
/// The pointer is to a boxed `Inner` whose work is initialised, and which
/// nothing changes but the work queue.
pub struct Periodic<T: Tick>(NonNull<Inner<T>>);

// SAFETY: It is a handle to an `Arc<T>` with `T: Send + Sync`; the work queue's
// functions may be called from any thread.
unsafe impl<T: Tick> Send for Periodic<T> {}
// SAFETY: As above; there is no method that takes `&self`.
unsafe impl<T: Tick> Sync for Periodic<T> {}

impl<T: Tick> Periodic<T> {
    /// Starts it: the first time is after `delay` jiffies. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn start(data: Arc<T>, delay: u32) -> Result<Self> {
        let inner = KBox::into_raw(KBox::new(
            Inner {
                work: Opaque::zeroed(),
                data,
            },
            GFP_KERNEL,
        )?);
        // SAFETY: `inner` is a valid allocation that does not move any more; the
        // function fits the work's place in `Inner`.
        unsafe {
            let work = Opaque::cast_into(&raw const (*inner).work);
            bindings::INIT_DEFERRABLE_WORK(work, Some(run::<T>));
            bindings::queue_delayed_work(work, delay as usize);
        }
        // INVARIANT: Boxed and initialised above.
        NonNull::new(inner).map(Self).ok_or(ENOMEM)
    }
}

impl<T: Tick> Drop for Periodic<T> {
    /// Ends it: waits if it is just being done. Sleeps.
    fn drop(&mut self) {
        let inner = self.0.as_ptr();
        // SAFETY: By the invariant the work is initialised. Cancelling waits for
        // a running work function and keeps it from queueing itself again, so
        // the box is ours alone afterwards.
        unsafe {
            bindings::cancel_delayed_work_sync(Opaque::cast_into(&raw const (*inner).work));
            drop(KBox::from_raw(inner));
        }
    }
}

/// The work function.
///
/// # Safety
///
/// Only the work queue may call it, for work made by `Periodic<T>`.
unsafe extern "C" fn run<T: Tick>(work: *mut bindings::work_struct) {
    const { assert!(core::mem::offset_of!(bindings::delayed_work, work) == 0) };
    let inner = work.cast::<Inner<T>>();
    // SAFETY: The work was initialised in `Periodic::start` as the first field
    // of an `Inner<T>`, which lives until the work is cancelled.
    let data = unsafe { &(*inner).data };
    let delay = data.tick();
    // SAFETY: As above.
    unsafe { bindings::queue_delayed_work(work.cast(), delay as usize) };
}
