// SPDX-License-Identifier: GPL-2.0

//! What a connection becomes under a rule: the tuple whose answers no other
//! connection waits for.
//!
//! A connection is recognised by the answers to it. After a translation they
//! must be told from those to any other connection; that they are not is
//! what the table says of a candidate. For the source there is a choice of ids,
//! and of what is tried the first that is free is taken:
//!
//! 1. what it is already, if the rule allows that,
//! 2. what another connection of the same source became,
//! 3. the address that [`address`] says, with its own id,
//! 4. that address with an id that [`Ids::search`] finds.
//!
//! The destination is what the rule says: a server has its port. If that
//! makes two connections alike, the source is changed at POST_ROUTING or
//! LOCAL_IN, by this same function. Only a rule with several ports is
//! a choice for the destination too.
//!
//! # Port shadowing
//!
//! A client could take as its port the one of a service of the router, be
//! masqueraded with it, and so get what the server that it called sends to that
//! service (CVE-2021-3773). Hence a source that is moved to another address
//! does not get a port there that [`Surroundings::serves`] knows of. A rule
//! that leaves no choice is obeyed.

use super::{
    address,
    ids::{Effort, Ids, Trial},
    range::{Flags, Range},
    Manip, Place,
};
use crate::{
    be::Be16,
    l4::number,
    tuple::{Source, Tuple},
};

/// What is known of other connections, and chance.
pub trait Surroundings {
    /// Another connection waits for the same answers as one of `tuple` would.
    fn taken(&mut self, tuple: &Tuple) -> bool;

    /// As [`Surroundings::taken`], of what the connection is already. If that
    /// clashes only because its own answer came in on another CPU before it
    /// was confirmed, it is not taken.
    fn taken_unchanged(&mut self, tuple: &Tuple) -> bool {
        self.taken(tuple)
    }

    /// As [`Surroundings::taken`], once many were: a TCP connection that is
    /// closed may be ended for this one ([`Effort::Last`]).
    fn taken_harder(&mut self, tuple: &Tuple) -> bool {
        self.taken(tuple)
    }

    /// The source that another connection from the source of `tuple` and by
    /// the same protocol was given, the first that `range` holds.
    fn known_source(&mut self, tuple: &Tuple, range: &Range) -> Option<Source> {
        let _ = (tuple, range);
        None
    }

    /// A program of this machine serves, or may get packets, where the answers
    /// to `tuple` would go: at its source.
    fn serves(&mut self, tuple: &Tuple) -> bool {
        let _ = tuple;
        false
    }

    /// 32 random bits.
    fn random(&mut self) -> u32;
}

/// A connection that is to be translated.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// What its packets are now, after what was changed already: the inversion
    /// of its reply tuple.
    pub tuple: &'a Tuple,
    /// What the rule asks for.
    pub range: &'a Range,
    /// Which side is changed.
    pub manip: Manip,
    /// It has a master: only then GRE has keys, those of PPTP.
    pub expected: bool,
    /// Its zone's id, on which the address depends.
    pub zone: u16,
}

/// What a connection becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Choice {
    /// Its tuple. If there was nothing to choose from, it may be another
    /// connection's: that is seen when it is confirmed.
    pub tuple: Tuple,
    /// How many candidates were looked at.
    pub attempts: u32,
}

/// Why a connection cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failed {
    /// All that was tried is taken.
    Exhausted {
        /// How many candidates were looked at.
        attempts: u32,
    },
}

/// Chooses.
///
/// # Errors
///
/// See [`Failed`]; never for a destination.
#[inline]
pub fn choose<S: Surroundings>(request: &Request<'_>, around: &mut S) -> Result<Choice, Failed> {
    let mut choosing = Choosing {
        request,
        around,
        attempts: 0,
    };
    match request.manip {
        Manip::Source => choosing.source(),
        Manip::Destination => Ok(choosing.destination()),
    }
}

/// A mapping from `own` to `candidate` could get what is meant for a service at
/// the candidate's address: it is one to another address, by a protocol with
/// ports.
#[inline]
pub fn may_shadow(own: &Tuple, candidate: &Tuple) -> bool {
    candidate.src.address != own.src.address
        && matches!(
            candidate.dst.protocol,
            number::TCP | number::UDP | number::SCTP
        )
}

struct Choosing<'a, 'r, S> {
    request: &'a Request<'r>,
    around: &'a mut S,
    attempts: u32,
}

impl<S: Surroundings> Choosing<'_, '_, S> {
    #[inline]
    fn source(&mut self) -> Result<Choice, Failed> {
        let Request {
            tuple: own, range, ..
        } = *self.request;
        let drawn = range.flags.any(Flags::PROTO_RANDOM_ALL);

        let mut own_taken = false;
        if !drawn {
            if range.holds(own) {
                self.attempts = 1;
                own_taken = self.around.taken_unchanged(own);
                if !own_taken {
                    return Ok(self.chosen(*own));
                }
            } else if let Some(src) = self.around.known_source(own, range) {
                let known = Tuple { src, dst: own.dst };
                if !self.taken(&known, Effort::Gentle) {
                    return Ok(self.chosen(known));
                }
            }
        }

        let tuple = self.at_address();
        let Some(place) = Place::of(own, Manip::Source, self.request.expected) else {
            return Ok(self.chosen(tuple));
        };
        let kept = place.get(&tuple);
        let shifted = range.flags.has(Flags::PROTO_OFFSET);
        if !drawn && !shifted && self.allows(kept) {
            // Nobody need be asked twice, nor where there is no choice.
            let asked = own_taken && tuple == *own;
            if self.has_one_id() || (!asked && !self.taken(&tuple, Effort::Gentle)) {
                return Ok(self.chosen(tuple));
            }
        }
        self.other_id(tuple, place)
    }

    /// The source's id is not what it was.
    #[cold]
    fn other_id(&mut self, mut tuple: Tuple, place: Place) -> Result<Choice, Failed> {
        let kept = place.get(&tuple);
        let ids = self.ids(kept);
        if self.has_one_id() {
            place.set(&mut tuple, Be16::new(ids.at(0)));
            // Perhaps by throwing out one that is closed.
            let _ = self.around.taken_harder(&tuple);
            return Ok(self.chosen(tuple));
        }
        if self.request.range.flags.has(Flags::PROTO_OFFSET) {
            place.set(&mut tuple, self.shifted(ids, kept));
            if !self.taken(&tuple, Effort::Gentle) {
                return Ok(self.chosen(tuple));
            }
        }
        self.search(ids, place, tuple).ok_or(Failed::Exhausted {
            attempts: self.attempts,
        })
    }

    #[inline]
    fn destination(&mut self) -> Choice {
        let tuple = self.at_address();
        match Place::of(&tuple, Manip::Destination, self.request.expected) {
            Some(place) if self.request.range.flags.has(Flags::PROTO_SPECIFIED) => {
                self.destination_id(tuple, place)
            }
            _ => self.chosen(tuple),
        }
    }

    fn destination_id(&mut self, mut tuple: Tuple, place: Place) -> Choice {
        let Request { range, .. } = *self.request;
        let kept = place.get(&tuple);
        let ids = self.ids(kept);
        if range.flags.has(Flags::PROTO_OFFSET) {
            place.set(&mut tuple, self.shifted(ids, kept));
            return self.chosen(tuple);
        }
        if self.has_one_id() {
            place.set(&mut tuple, Be16::new(ids.at(0)));
            return self.chosen(tuple);
        }
        if range.flags.any(Flags::PROTO_RANDOM_ALL) {
            let drawn = ids.draw(self.around.random());
            place.set(&mut tuple, Be16::new(drawn));
            if !self.taken(&tuple, Effort::Gentle) {
                return self.chosen(tuple);
            }
            let found = self.search(ids, place, tuple);
            return found.unwrap_or_else(|| self.chosen(tuple));
        }
        if range.has_id(kept) && !self.taken(&tuple, Effort::Gentle) {
            return self.chosen(tuple);
        }
        place.set(&mut tuple, Be16::new(ids.at(0)));
        let mut candidate = Candidate {
            choosing: self,
            place,
            tuple,
        };
        if ids.ascend(&mut candidate).is_some() {
            tuple = candidate.tuple;
        }
        self.chosen(tuple)
    }

    /// Draws and walks.
    fn search(&mut self, ids: Ids, place: Place, tuple: Tuple) -> Option<Choice> {
        let mut candidate = Candidate {
            choosing: self,
            place,
            tuple,
        };
        ids.search(&mut candidate)?;
        let tuple = candidate.tuple;
        Some(self.chosen(tuple))
    }

    /// Somebody else has the candidate.
    #[inline]
    fn taken(&mut self, candidate: &Tuple, effort: Effort) -> bool {
        let Request {
            tuple: own, manip, ..
        } = *self.request;
        self.attempts = self.attempts.saturating_add(1);
        let taken = match effort {
            Effort::Gentle => self.around.taken(candidate),
            Effort::Last => self.around.taken_harder(candidate),
        };
        taken
            || (manip == Manip::Source
                && may_shadow(own, candidate)
                && self.around.serves(candidate))
    }

    #[inline]
    fn chosen(&self, tuple: Tuple) -> Choice {
        Choice {
            tuple,
            attempts: self.attempts,
        }
    }

    /// The connection's tuple at the address that the rule has for it.
    #[inline]
    fn at_address(&self) -> Tuple {
        let Request {
            tuple: own,
            range,
            manip,
            zone,
            ..
        } = *self.request;
        let mut tuple = *own;
        let address = address::choose(range, own, manip.address(own), zone);
        manip.set_address(&mut tuple, address);
        tuple
    }

    /// The rule lets the id be.
    #[inline]
    fn allows(&self, id: Be16) -> bool {
        let range = self.request.range;
        !range.flags.has(Flags::PROTO_SPECIFIED) || range.has_id(id)
    }

    /// The rule names one id.
    #[inline]
    fn has_one_id(&self) -> bool {
        let range = self.request.range;
        range.flags.has(Flags::PROTO_SPECIFIED) && range.min_id == range.max_id
    }

    /// What the id may be.
    fn ids(&self, kept: Be16) -> Ids {
        let Request {
            tuple: own, range, ..
        } = *self.request;
        if range.flags.has(Flags::PROTO_SPECIFIED) {
            let (first, last) = range.ids();
            return Ids::new(first, last);
        }
        match own.dst.protocol {
            number::TCP | number::UDP | number::SCTP => Ids::like(kept.get()),
            number::GRE => Ids::new(1, u16::MAX),
            _ => Ids::new(0, u16::MAX),
        }
    }

    /// The id as far from the range's first one as it was from the base.
    fn shifted(&self, ids: Ids, kept: Be16) -> Be16 {
        let base = self.request.range.base_id.get();
        Be16::new(ids.at(kept.get().wrapping_sub(base).into()))
    }
}

/// A tuple whose id is being searched.
struct Candidate<'c, 'a, 'r, S> {
    choosing: &'c mut Choosing<'a, 'r, S>,
    place: Place,
    tuple: Tuple,
}

impl<S: Surroundings> Trial for Candidate<'_, '_, '_, S> {
    fn random(&mut self) -> u32 {
        self.choosing.around.random()
    }

    fn taken(&mut self, id: u16, effort: Effort) -> bool {
        self.place.set(&mut self.tuple, Be16::new(id));
        self.choosing.taken(&self.tuple, effort)
    }
}

#[cfg(test)]
mod tests;
