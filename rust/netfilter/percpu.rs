// SPDX-License-Identifier: GPL-2.0

//! Counters that each CPU has for itself.
//!
//! C header: [`include/linux/percpu.h`](srctree/include/linux/percpu.h)

use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::prelude::*;
use nf_bindings as bindings;
use pin_init::Zeroable;

/// A struct `T` of counters for each possible CPU.
///
/// A count costs one instruction and no lock: another CPU never writes it.
/// Reads add up what the CPUs have and may miss what is being counted.
///
/// # Invariants
///
/// The pointer is a per-CPU allocation of the size and alignment of `T`.
pub struct PerCpu<T>(NonNull<T>);

// SAFETY: A per-CPU allocation belongs to no thread, and `T` holds nothing but
// integers as far as `Field` can name them.
unsafe impl<T> Send for PerCpu<T> {}
// SAFETY: As above; an increment is atomic against the same CPU's interrupts,
// and no other CPU writes.
unsafe impl<T> Sync for PerCpu<T> {}

/// A counter within `T`. Made by [`field!`](crate::percpu_field).
///
/// # Invariants
///
/// `offset` is that of a field of type `V` in `T`.
pub struct Field<T, V> {
    offset: usize,
    _types: PhantomData<fn(&T) -> &V>,
}

impl<T, V> Clone for Field<T, V> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, V> Copy for Field<T, V> {}

impl<T, V: Word> Field<T, V> {
    /// For the macro: `offset` must be that of the field `_field` returns.
    ///
    /// # Safety
    ///
    /// See above.
    #[doc(hidden)]
    #[inline]
    pub const unsafe fn new(offset: usize, _field: fn(&T) -> &V) -> Self {
        // INVARIANT: By the safety requirement.
        Self {
            offset,
            _types: PhantomData,
        }
    }
}

/// Names a counter: `percpu_field!(Statistics, packets)`.
#[macro_export]
macro_rules! percpu_field {
    ($type:ty, $field:ident) => {
        // SAFETY: Both arguments name the same field.
        unsafe {
            $crate::percpu::Field::new(::core::mem::offset_of!($type, $field), |t: &$type| {
                &t.$field
            })
        }
    };
}

/// An integer that a CPU can add to in one instruction.
pub trait Word: private::Sealed + Copy + Into<u64> {
    /// Adds to this CPU's instance.
    ///
    /// # Safety
    ///
    /// `at` must be the per-CPU address of such an integer.
    #[doc(hidden)]
    unsafe fn add(at: *mut Self, value: Self);
}

mod private {
    pub trait Sealed {}
    impl Sealed for u64 {}
    impl Sealed for u32 {}
}

impl Word for u64 {
    #[inline]
    unsafe fn add(at: *mut Self, value: Self) {
        #[cfg(all(target_arch = "x86_64", not(CONFIG_UML)))]
        // SAFETY: The caller's `at` is relative to the segment base of this CPU's
        // area; one instruction cannot be torn by an interrupt or a migration.
        unsafe {
            core::arch::asm!("add qword ptr gs:[{}], {}", in(reg) at, in(reg) value, options(nostack))
        };
        #[cfg(not(all(target_arch = "x86_64", not(CONFIG_UML))))]
        // SAFETY: As the caller guarantees.
        unsafe {
            bindings::this_cpu_add_8(at, value)
        };
    }
}

impl Word for u32 {
    #[inline]
    unsafe fn add(at: *mut Self, value: Self) {
        #[cfg(all(target_arch = "x86_64", not(CONFIG_UML)))]
        // SAFETY: As for `u64`.
        unsafe {
            core::arch::asm!("add dword ptr gs:[{}], {:e}", in(reg) at, in(reg) value, options(nostack))
        };
        #[cfg(not(all(target_arch = "x86_64", not(CONFIG_UML))))]
        // SAFETY: As the caller guarantees.
        unsafe {
            bindings::this_cpu_add_4(at, value)
        };
    }
}

impl<T: Zeroable> PerCpu<T> {
    /// Allocates it, all zero. Sleeps.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new() -> Result<Self> {
        // SAFETY: An allocation function without requirements but a valid size
        // and alignment, which those of a type are.
        let ptr = unsafe {
            bindings::pcpu_alloc_noprof(
                core::mem::size_of::<T>(),
                core::mem::align_of::<T>(),
                false,
                bindings::GFP_KERNEL,
            )
        };
        // INVARIANT: Just allocated for `T`, zeroed, which `T: Zeroable` may be.
        NonNull::new(ptr.cast()).map(Self).ok_or(ENOMEM)
    }
}

impl<T> PerCpu<T> {
    /// The per-CPU address, for C.
    #[inline]
    pub fn as_raw(&self) -> *mut T {
        self.0.as_ptr()
    }

    /// Adds `value` to this CPU's counter, wrapping. Any context.
    #[inline]
    pub fn add<V: Word>(&self, field: Field<T, V>, value: V) {
        // SAFETY: By the invariants of both types the address is that of a `V`
        // in a per-CPU allocation.
        unsafe {
            V::add(
                self.0.as_ptr().wrapping_byte_add(field.offset).cast(),
                value,
            )
        }
    }

    /// The counter of the CPU `cpu`.
    pub fn of<V: Word>(&self, field: Field<T, V>, cpu: Cpu) -> u64 {
        // SAFETY: By the invariant the pointer is per-CPU and by that of `Cpu`
        // the number is one of a possible CPU.
        let base = unsafe { bindings::per_cpu_ptr(self.0.as_ptr().cast(), cpu.0) };
        // SAFETY: The field lies within this CPU's instance; its owner may write
        // meanwhile, hence the volatile read of a single word.
        unsafe { base.byte_add(field.offset).cast::<V>().read_volatile() }.into()
    }

    /// The sum over all CPUs, wrapping.
    pub fn sum<V: Word>(&self, field: Field<T, V>) -> u64 {
        possible_cpus().fold(0, |sum, cpu| sum.wrapping_add(self.of(field, cpu)))
    }
}

impl<T> Drop for PerCpu<T> {
    fn drop(&mut self) {
        // SAFETY: By the invariant it is an allocation of ours.
        unsafe { bindings::free_percpu(self.0.as_ptr().cast()) };
    }
}

/// A possible CPU.
///
/// # Invariants
///
/// The number is that of a CPU in `cpu_possible_mask`.
#[derive(Clone, Copy)]
pub struct Cpu(u32);

impl Cpu {
    /// Its number.
    #[inline]
    pub fn number(self) -> u32 {
        self.0
    }

    /// The first possible CPU from number `from` on.
    pub fn from(from: u32) -> Option<Self> {
        // SAFETY: Reads a mask that is constant after boot.
        let (next, end) = (unsafe { bindings::cpumask_next_possible(from) }, cpu_end());
        // INVARIANT: What is below the end is in the mask.
        (next < end).then_some(Self(next))
    }
}

/// The upper bound of CPU numbers.
pub fn cpu_end() -> u32 {
    kernel::cpu::nr_cpu_ids()
}

/// All possible CPUs.
pub fn possible_cpus() -> impl Iterator<Item = Cpu> {
    core::iter::successors(Cpu::from(0), |cpu| Cpu::from(cpu.0.wrapping_add(1)))
}
