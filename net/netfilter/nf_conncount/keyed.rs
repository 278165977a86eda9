// SPDX-License-Identifier: GPL-2.0

//! Connections counted by key: what xt_connlimit and Open vSwitch have.

use crate::{connections::Candidate, connections::Connections, dense::Dense};
use kernel::{
    prelude::*,
    sync::{rcu, static_lock_class, Arc},
};
use netfilter::{
    conntrack::{work::resched, Net},
    random,
    spinlock::SpinLockBh,
    time::HZ,
    vector::Vector,
    work::{Periodic, Tick},
};
use nf_proto::{
    conncount::Budget,
    hash::{self, Key as Secret},
};

/// The most words in a key.
pub const WORDS: usize = 5;

/// What connections are counted by: some words, the rest of them 0.
pub type Key = [u32; WORDS];

/// Locks, each for the keys of a part of the hashes; a power of two.
const SHARDS: usize = 256;

struct Keyed {
    key: Key,
    connections: Connections,
}

struct Shard {
    keys: Dense<Keyed>,
    /// Where the last look for keys without connections has ended.
    cursor: u32,
}

struct Shards {
    net: Net,
    secret: Secret,
    shards: Vector<Pin<KBox<SpinLockBh<Shard>>>>,
}

/// Counts by key (`struct nf_conncount_data`).
pub struct Counts {
    words: usize,
    // First of the two: it stops what uses them.
    _sweeper: Periodic<Shards>,
    shards: Arc<Shards>,
}

impl Counts {
    /// For keys of `words` words (1 to 5) in a namespace. Sleeps.
    ///
    /// # Errors
    ///
    /// `EINVAL` for another number, `ENOMEM`.
    pub fn new(net: Net, words: usize) -> Result<Self> {
        if words == 0 || words > WORDS {
            return Err(EINVAL);
        }
        let mut shards = Vector::new();
        shards.reserve(SHARDS, GFP_KERNEL)?;
        for _ in 0..SHARDS {
            let shard = Shard {
                keys: Dense::new(),
                cursor: 0,
            };
            let lock = SpinLockBh::new(shard, c"nf_conncount", static_lock_class!());
            shards.push(KBox::pin_init(lock, GFP_KERNEL)?, GFP_KERNEL)?;
        }
        let shards = Arc::new(
            Shards {
                net,
                secret: Secret::new([random::u64(), random::u64()]),
                shards,
            },
            GFP_KERNEL,
        )?;
        Ok(Self {
            words,
            _sweeper: Periodic::start(shards.clone(), HZ)?,
            shards,
        })
    }

    /// The number of words in a key.
    #[inline]
    pub fn words(&self) -> usize {
        self.words
    }

    /// The number of connections of `key`, with `candidate` among them. 0: it
    /// could not be counted for lack of memory. Under RCU.
    pub fn add(&self, net: Net, key: &Key, candidate: &Candidate) -> u32 {
        let hash = self.shards.hash(key);
        let Some(lock) = self.shards.of(hash) else {
            return 0;
        };
        let mut shard = lock.lock();
        let Some(connections) = shard.entry(net, hash, key) else {
            return 0;
        };
        if candidate.assured && connections.count() > 0 {
            // Counted when it began; others may have ended.
            connections.tidy(net);
        }
        // The packet's connection is one: never none.
        let wanted = !candidate.assured || connections.count() == 0;
        if wanted && connections.add(net, candidate).is_err() {
            return 0;
        }
        connections.count()
    }

    /// The number of connections of `key`. Under RCU.
    pub fn count(&self, net: Net, key: &Key) -> u32 {
        let hash = self.shards.hash(key);
        let Some(lock) = self.shards.of(hash) else {
            return 0;
        };
        let mut shard = lock.lock();
        let Some(position) = shard.find(hash, key) else {
            return 0;
        };
        shard.keys.get_mut(position).map_or(0, |keyed| {
            keyed.connections.sweep(net, Budget::SWEEP);
            keyed.connections.count()
        })
    }
}

impl Shards {
    #[inline]
    fn hash(&self, key: &Key) -> u32 {
        let [a, b, c, d, e] = key.map(u64::from);
        hash::hash_3words(&self.secret, [(a << 32) | b, (c << 32) | d, e])
    }

    /// By high bits: the low ones choose the chain inside.
    #[inline]
    fn of(&self, hash: u32) -> Option<&SpinLockBh<Shard>> {
        let shard = self
            .shards
            .get(hash::bucket(hash, SHARDS as u32) as usize)?;
        Some(shard)
    }
}

impl Shard {
    #[inline]
    fn find(&self, hash: u32, key: &Key) -> Option<u32> {
        self.keys.find(hash, |keyed| keyed.key == *key)
    }

    /// The connections of a key, which is new perhaps; then a look at other keys
    /// makes up for it. Under RCU.
    fn entry(&mut self, net: Net, hash: u32, key: &Key) -> Option<&mut Connections> {
        let position = match self.find(hash, key) {
            Some(position) => position,
            None => {
                self.look(net, 2);
                let keyed = Keyed {
                    key: *key,
                    connections: Connections::new(),
                };
                self.keys.push(hash, keyed).ok()?
            }
        };
        Some(&mut self.keys.get_mut(position)?.connections)
    }

    /// Looks at some keys, and forgets those without connections. Under RCU.
    fn look(&mut self, net: Net, keys: u32) {
        for _ in 0..keys.min(self.keys.len()) {
            if self.cursor >= self.keys.len() {
                self.cursor = 0;
            }
            let Some(keyed) = self.keys.get_mut(self.cursor) else {
                return;
            };
            keyed.connections.tidy(net);
            if keyed.connections.count() == 0 {
                self.keys.remove(self.cursor);
            } else {
                self.cursor = self.cursor.wrapping_add(1);
            }
        }
    }
}

impl Tick for Shards {
    /// Keys whose connections have ended are forgotten although nobody asks for
    /// them any more.
    fn tick(&self) -> u32 {
        for shard in self.shards.iter() {
            let rcu = rcu::read_lock();
            shard.lock().look(self.net, 8);
            drop(rcu);
            resched();
        }
        HZ
    }
}
