//! Form encoding as the OpenTok SDKs do it. The standard differs for `*` and `~`, which would break signatures.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters that are written as `%XX`: all but `A-Z a-z 0-9 _ . - ~`, and the space, which becomes `+`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b' ');

/// Appends the encoded value. Each byte of its UTF-8 that has to be encoded is written as `%XX`.
pub(super) fn append(out: &mut String, value: &str) {
    for part in utf8_percent_encode(value, ENCODED) {
        out.extend(part.chars().map(|c| if c == ' ' { '+' } else { c }));
    }
}

/// The encoded value.
pub(super) fn encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    append(&mut out, value);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The value of an encoded text.
    fn decode(encoded: &str) -> Option<String> {
        let mut bytes = Vec::new();
        let mut rest = encoded.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                byte => byte,
            });
        }
        String::from_utf8(bytes).ok()
    }

    proptest! {
        #[test]
        fn an_encoded_value_reads_back_as_it_was(value in any::<String>()) {
            prop_assert_eq!(decode(&encode(&value)), Some(value));
        }

        #[test]
        fn each_byte_is_bare_a_plus_or_upper_case_hexadecimal(value in any::<String>()) {
            let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte);
            let each = value.bytes().map(|byte| match byte {
                b' ' => "+".to_owned(),
                byte if bare(byte) => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            });
            prop_assert_eq!(encode(&value), each.collect::<String>());
        }
    }

    #[test]
    fn a_value_cannot_pass_for_another_key() {
        assert_eq!(encode("1_a&role=moderator*~ é"), "1_a%26role%3Dmoderator%2A~+%C3%A9");
    }
}
