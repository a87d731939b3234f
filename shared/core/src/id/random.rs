//! Randomness, which is read only here, and its forms as text.

/// Bytes from the operating system's generator.
///
/// # Panics
/// If the operating system has no generator. Nothing that needs an id can go on then.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::disallowed_methods, reason = "the one place that reads randomness")]
    #[expect(clippy::expect_used, reason = "the generator of a system we run on does not fail once it is seeded")]
    getrandom::fill(&mut bytes).expect("the operating system has a random number generator");
    bytes
}

/// 128 random bits as 32 lower-case hexadecimal digits.
#[must_use]
pub fn random_hex() -> String {
    hex(&random_bytes::<16>())
}

/// A UUID of 122 random bits (RFC 9562, version 4).
pub(super) fn random_uuid() -> String {
    uuid::Builder::from_random_bytes(random_bytes()).into_uuid().to_string()
}

/// Lower-case hexadecimal digits of these bytes.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| DIGITS[usize::from(digit)]).collect()
}

/// The characters of codes that people type in. 0 and O, and 1, I and L are left out, because they look alike.
const TYPED: &[u8; 31] = b"23456789abcdefghjkmnpqrstuvwxyz";
/// The number of characters in a code. 12 of 31 give 59 bits.
const TYPED_LENGTH: usize = 12;

/// A code for people to type in, in groups of four. Nobody can guess it (`docs/apis/access.md`).
#[must_use]
pub fn random_code() -> String {
    let mut code = String::new();
    while code.len() < TYPED_LENGTH + TYPED_LENGTH / 4 - 1 {
        let [byte] = random_bytes::<1>();
        // A byte that would make some characters likelier than others is drawn again.
        if usize::from(byte) < TYPED.len() * 8 {
            if code.len() % 5 == 4 {
                code.push('-');
            }
            code.push(char::from(TYPED[usize::from(byte) % TYPED.len()]));
        }
    }
    code
}
