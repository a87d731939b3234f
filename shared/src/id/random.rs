//! Randomness, read here only, and how it is written down.

/// Bytes from the operating system's generator.
///
/// # Panics
/// Where the operating system has no generator: nothing that needs an id can go on then.
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

/// What people type in codes: no 0 and O, no 1, I and L.
const TYPED: &[u8; 31] = b"23456789abcdefghjkmnpqrstuvwxyz";
/// How many characters a code has; 12 of 31 are 59 bits.
const TYPED_LENGTH: usize = 12;

/// A code for people to type in, in groups of four, that nobody guesses (`docs/apis/access.md`).
#[must_use]
pub fn random_code() -> String {
    let mut code = String::new();
    while code.len() < TYPED_LENGTH + TYPED_LENGTH / 4 - 1 {
        let [byte] = random_bytes::<1>();
        // Each character is as likely as every other: what is left over of a byte is drawn again.
        if usize::from(byte) < TYPED.len() * 8 {
            if code.len() % 5 == 4 {
                code.push('-');
            }
            code.push(char::from(TYPED[usize::from(byte) % TYPED.len()]));
        }
    }
    code
}
