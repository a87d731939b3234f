//! Form encoding as the OpenTok SDKs do it. The standard's rule differs on `*` and `~`, which would break signatures.

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends the value: `A-Z a-z 0-9 _ . - ~` as they are, a space as `+`, any other byte of the UTF-8 as `%XX`.
pub(super) fn append(out: &mut String, value: &str) {
    let mut rest = value;
    while !rest.is_empty() {
        let bare = rest.bytes().take_while(|byte| is_bare(*byte)).count();
        let (plain, special) = rest.split_at(bare);
        out.push_str(plain);
        let mut special = special.chars();
        match special.next() {
            Some(' ') => out.push('+'),
            Some(special) => {
                for byte in special.encode_utf8(&mut [0; 4]).bytes() {
                    out.push('%');
                    out.extend([byte >> 4, byte & 15].map(|digit| char::from(HEX[usize::from(digit)])));
                }
            }
            None => {}
        }
        rest = special.as_str();
    }
}

const fn is_bare(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~')
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

    /// The value that this encodes.
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
