// SPDX-License-Identifier: GPL-2.0

//! Edits of payloads: the same as one after the other, or none.

use nf_proto::nat::edit::{Edit, Edits};
use proptest::{collection::vec, prelude::*};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Gaps, what is replaced, and by what.
    #[test]
    fn all_of_them(
        list in vec((0usize..20, 0usize..20, vec(any::<u8>(), 0..25)), 0..12),
        tail in 0usize..30,
    ) {
        let mut at = 0;
        let mut edits = Vec::new();
        for (gap, old_len, new) in &list {
            at += gap;
            edits.push(Edit { offset: at as u32, old_len: *old_len as u32, new });
            at += old_len;
        }
        let payload: Vec<u8> = (0..at + tail).map(|i| i as u8).collect();
        let mut expected = payload.clone();
        for edit in edits.iter().rev() {
            let start = edit.offset as usize;
            expected.splice(start..start + edit.old_len as usize, edit.new.iter().copied());
        }
        let checked = Edits::new(&edits, payload.len() as u32, 65_535).unwrap();
        prop_assert_eq!(checked.new_len() as usize, expected.len());
        prop_assert_eq!(checked.growth() as isize, expected.len() as isize - payload.len() as isize);
        let mut buffer = payload.clone();
        buffer.resize(payload.len().max(expected.len()), 0);
        prop_assert!(checked.apply(&mut buffer));
        prop_assert_eq!(&buffer[..expected.len()], &expected[..]);
    }

    /// Whatever they are: they fit, or are refused.
    #[test]
    fn any_edits(
        list in vec((any::<u32>(), any::<u32>()), 0..4),
        near in vec((0u32..70, 0u32..40), 0..4),
        len in 0u32..64,
        most in 0u32..80,
    ) {
        for list in [list, near] {
            let edits: Vec<Edit<'_>> = list
                .iter()
                .map(|(offset, old_len)| Edit { offset: *offset, old_len: *old_len, new: b"new" })
                .collect();
            let Ok(checked) = Edits::new(&edits, len, most) else { continue };
            prop_assert!(checked.new_len() <= most.max(len));
            let mut buffer = vec![0; len.max(checked.new_len()) as usize];
            prop_assert!(checked.apply(&mut buffer));
        }
    }
}
