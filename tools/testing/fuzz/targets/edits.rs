// SPDX-License-Identifier: GPL-2.0

//! Edits of a payload, and the shift of sequence numbers that they cause: as if
//! each was made in turn.

#![no_main]

include!("../fuzz.rs");

use nf_proto::{
    nat::edit::{Edit, Edits},
    seqadj::SeqAdj,
};

fn target(bytes: &[u8], choice: u8) {
    let split = usize::from(choice & 31) * 4;
    let Some((script, payload)) = bytes.split_at_checked(split) else {
        return;
    };
    let list: Vec<_> = script
        .chunks_exact(4)
        .map(|step| Edit {
            offset: u32::from(step[0]) + (u32::from(step[3] >> 6) << 30),
            old_len: u32::from(step[1]),
            new: &bytes[..usize::from(step[2]).min(bytes.len())],
        })
        .collect();
    let len = payload.len() as u32;
    let Ok(edits) = Edits::new(&list, len, 2000) else {
        return;
    };
    let mut buffer = payload.to_vec();
    buffer.resize(payload.len().max(edits.new_len() as usize), 0);
    assert!(edits.apply(&mut buffer));
    buffer.truncate(edits.new_len() as usize);

    let mut simple = Vec::new();
    let mut behind = 0;
    for edit in &list {
        let start = edit.offset as usize;
        simple.extend_from_slice(&payload[behind..start]);
        simple.extend_from_slice(edit.new);
        behind = start + edit.old_len as usize;
    }
    simple.extend_from_slice(&payload[behind..]);
    assert_eq!(buffer, simple);
    assert_eq!(edits.growth(), simple.len() as i32 - payload.len() as i32);

    // A stream of such segments: what follows is shifted by all of them, and what
    // is acknowledged by the receiver is shifted back to what was sent.
    let mut shift = SeqAdj::default();
    let mut seq = u32::MAX - 100;
    let mut total = 0i32;
    for edit in &list {
        let by = edit.new.len() as i32 - edit.old_len as i32;
        shift.set(seq, by);
        shift.set(seq, by);
        seq = seq.wrapping_add(1 + edit.old_len);
        total += by;
        assert_eq!(shift.forward(seq), seq.wrapping_add(total as u32));
        assert_eq!(shift.backward(shift.forward(seq)), seq);
    }
}

fuzz!(target);
