// SPDX-License-Identifier: GPL-2.0

//! A helper on several ports, for several families.

use super::{Class, ConntrackHelper, Place, Registration};
use kernel::prelude::*;
use nf_proto::tuple::Family;

/// The most ports that a module's parameter `ports` takes.
pub const MAX_PORTS: usize = 8;

/// Registrations of a helper in up to `N` places.
pub struct Registrations<H: ConntrackHelper, const N: usize> {
    _held: [Option<Registration<H>>; N],
}

impl<H: ConntrackHelper, const N: usize> Registrations<H, N> {
    /// Registers the helper in all of these places, of which `N` count. Sleeps.
    ///
    /// # Errors
    ///
    /// As [`Registration::new`].
    pub fn new(
        places: impl IntoIterator<Item = Place>,
        classes: &[Class],
        module: &'static ThisModule,
    ) -> Result<Self> {
        let mut held = [const { None }; N];
        for (slot, place) in held.iter_mut().zip(places) {
            *slot = Some(Registration::new(place, classes, module)?);
        }
        Ok(Registrations { _held: held })
    }
}

/// A helper's places: each of these ports in each family; its usual port if
/// none is given. `number` makes the number by which a place is told apart from
/// the port and its index.
pub fn places<'a, H: ConntrackHelper>(
    ports: &'a [u16],
    families: &'a [Family],
    number: fn(port: u16, index: u32) -> u32,
) -> impl Iterator<Item = Place> + 'a {
    let ports = if ports.is_empty() {
        const { &[H::PORT] }
    } else {
        ports
    };
    ports
        .iter()
        .zip(0..MAX_PORTS as u32)
        .flat_map(move |(port, index)| {
            families.iter().map(move |family| Place {
                family: *family,
                port: *port,
                number: number(*port, index),
            })
        })
}
