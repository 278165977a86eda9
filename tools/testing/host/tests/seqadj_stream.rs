// SPDX-License-Identifier: GPL-2.0

//! Sequence adjustment over whole streams, with payloads that grow and shrink.

use nf_proto::seqadj::{adjust, SeqAdj};
use proptest::prelude::*;

/// The length of a segment and by how much a helper changes it: never to
/// nothing, often not at all.
fn segment() -> impl Strategy<Value = (u32, i32)> {
    (1u32..1460).prop_flat_map(|length| {
        let change = prop_oneof![Just(0), 1 - length as i32..500];
        (Just(length), change)
    })
}

/// Any, and often close to the wrap.
fn sequence_number() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), (0u32..5000).prop_map(|n| n.wrapping_neg())]
}

fn seqadj() -> impl Strategy<Value = SeqAdj> {
    (any::<u32>(), -70_000..70_000, -70_000..70_000).prop_map(
        |(correction_pos, offset_before, offset_after)| SeqAdj {
            correction_pos,
            offset_before,
            offset_after,
        },
    )
}

proptest! {
    /// Every edge of a segment since the change before the last one is the
    /// same for both sides, and a retransmission alters nothing.
    #[test]
    fn both_sides_agree(
        start in sequence_number(),
        segments in prop::collection::vec(segment(), 1..60),
        repeat in any::<prop::sample::Index>(),
    ) {
        let mut adj = SeqAdj::default();
        // Edges as the sender and as its peer knows them.
        let mut edges = vec![(start, start)];
        // Of `edges`: from where on they are known, and will be known.
        let (mut known, mut next) = (0, 0);
        let mut sent = Vec::new();

        for (length, change) in segments {
            let (seq, peer) = edges[edges.len() - 1];
            adj.set(seq, change);
            sent.push((seq, change));
            if change != 0 {
                (known, next) = (next, edges.len());
            }
            let end = peer.wrapping_add(length).wrapping_add_signed(change);
            edges.push((seq.wrapping_add(length), end));

            let (seq, change) = sent[repeat.index(sent.len())];
            let before = adj;
            adj.set(seq, change);
            prop_assert_eq!(adj, before);

            for (seq, peer) in &edges[known..] {
                prop_assert_eq!(adj.forward(*seq), *peer);
                prop_assert_eq!(adj.backward(*peer), *seq);
            }
        }
    }

    /// An acknowledgment never goes back when the peer's goes on.
    #[test]
    fn acknowledgments_are_monotonic(adj in seqadj(), ack in -100_000..100_000, more in 0u32..200_000) {
        let ack = adj.forward(adj.correction_pos).wrapping_add_signed(ack);
        let (low, high) = (adj.backward(ack), adj.backward(ack.wrapping_add(more)));
        prop_assert!(high.wrapping_sub(low) as i32 >= 0, "{} {}", low, high);
    }

    /// No header is too bad. Every edit tells what stands there, is within the
    /// header, and does not overlap another.
    #[test]
    fn any_header(
        mut header in prop::collection::vec(any::<u8>(), 0..80),
        // What makes it likely that options are found.
        kinds in prop::collection::vec((20usize..60, 0u8..6), 0..12),
        lengths in prop::collection::vec((20usize..60, 0u8..40), 0..12),
        data_offset in any::<u8>(),
        this in seqadj(),
        other in seqadj(),
    ) {
        for (at, byte) in kinds.into_iter().chain(lengths).chain([(12, data_offset)]) {
            if let Some(place) = header.get_mut(at) {
                *place = byte;
            }
        }
        let Ok(edits) = adjust(&header, &this, &other) else {
            return Ok(());
        };
        let end = usize::from(header[12] >> 4) * 4;
        prop_assert!(header[13] & 0x10 == 0 || (20..=header.len()).contains(&end));

        let mut free = 4;
        for edit in edits.as_slice() {
            prop_assert!(edit.offset >= free);
            prop_assert!(edit.offset < 12 || edit.offset >= 22);
            prop_assert!(edit.offset == 4 || edit.offset + 4 <= end);
            prop_assert_eq!(&header[edit.offset..edit.offset + 4], &edit.old.to_bytes()[..]);
            prop_assert_ne!(edit.old, edit.new);
            free = edit.offset + 4;
        }
    }

    /// SACK blocks are found wherever they stand, and shifted as the
    /// acknowledgment number is.
    #[test]
    fn sack_blocks(
        edges in prop::collection::vec(any::<[u32; 2]>(), 1..5),
        padding in 0usize..5,
        other in seqadj(),
    ) {
        let mut header = vec![0; 20];
        header[13] = 0x10;
        header.resize(20 + padding, 1);
        header.extend([5, 2 + 8 * edges.len() as u8]);
        header.extend(edges.iter().flatten().flat_map(|edge| edge.to_be_bytes()));
        header.resize(header.len().next_multiple_of(4), 0);
        prop_assume!(header.len() <= 60);
        header[12] = (header.len() as u8 / 4) << 4;

        let edits = adjust(&header, &SeqAdj::default(), &other).unwrap();
        for edit in edits.as_slice() {
            header[edit.offset..edit.offset + 4].copy_from_slice(&edit.new.to_bytes());
        }
        let expected: Vec<u8> = edges
            .iter()
            .flatten()
            .flat_map(|edge| other.backward(*edge).to_be_bytes())
            .collect();
        prop_assert_eq!(&header[22 + padding..][..expected.len()], &expected[..]);
    }
}
