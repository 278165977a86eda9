// SPDX-License-Identifier: GPL-2.0

//! What is expected: the streams of a call, T.120 and control connections, calls.

use crate::{
    abi,
    work::{full, Work},
    H245, Q931,
};
use netfilter::conntrack::{
    expect::{flag, ExpectLock, NewExpect},
    helper::{self, ConntrackHelper, Helper, Why},
};
use nf_conntrack::expect::{self, Wanted};
use nf_proto::{
    alg::h323::{translate::Side, Endpoint, Place},
    be::Be16,
    l4::number,
    tuple::Address,
};

const NO_ROOM: Why = c"cannot add expectation";
const IN_USE: Why = c"all ports in use";

impl<'c> Work<'c> {
    /// Describes a connection from the receiver (from anywhere, if not `source`).
    pub(crate) fn new_expect(
        &self,
        source: bool,
        destination: &Address,
        protocol: u8,
        port: Be16,
    ) -> Result<NewExpect<'c>, Why> {
        let mut exp = NewExpect::alloc(self.conn).ok_or(c"cannot alloc expectation")?;
        let wanted = Wanted {
            class: 0,
            l3num: self.family.number(),
            source: source.then_some(&self.ends.new_destination.address),
            destination,
            protocol,
            source_port: None,
            port,
        };
        expect::describe(&mut exp, &wanted);
        Ok(exp)
    }

    /// The expected connection gets the helper `H`.
    pub(crate) fn assign<H: ConntrackHelper>(&self, exp: &NewExpect<'c>) -> Result<(), Why> {
        let number = self.family.number();
        let is_it = |helper: &&Helper| {
            helper.name() == H::NAME.to_bytes()
                && helper.l3num() == number
                && helper.protocol() == H::PROTOCOL
                && !helper.is_in_user_space()
        };
        // It goes after the one that is at work, which waits for us.
        let lock = ExpectLock::take();
        let helper = helper::registered(lock.rcu()).find(is_it);
        helper
            .and_then(|helper| exp.set_assigned(&lock, helper).ok())
            .ok_or(c"helper is going")
    }

    /// More than one connection is expected.
    pub(crate) fn stays(&self, exp: &NewExpect<'c>) {
        exp.set_flags(&ExpectLock::take(), flag::PERMANENT);
    }

    /// Expects it as it is.
    pub(crate) fn related(&mut self, exp: NewExpect<'c>) -> Result<(), Why> {
        expect::related(&exp, 0, 0, 0).map_err(|_| NO_ROOM)?;
        self.made.add(exp)
    }

    /// The sender's own address, with a port.
    fn is_own(&self, endpoint: &Endpoint) -> bool {
        endpoint.address == self.ends.source.address && endpoint.port.get() != 0
    }

    /// A stream at an even port and what controls it at the next, of which the
    /// message has one.
    pub(crate) fn media(&mut self, place: &Place, endpoint: Endpoint) -> Result<(), Why> {
        let even = endpoint.port.get() & !1;
        if !self.is_own(&endpoint) || even == 0 {
            return Ok(());
        }
        let known = self.pairs.iter().find(|(said, _)| *said == even);
        let at = match known {
            Some((_, at)) => *at,
            None => {
                let at = self.pair(even)?;
                let free = self.pairs.iter_mut().find(|(said, _)| *said == 0);
                *free.ok_or(c"too many announcements")? = (even, at);
                at
            }
        };
        if self.source_nat().is_some() {
            let port = Be16::new(at | (endpoint.port.get() & 1));
            self.rewrites
                .add(place.at, Side::Source, port)
                .map_err(full)?;
        }
        Ok(())
    }

    /// Expects a pair: where.
    fn pair(&mut self, even: u16) -> Result<u16, Why> {
        let to = self.ends.new_source.address;
        let mut rtp = self.new_expect(true, &to, number::UDP, Be16::new(even))?;
        let mut rtcp = self.new_expect(true, &to, number::UDP, Be16::new(even | 1))?;
        let Some(nat) = self.source_nat() else {
            self.related(rtp)?;
            self.related(rtcp)?;
            return Ok(even);
        };
        for exp in [&mut rtp, &mut rtcp] {
            (nat.follow)(exp, self.direction.opposite());
        }
        let first = self.pair_before(even).unwrap_or(even);
        let at = (nat.expect_pair)([&mut rtp, &mut rtcp], first).ok_or(IN_USE)?;
        // The second is withdrawn if there is no room for the first.
        let added = self.made.add(rtp);
        self.made.add(rtcp)?;
        added?;
        Ok(at)
    }

    /// Where the connection expects a pair already.
    fn pair_before(&self, even: u16) -> Option<u16> {
        let lock = ExpectLock::take();
        let found = lock.list(&self.help).find(|exp| {
            exp.tuple().dst.protocol == number::UDP
                && exp.function() != 0
                && exp.saved_id().get() == even
                && exp.direction() == self.direction.opposite()
        });
        found.map(|exp| exp.tuple().dst.id.get())
    }

    /// T.120 connections.
    pub(crate) fn data(&mut self, place: &Place, endpoint: Endpoint) -> Result<(), Why> {
        if !self.is_own(&endpoint) {
            return Ok(());
        }
        let to = self.ends.new_source.address;
        let exp = self.new_expect(true, &to, number::TCP, endpoint.port)?;
        self.stays(&exp);
        self.followed(exp, place, endpoint.port).map(|_| ())
    }

    /// The connection with the call's control messages.
    pub(crate) fn control(&mut self, place: &Place, endpoint: Endpoint) -> Result<(), Why> {
        if !self.is_own(&endpoint) {
            return Ok(());
        }
        let to = self.ends.new_source.address;
        let exp = self.new_expect(true, &to, number::TCP, endpoint.port)?;
        self.assign::<H245>(&exp)?;
        let first = self.known_signal(endpoint.port);
        if let Some(port) = self.followed(exp, place, first)? {
            self.set_signal(endpoint.port, port);
        }
        Ok(())
    }

    /// Where a port is known already, or the port.
    pub(crate) fn known_signal(&self, port: Be16) -> Be16 {
        if *self.direction.of(&self.state.signal) == port {
            *self.direction.opposite().of(&self.state.signal)
        } else {
            port
        }
    }

    /// Remembers where a port is known.
    pub(crate) fn set_signal(&mut self, port: Be16, known: Be16) {
        let (here, there) = (self.direction, self.direction.opposite());
        *here.of_mut(&mut self.state.signal) = port;
        *there.of_mut(&mut self.state.signal) = known;
    }

    /// Expects a connection that follows its master; with NAT at which port,
    /// which is `first` if that is free, and writes that.
    fn followed(
        &mut self,
        mut exp: NewExpect<'c>,
        place: &Place,
        first: Be16,
    ) -> Result<Option<Be16>, Why> {
        let Some(nat) = self.source_nat() else {
            self.related(exp)?;
            return Ok(None);
        };
        (nat.follow)(&mut exp, self.direction.opposite());
        let port = Be16::new((nat.expect)(&mut exp, first.get()).ok_or(IN_USE)?);
        self.made.add(exp)?;
        self.rewrites
            .add(place.at, Side::Source, port)
            .map_err(full)?;
        Ok(Some(port))
    }

    /// A call that is forwarded to somebody else.
    pub(crate) fn forwarded(&mut self, place: &Place, endpoint: Endpoint) -> Result<(), Why> {
        if endpoint.port.get() == 0 {
            return Ok(());
        }
        // Between two at the same side the call does not come by here.
        let caller = &self.ends.new_destination.address;
        let net = self.conn.net();
        if abi::callforward_filter() && abi::same_way(net, self.family, &endpoint.address, caller) {
            return Ok(());
        }
        let mut exp = self.new_expect(true, &endpoint.address, number::TCP, endpoint.port)?;
        self.assign::<Q931>(&exp)?;
        let Some(nat) = self.source_nat() else {
            return self.related(exp);
        };
        let outside = self.ends.new_source.address;
        (nat.forward)(&mut exp, outside, self.direction.opposite());
        let port = (nat.expect)(&mut exp, endpoint.port.get()).ok_or(IN_USE)?;
        self.made.add(exp)?;
        self.rewrites
            .add(place.at, Side::Source, Be16::new(port))
            .map_err(full)
    }
}
