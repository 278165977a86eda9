// SPDX-License-Identifier: GPL-2.0

//! What the module keeps for each namespace: settings, files, and the hooks
//! while they are wanted.

use crate::namespace::{Counter, Flows, Namespace};
use crate::proc::{FlowFile, StatisticsFile};
use kernel::prelude::*;
use kernel::sync::{new_mutex, Arc, Mutex};
use netfilter::hook::{self, priority, HookNumber, Point};
use netfilter::net::{Net, Ops, Scope};
use netfilter::procfs::{Directory, File};
use netfilter::rcu::ReadGuard;
use netfilter::sysctl::{self, Entry, Kind, Setting};
use nf_proto::tuple::Family;

/// Where the state of each namespace is found.
pub static OPS: Ops<State> = Ops::new();

/// What all namespaces share.
pub type Context = Arc<Flows>;

/// The flows of `net`, if the module is up there.
pub fn of<'g>(net: &'g Net, guard: ReadGuard<'g>) -> Option<&'g Namespace> {
    OPS.get(net, guard).map(|state| &*state.namespace)
}

/// All that ends with the namespace.
pub struct State {
    // Dropped in this order: first what lets others in.
    _sysctl: sysctl::Registration<Control>,
    _flows: File<FlowFile>,
    _statistics: File<StatisticsFile>,
    control: Arc<Control>,
    namespace: Arc<Namespace>,
}

impl State {
    pub(crate) fn new(net: &Scope, flows: &Context) -> Result<Self> {
        let namespace = Arc::new(Namespace::new(flows.clone(), net.id())?, GFP_KERNEL)?;
        let control = Arc::pin_init(Control::new(net.clone(), namespace.clone()), GFP_KERNEL)?;
        let flows = Arc::new(FlowFile(namespace.clone()), GFP_KERNEL)?;
        let statistics = Arc::new(StatisticsFile(namespace.clone()), GFP_KERNEL)?;
        Ok(Self {
            _flows: File::new(net.clone(), Directory::Net, NAME, 0o440, flows)?,
            _statistics: File::new(net.clone(), Directory::NetStat, NAME, 0o444, statistics)?,
            _sysctl: sysctl::Registration::new(
                net.clone(),
                c"net/netfilter",
                ENTRIES,
                control.clone(),
            )?,
            control,
            namespace,
        })
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // The sysctl may still switch it on again, so for good only after that;
        // but flows refer to the namespace and have to go anyway.
        self.control.close();
        self.namespace.purge();
    }
}

const NAME: &CStr = c"nf_flowstat";

/// The sysctls, and the hooks that they switch.
#[pin_data]
pub struct Control {
    net: Scope,
    namespace: Arc<Namespace>,
    enable: Setting<u8>,
    #[pin]
    hooks: Mutex<Hooks>,
}

const POINTS: [Point; 10] = [
    at(Family::Ipv4, HookNumber::PreRouting),
    at(Family::Ipv4, HookNumber::LocalIn),
    at(Family::Ipv4, HookNumber::Forward),
    at(Family::Ipv4, HookNumber::LocalOut),
    at(Family::Ipv4, HookNumber::PostRouting),
    at(Family::Ipv6, HookNumber::PreRouting),
    at(Family::Ipv6, HookNumber::LocalIn),
    at(Family::Ipv6, HookNumber::Forward),
    at(Family::Ipv6, HookNumber::LocalOut),
    at(Family::Ipv6, HookNumber::PostRouting),
];

const fn at(family: Family, hook: HookNumber) -> Point {
    Point {
        family,
        hook,
        // Fragments are put together by then, if anything here does that.
        priority: priority::CONNTRACK,
    }
}

/// The hooks of a namespace.
struct Hooks {
    registered: Option<hook::Registration<Counter>>,
    /// The namespace goes down: none any more.
    closed: bool,
}

const ENTRIES: &[Entry<Control>] = &[
    Entry {
        name: c"nf_flowstat_enable",
        mode: 0o644,
        kind: Kind::U8(|control| &control.enable, 0, 1),
        changed: Some(Control::apply),
    },
    Entry {
        name: c"nf_flowstat_max",
        mode: 0o644,
        kind: Kind::U32(|control| &control.namespace.max, 0, i32::MAX as u32),
        changed: None,
    },
    Entry {
        name: c"nf_flowstat_timeout",
        mode: 0o644,
        kind: Kind::Seconds(|control| &control.namespace.timeout),
        changed: None,
    },
    Entry {
        name: c"nf_flowstat_count",
        mode: 0o444,
        kind: Kind::Computed(|control| control.namespace.count()),
        changed: None,
    },
];

impl Control {
    fn new(net: Scope, namespace: Arc<Namespace>) -> impl PinInit<Self> {
        pin_init!(Self {
            net,
            namespace,
            enable: Setting::new(0),
            hooks <- new_mutex!(Hooks {
                registered: None,
                closed: false,
            }),
        })
    }

    /// Makes the hooks what the sysctl says.
    fn apply(&self) -> Result {
        let mut hooks = self.hooks.lock();
        let wanted = self.enable.get() != 0 && !hooks.closed;
        if !wanted {
            hooks.registered = None;
        } else if hooks.registered.is_none() {
            match self.register() {
                Ok(registered) => hooks.registered = Some(registered),
                Err(error) => {
                    self.enable.set(0);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Takes the hooks away for good.
    fn close(&self) {
        let mut hooks = self.hooks.lock();
        hooks.closed = true;
        hooks.registered = None;
    }

    fn register(&self) -> Result<hook::Registration<Counter>> {
        let counter = Arc::new(Counter(self.namespace.clone()), GFP_KERNEL)?;
        hook::Registration::new(self.net.clone(), &POINTS, counter)
    }
}
