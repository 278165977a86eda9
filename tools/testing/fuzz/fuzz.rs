// SPDX-License-Identifier: GPL-2.0

// What targets share: included by each of them.

/// The function that libFuzzer calls with an input. It checks what must hold,
/// and panics if it does not.
macro_rules! fuzz {
    ($function:path) => {
        #[no_mangle]
        extern "C" fn LLVMFuzzerTestOneInput(data: *const u8, len: usize) -> i32 {
            let bytes = if len == 0 {
                &[][..]
            } else {
                // SAFETY: libFuzzer gives so many initialised bytes, and they
                // stay for the call.
                unsafe { core::slice::from_raw_parts(data, len) }
            };
            // An input's last byte is for what is not the message.
            if let Some((choice, message)) = bytes.split_last() {
                $function(message, *choice);
            }
            0
        }
    };
}
