//! Session tokens per second of Greenroom's signer, on one thread. Prints how many tokens it signed, and in how many
//! nanoseconds.
//!
//! `t1 KEY SECRET SESSION_ID SECONDS`, as the SDK's `mint.py` beside the Django service.

use std::{
    error::Error,
    hint::black_box,
    time::{Duration, Instant},
};

use greenroom_core::{
    clock::Clock,
    config::OpenTok,
    id::{ProviderSessionId, random_hex},
};
use greenroom_media::provider::{Grant, T1_TTL, T1Role, TokenSigner};
use secrecy::SecretString;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, secret, session, seconds] = arguments.as_slice() else { return Err("four arguments are wanted".into()) };
    let api_secret = SecretString::from(secret.as_str());
    let signer = TokenSigner::new(&OpenTok { api_key: key.clone(), api_secret, api_url: String::new() });
    let (session, connection) = (ProviderSessionId::new(session.clone()), random_hex());
    let (clock, limit) = (Clock::system(), Duration::from_secs(seconds.parse()?));
    let (mut minted, begun) = (0_u64, Instant::now());
    while begun.elapsed() < limit {
        let now = clock.now();
        let grant = Grant {
            session: &session,
            role: T1Role::Publisher,
            expires_at: now + T1_TTL,
            connection_data: &connection,
        };
        black_box(signer.token(&grant, now)?);
        minted += 1;
    }
    println!("{minted} {}", begun.elapsed().as_nanos());
    Ok(())
}
