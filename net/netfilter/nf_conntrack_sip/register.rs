// SPDX-License-Identifier: GPL-2.0

//! Registration: where a client wants to be called.

use crate::{
    abi,
    media::outside,
    work::{Translation, Work},
    SIGNALLING,
};
use netfilter::conntrack::{
    conn::now,
    expect::{flag, ExpectLock, NewExpect},
    helper::Why,
    Status, HZ,
};
use nf_conntrack::expect::{self, Wanted};
use nf_proto::{
    alg::sip::{
        message::{Message, Name},
        state::{bindings, Binding, State},
        translate, Endpoint,
    },
    be::Be16,
    expect as rules,
};

impl Work<'_, '_, '_, '_> {
    /// A client asks a registrar to remember where it is. Calls are expected
    /// there from the answer on.
    pub(crate) fn register(
        &mut self,
        message: &Message<'_>,
        number: u32,
        state: &State,
    ) -> Result<(), Why> {
        // Expected connections cannot register again.
        if self.conn.status().has(Status::EXPECTED) {
            return Ok(());
        }
        let view = &self.view;
        let own = bindings(message, view.source.address, view.protocol, view.family).next();
        match own {
            None if message.number(Name::Expires) == Some(0) => {}
            // What others are to be called is none of our business.
            None => return Ok(()),
            Some(Err(_)) => return Err(c"cannot parse expires"),
            Some(Ok(binding)) if binding.expires == 0 => {}
            Some(Ok(binding)) => self.expect_calls(&binding, state)?,
        }
        self.remember(|state| state.register = number);
        Ok(())
    }

    fn expect_calls(&mut self, binding: &Binding, state: &State) -> Result<(), Why> {
        let view = self.view;
        let Endpoint { address, port } = binding.endpoint;
        let mut exp = NewExpect::alloc(self.conn).ok_or(c"cannot alloc expectation")?;
        let wanted = Wanted {
            class: SIGNALLING,
            l3num: self.conn.l3num(),
            source: abi::direct_signalling().then_some(&view.new_destination.address),
            destination: &address,
            protocol: view.protocol,
            source_port: None,
            port,
        };
        expect::describe(&mut exp, &wanted);
        {
            // It has the same helper as its maker, so that both go together.
            let lock = ExpectLock::take();
            let helper = self.help.helper(lock.rcu()).ok_or(c"helper is going")?;
            exp.set_assigned(&lock, helper)
                .map_err(|_| c"helper is going")?;
            exp.set_flags(&lock, flag::PERMANENT | flag::INACTIVE);
        }
        let Some(Translation { nat, changes }) = &mut self.translation else {
            expect::related(&exp, 0, 0, 0).map_err(|_| c"cannot add expectation")?;
            return self.made.add(exp);
        };
        // Where the connection comes from, as far as that can be.
        let own_port = match state.forced_port {
            port if port.get() == 0 => view.source.port,
            port => port,
        };
        let wanted = if port == own_port {
            view.new_source.port
        } else {
            port
        };
        let outside = outside(&view, address);
        (nat.follow)(&mut exp, outside, self.direction.opposite());
        let port = (nat.expect)(&mut exp, wanted.get()).ok_or(c"all ports in use for SIP")?;
        self.made.add(exp)?;
        let new = Endpoint {
            address: outside,
            port: Be16::new(port),
        };
        if new != binding.endpoint {
            translate::binding(binding.span, &new, view.family, changes)
                .map_err(|_| c"cannot mangle packet")?;
        }
        Ok(())
    }

    /// The registrar says for how long it remembers the client; if it does not,
    /// no calls are expected any more.
    pub(crate) fn registered(&self, message: &Message<'_>) -> Result<(), Why> {
        let view = &self.view;
        for binding in bindings(
            message,
            view.destination.address,
            view.protocol,
            view.family,
        ) {
            let binding = binding.map_err(|_| c"cannot parse expires")?;
            if binding.expires == 0 {
                break;
            }
            if self.activate(&binding) {
                return Ok(());
            }
        }
        self.end_signalling();
        Ok(())
    }

    fn activate(&self, binding: &Binding) -> bool {
        let lock = ExpectLock::take();
        let found = lock.list(&self.help).find(|exp| {
            let to = &exp.tuple().dst;
            exp.class() == SIGNALLING
                && to.protocol == self.view.protocol
                && to.address == binding.endpoint.address
                && to.id == binding.endpoint.port
        });
        if let Some(exp) = found {
            exp.set_timeout(rules::expiry(now(), binding.expires, HZ));
            exp.clear_flags(&lock, flag::INACTIVE);
        }
        found.is_some()
    }
}
